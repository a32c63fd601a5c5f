#include <catch2/catch.hpp>
#include <numeric>

#include "model/base/error.hpp"
#include "model/chip/chip.hpp"
#include "model/chip/snapshot.hpp"
#include "tests/chip/scripted_jobs.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

struct Outcome {
    std::vector<JobRecord> records;
    Snapshot counters;
    Cycles end;
    Cycles window;
    std::uint32_t pes = 0;
};

Outcome run(const ChipParams& params, JobStream& jobs) {
    Chip chip("chip", params, MemoryMode::exact);
    Outcome outcome;
    chip.run(jobs, [&](const JobRecord& record) { outcome.records.push_back(record); }, {}, {});
    outcome.end = chip.control().last_end();
    chip.close_accounts(outcome.end);
    outcome.counters = take_snapshot(chip, outcome.end);
    outcome.window = chip.conductor().window();
    outcome.pes = chip.pes();
    return outcome;
}

std::uint64_t total(const StallCycles& cycles) {
    return std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0});
}

std::uint64_t stalls(const Outcome& outcome, Unit unit, Stall stall) {
    return outcome.counters.stalls[static_cast<std::size_t>(unit)][static_cast<std::size_t>(stall)];
}

// Reads, doubles and writes back `count` chunks on one PE.
std::unique_ptr<ScriptedSource> streaming(std::uint32_t pe, std::uint32_t count,
                                          std::uint32_t bytes) {
    auto source =
        std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{2 * bytes, 2 * bytes});
    for (std::uint32_t i = 0; i < count; ++i) {
        source->on(pe, read_command(std::uint64_t{i} * bytes, bytes, 0));
        source->on(pe, simd_command(0, bytes, 1, bytes, bytes / 2));
        source->on(pe, write_command((1 << 24) + std::uint64_t{i} * bytes, bytes, 1));
    }
    return source;
}

}  // namespace

TEST_CASE("the chip moves every byte that its commands name exactly once") {
    ScriptedJobs jobs;
    jobs.add(streaming(0, 10, 4096));
    const Outcome outcome = run(small_chip(), jobs);
    CHECK(outcome.counters.dma_read_bytes == 40960);
    CHECK(outcome.counters.dma_write_bytes == 40960);
    CHECK(outcome.counters.noc_read_bytes == 40960);
    CHECK(outcome.counters.noc_write_bytes == 40960);
    CHECK(outcome.counters.memory.llc_bytes_read == 40960);
    CHECK(outcome.counters.memory.llc_bytes_written == 40960);
    CHECK(outcome.counters.memory.dram.bytes_read == 40960);  // full lines are written unfetched
    CHECK(outcome.counters.flops_vector == 20480);
    REQUIRE(outcome.records.size() == 1);
    CHECK(outcome.records[0].ended > outcome.records[0].started);
}

TEST_CASE("the stalls of every engine sum to its time") {
    ScriptedJobs jobs;
    jobs.add(streaming(0, 20, 4096));
    jobs.add(streaming(3, 5, 1024), {0});
    const Outcome outcome = run(small_chip(), jobs);
    for (std::size_t unit = 0; unit + 1 < unit_count; ++unit) {
        CHECK(total(outcome.counters.stalls[unit]) == outcome.end.count() * outcome.pes);
    }
}

TEST_CASE("an operator starts only after those it depends on have ended") {
    ScriptedJobs jobs;
    jobs.add(streaming(0, 20, 4096));
    jobs.add(streaming(1, 1, 512), {0});
    jobs.add(streaming(2, 1, 512));
    const Outcome outcome = run(small_chip(), jobs);
    REQUIRE(outcome.records.size() == 3);
    std::map<std::uint32_t, JobRecord> by_operator;
    for (const JobRecord& record : outcome.records) by_operator[record.operator_index] = record;
    CHECK(by_operator[1].started > by_operator[0].ended);
    CHECK(by_operator[2].ended < by_operator[1].ended);
}

TEST_CASE("with one request outstanding the total is the sum of idle latencies") {
    ChipParams chip = small_chip();
    chip.dma.outstanding = 1;
    chip.dram.policy.refresh = RefreshMode::none;
    auto source = std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{1 << 16});
    Transfer transfer;
    transfer.row_bytes = 128;
    transfer.row_addresses = std::vector<std::uint64_t>(101, 0);  // one line, again and again
    Command command;
    command.unit = Unit::dma_in;
    command.writes = true;
    command.write = {0, 101 * 128, 101 * 128};
    command.payload = transfer;
    source->on(0, command);
    ScriptedJobs jobs;
    jobs.add(std::move(source));
    const Outcome outcome = run(chip, jobs);
    CHECK(outcome.counters.dma_requests == 101);
    // A hit: port in, grid steps, port out to the partition, the header on two links; SRAM; back
    // the same way with 128 bytes of data.
    const std::uint64_t port = 4 * chip.noc.port_cycles;
    const std::uint64_t least = port + chip.sram.latency_cycles;
    const std::uint64_t time = (outcome.records[0].ended - outcome.records[0].started).count();
    CHECK(time >= 101 * least);
    CHECK(time <= 101 * (least + 24) + 300);
}

