#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "tests/memory/partition_harness.hpp"

using namespace diastole;
using namespace diastole::memory_test;

namespace {

void check_same(const Run& a, const Run& b) {
    REQUIRE(a.responses.size() == b.responses.size());
    for (std::size_t i = 0; i < a.responses.size(); ++i) {
        REQUIRE(a.responses[i].token == b.responses[i].token);
        REQUIRE(a.responses[i].at == b.responses[i].at);
        REQUIRE(a.responses[i].parts.dram == b.responses[i].parts.dram);
        REQUIRE(a.responses[i].parts.sram == b.responses[i].parts.sram);
    }
    REQUIRE(a.credits == b.credits);
}

// A random chip small enough that everything bounded fills up.
ChipParams random_chip(Random& random) {
    ChipParams c = small_chip();
    c.clock_hz = 700'000'000 + random.below(1'500) * 1'000'003;
    c.sram.banks = static_cast<std::uint32_t>(random.between(1, 4));
    c.sram.line_bytes = random.below(2) == 0 ? 64 : 128;
    c.sram.mshrs = static_cast<std::uint32_t>(random.between(1, 24));
    c.sram.queue_depth = static_cast<std::uint32_t>(random.between(1, 12));
    c.sram.lls_bytes = random.below(5) == 0 ? c.sram.bytes : 16 * 1024;
    c.dram.channels = static_cast<std::uint32_t>(random.between(1, 3));
    c.dram.policy.read_queue = static_cast<std::uint32_t>(random.between(4, 40));
    c.dram.policy.write_queue = static_cast<std::uint32_t>(random.between(4, 40));
    c.dram.policy.queue = random.below(3) == 0 ? QueueKind::shared : QueueKind::split;
    c.dram.policy.page = random.below(3) == 0 ? PagePolicy::closed : PagePolicy::open;
    c.dram.policy.refresh = static_cast<RefreshMode>(random.below(3));
    c.dram.timing.tck_ps = random.between(500, 1400);
    if (random.below(2) == 0) c.dram.map = "row:15 col:5 ba:2 bg:2 byte:5";
    return c;
}

}  // namespace

TEST_CASE("a partition answers the same however its time is sliced and however early it is fed") {
    Random random(2024);
    for (int round = 0; round < 25; ++round) {
        const ChipParams chip = random_chip(random);
        const MemoryMode mode = round % 5 == 4 ? MemoryMode::fast : MemoryMode::exact;
        std::vector<MemoryRequest> requests = random_requests(chip, random, 300, 256 * 1024);
        PartitionCore first(chip, 0, mode), second(chip, 0, mode), third(chip, 0, mode);
        const std::uint64_t gap = random.below(30);
        const Run closed = closed_loop(first, requests, chip.sram.queue_depth, random.fork(1), gap,
                                       [] { return std::uint64_t{1} << 30; });
        Random slices = random.fork(2);
        const auto slice = [&] { return slices.between(1, 1 + slices.below(60)); };
        const Run sliced = replay(second, requests, false, slice);
        const Run early = replay(third, requests, true, [] { return std::uint64_t{100'000}; });
        check_same(closed, sliced);
        check_same(closed, early);
    }
}

TEST_CASE("bytes answered are bytes asked, and DRAM moves whole lines for misses and write-backs") {
    Random random(7);
    for (int round = 0; round < 20; ++round) {
        const ChipParams chip = random_chip(random);
        std::vector<MemoryRequest> requests = random_requests(chip, random, 400, 512 * 1024);
        PartitionCore core(chip, 0, MemoryMode::exact);
        Run run = closed_loop(core, requests, chip.sram.queue_depth, random.fork(1), 10,
                              [] { return std::uint64_t{1} << 30; });
        std::vector<std::uint32_t> answered(requests.size());
        for (const MemoryResponse& r : run.responses) {
            REQUIRE(answered[r.token] == 0);
            answered[r.token] = r.bytes;
            REQUIRE(r.parts.noc == 0);
            REQUIRE(r.held == requests[r.token].held);
            REQUIRE(r.shared == requests[r.token].shared);
            REQUIRE((r.at - requests[r.token].at).count() == r.parts.sram + r.parts.dram);
        }
        for (std::size_t i = 0; i < requests.size(); ++i) REQUIRE(answered[i] == requests[i].bytes);
        REQUIRE(run.credits.size() == requests.size());

        // Let the write buffer and the fetches of writes drain.
        PartitionOutput out;
        core.advance(Cycles(run.end + 1'000'000), out);
        const PartitionStats s = core.stats();
        std::uint64_t misses = 0;
        for (const ClassStats& c : s.by_class) {
            misses += c.misses;
            REQUIRE(c.accesses == c.hits + c.misses + c.merged + c.allocations);
        }
        REQUIRE(s.dram.bytes_read == misses * chip.sram.line_bytes);
        REQUIRE(s.dram.bytes_written ==
                s.write_backs * chip.sram.line_bytes + s.bypassed_write_bytes);
        REQUIRE(s.peak_queue <= chip.sram.queue_depth);
        REQUIRE(s.peak_mshrs <= chip.sram.mshrs);
    }
}

TEST_CASE("a hit takes its bank time and the SRAM latency") {
    const ChipParams chip = small_chip();
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    core.accept(request(0, 0, 128, AccessKind::write));
    core.accept(request(1000, 0, 128));
    core.advance(Cycles(2000), out);
    REQUIRE(out.responses.size() == 2);
    // 128 bytes on a bank of 64 bytes a cycle, then 20 cycles.
    CHECK(out.responses[1].at == Cycles(1000 + 2 + 20));
    CHECK(out.responses[1].parts.dram == 0);
    CHECK(out.responses[1].parts.sram == 22);
    CHECK(core.dirty_bytes() == 128);
}

TEST_CASE("an idle miss takes the row's activation and the burst, all of it attributed to DRAM") {
    ChipParams chip = small_chip();
    chip.clock_hz = 1'000'000'000;  // one cycle is one tick
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    core.accept(request(100, 0, 128));
    core.advance(Cycles(1000), out);
    REQUIRE(out.responses.size() == 1);
    // tRCD 14, three more atoms at tCCD_L 4, CL 14, burst 2.
    CHECK(out.responses[0].parts.dram == 14 + 3 * 4 + 14 + 2);
    CHECK(out.responses[0].parts.sram == 2 + 20);  // the fill, then the SRAM latency
    CHECK(out.responses[0].at == Cycles(100 + 42 + 22));
}

TEST_CASE("requests for a line on its way merge into one DRAM read") {
    const ChipParams chip = small_chip();
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    for (std::uint64_t i = 0; i < 4; ++i) core.accept(request(i, 256, 64));
    core.advance(Cycles(1000), out);
    REQUIRE(out.responses.size() == 4);
    const PartitionStats s = core.stats();
    CHECK(s.by_class[0].misses == 1);
    CHECK(s.by_class[0].merged == 3);
    CHECK(s.dram.bytes_read == 128);
}

TEST_CASE("several lines that miss in one request become one run") {
    const ChipParams chip = small_chip();
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    core.accept(request(0, 0, 512));
    core.advance(Cycles(1000), out);
    const PartitionStats s = core.stats();
    CHECK(s.by_class[0].misses == 4);
    CHECK(s.dram.activates == 1);
    CHECK(s.dram.reads == 16);
}

TEST_CASE("a full line is written without a fetch, a part of a line with one") {
    const ChipParams chip = small_chip();
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    core.accept(request(0, 0, 128, AccessKind::write));
    core.accept(request(1, 1024, 64, AccessKind::write));
    core.advance(Cycles(1000), out);
    const PartitionStats s = core.stats();
    CHECK(s.dram.bytes_read == 128);
    CHECK(s.by_class[0].allocations == 1);
    CHECK(s.by_class[0].misses == 1);
    CHECK(core.dirty_bytes() == 256);
    for (const MemoryResponse& r : out.responses) CHECK(r.parts.dram == 0);
}

TEST_CASE("a line that is dead after use is dropped instead of written back") {
    const ChipParams chip = small_chip();
    for (const bool dead : {false, true}) {
        PartitionCore core(chip, 0, MemoryMode::exact);
        PartitionOutput out;
        const std::uint64_t set_stride = 48 * 1024 / 4;  // the LLC share over its ways
        for (std::uint64_t i = 0; i < 8; ++i) {
            MemoryRequest r = request(i * 100, i * set_stride, 128, AccessKind::write);
            if (dead) r.hint = CacheHint::no_write_back;
            core.accept(r);
        }
        core.advance(Cycles(10'000), out);
        CHECK(core.stats().write_backs == (dead ? 0 : 4));
        CHECK(core.stats().dropped_write_backs == (dead ? 4 : 0));
    }
}

TEST_CASE("a prefetch is answered at once and makes the next read a hit") {
    const ChipParams chip = small_chip();
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    core.accept(request(0, 0, 512, AccessKind::prefetch));
    core.accept(request(500, 0, 512));
    core.advance(Cycles(1000), out);
    REQUIRE(out.responses.size() == 2);
    CHECK(out.responses[0].at == Cycles(20));
    CHECK(out.responses[1].parts.dram == 0);
    CHECK(core.stats().by_class[0].hits == 4);
}

TEST_CASE("a sender that overruns a partition's queue is stopped") {
    ChipParams chip = small_chip();
    chip.sram.queue_depth = 2;
    chip.sram.mshrs = 1;
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    for (std::uint64_t i = 0; i < 4; ++i) core.accept(request(0, i * 4096, 128));
    CHECK_THROWS_AS(core.advance(Cycles(10), out), ModelError);
}

TEST_CASE("time in the queue behind a head that waits for DRAM counts as waiting for DRAM") {
    ChipParams chip = small_chip();
    chip.sram.mshrs = 1;
    PartitionCore core(chip, 0, MemoryMode::exact);
    PartitionOutput out;
    core.accept(request(0, 0, 128));
    core.accept(request(0, 4096, 128));
    core.accept(request(0, 0, 64, AccessKind::read, Space::lls));
    core.advance(Cycles(1000), out);
    REQUIRE(out.responses.size() == 3);
    const MemoryResponse& lls = out.responses[1].bytes == 64 ? out.responses[1] : out.responses[2];
    CHECK(lls.parts.dram >= 40);
    CHECK(lls.parts.sram <= 20 + 1 + 2 + 2);  // two turns of dispatch, a fill on its bank
}

TEST_CASE("a partition without channels, or with a queue shorter than a line, is refused") {
    ChipParams chip = small_chip();
    chip.sram.partitions = 2;
    CHECK_THROWS_AS(PartitionCore(chip, 0, MemoryMode::exact), ConfigError);
    chip = small_chip();
    chip.dram.policy.read_queue = 2;
    CHECK_THROWS_AS(PartitionCore(chip, 0, MemoryMode::exact), ConfigError);
    chip = small_chip();
    chip.sram.ways = 7;
    CHECK_THROWS_AS(PartitionCore(chip, 0, MemoryMode::exact), ConfigError);
}
