#include <catch2/catch.hpp>
#include <numeric>

#include "model/chip/chip.hpp"
#include "model/chip/snapshot.hpp"
#include "tests/chip/scripted_jobs.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

Snapshot run(const ChipParams& params, JobStream& jobs) {
    Chip chip("chip", params, MemoryMode::exact);
    chip.run(jobs, {}, {}, {});
    return take_snapshot(chip, chip.control().last_end());
}

Command shared_read(std::uint64_t address, std::uint32_t bytes, Broadcast broadcast) {
    Command command = read_command(address, bytes, 0);
    std::get<Transfer>(command.payload).broadcast = broadcast;
    return command;
}

}  // namespace

TEST_CASE("a member that wants the same bytes again before the others did is served in rounds") {
    ScriptedJobs jobs;
    auto source = std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{2048, 8192});
    for (int round = 0; round < 6; ++round) {
        source->on(0, shared_read(0, 1024, {2, 5}));  // PE 0 runs ahead by what its buffer holds
        source->on(0, simd_command(0, 1024, 1, 0, 1));
        source->on(1, shared_read(0, 1024, {2, 5}));
        source->on(1, simd_command(0, 1024, 1, 0, 100'000));
    }
    jobs.add(std::move(source));
    Chip chip("chip", small_chip(), MemoryMode::exact);
    chip.run(jobs, {}, {}, {});
    const Snapshot s = take_snapshot(chip, chip.control().last_end());
    CHECK(s.dma_read_bytes == 12 * 1024);
    CHECK(s.memory.llc_bytes_read == 6 * 1024);
    // PE 0 cannot be served alone: its account ends when PE 1, which computes for 100,000 / 64
    // cycles between two wishes once its buffer is full, has asked for the last round.
    const StallCycles& stalls = chip.pe(0).stalls(Unit::simd);
    CHECK(std::accumulate(stalls.begin(), stalls.end(), std::uint64_t{0}) > 3 * 100'000 / 64);
}

TEST_CASE("senders blocked at a full partition all go on, whatever the others ask for") {
    ChipParams chip = small_chip();
    chip.sram.partitions = 1;
    chip.dram.channels = 1;
    chip.sram.queue_depth = 1;
    chip.noc.queue_depth = 1;
    chip.dma.outbox = 2;
    ScriptedJobs jobs;
    auto source = std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{65536, 65536});
    std::uint64_t expected = 0;
    for (std::uint32_t pe = 0; pe < 4; ++pe) {
        for (std::uint32_t i = 0; i < 8; ++i) {
            source->on(pe, shared_read(std::uint64_t{i} << 13, 2048, {4, 1}));
            source->on(pe, read_command((std::uint64_t{pe} << 20) + i * 4096, 2048, 0));
            source->on(pe, write_command((1ULL << 24) + pe * 65536 + i * 2048, 2048, 0));
            source->on(pe, write_command((1ULL << 25) + pe * 65536 + i * 2048, 2048, 0));
            expected += 4096;
        }
    }
    jobs.add(std::move(source));
    const Snapshot s = run(chip, jobs);
    CHECK(s.dma_read_bytes == expected);
    CHECK(s.dma_write_bytes == expected);
}
