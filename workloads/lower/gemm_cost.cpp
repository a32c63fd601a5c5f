#include "workloads/lower/gemm_cost.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "model/timing/array.hpp"
#include "model/timing/engines.hpp"
#include "workloads/lower/engine.hpp"

namespace diastole {
namespace {

// Counts of one plan, on the busiest PE unless they say otherwise.
struct Counts {
    double waves = 0, steps = 0;  // output tiles; steps of K in each
    double a_loads = 0, b_loads = 0;
    double a_tile = 0, b_tile = 0, out_tile = 0, sums = 0;  // bytes
};

Counts count(const GemmProblem& problem, const GemmPlan& plan) {
    const Gemm& g = problem.shape;
    const auto waves = [&](std::uint64_t total, std::uint64_t tile, GridRole role) {
        return static_cast<double>(ceil_div(ceil_div(total, tile), plan.view.extent(role)));
    };
    const double m = waves(g.m, plan.tile_m, GridRole::m);
    const double n = waves(g.n, plan.tile_n, GridRole::n);
    const double batch = waves(g.batch, 1, GridRole::batch);
    Counts c;
    c.waves = m * n * batch;
    c.steps = static_cast<double>(ceil_div(ceil_div(g.k, plan.tile_k), plan.view.split));
    c.a_loads = batch * m * (plan.resident == Resident::a ? 1 : n) * c.steps;
    c.b_loads = batch * n * (plan.resident == Resident::b ? 1 : m) * c.steps;
    c.a_tile = static_cast<double>(plan.tile_m * plan.tile_k * size_of(problem.a));
    c.b_tile =
        static_cast<double>(problem.b_tiles.stored(plan.tile_k, plan.tile_n) * size_of(problem.b));
    c.out_tile = static_cast<double>(plan.tile_m * plan.tile_n * size_of(problem.out));
    c.sums = static_cast<double>(plan.tile_m * plan.tile_n * plan.sum_bytes);
    return c;
}

double tile_cycles(const GemmPlan& plan, const ChipParams& chip) {
    if (plan.unit == Unit::matrix) {
        const TileShape tile{plan.tile_m, plan.tile_n, plan.tile_k};
        return static_cast<double>(
            tile_time(chip.dpe, plan.type, plan.dataflow, tile).occupied.count());
    }
    const SimdParams& engine = plan.unit == Unit::vector ? chip.vector : chip.simd;
    return static_cast<double>(
        vector_matrix_cycles(engine, plan.type, plan.tile_m, plan.tile_n, plan.tile_k).count());
}

struct Traffic {
    double dram = 0;  // bytes of the whole chip
};

// An operand in DRAM is read once, and again for every repetition that the LLC cannot hold.
void add_reads(Traffic& traffic, const ChipParams& chip, Space space, double once, double total) {
    const auto llc = static_cast<double>(chip.sram.bytes - chip.sram.lls_bytes);
    if (space == Space::dram) traffic.dram += once <= llc / 2 ? once : std::max(once, total);
}

Traffic chip_traffic(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip,
                     const Counts& c) {
    const Gemm& g = problem.shape;
    const auto size = [&](std::uint64_t rows, std::uint64_t columns, DType type) {
        return static_cast<double>(g.batch * rows * columns * size_of(type));
    };
    const double pes = pe_count(chip);
    Traffic traffic;
    add_reads(traffic, chip, problem.a_space, size(g.m, g.k, problem.a),
              c.a_loads * c.a_tile * pes / gemm_sharers(plan, true));
    add_reads(traffic, chip, problem.b_space, size(g.k, g.n, problem.b),
              c.b_loads * c.b_tile * pes / gemm_sharers(plan, false));
    const double out = size(g.m, g.n, problem.out);
    if (problem.out_space == Space::dram) traffic.dram += out;
    return traffic;
}

// Cycles of each resource, and what nothing overlaps with.
struct Cost {
    std::array<double, 12> resources{};
    double first = 0, last = 0;

