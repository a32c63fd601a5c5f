// The bundled chips' partitions, loaded as they are described.
#include <catch2/catch.hpp>

#include "model/params/preset.hpp"
#include "tests/memory/partition_harness.hpp"

using namespace diastole;
using namespace diastole::memory_test;

TEST_CASE("a partition of every bundled chip streams near the bandwidth of its DRAM channels") {
    for (const std::string& name : chip_presets()) {
        const ChipParams chip = load_chip(name).params;
        PartitionCore core(chip, 0, MemoryMode::exact);
        Interleave interleave(chip.sram);
        std::vector<MemoryRequest> requests;
        for (std::uint64_t a = 0; requests.size() < 1500; a += chip.sram.interleave_bytes) {
            if (interleave.partition(a) != 0) continue;
            requests.push_back(request(0, a, chip.sram.interleave_bytes));
            requests.back().token = static_cast<std::uint32_t>(requests.size() - 1);
        }
        const Run run = closed_loop(core, requests, chip.sram.queue_depth, Random(1), 0,
                                    [] { return std::uint64_t{1} << 20; });
        const double bytes = 1500.0 * chip.sram.interleave_bytes;
        const double time = static_cast<double>(run.responses.back().at.count()) /
                            static_cast<double>(chip.clock_hz);
        const double peak = channel_peak(chip.dram) * channels_per_partition(chip);
        INFO(name << ": " << bytes / time / 1e9 << " of " << peak / 1e9 << " GB/s");
        CHECK(bytes / time <= peak);
        CHECK(bytes / time >= 0.8 * peak);
        CHECK(static_cast<double>(run.stats.dram.bytes_read) == bytes);
    }
}
