// The memory bench: traffic on the pseudo-channels of one memory, from names to numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/params/preset.hpp"
#include "model/timing/dram_model.hpp"
#include "tb/dram_lane.hpp"
#include "tb/dram_traffic.hpp"

namespace diastole {

struct DramSpec {
    std::string memory;                 // preset or file
    std::vector<std::string> settings;  // key=value, below `dram.`
    std::optional<std::uint32_t> pseudo_channels;
    std::optional<std::string> map;
    std::uint64_t interleave_bytes = 256;  // where the map does not tell pseudo-channels apart
    std::string trace;                     // a file; empty: the pattern
    std::optional<std::uint64_t> trace_requests;  // at most
    DramPattern pattern;
    MemoryMode mode = MemoryMode::exact;
};

struct DramChannelRun {
    DramStats dram;
    DramLaneStats lane;
};

struct DramRun {
    DramSpec spec;
    ResolvedMemory memory;
    std::string spread;  // how addresses spread over pseudo-channels, in words
    std::uint32_t run_bytes = 0;
    std::uint64_t requests = 0;  // atoms
    std::uint64_t cycles = 0;    // to the last data beat
    std::vector<DramChannelRun> channels;
    DramStats total;
    std::array<DramLatency, 2> latency;  // 0 reads, 1 writes
    DramHistograms histograms;
    std::uint64_t idle_cycles = 0, turns = 0;  // of all pseudo-channels
    // About the host that ran the model.
    double wall_seconds = 0;  // from the first request to the last data beat
    std::uint64_t activations = 0, peak_memory_bytes = 0;

    [[nodiscard]] std::uint64_t bytes() const {
        return requests * memory.params.geometry.atom_bytes;
    }
    // The least latency in cycles that this share of the reads (0) or writes (1) do not exceed.
    [[nodiscard]] std::uint32_t percentile(std::size_t kind, double share) const {
        return std::min(histograms[kind].percentile(share), latency[kind].max);
    }
    [[nodiscard]] double seconds() const {
        return static_cast<double>(cycles) * static_cast<double>(memory.params.timing.tck_ps) *
               1e-12;
    }
};

double row_hit_rate(const DramStats& stats);  // 1 - activates / column accesses

// Throws ConfigError, TraceError, ModelError or Interrupted. `progress` is called now and then with
// the share of the traffic that has been handed out, 0 to 1; `log` may be null. Only one simulation
// per process.
DramRun simulate_dram(const DramSpec& spec, DramCommandSink* log,
                      const std::function<void(double)>& progress);

}  // namespace diastole
