#include <catch2/catch.hpp>
#include <cstdint>

#include "model/base/random.hpp"
#include "model/timing/array.hpp"
#include "model/timing/engines.hpp"

using namespace diastole;

namespace {

std::uint64_t cycles(ArrayShape array, Dataflow dataflow, TileShape tile) {
    return tile_time(array, dataflow, tile).latency.count();
}

ArrayShape square(std::uint32_t side, FoldOverlap overlap = FoldOverlap::none) {
    return {side, side, 1, 1, overlap};
}

constexpr Dataflow ws = Dataflow::weight_stationary;
constexpr Dataflow is = Dataflow::input_stationary;
constexpr Dataflow os = Dataflow::output_stationary;

}  // namespace

TEST_CASE("weight-stationary tiles take as long as a register-accurate array") {
    CHECK(cycles(square(4), ws, {4, 4, 4}) == 14);
    CHECK(cycles(square(16), ws, {16, 16, 16}) == 62);
    CHECK(cycles(square(32), ws, {32, 32, 32}) == 126);
    CHECK(cycles(square(16), ws, {100, 16, 16}) == 146);
    CHECK(cycles(square(16), ws, {1, 16, 16}) == 47);
    CHECK(cycles(square(16), ws, {8, 5, 3}) == 43);
}

TEST_CASE("output-stationary tiles take as long as a register-accurate array after its shift-out") {
    CHECK(cycles(square(4), os, {4, 4, 4}) == 14);
    CHECK(cycles(square(32), os, {32, 32, 32}) == 126);
}

TEST_CASE("folds without overlap add up, with shadow registers they start max(T, R) apart") {
    // 40 x 20 x 33 on 16 x 16: three folds of K and two of N, the second 4 columns wide.
    const TileShape tile{40, 20, 33};
    CHECK(cycles(square(16), ws, tile) ==
          3 * cycles(square(16), ws, {40, 16, 16}) + 3 * cycles(square(16), ws, {40, 4, 16}));
    CHECK(cycles(square(16, FoldOverlap::shadow), ws, tile) ==
          5 * 40 + cycles(square(16), ws, {40, 4, 16}));
    CHECK(tile_time(square(16, FoldOverlap::shadow), ws, tile).occupied == Cycles(6 * 40));
    // Fewer vectors than rows: the weight load sets the pace, unless it never limits.
    CHECK(tile_time(square(16, FoldOverlap::shadow), ws, {5, 32, 32}).occupied == Cycles(4 * 16));
    CHECK(tile_time(square(16, FoldOverlap::stream), ws, {5, 32, 32}).occupied == Cycles(4 * 5));
}

TEST_CASE("two arrays take the folds in turn") {
    ArrayShape pair = square(16, FoldOverlap::shadow);
    pair.arrays = 2;
    CHECK(tile_time(pair, ws, {64, 64, 64}).occupied == Cycles(8 * 64));
    CHECK(tile_time(pair, ws, {64, 16, 48}).occupied == Cycles(2 * 64));
    CHECK(tile_time(pair, ws, {64, 16, 16}).latency ==
          tile_time(square(16), ws, {64, 16, 16}).latency);
}

TEST_CASE("overlap never makes a tile slower and no tile beats one product per multiplier") {
    Random random(11);
    for (int trial = 0; trial < 2000; ++trial) {
        ArrayShape array{static_cast<std::uint32_t>(random.between(1, 64)),
                         static_cast<std::uint32_t>(random.between(1, 64)),
                         static_cast<std::uint32_t>(random.between(1, 4)),
                         static_cast<std::uint32_t>(random.between(1, 4)), FoldOverlap::none};
        const TileShape tile{random.between(1, 300), random.between(1, 300),
                             random.between(1, 300)};
        const auto dataflow = static_cast<Dataflow>(random.below(3));
        const std::uint64_t none = cycles(array, dataflow, tile);
        array.overlap = FoldOverlap::shadow;
        const TileTime shadow = tile_time(array, dataflow, tile);
        array.overlap = FoldOverlap::stream;
        const TileTime stream = tile_time(array, dataflow, tile);
        const std::uint64_t multipliers = std::uint64_t{array.rows} * array.columns * array.arrays;
        CHECK(shadow.latency.count() <= none);
        CHECK(stream.latency <= shadow.latency);
        CHECK(stream.occupied.count() >= ceil_div(tile.m * tile.n * tile.k, multipliers));
        CHECK(stream.latency >= stream.occupied);
    }
}

TEST_CASE("an engine's time is its start-up and the work at its rate, rounded up") {
    SimdParams simd;
    simd.ops_per_cycle[DType::fp32] = 32;
    simd.startup_cycles = 8;
    CHECK(element_cycles(simd, DType::fp32, 64) == Cycles(10));
    CHECK(element_cycles(simd, DType::fp32, 65) == Cycles(11));
    CHECK(vector_matrix_cycles(simd, DType::fp32, 4, 4, 4) == Cycles(12));
    ReductionParams reduction;
    reduction.elements_per_cycle = 32;
    reduction.neighbour_bytes_per_cycle = 64;
    CHECK(reduction_cycles(reduction, 33) == Cycles(8 + 2));
    CHECK(neighbour_cycles(reduction, 64, Bytes(256)) == Cycles(8 + 4));
    CHECK(neighbour_cycles(reduction, 256, Bytes(256)) == Cycles(8 + 8));
    CHECK(layout_cycles(LayoutParams{}, Bytes(65)) == Cycles(8 + 2));
    CHECK(sort_operations(100, 32) == 100 * 2 * 4 * 4);
    simd.ops_per_cycle[DType::int32] = 16;
    CHECK(sort_cycles(simd, 100, 32) == Cycles(8 + 200));
}