    [[nodiscard]] double busiest() const {
        return *std::max_element(resources.begin(), resources.end());
    }
};

double latency_of(const GemmProblem& problem, const MemoryPrice& price, const ChipParams& chip) {
    const bool from_dram = problem.a_space == Space::dram || problem.b_space == Space::dram;
    return price.latency(from_dram) + chip.dma.startup_cycles;
}

// The tiles of a plan as they lie in memory.
struct PlanRows {
    TileRows a, b, out;
};
PlanRows rows_of(const GemmProblem& problem, const GemmPlan& plan) {
    const Gemm& g = problem.shape;
    PlanRows rows;
    rows.a = gemm_rows(problem.transpose_a, plan.tile_m, plan.tile_k, g.m, g.k, problem.a);
    rows.b = gemm_rows(problem.transpose_b, plan.tile_k, plan.tile_n, g.k, g.n, problem.b);
    rows.out = gemm_rows(false, plan.tile_m, plan.tile_n, g.m, g.n, problem.out);
    return rows;
}

// PEs that ask for the same tile.
double copies_of(const GemmPlan& plan, bool of_a) {
    return plan.view.extent(of_a ? GridRole::n : GridRole::m);
}

Cost cost_of(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip) {
    const MemoryPrice price(chip);
    const Counts c = count(problem, plan);
    const double tiles = c.waves * c.steps;
    const double latency = latency_of(problem, price, chip);
    const PlanRows rows = rows_of(problem, plan);
    const double a_requests = price.requests(rows.a), b_requests = price.requests(rows.b);
    const double loads = c.a_loads * c.a_tile + c.b_loads * c.b_tile;
    const double link = price.link(loads, c.a_loads * a_requests + c.b_loads * b_requests);
    const double issuing = c.a_loads * a_requests * price.pace(latency, c.a_tile / a_requests) +
                           c.b_loads * b_requests * price.pace(latency, c.b_tile / b_requests);
    const double pes = pe_count(chip);
    const double a_tiles = pes / copies_of(plan, true), b_tiles = pes / copies_of(plan, false);
    const double a_sram =
        price.sram(rows.a, a_tiles, copies_of(plan, true) / gemm_sharers(plan, true));
    const double b_sram =
        price.sram(rows.b, b_tiles, copies_of(plan, false) / gemm_sharers(plan, false));
    const double sram = c.a_loads * a_sram + c.b_loads * b_sram +
                        c.waves * price.sram(rows.out, pes / plan.view.split, 1);

    // A buffer of `depth` tiles has depth - 1 of them on their way while one is multiplied: a step
    // takes no less than its share of a round trip.
    const double round_trip = (latency + plan.depth * link / tiles) / (plan.depth - 1);
    const double tile = tile_cycles(plan, chip);
    const Traffic traffic = chip_traffic(problem, plan, chip, c);
    const double touched =
        tiles * gemm_touched_bytes(problem, plan, chip, {plan.tile_m, plan.tile_n, plan.tile_k});
    const double moved =
        (plan.layout_a ? c.a_loads * c.a_tile : 0) + (plan.layout_b ? c.b_loads * c.b_tile : 0);
    const std::uint64_t elements = plan.tile_m * plan.tile_n;
    const double chain_step =
        plan.view.split > 1 ? static_cast<double>(neighbour_cycles(chip.reduction, elements,
                                                                   Bytes(elements * plan.sum_bytes))
                                                      .count())
                            : 0;
    const double engine_rate = 32;  // elements finished per cycle, for comparing tiles only
    const double finish = plan.finish ? static_cast<double>(elements) / engine_rate : 0;
    const double out_requests = price.requests(rows.out);
    const double out = std::max(price.link(c.out_tile, out_requests),
                                out_requests * price.pace(price.latency(false), 0));

    Cost cost;
    cost.resources = {
        tiles * std::max(tile, round_trip), link, issuing, c.waves * out, sram,
        price.dram(traffic.dram, 1e9),
        touched / static_cast<double>(local_memory_bytes_per_cycle(chip.local_memory)),
        moved / chip.layout.bytes_per_cycle,
        (tiles * 3 + c.waves * 4) * chip.issue.cycles_per_instruction, c.waves * chain_step,
        c.waves * finish,
        // The start of every command counts on its unit, and here once for all units
        // together.
        (tiles * 3 + c.waves * 3) * chip.dma.startup_cycles};
    // Before the first tile: its operands, on every PE at once. After the last: its way out.
    cost.first = latency + std::max(price.link(c.a_tile + c.b_tile, 0), a_sram + b_sram);
    cost.last = tile / 4 + plan.view.split * chain_step + finish + out;
    return cost;
}

}  // namespace

TileRows gemm_rows(bool transposed, std::uint64_t rows, std::uint64_t columns,
                   std::uint64_t all_rows, std::uint64_t all_columns, DType type) {
    const std::uint64_t size = size_of(type);
    return transposed ? TileRows{columns, rows * size, all_rows * size}
                      : TileRows{rows, columns * size, all_columns * size};
}

double gemm_sharers(const GemmPlan& plan, bool of_a) {
    if (!(of_a ? plan.broadcast_a : plan.broadcast_b)) return 1;
    const GridRole other = of_a ? GridRole::n : GridRole::m;
    const GridView& view = plan.view;
    return view.columns == other ? view.grid.columns / view.split : view.grid.rows;
}

double gemm_crowding(const GemmPlan& plan, bool of_a) {
    if (!(of_a ? plan.broadcast_a : plan.broadcast_b)) return 1;
    return plan.broadcast_a && plan.broadcast_b ? 1.8 : 1.3;
}

double gemm_touched_bytes(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip,
                          TileEdges tile) {
    const FoldGrid grid = fold_grid(plan.dataflow, {tile.m, tile.n, tile.k});
    const bool on_arrays = plan.unit == Unit::matrix;
    const ArrayShape array = on_arrays ? array_of(chip.dpe, plan.type) : ArrayShape{};
    const GemmPasses passes = on_arrays ? gemm_passes(plan.dataflow, grid, array) : GemmPasses{};
    return static_cast<double>(tile.m * tile.k * size_of(problem.a) * passes.a +
                               tile.k * tile.n * size_of(problem.b) * passes.b);
}

// Requests of many PEs meet in some partitions while others have none; what waits in order behind
// them waits, too. The more so when PEs that go through the same tile ask for the same line at a
// time. Assumed: only plans are compared.
constexpr double reachable = 0.7, same_line = 0.25;

MemoryPrice::MemoryPrice(const ChipParams& chip)
    : interleave_(chip.sram.interleave_bytes),
      header_(chip.noc.header_bytes),
      link_(chip.noc.pe_link_bytes_per_cycle),
      partition_links_(static_cast<double>(chip.noc.partition_link_bytes_per_cycle) *
                       chip.sram.partitions),
      banks_(static_cast<double>(sram_bytes_per_cycle(chip.sram))),
      partitions_(chip.sram.partitions) {
    const double clock = static_cast<double>(chip.clock_hz);
    dram_ = std::max(1e-9, dram_peak(chip.dram) / clock);
    // Three quarters of the way across the grid: of a tile's requests the last answer counts.
    const double hops = 0.75 * chip.noc.hop_cycles * (chip.grid.rows + chip.grid.columns);
    fabric_ = 4.0 * chip.noc.port_cycles + 2 * hops + chip.sram.latency_cycles +
              interleave_ / static_cast<double>(chip.sram.banks * chip.sram.bank_bytes_per_cycle);
    const DramTiming& t = chip.dram.timing;
    row_ = static_cast<double>(t.rp + t.rcd_rd + t.cl + t.burst) * static_cast<double>(t.tck_ps) *
           clock / 1e12;
    // An outbox place is taken for the way into the fabric and back.
    interval_ =
        std::max<double>(chip.dma.issue_interval, 2.0 * chip.noc.port_cycles / chip.dma.outbox);
    outstanding_ = chip.dma.outstanding;
    shaping_ = chip.dma.shaping;
    line_ = chip.sram.line_bytes;
    banks_of_partition_ = chip.sram.banks;
}

double MemoryPrice::requests(TileRows tile) const {
    const auto block = static_cast<std::uint64_t>(interleave_);
    if (tile.pitch == tile.row_bytes) tile = {1, tile.rows * tile.row_bytes, 0};
    const auto rows = static_cast<double>(tile.rows);
    const bool aligned =
        tile.pitch % block == 0 && (block % tile.row_bytes == 0 || tile.row_bytes % block == 0);
    if (aligned) return rows * static_cast<double>(ceil_div(tile.row_bytes, block));
    return rows * (1 + static_cast<double>(tile.row_bytes - 1) / interleave_);
}

double MemoryPrice::pace(double latency, double bytes_of_request) const {
    const double shaped = shaping_ ? link(bytes_of_request, 1) : 0;
    return std::max({interval_, latency / outstanding_, shaped});
}

double MemoryPrice::sram(TileRows tile, double tiles, double copies) const {
    const double bytes = tiles * copies * tile.bytes();
    const double count = tiles * copies * requests(tile);
    // Short rows a multiple of all banks' lines apart meet in the same few banks.
    const std::uint64_t lines = ceil_div(tile.row_bytes, line_);
    const bool meet = tile.pitch > tile.row_bytes && lines < banks_of_partition_ &&
                      tile.pitch % (line_ * banks_of_partition_) == 0;
    const double share =
        meet ? static_cast<double>(lines) / static_cast<double>(banks_of_partition_) : 1;
    return std::max({bytes / (banks_ * share), (bytes + count * header_) / partition_links_,
                     count / partitions_}) /
           reachable * (1 + (copies - 1) * same_line);
}

double gemm_cost(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip) {
    const Cost cost = cost_of(problem, plan, chip);
    const double busiest = cost.busiest();
    // What is hidden never hides completely; of two plans with the same bottleneck the one with
    // less work beside it is better. A tenth is assumed.
    const double beside =
        0.1 * std::accumulate(cost.resources.begin(), cost.resources.end(), -busiest);
    return busiest + beside + cost.first + cost.last;
}

double gemm_bound(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip) {
    // Without what is only a rough share of each command: the walk counts that.
    const Cost cost = cost_of(problem, plan, chip);
    return std::max({cost.resources[1], cost.resources[4], cost.resources[5]});
}

}  // namespace diastole
