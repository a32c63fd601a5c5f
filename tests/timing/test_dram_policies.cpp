// What the policies of the pseudo-channel decide, one by one, and the counters of its states.
#include <catch2/catch.hpp>

#include "tests/timing/dram_bench.hpp"

using namespace diastole;
using namespace diastole::dram_test;

TEST_CASE("first-ready closes a row under waiting hits as soon as an older conflict may") {
    // A row is open; a conflict, then a stream of hits to the open row.
    const auto conflict_done = [](SchedulerKind kind) {
        DramParams p = row_map();
        p.policy.scheduler = kind;
        p.timing.rtp = 3;  // below tCCD_L, else hits keep the precharge out
        Bench b(p);
        b.push(0, at(1, 0, 0, 0));
        b.push(100, at(2, 0, 0, 0));
        for (std::uint64_t i = 1; i < 20; ++i) b.push(100, at(1, 0, 0, i));
        b.finish();
        return b.done_at(1);
    };
    // At once, or after the hit that goes in the same cycle; with row hits first after 19 hits,
    // tCCD_L apart.
    CHECK(conflict_done(SchedulerKind::fcfs) == 100 + 14 + 14 + 14 + 2);
    CHECK(conflict_done(SchedulerKind::first_ready) == 100 + 3 + 14 + 14 + 14 + 2);
    CHECK(conflict_done(SchedulerKind::fr_fcfs) == 100 + 18 * 4 + 3 + 14 + 14 + 14 + 2);
}

TEST_CASE("first-ready serves younger hits while the older conflict must wait for tRAS") {
    DramParams p = row_map();
    p.policy.scheduler = SchedulerKind::first_ready;
    Bench b(p);
    b.push(0, at(1, 0, 0, 0));  // activate 0, precharge not before 34
    b.push(15, at(2, 0, 0, 0));
    b.push(16, at(1, 0, 0, 1));
    b.finish();
    CHECK(b.done_at(2) == 18 + 14 + 2);
    CHECK(b.issued(DramLogOp::precharge, 0) == 34);
}

TEST_CASE("row hits overtake an older conflict as often as the cap allows") {
    for (const std::uint32_t cap : {1U, 5U, 0U}) {
        DramParams p = row_map();
        p.policy.row_hit_cap = cap;
        Bench b(p);
        b.push(0, at(1, 0, 0, 0));
        b.push(100, at(2, 0, 0, 0));
        for (std::uint64_t i = 1; i < 20; ++i) b.push(100, at(1, 0, 0, i));
        b.finish();
        // tCCD_L apart, the last of them tRTP before the precharge.
        const std::uint64_t hits = cap == 0 ? 19 : cap;
        CHECK(b.done_at(1) == 100 + (hits - 1) * 4 + 5 + 14 + 14 + 14 + 2);
    }
}

TEST_CASE("hits older than a conflict keep their row open, younger ones do not") {
    DramParams p = row_map();
    p.policy.scheduler = SchedulerKind::older_hits;
    p.timing.rtp = 3;  // below tCCD_L, else hits keep the precharge out
    Bench b(p);
    b.push(0, at(1, 0, 0, 0));
    for (std::uint64_t i = 1; i < 4; ++i) b.push(100, at(1, 0, 0, i));
    b.push(100, at(2, 0, 0, 0));
    for (std::uint64_t i = 4; i < 9; ++i) b.push(100, at(1, 0, 0, i));
    b.finish();
    // Three older hits, tCCD_L apart; the precharge beats the fourth, which is younger.
    CHECK(b.issued(DramLogOp::precharge, 0) == 100 + 2 * 4 + 3);
    CHECK(b.done_at(4) == 100 + 2 * 4 + 3 + 14 + 14 + 14 + 2);
}

TEST_CASE("a request apart frees its place in the queue at the activate") {
    for (const OpenedPlace place : {OpenedPlace::queue, OpenedPlace::apart}) {
        DramParams p = row_map();
        p.policy.opened = place;
        p.policy.read_queue = p.policy.write_queue = 4;
        Bench b(p);
        for (std::uint64_t bank = 0; bank < 4; ++bank) b.push(0, at(1, bank, 0, 0));
        CHECK_FALSE(b.channel.can_accept(false, 1));
        b.channel.advance(DramCycles(1), b.done);  // one activate
        CHECK(b.channel.can_accept(false, 1) == (place == OpenedPlace::apart));
        b.finish();
        CHECK(b.done.size() == 4);
    }
}

TEST_CASE("an all-bank refresh waits for what is held apart, and closes other rows at once") {
    for (const OpenedPlace place : {OpenedPlace::queue, OpenedPlace::apart}) {
        DramParams p = row_map();
        p.policy.refresh = RefreshMode::all_bank;
        p.policy.opened = place;
        Bench b(p);
        b.push(3895, at(1, 0, 0, 0));  // activated five cycles before the refresh is due
        b.finish(9000);
        // Closed without an access, and opened again; or served first.
        CHECK(b.channel.stats().activates == (place == OpenedPlace::apart ? 1 : 2));
        if (place == OpenedPlace::apart) CHECK(b.done_at(0) == 3895 + 14 + 14 + 2);
        CHECK(b.channel.stats().refreshes == 2);
    }
}