TEST_CASE("a broadcast read leaves memory once and arrives at every member") {
    ScriptedJobs jobs;
    auto source = std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{8192});
    for (std::uint32_t pe = 0; pe < 4; ++pe) {
        Command command = read_command(0, 8192, 0);
        std::get<Transfer>(command.payload).broadcast = {4, 9};
        source->on(pe, command);
    }
    jobs.add(std::move(source));
    const Outcome outcome = run(small_chip(), jobs);
    CHECK(outcome.counters.memory.llc_bytes_read == 8192);
    CHECK(outcome.counters.dma_read_bytes == 4 * 8192);
    CHECK(outcome.counters.broadcast_bytes == 4 * 8192);
    CHECK(outcome.counters.noc_merged_bytes == 3 * 8192);
}

TEST_CASE("partial sums wait for the neighbour and pass along the chain") {
    ScriptedJobs jobs;
    auto source = std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{4096, 4096});
    for (std::int32_t pe = 0; pe < 4; ++pe) {
        const auto index = static_cast<std::uint32_t>(pe);
        source->on(index, read_command(index * 4096, 4096, 0));
        NeighbourReduce step;
        step.from = pe == 0 ? NeighbourReduce::nobody : pe - 1;
        step.to = pe == 3 ? NeighbourReduce::nobody : pe + 1;
        step.elements = 1024;
        step.bytes = 4096;
        Command command;
        command.unit = Unit::reduction;
        command.read_count = 1;
        command.reads[0] = {0, 4096, 4096, 4096};
        command.writes = pe == 3;
        command.write = {1, 4096, 4096};
        command.payload = step;
        source->on(index, command);
        if (pe == 3) source->on(index, write_command(1 << 20, 4096, 1));
    }
    jobs.add(std::move(source));
    const Outcome outcome = run(small_chip(), jobs);
    CHECK(outcome.counters.neighbour_bytes == 3 * 4096);
    CHECK(outcome.counters.dma_write_bytes == 4096);
    // Four steps of 64 cycles each, one after the other.
    CHECK((outcome.records[0].ended - outcome.records[0].started).count() > 4 * 64);
}

TEST_CASE("a barrier holds every PE until the last has arrived") {
    ScriptedJobs jobs;
    auto source = std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{8192, 8192});
    Command barrier;
    source->on(0, read_command(0, 512, 0));
    source->on(0, barrier);
    source->on(0, write_command(1 << 20, 512, 0));
    for (int i = 0; i < 20; ++i) {
        source->on(1, read_command(static_cast<std::uint64_t>(i) << 14, 4096, 0));
        source->on(1, simd_command(0, 4096, 1, 0, 20000));
    }
    source->on(1, barrier);
    jobs.add(std::move(source));
    const Outcome outcome = run(small_chip(), jobs);
    // PE 1 computes for 20 x 20000 / 64 cycles; PE 0 cannot be done before.
    CHECK(stalls(outcome, Unit::dma_out, Stall::wait_dependency) > 6000);
    CHECK(outcome.records[0].pes == 2);
}

TEST_CASE("commands that wait for data nobody produces stop the run and name the PE") {
    ScriptedJobs jobs;
    auto source = std::make_unique<ScriptedSource>(std::vector<std::uint32_t>{4096, 4096});
    source->on(2, simd_command(0, 1024, 1, 1024, 100));
    jobs.add(std::move(source));
    CHECK_THROWS_WITH(run(small_chip(), jobs),
                      Catch::Contains("stands still") && Catch::Contains("PE 1_0"));
}

TEST_CASE("host copies pass at the link's rate and wake their dependents") {
    ScriptedJobs jobs;
    Job& copy = jobs.add(nullptr);
    copy.host_copy = HostCopy{HostDirection::to_device, Space::dram, 0, 1 << 20};
    jobs.add(streaming(0, 2, 4096), {0});
    Job& back = jobs.add(nullptr, {1});
    back.host_copy = HostCopy{HostDirection::to_host, Space::dram, 0, 1 << 20};
    const ChipParams chip = small_chip();
    const Outcome outcome = run(chip, jobs);
    REQUIRE(outcome.records.size() == 3);
    CHECK(outcome.counters.host_bytes_in == 1 << 20);
    CHECK(outcome.counters.host_bytes_out == 1 << 20);
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
        const double time =
            seconds(outcome.records[i].ended - outcome.records[i].started, clock_of(chip));
        const double rate = static_cast<double>(1 << 20) / time;
        CHECK(rate < 32e9);
        CHECK(rate > 30e9);
    }
    CHECK(outcome.records[1].started > outcome.records[0].ended);
}
