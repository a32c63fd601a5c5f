// How long the systolic arrays of the matrix engine work on one tile. Pure arithmetic; agrees with
// a register-accurate array (one register per hop, tests/timing/test_array.cpp).
//
// An array has `rows` x `columns` multipliers. What it holds and what streams past:
//   weight-stationary   rows hold K, columns hold N, the M rows of the first operand stream
//   input-stationary    rows hold K, columns hold M, the N columns of the second operand stream
//   output-stationary   rows hold M, columns hold N, the K products stream
// A tile larger than the array is cut into folds; folds go round-robin to `arrays` arrays.
//
// One fold, T streamed vectors, n columns in use, R = rows, mac latency l:
//   stationary weights enter row by row through the column: R cycles, whatever part is in use;
//   the last of T vectors enters T - 1 cycles later, meets the last column n - 1 cycles after the
//   first, and its partial sum passes R multipliers of l cycles each:
//       R + (T - 1) + (n - 1) + R l     = T + 2R + n - 2 for l = 1
//   output-stationary with m rows in use: the last product enters at T - 1, reaches the far corner
//   m - 1 + n - 1 hops later, takes l cycles; then the sums shift out through R rows:
//       (T - 1) + (m - 1) + (n - 1) + l + R  = T + m + n - 2 + R for l = 1
//
// Overlap of folds:
//   none     one fold after the other
//   shadow   a second set of registers takes the next weights (or the finished sums) while the
//            array streams: folds start max(T, R) apart
//   stream   loading never limits: folds start T apart
// Left out: bank conflicts and starvation of the operand reads, which belong to local memory.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/base/dtype.hpp"
#include "model/base/units.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

struct ArrayShape {
    std::uint32_t rows = 1, columns = 1;
    std::uint32_t arrays = 1;
    std::uint32_t mac_latency = 1;
    FoldOverlap overlap = FoldOverlap::none;
};

struct TileShape {
    std::uint64_t m = 0, n = 0, k = 0;
};

// Both count from the moment the tile starts.
struct TileTime {
    Cycles occupied;  // until the next tile may start (its first load overlaps where folds do)
    Cycles latency;   // until the last result has left the arrays
};

// The array's view of a tile: `down` lies along the rows, `across` along the columns.
struct FoldGrid {
    std::uint64_t down = 0, across = 0, streamed = 0;
};

constexpr FoldGrid fold_grid(Dataflow dataflow, TileShape tile) {
    switch (dataflow) {
        case Dataflow::weight_stationary:
            return {tile.k, tile.n, tile.m};
        case Dataflow::input_stationary:
            return {tile.k, tile.m, tile.n};
        case Dataflow::output_stationary:
            break;
    }
    return {tile.m, tile.n, tile.k};
}

constexpr std::uint64_t fold_count(const ArrayShape& array, Dataflow dataflow, TileShape tile) {
    const FoldGrid grid = fold_grid(dataflow, tile);
    return ceil_div(grid.down, array.rows) * ceil_div(grid.across, array.columns);
}

// From the first register to the last result of one fold that uses `down` rows and `across`
// columns.
constexpr std::uint64_t fold_latency(const ArrayShape& array, Dataflow dataflow, std::uint64_t down,
                                     std::uint64_t across, std::uint64_t streamed) {
    const std::uint64_t rows = array.rows;
    const std::uint64_t mac = array.mac_latency;
    if (dataflow == Dataflow::output_stationary) {
        return (streamed - 1) + (down - 1) + (across - 1) + mac + rows;
    }
    return rows + (streamed - 1) + (across - 1) + rows * mac;
}

// Folds go down first, then across, one to each array in turn; the arrays work side by side and
// the tile takes as long as the slowest. An empty tile takes no time.
constexpr TileTime tile_time(const ArrayShape& array, Dataflow dataflow, TileShape tile) {
    const FoldGrid grid = fold_grid(dataflow, tile);
    if (grid.down == 0 || grid.across == 0 || grid.streamed == 0) return {};
    const std::uint64_t folds_down = ceil_div(grid.down, array.rows);
    const std::uint64_t folds_across = ceil_div(grid.across, array.columns);
    const std::uint64_t folds = folds_down * folds_across;
    const auto latency_of = [&](std::uint64_t fold) {
        const std::uint64_t i = fold % folds_down;
        const std::uint64_t j = fold / folds_down;
        return fold_latency(
            array, dataflow, std::min<std::uint64_t>(array.rows, grid.down - i * array.rows),
            std::min<std::uint64_t>(array.columns, grid.across - j * array.columns), grid.streamed);
    };
    const std::uint64_t gap =
        array.overlap == FoldOverlap::stream
            ? grid.streamed
            : std::max<std::uint64_t>(grid.streamed, std::uint64_t{array.rows});
    std::uint64_t occupied = 0;
    std::uint64_t latency = 0;
    for (std::uint64_t a = 0; a < std::min<std::uint64_t>(array.arrays, folds); ++a) {
        const std::uint64_t mine = ceil_div(folds - a, array.arrays);
        if (array.overlap == FoldOverlap::none) {
            std::uint64_t sum = 0;
            for (std::uint64_t f = a; f < folds; f += array.arrays) sum += latency_of(f);
            latency = std::max(latency, sum);
            occupied = latency;
        } else {
            occupied = std::max(occupied, mine * gap);
            // A ragged last fold may end before the full one in front of it.
            const std::uint64_t near = (array.rows + array.columns) / gap + 1;
            for (std::uint64_t f = mine - std::min(mine, near); f < mine; ++f) {
                latency = std::max(latency, f * gap + latency_of(a + f * array.arrays));
            }
        }
    }
    return {Cycles(occupied), Cycles(latency)};
}

constexpr ArrayShape array_of(const DpeParams& dpe, DType type) {
    return {dpe.k_elements[type], dpe.columns, dpe.arrays, dpe.mac_latency, dpe.overlap};
}

// A tile on the matrix engine of a PE, with the command's start. Precondition: the type is there.
constexpr TileTime tile_time(const DpeParams& dpe, DType type, Dataflow dataflow, TileShape tile) {
    const TileTime time = tile_time(array_of(dpe, type), dataflow, tile);
    return {time.occupied + Cycles(dpe.startup_cycles), time.latency + Cycles(dpe.startup_cycles)};
}

}  // namespace diastole
