// Single facts about the pseudo-channel: idle latencies, edges of single rules, policies.
#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "tests/timing/dram_bench.hpp"

using namespace diastole;
using namespace diastole::dram_test;

TEST_CASE("an idle read takes tRCD + CL + burst, a row hit CL + burst") {
    Bench b(row_map());
    b.push(100, at(1, 0, 0, 0));
    b.push(1000, at(1, 0, 0, 7));
    b.finish();
    CHECK(b.done_at(0) == 100 + 14 + 14 + 2);
    CHECK(b.done_at(1) == 1000 + 14 + 2);
    CHECK(b.channel.stats().row_hits == 1);
}

TEST_CASE("a row conflict costs tRP + tRCD + CL") {
    Bench b(row_map());
    b.push(100, at(1, 0, 0, 0));
    b.push(1000, at(2, 0, 0, 0));
    b.finish();
    CHECK(b.done_at(1) == 1000 + 14 + 14 + 14 + 2);
    CHECK(b.channel.stats().precharges == 1);
}

TEST_CASE("an activate that takes two row-bus cycles delays its own reads and shortens its wait") {
    DramParams p = row_map();
    p.timing.act_cycles = 2;
    Bench b(p);
    b.push(100, at(1, 0, 0, 0));
    b.push(1000, at(2, 0, 0, 0));
    b.finish();
    CHECK(b.done_at(0) == 100 + 15 + 14 + 2);        // ACT to RD 15
    CHECK(b.done_at(1) == 1000 + 13 + 15 + 14 + 2);  // PRE to ACT 13
}

TEST_CASE("the fifth activate waits for tFAW, to the tick") {
    for (const std::uint32_t faw : {16U, 17U, 24U, 40U}) {
        DramParams p = row_map();
        p.timing.faw = faw;
        Bench b(p);
        for (std::uint64_t i = 0; i < 5; ++i) b.push(0, at(1, i / 4, i % 4, 0));
        b.finish();
        CHECK(b.issued(DramLogOp::activate, 3) == 12);
        CHECK(b.issued(DramLogOp::activate, 4) == std::max(16U, faw));
    }
}

TEST_CASE("reads of one bank group are tCCD_L apart, of different ones tCCD_S") {
    Bench b(row_map());
    b.push(0, at(1, 0, 0, 0));
    b.push(0, at(1, 0, 1, 0));
    b.push(500, at(1, 0, 0, 1));
    b.push(500, at(1, 0, 1, 1));
    b.push(500, at(1, 0, 1, 2));
    b.finish();
    CHECK(b.issued(DramLogOp::read, 2) == 500);
    CHECK(b.issued(DramLogOp::read, 3) == 502);
    CHECK(b.issued(DramLogOp::read, 4) == 506);
}

TEST_CASE("turning between reads and writes costs tRTW, and CWL + burst + tWTR") {
    DramParams p = row_map();
    p.policy.queue = QueueKind::shared;
    Bench b(p);
    b.push(0, at(1, 0, 0, 0));
    b.push(0, at(1, 0, 1, 0));
    b.push(500, at(1, 0, 0, 1));
    b.push(500, at(1, 0, 0, 2), true);
    b.push(500, at(1, 0, 0, 3));
    b.push(500, at(1, 0, 1, 3));
    b.finish();
    CHECK(b.issued(DramLogOp::read, 2) == 500);
    CHECK(b.issued(DramLogOp::read, 3) == 502);  // goes before the older write of another bank
    CHECK(b.issued(DramLogOp::write, 0) == 502 + 13);
    CHECK(b.issued(DramLogOp::read, 4) == 515 + 5 + 2 + 8);
}

TEST_CASE("a read after a write waits tWTR_L in the same bank group and tWTR_S in another") {
    for (const bool same : {true, false}) {
        DramParams p = row_map();
        Bench b(p);
        b.push(0, at(1, 0, 0, 0));
        b.push(0, at(1, 0, 1, 0));
        b.push(500, at(1, 0, 0, 1), true);
        b.push(501, at(1, 0, same ? 0 : 1, 2));
        b.finish();
        CHECK(b.issued(DramLogOp::write, 0) == 500);
        CHECK(b.issued(DramLogOp::read, 2) == 500U + 5 + 2 + (same ? 8 : 6));
    }
}

TEST_CASE("writes are held until the high watermark and drained to the low one") {
    DramParams p = row_map();
    p.policy.read_queue = p.policy.write_queue = 10;
    p.policy.write_high = 0.8;
    p.policy.write_low = 0.2;
    Bench b(p);
    // A stream of reads that never runs dry, and nine writes: more than 8 turn the direction.
    std::uint64_t column = 0;
    std::uint32_t writes = 0;
    for (std::uint64_t t = 0; t < 400; t += 4) {
        b.channel.advance(DramCycles(t), b.done);
        if (b.channel.can_accept(false, 1)) b.push(t, at(1, 0, 0, column++ % 32));
        if (t % 16 == 0 && writes < 9) {
            b.push(t, at(1, 0, 1, writes++), true);
            if (writes == 8) CHECK(b.issued(DramLogOp::write, 0) == ~std::uint64_t{0});
        }
    }
    b.finish();
    // Drained: 9 - 1 = 8 writes in a row, until fewer than 2 are left; the last when reads end.
    std::size_t run = 0, first = 0;
    while (b.log[first].op != DramLogOp::write) ++first;
    for (std::size_t i = first; b.log[i].op == DramLogOp::write; ++i) ++run;
    CHECK(run == 8);
    CHECK(b.channel.stats().writes == 9);
}

