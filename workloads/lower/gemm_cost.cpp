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
    c.b_tile = static_cast<double>(plan.tile_k * plan.tile_n * size_of(problem.b));
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

// PEs that one merged read answers.
double sharers(const GemmPlan& plan, bool of_a) {
    if (!(of_a ? plan.broadcast_a : plan.broadcast_b)) return 1;
    const GridRole other = of_a ? GridRole::n : GridRole::m;
    const GridView& view = plan.view;
    return view.columns == other ? view.grid.columns / view.split : view.grid.rows;
}

// Requests of one tile: a row is cut at interleave boundaries.
double requests(double tile_bytes, double row_bytes, const ChipParams& chip) {
    const auto block = static_cast<double>(chip.sram.interleave_bytes);
    return tile_bytes / std::min(row_bytes, block);
}

struct Traffic {
    double dram = 0, sram = 0;  // bytes of the whole chip
};

// An operand in DRAM is read once, and again for every repetition that the LLC cannot hold.
void add_reads(Traffic& traffic, const ChipParams& chip, Space space, double once, double total) {
    const auto llc = static_cast<double>(chip.sram.bytes - chip.sram.lls_bytes);
    traffic.sram += total;
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
              c.a_loads * c.a_tile * pes / sharers(plan, true));
    add_reads(traffic, chip, problem.b_space, size(g.k, g.n, problem.b),
              c.b_loads * c.b_tile * pes / sharers(plan, false));
    const double out = size(g.m, g.n, problem.out);
    traffic.sram += out;
    if (problem.out_space == Space::dram) traffic.dram += out;
    return traffic;
}

// From a request to its answer, without queues: fabric and SRAM, and a row to open and read.
double read_latency(const ChipParams& chip, Space space) {
    const double fabric = 2.0 * chip.noc.port_cycles + chip.sram.latency_cycles +
                          chip.noc.hop_cycles * (chip.grid.rows + chip.grid.columns) / 2.0;
    if (space == Space::lls) return fabric;
    const DramTiming& t = chip.dram.timing;
    const double row = static_cast<double>(t.rp + t.rcd_rd + t.cl + t.burst) *
                       static_cast<double>(t.tck_ps) * static_cast<double>(chip.clock_hz) / 1e12;
    return fabric + row;
}

}  // namespace

double gemm_cost(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip) {
    const Counts c = count(problem, plan);
    const double tiles = c.waves * c.steps;
    const double clock = static_cast<double>(chip.clock_hz);
    const double dram_rate = std::max(1e-9, dram_peak(chip.dram) / clock);
    const auto sram_rate = static_cast<double>(sram_bytes_per_cycle(chip.sram));
    const auto link = static_cast<double>(chip.noc.pe_link_bytes_per_cycle);
    const double latency =
        std::max(read_latency(chip, problem.a_space), read_latency(chip, problem.b_space)) +
        chip.dma.startup_cycles;

    // A buffer of `depth` tiles has depth - 1 of them on their way while one is multiplied: a step
    // takes no less than its share of a round trip.
    const double loads_of_step = (c.a_loads * c.a_tile + c.b_loads * c.b_tile) / tiles;
    const double round_trip = (latency + plan.depth * loads_of_step / link) / (plan.depth - 1);
    const double tile = tile_cycles(plan, chip);
    const double matrix = tiles * std::max(tile, round_trip);
    const double loads = c.a_loads * c.a_tile + c.b_loads * c.b_tile;
    const Traffic traffic = chip_traffic(problem, plan, chip, c);

    const auto a_row =
        static_cast<double>((problem.transpose_a ? plan.tile_m : plan.tile_k) * size_of(problem.a));
    const auto b_row =
        static_cast<double>((problem.transpose_b ? plan.tile_k : plan.tile_n) * size_of(problem.b));
    const double reads =
        c.a_loads * requests(c.a_tile, a_row, chip) + c.b_loads * requests(c.b_tile, b_row, chip);
    const double request =
        std::max<double>(chip.dma.issue_interval, latency / chip.dma.outstanding);

    const auto passes = static_cast<double>(ceil_div(plan.tile_n, chip.dpe.columns));
    const double touched =
        loads + tiles * (c.a_tile * passes + c.b_tile) + c.waves * (c.sums + 2 * c.out_tile);
    const double local =
        touched / static_cast<double>(local_memory_bytes_per_cycle(chip.local_memory));
    const double moved =
        (plan.layout_a ? c.a_loads * c.a_tile : 0) + (plan.layout_b ? c.b_loads * c.b_tile : 0);
    const double layout = moved / chip.layout.bytes_per_cycle;
    const double issue = (tiles * 3 + c.waves * 4) * chip.issue.cycles_per_instruction;

    const double chain_step =
        plan.view.split > 1
            ? static_cast<double>(neighbour_cycles(chip.reduction, plan.tile_m * plan.tile_n,
                                                   Bytes(static_cast<std::uint64_t>(c.sums)))
                                      .count())
            : 0;
    const double engine_rate = 32;  // elements finished per cycle, for comparing tiles only
    const double finish = plan.finish ? c.sums / plan.sum_bytes / engine_rate : 0;

    // The start of every command counts on its unit, and here once for all units together.
    const double starts = (tiles * 3 + c.waves * 3) * chip.dma.startup_cycles;
    const std::array<double, 12> resources = {matrix,
                                              loads / link,
                                              reads * request,
                                              c.waves * c.out_tile / link,
                                              traffic.sram / sram_rate,
                                              traffic.dram / dram_rate,
                                              local,
                                              layout,
                                              issue,
                                              c.waves * chain_step,
                                              c.waves * finish,
                                              starts};
    const double busiest = *std::max_element(resources.begin(), resources.end());
    // What is hidden never hides completely; of two plans with the same bottleneck the one with
    // less work beside it is better. A tenth is assumed.
    const double beside = 0.1 * std::accumulate(resources.begin(), resources.end(), -busiest);
    // Before the first tile: its operands, on every PE at once. After the last: its way out.
    const double pes = pe_count(chip);
    const double first_bytes =
        pes * (c.a_tile / sharers(plan, true) + c.b_tile / sharers(plan, false));
    const double first =
        latency + std::max({(c.a_tile + c.b_tile) / link, first_bytes / sram_rate});
    const double last = tile / 4 + plan.view.split * chain_step + finish + c.out_tile / link;
    return busiest + beside + first + last;
}

}  // namespace diastole
