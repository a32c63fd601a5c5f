// Speed of the memory model on this machine; hidden, run with: diastole_tests "[.bench]"
#include <catch2/catch.hpp>
#include <cstdio>
#include <ctime>

#include "tests/memory/partition_harness.hpp"
#include "tests/timing/dram_harness.hpp"

using namespace diastole;
using namespace diastole::dram_test;

namespace {

// Processor time: the machine may be busy with other work.
double nanoseconds() {
    return 1e9 / CLOCKS_PER_SEC * static_cast<double>(std::clock());
}

void bench_dram(const char* name, const DramParams& p, MemoryMode mode, const Pattern& pattern,
                std::uint64_t requests) {
    std::vector<Access> accesses;
    for (std::uint64_t i = 0; i < requests; ++i) accesses.push_back(pattern(i));
    const auto model = make_dram_model(p, mode);
    const double start = nanoseconds();
    const Outcome o = drive(
        *model, p, [&](std::uint64_t i) { return accesses[i]; }, requests);
    const double taken = (nanoseconds() - start);
    const DramStats& s = model->stats();
    const auto bursts = static_cast<double>(s.reads + s.writes);
    const auto commands = bursts + static_cast<double>(s.activates + s.precharges);
    std::printf("%-28s %-5s %6.2f M bursts/s, %5.1f ns a command, %5.2f %% of peak\n", name,
                mode == MemoryMode::exact ? "exact" : "fast", bursts * 1e3 / taken,
                taken / commands, o.percent);
    CHECK(o.percent > 0);
}

// One partition of an MTIA 2i: 16 MB, half of it LLC, one LPDDR5 channel.
ChipParams partition_chip() {
    ChipParams c = memory_test::small_chip();
    c.sram.bytes = 16 << 20;
    c.sram.lls_bytes = 8 << 20;
    c.sram.ways = 16;
    c.sram.mshrs = 64;
    c.sram.queue_depth = 16;
    c.dram.policy.read_queue = c.dram.policy.write_queue = 64;
    return c;
}

void bench_partition(const char* name, const ChipParams& chip, MemoryMode mode,
                     std::uint64_t footprint, std::uint32_t bytes, AccessKind kind, Space space,
                     bool random_order) {
    constexpr std::size_t count = 200'000;
    std::vector<MemoryRequest> requests;
    Random random(3);
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t block =
            random_order ? random.below(footprint / bytes) : i % (footprint / bytes);
        requests.push_back(memory_test::request(0, block * bytes, bytes, kind, space));
        requests.back().token = static_cast<std::uint32_t>(i);
    }
    PartitionCore core(chip, 0, mode);
    memory_test::PartitionOutput out;
    std::size_t next = 0, answered = 0;
    std::uint32_t credits = chip.sram.queue_depth;
    std::uint64_t now = 0;
    double start = 0;
    // The first quarter warms up. As the fabric would: windows of 16 cycles, a request in each few.
    while (answered < count) {
        for (std::uint64_t t = now; t < now + 16 && credits > 0 && next < count; t += 4) {
            if (next == count / 4) start = nanoseconds();
            requests[next].at = Cycles(t);
            core.accept(requests[next++]);
            --credits;
        }
        now += 16;
        out.clear();
        core.advance(Cycles(now), out);
        credits += static_cast<std::uint32_t>(out.credits.size());
        answered += out.responses.size();
    }
    const PartitionStats s = core.stats();
    const double each = (nanoseconds() - start) / (0.75 * count);
    const double seconds = static_cast<double>(now) / static_cast<double>(chip.clock_hz);
    std::printf("%-36s %-5s %6.1f ns a request, %6.2f GB/s simulated, DRAM %.2f GB/s\n", name,
                mode == MemoryMode::exact ? "exact" : "fast", each,
                static_cast<double>(count) * bytes / seconds / 1e9,
                static_cast<double>(s.dram.bytes_read + s.dram.bytes_written) / seconds / 1e9);
    CHECK(answered == count);
}

}  // namespace

TEST_CASE("bench: bursts a second of one pseudo-channel", "[.bench]") {
    const std::uint64_t capacity = std::uint64_t{512} << 20;
    DramParams rows = c1();
    rows.map = "row:15 ba:2 bg:2 col:5 byte:5";
    for (const MemoryMode mode : {MemoryMode::exact, MemoryMode::fast}) {
        bench_dram("sequential, map A", c1(), mode, sequential(capacity), 1'000'000);
        bench_dram("sequential 2:1, map A", c1(), mode, two_reads_one_write(capacity), 1'000'000);
        bench_dram("random 64 B, map A", c1(), mode, random64(capacity), 500'000);
        bench_dram("embedding 128 B, map A", c1(), mode, embedding(), 500'000);
        bench_dram("four streams, map A", c1(), mode, four_streams(capacity), 500'000);
        Random random(1);
        bench_dram(
            "random 256 B in one row", rows, mode,
            [&](std::uint64_t) {
                return Access{random.below(capacity / 256) * 256, false, 8};
            },
            100'000);
        bench_dram(
            "random 512 B in one row", rows, mode,
            [&](std::uint64_t) {
                return Access{random.below(capacity / 512) * 512, false, 16};
            },
            50'000);
    }
}

TEST_CASE("bench: nanoseconds a request of one memory partition", "[.bench]") {
    const ChipParams chip = partition_chip();
    const auto read = AccessKind::read;
    bench_partition("LLS read 512 B", chip, MemoryMode::exact, 4 << 20, 512, read, Space::lls,
                    true);
    bench_partition("LLC hit 512 B", chip, MemoryMode::exact, 4 << 20, 512, read, Space::dram,
                    true);
    bench_partition("LLC hit 128 B", chip, MemoryMode::exact, 4 << 20, 128, read, Space::dram,
                    true);
    for (const MemoryMode mode : {MemoryMode::exact, MemoryMode::fast}) {
        bench_partition("LLC miss 512 B, random", chip, mode, 256 << 20, 512, read, Space::dram,
                        true);
        bench_partition("LLC miss 128 B, random", chip, mode, 256 << 20, 128, read, Space::dram,
                        true);
        bench_partition("LLC miss 512 B, sequential", chip, mode, 256 << 20, 512, read, Space::dram,
                        false);
        bench_partition("write 512 B, sequential", chip, mode, 256 << 20, 512, AccessKind::write,
                        Space::dram, false);
    }
}
