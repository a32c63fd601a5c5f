// The event-driven channel against the standards' rules and against the tick-by-tick one.
#include <catch2/catch.hpp>

#include "tests/timing/dram_harness.hpp"
#include "tests/timing/slow_dram_channel.hpp"

using namespace diastole;
using namespace diastole::dram_test;

namespace {

// One of several standards' shapes, with timings moved and policies drawn at random.
DramParams random_params(Random& random) {
    DramParams p = random.below(2) == 0 ? c1() : c3();
    if (random.below(4) == 0) {  // as DDR3: no bank groups
        p.geometry = {64, 64, 1, 1, 8, 4096, 128};
        p.map = "row:12 ba:3 col:7 byte:6";
        p.timing.burst = 4;
        p.timing.ccd_s = p.timing.ccd_l = 4;
    }
    DramTiming& t = p.timing;
    for (std::uint32_t* value : {&t.cl, &t.cwl, &t.rcd_rd, &t.rcd_wr, &t.rp, &t.ras, &t.wr, &t.rtp,
                                 &t.faw, &t.wtr_s, &t.wtr_l, &t.rtw}) {
        *value += static_cast<std::uint32_t>(random.below(9));
    }
    t.ccd_l += static_cast<std::uint32_t>(random.below(3));
    t.rrd_l += static_cast<std::uint32_t>(random.below(4));
    t.ppd = static_cast<std::uint32_t>(random.between(1, 3));
    t.act_cycles = static_cast<std::uint32_t>(random.between(1, 2));
    t.rc = t.ras + t.rp + static_cast<std::uint32_t>(random.below(6));
    t.rtw = std::max(t.rtw, t.cl + t.burst - t.cwl);
    t.rfc = static_cast<std::uint32_t>(random.between(60, 300));
    t.rfc_pb = static_cast<std::uint32_t>(random.between(30, 160));
    t.refi = static_cast<std::uint32_t>(random.between(1000, 2500));
    DramPolicy& policy = p.policy;
    const std::uint64_t scheduler = random.below(5);
    policy.scheduler = scheduler == 0   ? SchedulerKind::fcfs
                       : scheduler == 1 ? SchedulerKind::first_ready
                                        : SchedulerKind::fr_fcfs;
    policy.page = random.below(3) == 0 ? PagePolicy::closed : PagePolicy::open;
    policy.queue = random.below(3) == 0 ? QueueKind::shared : QueueKind::split;
    policy.refresh = static_cast<RefreshMode>(random.below(3));
    if (random.below(2) == 0) {
        policy.refresh_postpone = static_cast<std::uint32_t>(random.between(1, 8));
    }
    policy.read_queue = static_cast<std::uint32_t>(random.between(8, 32));
    policy.write_queue = static_cast<std::uint32_t>(random.between(8, 32));
    if (random.below(2) == 0 && p.geometry.bank_groups == 4) {
        p.map = p.geometry.stack_ids == 2 ? "row:14 sid:1 ba:2 col:2 bg:2 col:3 byte:5"
                                          : "row:15 ba:2 col:2 bg:2 col:3 byte:5";
    }
    return p;
}

// Addresses that meet: few rows in few banks, runs as long as the map allows.
Access random_access(const DramParams& p, const AddressMap& map, Random& random) {
    const std::uint64_t atom = p.geometry.atom_bytes, run = map.run_bytes() / atom;
    const std::uint64_t space = std::min<std::uint64_t>(map.capacity(), 1 << 18);
    Access a;
    a.is_write = random.below(3) == 0;
    const std::uint64_t start = random.below(run);
    a.atoms =
        static_cast<std::uint32_t>(random.between(1, std::min<std::uint64_t>(8, run - start)));
    a.address = random.below(space / map.run_bytes()) * map.run_bytes() + start * atom;
    if (random.below(3) == 0) a.address = a.address % (4 * map.run_bytes());
    return a;
}

}  // namespace

