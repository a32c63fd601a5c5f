// How a matrix product is spread over the PE grid and cut into tiles: the choice, and the analytic
// cost that makes it. docs/lowering.md derives the cost.
#pragma once

#include <cstdint>
#include <string>

#include "model/isa/command.hpp"
#include "model/params/chip_params.hpp"
#include "model/timing/array.hpp"
#include "workloads/graph/work.hpp"
#include "workloads/lower/lowering_params.hpp"
#include "workloads/lower/weight_tiles.hpp"

namespace diastole {

enum class Bias : std::uint8_t { none, scalar, row, column, full };

// C[M x N] = A[M x K] B[K x N] (+ bias), `batch` times.
struct GemmProblem {
    Gemm shape;
    DType a = DType::fp16, b = DType::fp16, out = DType::fp16, bias_type = DType::fp16;
    bool transpose_a = false, transpose_b = false;  // stored as K x M, N x K
    Bias bias = Bias::none;
    WeightTiles b_tiles;  // B lies in memory as whole tiles of the array
    Space a_space = Space::dram, b_space = Space::dram, out_space = Space::dram;
    std::string user;  // the operator, for messages
};

// The role of a grid axis: which index of the product its PEs divide among themselves.
enum class GridRole : std::uint8_t { m, n, batch };

// Where a PE stands in the product.
struct GridPoint {
    std::uint32_t m = 0, n = 0, batch = 0, k = 0;
};

// PEs of a row, `split` at a time, share one output tile and divide K. With `whole_grid` all PEs
// do.
struct GridView {
    GridParams grid;
    GridRole rows = GridRole::m, columns = GridRole::n;
    std::uint32_t split = 1;
    bool whole_grid = false;

    [[nodiscard]] std::uint32_t extent(GridRole role) const;
    [[nodiscard]] GridPoint point(std::uint32_t pe) const;
    // The PE `step` places along the chain of PEs that divide K.
    [[nodiscard]] std::uint32_t along_k(std::uint32_t pe, std::int32_t step) const;
};

enum class Resident : std::uint8_t { none, a, b };  // a panel over all of K that stays

struct GemmPlan {
    GridView view;
    std::uint64_t tile_m = 0, tile_n = 0, tile_k = 0;
    Dataflow dataflow = Dataflow::weight_stationary;
    Unit unit = Unit::matrix;
    DType type = DType::fp16;  // that the unit computes in
    Resident resident = Resident::none;
    std::uint32_t depth = 2;  // tiles in the buffer of an operand that does not stay
    bool broadcast_a = false, broadcast_b = false;
    bool layout_a = false, layout_b = false;  // transposed by the layout unit on the way
    bool finish = false;                      // SIMD adds the bias or converts the sums
    std::uint32_t sum_bytes = 4;              // of one partial sum
    double cycles = 0;                        // the analytic cost
    std::string note;
};

// What a plan needs of local memory, buffer by buffer; 0: not used.
struct GemmBuffers {
    std::uint64_t a_raw = 0, b_raw = 0, a = 0, b = 0, bias = 0, sum = 0, chained = 0, out = 0;
    [[nodiscard]] std::uint64_t total() const {
        return a_raw + b_raw + a + b + bias + sum + chained + out;
    }
};
// Output tiles of the busiest PE.
std::uint64_t waves_of(const GemmProblem& problem, const GemmPlan& plan);
GemmBuffers gemm_buffers(const GemmProblem& problem, const GemmPlan& plan);

// How often a streamed operand passes: once for every set of columns (or rows) the arrays take.
struct GemmPasses {
    std::uint64_t a = 1, b = 1;
};
GemmPasses gemm_passes(Dataflow dataflow, const FoldGrid& grid, const ArrayShape& array);

// Which operand the arrays want transposed. A streamed operand is read with K contiguous; a
// stationary one enters row by row of K, so its other index must be contiguous; output-stationary
// streams both, each with its other index contiguous.
bool needs_layout_a(Dataflow dataflow, bool transposed);
bool needs_layout_b(Dataflow dataflow, bool transposed);

// The choice in words, for the report.
std::string describe(const GemmPlan& plan);

// The unit that multiplies, and the type it computes in: the matrix engine if it has the type, else
// the vector cores or the SIMD engine. Throws ConfigError when no engine has it.
struct MatrixUnit {
    Unit unit = Unit::matrix;
    DType type = DType::fp16;
};
MatrixUnit matrix_unit(const GemmProblem& problem, const ChipParams& chip);

// Throws ConfigError when no tile fits local memory, or a forced choice is impossible.
GemmPlan plan_gemm(const GemmProblem& problem, const ChipParams& chip,
                   const LoweringParams& params);

}  // namespace diastole
