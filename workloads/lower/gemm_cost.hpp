// The analytic cost of a plan in closed form: what the busiest resource needs, and what nothing
// overlaps with. And what memory traffic costs, for this and for the walk through a plan's steps.
#pragma once

#include "workloads/lower/gemm_plan.hpp"

namespace diastole {

// Cycles, estimated. Only good for comparing plans of one product on one chip.
double gemm_cost(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip);
// What the busiest resource needs alone.
double gemm_bound(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip);

// PEs that one read of an operand's tile answers.
double gemm_sharers(const GemmPlan& plan, bool of_a);

// What a shared read holds up: its answers enter the links of all members at once, and a link that
// is busy keeps the partition's, which other groups wait for. Assumed; only plans are compared.
double gemm_crowding(const GemmPlan& plan, bool of_a);

// What a step of this size moves over the ports of local memory.
struct TileEdges {
    std::uint64_t m = 0, n = 0, k = 0;
};
double gemm_touched_bytes(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip,
                          TileEdges tile);

// A tile as it lies in memory.
struct TileRows {
    std::uint64_t rows = 0, row_bytes = 0, pitch = 0;
    [[nodiscard]] double bytes() const { return static_cast<double>(rows * row_bytes); }
};

// A tile of `rows` x `columns` of a matrix of `all_rows` x `all_columns`.
TileRows gemm_rows(bool transposed, std::uint64_t rows, std::uint64_t columns,
                   std::uint64_t all_rows, std::uint64_t all_columns, DType type);

// Cycles that traffic takes at each place on its way. Where a count of bytes or requests is of the
// whole chip, the comment says so.
class MemoryPrice {
  public:
    explicit MemoryPrice(const ChipParams& chip);

    // Requests of a tile: rows are cut at interleave boundaries, and are one where they touch.
    [[nodiscard]] double requests(TileRows tile) const;
    // From a request to the end of its answer, without queues.
    [[nodiscard]] double latency(bool from_dram) const {
        return from_dram ? fabric_ + row_ : fabric_;
    }
    [[nodiscard]] double row() const { return row_; }
    // Between two requests of a DMA engine: its own interval, the round trip of its outbox places
    // and of its outstanding numbers.
    [[nodiscard]] double pace(double latency, double bytes_of_request) const;
    [[nodiscard]] double link(double bytes, double requests) const {
        return (bytes + requests * header_) / link_;
    }
    // Of the whole chip: banks and links of all partitions, `tiles` different ones, each asked for
    // `copies` times.
    [[nodiscard]] double sram(TileRows tile, double tiles, double copies) const;
    [[nodiscard]] double fill(double bytes) const { return bytes / banks_; }
    // In pieces of `row_bytes`: the shorter, the more DRAM rows are opened for as many bytes.
    // Assumed, like all of these: a quarter of an atom for each piece.
    [[nodiscard]] double dram(double bytes, double row_bytes) const {
        return bytes / dram_ * (1 + 16 / row_bytes);
    }

  private:
    double interleave_, header_, link_, partition_links_, banks_, dram_, partitions_;
    double fabric_, row_;
    double interval_, outstanding_;
    bool shaping_;
    std::uint64_t line_, banks_of_partition_;
};

}  // namespace diastole