TEST_CASE("the event-driven channel gives the times of the tick-by-tick one") {
    Random random(99);
    for (int round = 0; round < 60; ++round) {
        const DramParams p = random_params(random);
        const AddressMap map(p.map, p.geometry);
        DramChannel fast(p);
        SlowChannel slow(p);
        std::vector<DramCompletion> out;
        const std::uint64_t gap = random.below(2) == 0 ? 3 : 40;
        std::uint64_t now = 0;
        std::uint32_t sent = 0;
        const auto tick_to = [&](std::uint64_t until) {
            for (; now < until; ++now) slow.tick(now);
        };
        while (sent < 150) {
            const Access a = random_access(p, map, random);
            tick_to(now + random.below(gap));
            // In slices: the channel must not notice.
            if (random.below(2) == 0) fast.advance(DramCycles(now - now % 7), out);
            fast.advance(DramCycles(now), out);
            while (!slow.can_accept(a.is_write, a.atoms)) {
                REQUIRE_FALSE(fast.can_accept(a.is_write, a.atoms));
                const DramRoom wanted = a.is_write ? DramRoom{0, a.atoms} : DramRoom{a.atoms, 0};
                const DramCycles room = fast.advance(DramCycles(now + 100'000), out, wanted);
                REQUIRE(room > DramCycles(now));
                tick_to(room.count() - 1);
                REQUIRE_FALSE(slow.can_accept(a.is_write, a.atoms));
                tick_to(room.count());
                REQUIRE(slow.can_accept(a.is_write, a.atoms));
                fast.advance(DramCycles(now), out);
            }
            REQUIRE(fast.can_accept(a.is_write, a.atoms));
            fast.push({a.address, a.atoms, sent, a.is_write, DramCycles(now)});
            slow.push(a.address, a.atoms, a.is_write, sent);
            ++sent;
        }
        tick_to(now + 20'000);
        fast.advance(DramCycles(now), out);
        REQUIRE(out.size() == sent);
        REQUIRE(slow.done.size() == sent);
        for (const DramCompletion& c : out) {
            INFO("round " << round << ", request " << c.tag);
            REQUIRE(c.done.count() == slow.done.at(c.tag));
        }
    }
}

TEST_CASE("no command of random traffic breaks a rule of its standard") {
    Random random(4);
    std::size_t commands = 0;
    for (int round = 0; round < 60; ++round) {
        const DramParams p = random_params(random);
        const AddressMap map(p.map, p.geometry);
        DramChannel channel(p);
        std::vector<DramCommand> log;
        channel.log_to(&log);
        drive(
            channel, p, [&](std::uint64_t) { return random_access(p, map, random); }, 600);
        CHECK(RuleChecker::check(p, log) == "");
        commands += log.size();
    }
    CHECK(commands > 100'000);
}

TEST_CASE(
    "the rule checker objects when a timing is shorter in the scheduler than in the standard") {
    using Field = std::uint32_t DramTiming::*;
    const Field fields[] = {&DramTiming::rcd_rd, &DramTiming::rcd_wr, &DramTiming::rp,
                            &DramTiming::ras,    &DramTiming::rc,     &DramTiming::wr,
                            &DramTiming::rtp,    &DramTiming::ccd_s,  &DramTiming::ccd_l,
                            &DramTiming::ccd_r,  &DramTiming::rrd_s,  &DramTiming::rrd_l,
                            &DramTiming::faw,    &DramTiming::wtr_s,  &DramTiming::wtr_l,
                            &DramTiming::rtw,    &DramTiming::rfc,    &DramTiming::ppd,
                            &DramTiming::rfc_pb, &DramTiming::rrefd,  &DramTiming::burst};
    for (const Field field : fields) {
        bool objected = false;
        for (const RefreshMode mode : {RefreshMode::all_bank, RefreshMode::per_bank}) {
            DramParams wrong = c3();
            wrong.policy.refresh = mode;
            wrong.timing.refi = 3200;
            wrong.timing.rrefd = 90;  // of the 100 between two per-bank refreshes
            wrong.timing.rtp = 20;    // else tRAS covers it
            wrong.timing.act_cycles = 1;
            wrong.map = "row:14 sid:1 ba:2 col:2 bg:2 col:3 byte:5";
            DramParams right = wrong;
            if (field == &DramTiming::rc) right.timing.rc += 8;
            right.timing.*field += field == &DramTiming::rrefd ? 10 : 1;
            const AddressMap map(wrong.map, wrong.geometry);
            Random random(8);
            DramChannel channel(wrong);
            std::vector<DramCommand> log;
            channel.log_to(&log);
            drive(
                channel, wrong, [&](std::uint64_t) { return random_access(wrong, map, random); },
                6000);
            REQUIRE(RuleChecker::check(wrong, log) == "");
            objected = objected || !RuleChecker::check(right, log).empty();
        }
        INFO("field " << &field - fields);
        CHECK(objected);
    }
}
