// One chip, described: a plain struct for each unit, every default a usable small chip. Keys in a
// chip file are the member names below their unit's table, e.g. `dpe.columns = 32`.
#pragma once

#include <cstdint>
#include <string>

#include "model/base/dtype.hpp"
#include "model/base/units.hpp"
#include "model/params/dram_params.hpp"

namespace diastole {

struct GridParams {
    std::uint32_t rows = 2, columns = 2;  // of PEs
};

// The control core takes jobs from the host and hands operators to the PEs.
struct ControlParams {
    double launch_ns = 1000;          // a job that the grid has to wait for
    double replace_ns = 500;          // a job that was queued while another ran
    std::uint32_t queue_depth = 2;    // operators handed to a PE ahead of its work
    std::uint32_t job_window = 64;    // operators and copies that it holds and looks through
    std::uint32_t sync_cycles = 100;  // a PE's report to the control core, or back, over the NoC
};

// The scalar cores that issue custom instructions, and the command processor behind them.
struct IssueParams {
    std::uint32_t cycles_per_instruction = 4;
    std::uint32_t queue_depth = 8;        // commands waiting in front of each unit
    std::uint32_t circular_buffers = 16;  // per PE
};

enum class Dataflow : std::uint8_t { weight_stationary, input_stationary, output_stationary };
enum class FoldOverlap : std::uint8_t { none, shadow, stream };

// The matrix engine: `arrays` arrays, each k_elements (K) by columns.
struct DpeParams {
    std::uint32_t arrays = 2;
    std::uint32_t columns = 32;
    PerType<std::uint32_t> k_elements;  // rows of K by type; 0: the type is absent
    Dataflow dataflow = Dataflow::weight_stationary;
    FoldOverlap overlap = FoldOverlap::shadow;
    std::uint32_t mac_latency = 1;     // cycles
    std::uint32_t startup_cycles = 0;  // per tile command, before the first operand enters
    // Weights lie in memory as whole tiles of rows x columns, one behind the other, the last ones
    // filled up; they are read a tile at a time. Else as any matrix, row by row.
    bool weight_tiles = false;
};

// A SIMD engine or the vector unit of the scalar cores: elementary operations per cycle by type,
// 0: the type is absent.
struct SimdParams {
    PerType<std::uint32_t> ops_per_cycle;
    std::uint32_t startup_cycles = 8;      // per command
    std::uint32_t transcendental_ops = 4;  // operations that one exp, log, tanh or sqrt costs
    std::uint32_t accumulate_rows = 32;    // embedding rows that one instruction accumulates
};

struct ReductionParams {
    std::uint32_t elements_per_cycle = 32;
    std::uint32_t neighbour_bytes_per_cycle = 64;  // reduction network, to the next PE
    std::uint32_t neighbour_cycles = 16;           // latency of one step on it
    std::uint32_t startup_cycles = 8;
};

struct LayoutParams {
    std::uint32_t bytes_per_cycle = 64;
    std::uint32_t startup_cycles = 8;
};

// A PE's DMA engine: reads and writes have an engine each, with these limits each.
struct DmaParams {
    std::uint32_t issue_interval = 1;   // cycles between two requests
    std::uint32_t outstanding = 64;     // requests without an answer
    std::uint32_t outbox = 8;           // requests waiting for the NoC
    std::uint32_t startup_cycles = 16;  // per command
    bool shaping = false;  // reads asked for no faster than the PE's link takes the answers
};

struct LocalMemoryParams {
    std::uint64_t bytes = 128 * 1024;
    std::uint32_t banks = 4;
    std::uint32_t bank_bytes_per_cycle = 128;
};

enum class NocTopology : std::uint8_t { crossbar, mesh };

struct NocParams {
    NocTopology topology = NocTopology::crossbar;
    std::uint32_t pe_link_bytes_per_cycle = 64;          // each direction
    std::uint32_t mesh_link_bytes_per_cycle = 64;        // between routers (mesh only)
    std::uint32_t partition_link_bytes_per_cycle = 128;  // each direction
    std::uint32_t port_cycles = 16;  // latency from a port into the fabric, and from it to a port
    std::uint32_t hop_cycles = 2;    // latency of a router (mesh) or of a grid step (crossbar)
    std::uint32_t buffer_bytes = 4096;  // input buffer of each link
    std::uint32_t header_bytes = 16;    // of every packet
    std::uint32_t queue_depth = 16;     // packets waiting in front of a partition
    bool broadcast_reads = true;        // one read answers all PEs of a row or column
};

// Shared SRAM: `partitions` memory partitions, each with `banks` banks and its DRAM channels.
struct SramParams {
    std::uint64_t bytes = 4 << 20;  // LLC and LLS together
    std::uint32_t partitions = 4;
    std::uint32_t banks = 2;  // per partition
    std::uint32_t bank_bytes_per_cycle = 64;
    std::uint32_t latency_cycles = 20;
    std::uint64_t lls_bytes = 0;         // software-managed share; the rest is LLC
    std::uint64_t split_step = 1 << 20;  // lls_bytes is a multiple of it
    std::uint32_t line_bytes = 128;
    std::uint32_t ways = 16;
    std::uint32_t mshrs = 64;              // line misses outstanding per partition
    std::uint32_t queue_depth = 16;        // requests taken in per partition
    std::uint32_t interleave_bytes = 512;  // contiguous bytes in one partition
    bool slice_hash = true;                // rotate partitions by upper address bits
};

struct HostParams {
    std::uint64_t bytes_per_second = 32'000'000'000;  // each direction
    double latency_ns = 500;
    std::uint32_t outstanding = 256;  // requests of interleave_bytes
};

enum class ChipClass : std::uint8_t { accelerator, comparison_model };

struct ChipParams {
    std::string name = "unnamed";
    std::string description;
    ChipClass chip_class = ChipClass::accelerator;
    std::uint64_t clock_hz = 1'000'000'000;
    GridParams grid;
    ControlParams control;
    IssueParams issue;
    DpeParams dpe;
    SimdParams simd;
    SimdParams vector;  // of the scalar/vector cores
    ReductionParams reduction;
    LayoutParams layout;
    DmaParams dma;
    LocalMemoryParams local_memory;
    NocParams noc;
    SramParams sram;
    DramParams dram;
    HostParams host;
};

constexpr Hertz clock_of(const ChipParams& c) {
    return Hertz(c.clock_hz);
}
constexpr std::uint32_t pe_count(const ChipParams& c) {
    return c.grid.rows * c.grid.columns;
}
constexpr std::uint64_t macs_per_cycle(const DpeParams& d, DType type) {
    return std::uint64_t{d.arrays} * d.columns * d.k_elements[type];
}
constexpr double peak_matrix_flops(const ChipParams& c, DType type) {
    return 2.0 * static_cast<double>(macs_per_cycle(c.dpe, type)) * pe_count(c) *
           static_cast<double>(c.clock_hz);
}
constexpr double peak_ops(const ChipParams& c, const SimdParams& s, DType type) {
    return static_cast<double>(s.ops_per_cycle[type]) * pe_count(c) *
           static_cast<double>(c.clock_hz);
}
constexpr std::uint64_t sram_bytes_per_cycle(const SramParams& s) {
    return std::uint64_t{s.partitions} * s.banks * s.bank_bytes_per_cycle;
}
constexpr std::uint64_t local_memory_bytes_per_cycle(const LocalMemoryParams& m) {
    return std::uint64_t{m.banks} * m.bank_bytes_per_cycle;
}
constexpr std::uint32_t channels_per_partition(const ChipParams& c) {
    return c.dram.channels / c.sram.partitions;
}

}  // namespace diastole
