// How long the systolic arrays of a matrix engine work on one product. Pure arithmetic in closed
// form, whatever the number of folds; agrees to the cycle with an array of registers
// (tests/timing/register_array.hpp), one register per hop.
//
// An array has `rows` x `columns` multipliers. What it holds and what streams past:
//   weight-stationary   rows hold K, columns hold N, the M rows of the first operand stream
//   input-stationary    rows hold K, columns hold M, the N columns of the second operand stream
//   output-stationary   rows hold M, columns hold N, the K products stream
// A product larger than the array is cut into folds; folds go down first, then across, and
// round-robin to `arrays` arrays. Partial sums of K-folds meet in accumulators at the foot of the
// columns, which costs no cycle: a sum arrives T cycles after the one that it is added to.
//
// One fold, T streamed vectors q cycles apart, m rows and n columns in use, R = rows, mac latency
// l:
//   stationary operands shift in through all R rows: g = R cycles; the last vector enters
//   (T - 1) q later, meets the last column n - 1 cycles after the first, and its partial sum
//   passes R multipliers of l cycles each:
//       g + (T - 1) q + (n - 1) + R l          = T + 2R + n - 2 for q = l = 1
//   output-stationary: the rows in use are those at the foot. The last product enters at
//   (T - 1) q, reaches the far corner R - 1 + n - 1 hops later, takes l cycles; then the sums
//   shift out at the foot, one row a cycle, the last useful one after m:
//       (T - 1) q + (R - 1) + (n - 1) + l + m  = T + m + n - 2 + R for q = l = 1
//
// Overlap of folds, first vector to first vector:
//   none     one fold after the other
//   shadow   one set of shadow registers takes the next weights (or the finished sums) while the
//            array streams: max(T q, g, (R - 1) l + 1), which is max(T, R) for q = l = 1. The next
//            weights may not overtake the swap, which moves down one row every l cycles.
//            Output-stationary: max(T q, R).
//   stream   as many sets as it takes: T q
// Left out: bank conflicts and starvation of the operand reads, which belong to local memory; what
// a port of fixed width costs is here.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/base/dtype.hpp"
#include "model/base/units.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

// As users write it and reports print it.
constexpr std::string_view short_name(Dataflow dataflow) {
    switch (dataflow) {
        case Dataflow::weight_stationary:
            return "ws";
        case Dataflow::input_stationary:
            return "is";
        case Dataflow::output_stationary:
            break;
    }
    return "os";
}

struct ArrayShape {
    std::uint32_t rows = 1, columns = 1;
    std::uint32_t arrays = 1;
    std::uint32_t mac_latency = 1;
    FoldOverlap overlap = FoldOverlap::none;
    std::uint32_t mac_interval = 1;  // cycles between two vectors: 2 where a type has half the rate
};

struct TileShape {
    std::uint64_t m = 0, n = 0, k = 0;
};

// Both count from the moment the tile starts.
struct TileTime {
    Cycles occupied;  // until the next tile may start (its first load overlaps where folds do)
    Cycles latency;   // until the last result has left the arrays
};

// A port between SRAM and an array. It delivers (or takes) what one row of registers needs in whole
// cycles: `elements` in beats(elements) of them.
struct Port {
    std::uint64_t bytes_per_cycle = 0;  // 0: never limits
    std::uint64_t bytes_per_element = 1;
    [[nodiscard]] constexpr std::uint64_t beats(std::uint64_t elements) const {
        if (bytes_per_cycle == 0) return 1;
        const std::uint64_t cycles = ceil_div(elements * bytes_per_element, bytes_per_cycle);
        return cycles > 1 ? cycles : 1;
    }
};

// The ports of each array. Preconditions with FoldOverlap::stream, where folding never limits: none
// on the stationary operand, nor on the results of an output-stationary array.
struct ArrayPorts {
    Port ifmap, filter, ofmap;  // first operand (M x K), second operand (K x N), results
    // K-folds leave their sums in SRAM, so that every fold passes `ofmap` (and a read port like
    // it), not only the last of K.
    bool partial_sums_leave = false;
};

// Where the cycles of the array that ends last went. They sum to its latency.
struct ArrayAccount {
    std::uint64_t busy = 0;        // vectors enter at the multipliers' own pace
    std::uint64_t load = 0;        // waits for stationary operands that shift in
    std::uint64_t shift_out = 0;   // waits for sums that shift out (output-stationary)
    std::uint64_t fill_drain = 0;  // nothing enters, the last vectors of a fold are on their way
    std::uint64_t ifmap = 0, filter = 0, ofmap = 0;  // waits for a port

    [[nodiscard]] constexpr std::uint64_t total() const {
        return busy + load + shift_out + fill_drain + ifmap + filter + ofmap;
    }
};

struct ArrayTime {
    TileTime time;
    ArrayAccount account;
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

// The arrays work side by side and the tile takes as long as the slowest. An empty tile takes no
// time.
ArrayTime array_time(const ArrayShape& array, Dataflow dataflow, TileShape tile,
                     const ArrayPorts& ports = {});
TileTime tile_time(const ArrayShape& array, Dataflow dataflow, TileShape tile);

constexpr ArrayShape array_of(const DpeParams& dpe, DType type) {
    return {dpe.k_elements[type], dpe.columns, dpe.arrays, dpe.mac_latency, dpe.overlap};
}

// A tile on the matrix engine of a PE, with the command's start. Precondition: the type is there.
inline TileTime tile_time(const DpeParams& dpe, DType type, Dataflow dataflow, TileShape tile) {
    const TileTime time = tile_time(array_of(dpe, type), dataflow, tile);
    return {time.occupied + Cycles(dpe.startup_cycles), time.latency + Cycles(dpe.startup_cycles)};
}

}  // namespace diastole
