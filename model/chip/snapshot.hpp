// All counters of a chip at one moment; the difference of two is what happened between them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "model/base/dtype.hpp"
#include "model/base/units.hpp"
#include "model/isa/command.hpp"
#include "model/memory/partition_stats.hpp"
#include "model/stats/stalls.hpp"

namespace diastole {

class Chip;

// An engine as reports name it; its stalls are summed over all PEs.
struct EngineStalls {
    std::string_view name;
    StallCycles cycles{};
};

struct Snapshot {
    Cycles at;
    // Multiply-adds of matrix tiles by type: on the matrix engines, and on SIMD and vector engines.
    PerType<std::uint64_t> matrix_macs, vector_macs;
    // Of a PE's first array, summed over the PEs: vectors stream past; weights shift in meanwhile
    // nothing streams (model/timing/array_phases.hpp).
    std::uint64_t array_streaming = 0, array_loading = 0;
    std::uint64_t flops_vector = 0;  // all other arithmetic of the workload
    std::uint64_t lookups = 0;
    std::uint64_t instructions = 0, commands = 0;
    std::uint64_t dma_requests = 0;
    std::uint64_t dma_read_bytes = 0, dma_write_bytes = 0;  // arrived in, and left, local memories
    std::uint64_t broadcast_bytes = 0;                      // of dma_read_bytes, by shared reads
    std::uint64_t local_memory_bytes = 0;  // over the ports of local memories, by engines
    std::uint64_t neighbour_bytes = 0;     // on the reduction network
    std::uint64_t noc_read_bytes = 0, noc_write_bytes = 0;  // payload
    std::uint64_t noc_merged_bytes = 0;
    std::uint64_t noc_byte_hops = 0, pe_link_bytes = 0;
    std::uint64_t host_bytes_in = 0, host_bytes_out = 0;
    std::array<StallCycles, unit_count> stalls{};  // by Unit, summed over the PEs
    PartitionStats memory;                         // summed over the partitions

    [[nodiscard]] std::uint64_t matrix_flops() const;
    [[nodiscard]] std::uint64_t sram_read_bytes() const {
        return memory.llc_bytes_read + memory.lls_bytes_read;
    }
    [[nodiscard]] std::uint64_t sram_write_bytes() const {
        return memory.llc_bytes_written + memory.lls_bytes_written;
    }
    // matrix, simd, vector, reduction, layout, dma (both directions).
    [[nodiscard]] std::array<EngineStalls, 6> engine_stalls() const;
};

Snapshot take_snapshot(Chip& chip, Cycles at);

// Counters of `later` less those of `earlier`. Peaks (queue occupancies) are those of `later`.
Snapshot difference(const Snapshot& later, const Snapshot& earlier);

}  // namespace diastole