TEST_CASE("an idle channel refreshes every tREFI and closes its rows for it") {
    DramParams p = row_map();
    p.policy.refresh = RefreshMode::all_bank;
    Bench b(p);
    b.push(100, at(1, 0, 0, 0));
    b.finish(3 * 3900 + 1);
    CHECK(b.issued(DramLogOp::precharge_all, 0) == 3900);
    CHECK(b.issued(DramLogOp::refresh_all, 0) == 3900 + 14);
    CHECK(b.issued(DramLogOp::refresh_all, 1) == 7800);
    CHECK(b.channel.stats().refreshes == 3);
    CHECK(b.channel.stats().refresh_cycles == 3 * 260);
}

TEST_CASE("a request that meets a refresh waits for its end") {
    DramParams p = row_map();
    p.policy.refresh = RefreshMode::all_bank;
    for (const std::uint64_t when : {3899U, 3900U, 3901U}) {
        Bench b(p);
        b.push(when, at(1, 0, 0, 0));
        b.finish();
        // At 3899 the activate still goes before the refresh, and the row is closed again.
        CHECK(b.issued(DramLogOp::activate, 0) == (when < 3900 ? 3899 : 3900 + 260));
        const std::uint64_t refresh = when < 3900 ? 3899 + 34 + 14 : 3900;
        CHECK(b.done_at(0) == refresh + 260 + 14 + 14 + 2);
    }
}

TEST_CASE("a long idle time counts its refreshes as if each had been played") {
    for (const RefreshMode mode : {RefreshMode::all_bank, RefreshMode::per_bank}) {
        DramParams p = row_map();
        p.policy.refresh = mode;
        Bench logged(p);  // a log forbids skipping
        DramChannel skipping(p);
        std::vector<DramCompletion> a;
        for (const std::uint64_t when : {100ULL, 1'000'000ULL, 1'000'250ULL, 5'003'210ULL}) {
            logged.push(when, at(when % 7, 0, 0, 0));
            skipping.advance(DramCycles(when), a);
            skipping.push({at(when % 7, 0, 0, 0), 1, 0, false, DramCycles(when)});
        }
        logged.finish(9'999'999);
        skipping.advance(DramCycles(9'999'999), a);
        REQUIRE(a.size() == 4);
        for (std::size_t i = 0; i < 4; ++i) CHECK(a[i].done == logged.done[i].done);
        CHECK(skipping.stats().refreshes == logged.channel.stats().refreshes);
        CHECK(skipping.stats().active_cycles == logged.channel.stats().active_cycles);
        CHECK(skipping.stats().refreshing_cycles == logged.channel.stats().refreshing_cycles);
        CHECK(skipping.stats().idle_cycles == logged.channel.stats().idle_cycles);
        const std::uint64_t each = mode == RefreshMode::all_bank ? 3900 : 3900 / 16;
        CHECK(skipping.stats().refreshes == (9'999'999 - 1) / each);
    }
}

TEST_CASE("a closed page precharges itself, an open one stays") {
    for (const PagePolicy page : {PagePolicy::open, PagePolicy::closed}) {
        DramParams p = row_map();
        p.policy.page = page;
        Bench b(p);
        b.push(100, at(1, 0, 0, 0));
        b.push(1000, at(1, 0, 0, 1));
        b.finish();
        CHECK(b.done_at(1) == 1000 + (page == PagePolicy::closed ? 14 : 0) + 14 + 2);
    }
}

TEST_CASE("FR-FCFS serves a younger row hit first, FCFS does not") {
    for (const SchedulerKind kind : {SchedulerKind::fr_fcfs, SchedulerKind::fcfs}) {
        DramParams p = row_map();
        p.policy.scheduler = kind;
        Bench b(p);
        b.push(100, at(1, 0, 0, 0));
        b.push(101, at(2, 0, 0, 0));
        b.push(102, at(1, 0, 0, 1));
        b.finish();
        CHECK((b.done_at(2) < b.done_at(1)) == (kind == SchedulerKind::fr_fcfs));
    }
}

TEST_CASE("impossible DRAM timings are refused by their rule") {
    using Catch::Matchers::Contains;
    DramParams p;
    p.timing.rc = 40;
    CHECK_THROWS_WITH(DramChannel(p), Contains("ras + rp = 48 exceeds rc = 40"));
    p = DramParams{};
    p.timing.refi = 300;
    CHECK_THROWS_WITH(DramChannel(p), Contains("refi = 300"));
    p = DramParams{};
    p.policy.write_low = 0.9;
    p.timing.burst = 0;
    CHECK_THROWS_WITH(DramChannel(p), Contains("write_low") && Contains("burst"));
}

TEST_CASE("a DRAM queue is bounded") {
    DramParams p = row_map();
    p.policy.read_queue = 4;
    Bench b(p);
    b.push(0, at(1, 0, 0, 0), false, 4);
    CHECK_FALSE(b.channel.can_accept(false, 1));
    CHECK(b.channel.can_accept(true, 4));
    CHECK_THROWS_AS(b.push(0, at(1, 0, 0, 4)), ModelError);
    CHECK_THROWS_AS(b.push(1, std::uint64_t{1} << 40, true), ModelError);
}
