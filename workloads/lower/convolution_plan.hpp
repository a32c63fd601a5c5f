// How a convolution of two dimensions is spread over the PE grid and cut into tiles. It is executed
// as a matrix product whose first operand is never written out: a tile of the input with its halo
// lies in local memory, and the arrays stream windows from it. M counts the pixels of all output
// images, N the filters, K the channels of a window's taps.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/graph/convolution.hpp"
#include "workloads/lower/gemm_plan.hpp"

namespace diastole {

// Images lie in memory with the channels innermost (NHWC), filters as K x N: blocks of channels,
// in each the taps, in each the channels; groups one behind the other.
struct ConvolutionProblem {
    std::uint64_t images = 1, groups = 1, channels = 1, filters = 1;  // the last two of one group
    ConvolutionAxis rows, columns;
    DType in = DType::fp16, weight = DType::fp16, out = DType::fp16, bias_type = DType::fp16;
    bool bias = false;  // one value per filter
    WeightTiles weight_tiles;
    Space in_space = Space::dram, out_space = Space::dram;
    std::string user;  // the operator, for messages

    [[nodiscard]] std::uint64_t taps() const { return rows.window * columns.window; }
    [[nodiscard]] std::uint64_t k() const { return taps() * channels; }
    [[nodiscard]] std::uint64_t image_pixels() const { return rows.out * columns.out; }
    [[nodiscard]] std::uint64_t all_channels() const { return groups * channels; }
    [[nodiscard]] std::uint64_t all_filters() const { return groups * filters; }
};

// Output pixels of a tile: whole images, or whole rows of one, or a part of one row. So they follow
// each other in memory.
struct PixelTile {
    std::uint64_t images = 1, rows = 1, columns = 1;
    [[nodiscard]] std::uint64_t pixels() const { return images * rows * columns; }
};

struct ConvolutionPlan {
    GridView view;  // role `batch` divides the groups; K is not divided
    PixelTile tile;
    std::uint64_t groups = 1;         // of a tile
    std::uint64_t tile_n = 0;         // filters of a tile; all of a group if there are several
    std::uint64_t tile_channels = 0;  // of a block: the input's tile holds so many at a time
    std::uint64_t tile_k = 0;         // rows of K in one step, within a block
    Dataflow dataflow = Dataflow::weight_stationary;
    Unit unit = Unit::matrix;
    DType type = DType::fp16;
    Resident resident = Resident::none;
    std::uint32_t depth = 2;  // tiles in the buffer of an operand that does not stay
    bool broadcast_a = false, broadcast_b = false;
    bool finish = false;
    std::uint32_t sum_bytes = 4;
    double cycles = 0;
    std::string note;

    // Tiles of the whole operator, and what a tile goes through.
    [[nodiscard]] std::uint64_t tiles_m(const ConvolutionProblem& problem) const;
    [[nodiscard]] std::uint64_t tiles_n(const ConvolutionProblem& problem) const;
    [[nodiscard]] std::uint64_t tiles_g(const ConvolutionProblem& problem) const;
    [[nodiscard]] std::uint64_t blocks(const ConvolutionProblem& problem) const;
};

// Elements of the input, of one channel, that the largest tile holds with its halo.
std::uint64_t halo_pixels(const ConvolutionProblem& problem, const PixelTile& tile);

GemmBuffers convolution_buffers(const ConvolutionProblem& problem, const ConvolutionPlan& plan);

// Throws ConfigError when no tile fits local memory.
ConvolutionPlan plan_convolution(const ConvolutionProblem& problem, const ChipParams& chip,
                                 const LoweringParams& params);

}  // namespace diastole
