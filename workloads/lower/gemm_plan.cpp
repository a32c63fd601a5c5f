#include "workloads/lower/gemm_plan.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "model/base/error.hpp"
#include "workloads/lower/gemm_cost.hpp"
#include "workloads/lower/grid.hpp"

namespace diastole {
namespace {

std::vector<GridView> candidate_views(const GemmProblem& problem, const ChipParams& chip,
                                      const LoweringParams& params) {
    const std::uint32_t columns = chip.grid.columns;
    std::vector<GridRole> roles = {GridRole::m, GridRole::n};
    if (problem.shape.batch > 1) roles.push_back(GridRole::batch);
    std::vector<GridView> views;
    for (const GridRole down : roles) {
        for (const GridRole across : roles) {
            for (std::uint32_t split = 1; split <= columns; ++split) {
                if (columns % split != 0 || split > problem.shape.k) continue;
                views.push_back({chip.grid, down, across, split, false});
            }
        }
    }
    const std::uint32_t pes = pe_count(chip);
    if (chip.grid.rows > 1 && pes <= problem.shape.k) {
        views.push_back({chip.grid, GridRole::m, GridRole::n, pes, true});
    }
    if (params.split_k == 0) return views;
    const auto other = [&](const GridView& view) { return view.split != params.split_k; };
    views.erase(std::remove_if(views.begin(), views.end(), other), views.end());
    if (views.empty()) {
        throw ConfigError("lowering.split_k: " + problem.user +
                          " can divide K = " + std::to_string(problem.shape.k) +
                          " over a divisor of " + std::to_string(columns) + " PEs or over all " +
                          std::to_string(pes) + ", got " + std::to_string(params.split_k));
    }
    return views;
}

// Tile edges to try: the whole share where it is not large, powers of two below it. `forced` leaves
// one.
std::vector<std::uint64_t> edges(std::uint64_t extent, std::uint64_t parts, std::uint64_t most,
                                 std::uint64_t least, std::uint32_t forced) {
    if (forced != 0) return {std::min<std::uint64_t>(forced, extent)};
    const std::uint64_t mine = ceil_div(extent, parts);
    std::vector<std::uint64_t> result;
    for (const std::uint64_t pieces : {1, 2, 3}) {
        const std::uint64_t edge = ceil_div(mine, pieces);
        if (edge <= most) result.push_back(edge);
    }
    for (std::uint64_t edge = most; edge >= least; edge /= 2) {
        if (edge < mine) result.push_back(edge);
    }
    std::sort(result.begin(), result.end(), std::greater<>());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

std::vector<Dataflow> candidate_dataflows(const ChipParams& chip, const LoweringParams& params) {
    switch (params.dataflow) {
        case DataflowChoice::weight_stationary:
            return {Dataflow::weight_stationary};
        case DataflowChoice::input_stationary:
            return {Dataflow::input_stationary};
        case DataflowChoice::output_stationary:
            return {Dataflow::output_stationary};
        case DataflowChoice::automatic:
            break;
    }
    // Holding the one or the other operand is the same array; holding the sums is another one.
    if (chip.dpe.dataflow == Dataflow::output_stationary) return {Dataflow::output_stationary};
    return {chip.dpe.dataflow, chip.dpe.dataflow == Dataflow::weight_stationary
                                   ? Dataflow::input_stationary
                                   : Dataflow::weight_stationary};
}

// Largest edges tried first; small ones only for local memories that hold nothing larger.
constexpr std::uint64_t most_edge = 512, most_k = 1024;
constexpr std::uint32_t most_depth = 4;
constexpr std::array<std::uint64_t, 3> least_edges = {32, 8, 1};

struct Search {
    const GemmProblem& problem;
    const ChipParams& chip;
    const LoweringParams& params;
    std::optional<GemmPlan> best;
    std::uint64_t smallest = ~std::uint64_t{0};  // bytes of the smallest plan seen

    // The deepest buffers that fit: the more tiles on their way, the less latency shows.
    void consider(GemmPlan plan) {
        for (plan.depth = most_depth; plan.depth >= 2; --plan.depth) {
            const std::uint64_t bytes = gemm_buffers(problem, plan).total();
            smallest = std::min(smallest, bytes);
            if (bytes > chip.local_memory.bytes) continue;
            plan.cycles = gemm_cost(problem, plan, chip);
            if (!best || plan.cycles < best->cycles) best = plan;
            return;
        }
    }

    void over_tiles(GemmPlan plan, std::uint64_t least) {
        const Gemm& g = problem.shape;
        const GridView& view = plan.view;
        for (const auto m : edges(g.m, view.extent(GridRole::m), most_edge, least, params.tile_m)) {
            for (const auto n :
                 edges(g.n, view.extent(GridRole::n), most_edge, least, params.tile_n)) {
                for (const auto k : edges(g.k, view.split, most_k, least, params.tile_k)) {
                    if (ceil_div(g.k, k) < view.split) continue;  // a PE without a part of K
                    plan.tile_m = m;
                    plan.tile_n = n;
                    plan.tile_k = k;
                    for (const Resident r : {Resident::none, Resident::a, Resident::b}) {
                        plan.resident = r;
                        consider(plan);
                    }
                }
            }
        }
    }
};

std::string_view letters(Dataflow dataflow) {
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

std::string describe(const GemmPlan& plan) {
    const auto number = [](std::uint64_t v) { return std::to_string(v); };
    std::string note = plan.unit == Unit::matrix ? std::string(letters(plan.dataflow)) + " " : "";
    note += number(plan.tile_m) + "x" + number(plan.tile_n) + "x" + number(plan.tile_k) + " on ";
    note += plan.unit == Unit::matrix ? "dpe" : plan.unit == Unit::vector ? "vector" : "simd";
    note += " " + std::string(name_of(plan.type)) + ", PEs m" +
            number(plan.view.extent(GridRole::m)) + " n" + number(plan.view.extent(GridRole::n));
    const std::uint32_t batch = plan.view.extent(GridRole::batch);
    if (batch > 1) note += " batch" + number(batch);
    if (plan.view.split > 1) note += " k" + number(plan.view.split);
    if (plan.resident != Resident::none) note += plan.resident == Resident::a ? ", A" : ", B";
    if (plan.resident != Resident::none) note += " stays";
    if (plan.broadcast_a || plan.broadcast_b) note += ", broadcast";
    if (plan.broadcast_a) note += " A";
    if (plan.broadcast_b) note += " B";
    if (plan.layout_a || plan.layout_b) note += plan.layout_a ? ", transposes A" : ", transposes B";
    if (plan.layout_a && plan.layout_b) note += " and B";
    return note;
}

// On the matrix engine if it has the type, else on the vector cores or the SIMD engine.
void choose_unit(const GemmProblem& problem, const ChipParams& chip, GemmPlan& plan) {
    const DType type = size_of(problem.a) >= size_of(problem.b) ? problem.a : problem.b;
    plan.type = type;
    if (chip.dpe.k_elements[type] > 0 && chip.dpe.arrays > 0 && chip.dpe.columns > 0) return;
    if (chip.vector.ops_per_cycle[type] > 0) {
        plan.unit = Unit::vector;
    } else if (chip.simd.ops_per_cycle[type] > 0) {
        plan.unit = Unit::simd;
    } else {
        const std::string name(name_of(type));
        throw ConfigError(problem.user + " multiplies " + name + ", which chip '" + chip.name +
                          "' has on no engine; try --cast " + name + "=fp16");
    }
}

}  // namespace

std::uint32_t GridView::extent(GridRole role) const {
    if (whole_grid) return 1;
    const std::uint32_t down = rows == role ? grid.rows : 1;
    const std::uint32_t across = columns == role ? grid.columns / split : 1;
    return down * across;
}

GridPoint GridView::point(std::uint32_t pe) const {
    GridPoint point;
    if (whole_grid) {
        point.k = rank_of_pe(grid, pe);
        return point;
    }
    const std::uint32_t row = pe / grid.columns;
    const std::uint32_t column = pe % grid.columns / split;
    const auto add = [&](GridRole role, std::uint32_t coordinate, std::uint32_t size) {
        std::uint32_t& field =
            role == GridRole::m ? point.m : (role == GridRole::n ? point.n : point.batch);
        field = field * size + coordinate;
    };
    add(rows, row, grid.rows);
    add(columns, column, grid.columns / split);
    point.k = pe % grid.columns % split;
    return point;
}

std::uint32_t GridView::along_k(std::uint32_t pe, std::int32_t step) const {
    const auto move = [&](std::uint32_t from) {
        return static_cast<std::uint32_t>(static_cast<std::int32_t>(from) + step);
    };
    return whole_grid ? pe_of_rank(grid, move(rank_of_pe(grid, pe))) : move(pe);
}

bool needs_layout_a(Dataflow dataflow, bool transposed) {
    return dataflow == Dataflow::weight_stationary ? transposed : !transposed;
}
bool needs_layout_b(Dataflow dataflow, bool transposed) {
    return dataflow == Dataflow::input_stationary ? !transposed : transposed;
}

GemmBuffers gemm_buffers(const GemmProblem& problem, const GemmPlan& plan) {
    const std::uint64_t a = plan.tile_m * plan.tile_k * size_of(problem.a);
    const std::uint64_t b = plan.tile_k * plan.tile_n * size_of(problem.b);
    const std::uint64_t sums = plan.tile_m * plan.tile_n * plan.sum_bytes;
    const std::uint64_t steps = ceil_div(ceil_div(problem.shape.k, plan.tile_k), plan.view.split);
    GemmBuffers buffers;
    buffers.a = a * (plan.resident == Resident::a ? steps + plan.depth - 1 : plan.depth);
    buffers.b = b * (plan.resident == Resident::b ? steps + plan.depth - 1 : plan.depth);
    if (plan.layout_a) buffers.a_raw = 2 * a;
    if (plan.layout_b) buffers.b_raw = 2 * b;
    buffers.sum = 2 * sums;
    if (plan.view.split > 1) buffers.chained = 2 * sums;
    if (plan.finish) buffers.out = 2 * plan.tile_m * plan.tile_n * size_of(problem.out);
    switch (problem.bias) {
        case Bias::none:
            break;
        case Bias::scalar:
            buffers.bias = 2 * size_of(problem.bias_type);
            break;
        case Bias::row:
            buffers.bias = 2 * plan.tile_n * size_of(problem.bias_type);
            break;
        case Bias::column:
            buffers.bias = 2 * plan.tile_m * size_of(problem.bias_type);
            break;
        case Bias::full:
            buffers.bias = 2 * plan.tile_m * plan.tile_n * size_of(problem.bias_type);
            break;
    }
    return buffers;
}

GemmPlan plan_gemm(const GemmProblem& problem, const ChipParams& chip,
                   const LoweringParams& params) {
    GemmPlan plan;
    choose_unit(problem, chip, plan);
    plan.sum_bytes = size_of(plan.type) == 8 ? 8 : 4;
    const bool same_type = size_of(problem.out) == plan.sum_bytes &&
                           (problem.out == DType::int32) == (plan.type == DType::int8);
    plan.finish = problem.bias != Bias::none || !same_type;
    Search search{problem, chip, params, {}};
    const std::vector<GridView> views = candidate_views(problem, chip, params);
    for (const std::uint64_t least : least_edges) {
        for (const GridView& view : views) {
            plan.view = view;
            const bool share = params.broadcast && chip.noc.broadcast_reads && !view.whole_grid;
            const bool by_n = view.rows == GridRole::n || view.columns == GridRole::n;
            const bool by_m = view.rows == GridRole::m || view.columns == GridRole::m;
            plan.broadcast_a = share && by_n;
            plan.broadcast_b = share && by_m;
            for (const Dataflow dataflow : candidate_dataflows(chip, params)) {
                plan.dataflow = dataflow;
                plan.layout_a =
                    plan.unit == Unit::matrix && needs_layout_a(dataflow, problem.transpose_a);
                plan.layout_b =
                    plan.unit == Unit::matrix && needs_layout_b(dataflow, problem.transpose_b);
                search.over_tiles(plan, least);
            }
        }
        if (search.best) break;
    }
    if (!search.best) {
        throw ConfigError("local_memory.bytes: a tile of " + problem.user + " needs at least " +
                          std::to_string(search.smallest) + " bytes per PE, got " +
                          std::to_string(chip.local_memory.bytes));
    }
    search.best->note = describe(*search.best);
    return *search.best;
}

}  // namespace diastole
