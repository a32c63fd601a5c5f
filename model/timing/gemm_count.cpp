#include "model/timing/gemm_count.hpp"

namespace diastole {
namespace {

// The product as the array sees it: multipliers skip pruned weights and take several elements of K
// at once.
TileShape in_cells(const GemmArray& array, TileShape gemm) {
    const std::uint64_t k = array.pruned_2_4 ? kept_2_4(gemm.k) : gemm.k;
    return {gemm.m, gemm.n, ceil_div(k, array.k_per_cell)};
}

ArrayPorts ports_of(const GemmArray& array) {
    const std::uint64_t cell = std::uint64_t{array.element_bytes} * array.k_per_cell;
    ArrayPorts ports;
    // Beside each kept weight pass all that it might select from: four elements for two weights.
    ports.ifmap = {array.ifmap_bytes_per_cycle, array.pruned_2_4 ? 2 * cell : cell};
    ports.filter = {array.filter_bytes_per_cycle, cell};
    ports.ofmap = {array.ofmap_bytes_per_cycle, sum_bytes};
    ports.partial_sums_leave = array.partial_sums_leave;
    return ports;
}

double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

}  // namespace

double peak_products(const GemmArray& array) {
    const ArrayShape& s = array.shape;
    return as_double(std::uint64_t{s.rows} * s.columns * s.arrays) * array.k_per_cell /
           s.mac_interval;
}

GemmCount count_gemm(const GemmArray& array, TileShape gemm) {
    const TileShape cells = in_cells(array, gemm);
    const FoldGrid grid = fold_grid(array.dataflow, cells);
    const std::uint64_t down = ceil_div(grid.down, array.shape.rows);
    const std::uint64_t across = ceil_div(grid.across, array.shape.columns);
    const ArrayTime time = array_time(array.shape, array.dataflow, cells, ports_of(array));
    const std::uint64_t kept = array.pruned_2_4 ? kept_2_4(gemm.k) : gemm.k;

    GemmCount count;
    count.cycles = time.time.latency.count();
    count.account = time.account;
    count.folds = down * across;
    count.products = gemm.m * gemm.n * kept;
    // What is held is read once; what streams is read again for every fold along its other side.
    count.ifmap_reads = gemm.m * gemm.k;
    count.filter_reads = kept * gemm.n;
    count.writes = gemm.m * gemm.n;
    switch (array.dataflow) {
        case Dataflow::weight_stationary:
            count.ifmap_reads *= across;
            break;
        case Dataflow::input_stationary:
            count.filter_reads *= across;
            break;
        case Dataflow::output_stationary:
            count.ifmap_reads *= across;
            count.filter_reads *= down;
            return count;
    }
    if (array.partial_sums_leave) {
        count.partial_sum_reads = count.writes * (down - 1);
        count.writes *= down;
    }
    return count;
}

GemmCount scalesim_count(std::uint32_t rows, std::uint32_t columns, Dataflow dataflow,
                         TileShape gemm) {
    const FoldGrid grid = fold_grid(dataflow, gemm);
    const std::uint64_t down = ceil_div(grid.down, rows);
    const std::uint64_t across = ceil_div(grid.across, columns);
    const bool outputs = dataflow == Dataflow::output_stationary;

    GemmCount count;
    count.folds = down * across;
    count.products = gemm.m * gemm.n * gemm.k;
    // Every fold is charged the whole array, an output-stationary one no shift-out; the total is
    // the index of the last cycle, not their number.
    const std::uint64_t fold =
        grid.streamed + (outputs ? 1ULL : 2ULL) * rows + std::uint64_t{columns} - 2;
    count.cycles = count.folds * fold - 1;
    count.ifmap_reads = gemm.m * gemm.k * (dataflow == Dataflow::input_stationary ? 1 : across);
    count.filter_reads = gemm.k * gemm.n;
    if (dataflow == Dataflow::input_stationary) count.filter_reads *= across;
    if (outputs) count.filter_reads *= down;
    // Partial sums of every K-fold are written and never read; output-stationary counts the
    // bubbles behind every fold as writes.
    count.writes = gemm.m * gemm.n * (outputs ? 1 : down);
    if (outputs) count.writes += count.folds * (std::uint64_t{rows} + columns);
    return count;
}

double scalesim_utilization_percent(std::uint32_t rows, std::uint32_t columns, TileShape gemm,
                                    std::uint64_t cycles) {
    return as_double(gemm.m * gemm.n * gemm.k * 100) /
           as_double(cycles * (std::uint64_t{rows} * columns));
}

}  // namespace diastole
