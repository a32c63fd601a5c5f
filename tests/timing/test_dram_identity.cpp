// The event-driven channel against the tick-by-tick one: the same times under load and
// back-pressure.
#include <catch2/catch.hpp>

#include "model/params/preset.hpp"
#include "tests/timing/dram_harness.hpp"
#include "tests/timing/slow_dram_channel.hpp"

using namespace diastole;
using namespace diastole::dram_test;

namespace {

void draw_policy(DramParams& p, Random& random) {
    DramPolicy& policy = p.policy;
    const std::uint64_t scheduler = random.below(6);
    policy.scheduler = scheduler == 0   ? SchedulerKind::fcfs
                       : scheduler == 1 ? SchedulerKind::first_ready
                       : scheduler == 2 ? SchedulerKind::older_hits
                                        : SchedulerKind::fr_fcfs;
    policy.page = random.below(3) == 0 ? PagePolicy::closed : PagePolicy::open;
    policy.queue = random.below(3) == 0 ? QueueKind::shared : QueueKind::split;
    policy.refresh = static_cast<RefreshMode>(random.below(3));
    if (random.below(2) == 0) {
        policy.refresh_postpone = static_cast<std::uint32_t>(random.between(1, 8));
    }
    if (random.below(3) == 0) policy.opened = OpenedPlace::apart;
    if (random.below(3) == 0 && policy.scheduler == SchedulerKind::fr_fcfs) {
        policy.row_hit_cap = static_cast<std::uint32_t>(random.between(1, 6));
    }
    policy.read_queue = static_cast<std::uint32_t>(random.between(8, 32));
    policy.write_queue = static_cast<std::uint32_t>(random.between(8, 32));
}

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
    draw_policy(p, random);
    if (random.below(2) == 0 && p.geometry.bank_groups == 4) {
        p.map = p.geometry.stack_ids == 2 ? "row:14 sid:1 ba:2 col:2 bg:2 col:3 byte:5"
                                          : "row:15 ba:2 col:2 bg:2 col:3 byte:5";
    }
    return p;
}

// Requests over both, each up to `gap` ticks after the one before or as soon as there is room: with
// a short gap the sender waits for the channel, with a long one the channel for the sender.
void compare(const DramParams& p, Random& random, std::uint32_t requests, std::uint64_t gap) {
    const AddressMap map(p.map, p.geometry);
    DramChannel fast(p);
    SlowChannel slow(p);
    std::vector<DramCompletion> out;
    std::uint64_t now = 0;
    std::uint32_t sent = 0;
    const auto tick_to = [&](std::uint64_t until) {
        for (; now < until; ++now) slow.tick(now);
    };
    while (sent < requests) {
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
        INFO("request " << c.tag);
        REQUIRE(c.done.count() == slow.done.at(c.tag));
    }
}

}  // namespace

TEST_CASE("the event-driven channel gives the times of the tick-by-tick one") {
    Random random(99);
    for (int round = 0; round < 60; ++round) {
        INFO("round " << round);
        const DramParams p = random_params(random);
        compare(p, random, 150, random.below(2) == 0 ? 3 : 40);
    }
}

TEST_CASE("the event-driven channel gives the times of the tick-by-tick one on every standard") {
    Random random(5);
    for (const std::string& name : memory_presets()) {
        for (int round = 0; round < 4; ++round) {
            INFO(name << ", round " << round);
            DramParams p = load_memory(name).params;
            if (round > 0) draw_policy(p, random);
            compare(p, random, 150, round % 2 == 0 ? 2 : 60);
        }
    }
}