TEST_CASE("a refresh counts an activate of two row-bus cycles from its second") {
    DramParams p = row_map();
    p.timing.act_cycles = 2;
    p.policy.refresh = RefreshMode::all_bank;
    p.policy.page = PagePolicy::closed;
    Bench b(p);
    b.push(3899, at(1, 0, 0, 0));
    b.push(3900, at(2, 0, 0, 0));
    b.finish(9000);
    // tRAS from the second cycle, then tRP; from the refresh to the second cycle of the activate.
    const std::uint64_t refresh = b.issued(DramLogOp::refresh_all, 0);
    CHECK(refresh == 3899 + 1 + 34 + 14);
    CHECK(b.issued(DramLogOp::activate, 1) == refresh + 260 - 1);
}

TEST_CASE("an all-bank refresh is put off while work waits, at most so many times") {
    for (const std::uint32_t postpone : {0U, 2U, 8U}) {
        DramParams p = row_map();
        p.policy.refresh = RefreshMode::all_bank;
        p.policy.refresh_postpone = postpone;
        Bench b(p);
        // A read is always waiting, up to 11 intervals.
        std::uint64_t now = 0, column = 0;
        while (now < 11 * 3900) {
            if (b.channel.can_accept(false, 1)) b.push(now, at(1, 0, 0, column++ % 32));
            b.channel.advance(DramCycles(++now), b.done);
        }
        CHECK(b.channel.stats().refreshes == 11 - 1 - postpone);
        b.finish(12 * 3900);
        // Made up for once nothing waits: none is lost.
        CHECK(b.channel.stats().refreshes == 11);
        // The first that could not be put off.
        CHECK(b.issued(DramLogOp::refresh_all, 0) / 3900 == 1 + postpone);
    }
}

TEST_CASE("an owed per-bank refresh waits for the requests of its own bank only") {
    DramParams p = row_map();
    p.policy.refresh = RefreshMode::per_bank;
    p.policy.refresh_postpone = 1;
    Bench b(p);
    const std::uint64_t due = 3900 / 16;  // bank 0's first
    for (std::uint64_t i = 0; i < 32; ++i) b.push(due - 40, at(1, 0, 0, i));
    b.finish(3900);
    // 32 reads of bank 0, tCCD_L apart, keep it busy beyond `due`; then its row is closed for it.
    std::uint64_t last = 0, refreshed = 0;
    for (const DramCommand& c : b.log) {
        if (c.op == DramLogOp::read) last = c.at;
        if (c.op == DramLogOp::refresh_bank && c.bank == 0) refreshed = c.at;
    }
    CHECK(last > due);
    CHECK(refreshed == last + 5 + 14);
    CHECK(b.issued(DramLogOp::refresh_bank, 1) == 2 * due);  // bank 1's is on time
}

TEST_CASE("every tick of a channel is active, refreshing or idle, as its log says") {
    Random random(17);
    for (int round = 0; round < 30; ++round) {
        DramParams p = row_map();
        p.policy.refresh = static_cast<RefreshMode>(random.below(3));
        p.policy.page = random.below(2) == 0 ? PagePolicy::open : PagePolicy::closed;
        p.policy.refresh_postpone = static_cast<std::uint32_t>(random.below(3));
        p.timing.refi = 1200, p.timing.rfc = 90, p.timing.rfc_pb = 60;
        Bench b(p);
        std::uint64_t now = 0;
        for (int i = 0; i < 200; ++i) {
            now += random.below(random.below(5) == 0 ? 400 : 12);
            b.channel.advance(DramCycles(now), b.done);
            if (!b.channel.can_accept(false, 4)) continue;
            b.push(now, at(random.below(3), random.below(2), random.below(2), random.below(28)),
                   random.below(3) == 0, 4);
        }
        const std::uint64_t end = now + 5000;
        b.finish(end);

        enum State : std::uint8_t { idle, refreshing, active };
        std::vector<State> state(end, idle);
        const auto cover = [&](std::uint64_t from, std::uint64_t until, State with) {
            for (std::uint64_t t = from; t < std::min(until, end); ++t) {
                state[t] = std::max(state[t], with);
            }
        };
        struct Open {
            bool is = false;
            std::uint64_t since = 0, recovered = 0;
        };
        std::vector<Open> open(16);
        const auto close = [&](Open& bank, std::uint64_t when) {
            if (bank.is) cover(bank.since, when, active);
            bank = {};
        };
        for (const DramCommand& c : b.log) {
            Open& bank = open[c.bank];
            const DramTiming& t = p.timing;
            const bool all = c.op == DramLogOp::refresh_all;
            switch (c.op) {
                case DramLogOp::activate:
                    bank = {true, c.at, c.at + t.ras};
                    break;
                case DramLogOp::precharge:
                    close(bank, c.at);
                    break;
                case DramLogOp::precharge_all:
                    for (Open& each : open) close(each, c.at);
                    break;
                case DramLogOp::refresh_all:
                case DramLogOp::refresh_bank:
                    cover(c.at, c.at + (all ? t.rfc : t.rfc_pb), refreshing);
                    break;
                default:
                    bank.recovered = std::max<std::uint64_t>(
                        bank.recovered,
                        c.at + (c.op == DramLogOp::read ? t.rtp : t.cwl + t.burst + t.wr));
                    if (c.auto_precharge) close(bank, bank.recovered);
            }
        }
        for (Open& each : open) close(each, end);
        const DramStats& s = b.channel.stats();
        const auto ticks = [&](State of) {
            return static_cast<std::uint64_t>(std::count(state.begin(), state.end(), of));
        };
        INFO("round " << round);
        CHECK(s.active_cycles == ticks(active));
        CHECK(s.refreshing_cycles == ticks(refreshing));
        CHECK(s.idle_cycles == ticks(idle));
        CHECK(s.active_cycles + s.refreshing_cycles + s.idle_cycles == end);
    }
}
