#include "workloads/lower/gemm_candidates.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "model/base/error.hpp"

namespace diastole {
namespace {

std::vector<GridRole> candidate_roles(const GemmProblem& problem, GridChoice forced) {
    switch (forced) {
        case GridChoice::m:
            return {GridRole::m};
        case GridChoice::n:
            return {GridRole::n};
        case GridChoice::batch:
            return {GridRole::batch};
        case GridChoice::automatic:
            break;
    }
    std::vector<GridRole> roles = {GridRole::m, GridRole::n};
    if (problem.shape.batch > 1) roles.push_back(GridRole::batch);
    return roles;
}

std::vector<GridView> candidate_views(const GemmProblem& problem, const ChipParams& chip,
                                      const LoweringParams& params) {
    const std::uint32_t columns = chip.grid.columns;
    std::vector<GridView> views;
    for (const GridRole down : candidate_roles(problem, params.grid_rows)) {
        for (const GridRole across : candidate_roles(problem, params.grid_columns)) {
            for (std::uint32_t split = 1; split <= columns; ++split) {
                if (columns % split != 0 || split > problem.shape.k) continue;
                views.push_back({chip.grid, down, across, split, false});
            }
        }
    }
    const std::uint32_t pes = pe_count(chip);
    const bool axes_are_free =
        params.grid_rows == GridChoice::automatic && params.grid_columns == GridChoice::automatic;
    if (chip.grid.rows > 1 && pes <= problem.shape.k && axes_are_free) {
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

std::vector<Dataflow> candidate_dataflows(const GemmProblem& problem, const ChipParams& chip,
                                          const LoweringParams& params) {
    if (problem.b_tiles.on()) return {Dataflow::weight_stationary};  // what the tiles are made for
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

std::vector<Resident> candidate_residents(StationaryChoice forced) {
    switch (forced) {
        case StationaryChoice::input:
            return {Resident::a};
        case StationaryChoice::weight:
            return {Resident::b};
        case StationaryChoice::output:
            return {Resident::none};
        case StationaryChoice::automatic:
            break;
    }
    return {Resident::none, Resident::a, Resident::b};
}

// Which operands' tiles PEs of a row or column have in common, and may share.
struct Sharing {
    bool a = false, b = false;
};
Sharing sharing_of(const GridView& view, const ChipParams& chip, const LoweringParams& params) {
    const bool may = params.broadcast && chip.noc.broadcast_reads && !view.whole_grid;
    const std::uint32_t across = view.grid.columns / view.split;
    const auto divides = [&](GridRole role) {
        return (view.rows == role && view.grid.rows > 1) || (view.columns == role && across > 1);
    };
    const bool by_n = divides(GridRole::n), by_m = divides(GridRole::m);
    return {may && by_n && params.broadcast_a != Switch::off,
            may && by_m && params.broadcast_b != Switch::off};
}
bool grants(Switch choice, bool possible) {
    return choice != Switch::on || possible;
}

// Largest edges tried first; small ones only for local memories that hold nothing larger.
constexpr std::uint64_t most_edge = 512, most_k = 1024;
constexpr std::uint32_t most_depth = 4;
constexpr std::array<std::uint64_t, 3> least_edges = {32, 8, 1};

class Search {
  public:
    Search(const GemmProblem& problem, const ChipParams& chip, const LoweringParams& params,
           const std::function<void(GemmPlan&)>& visit)
        : problem_(problem), chip_(chip), params_(params), visit_(visit) {}

    void over_views(GemmPlan plan, std::uint64_t least) {
        for (const GridView& view : candidate_views(problem_, chip_, params_)) {
            plan.view = view;
            const Sharing sharing = sharing_of(view, chip_, params_);
            if (!grants(params_.broadcast_a, sharing.a)) continue;
            if (!grants(params_.broadcast_b, sharing.b)) continue;
            can_share_ = true;
            plan.broadcast_a = sharing.a;
            plan.broadcast_b = sharing.b;
            for (const Dataflow dataflow : candidate_dataflows(problem_, chip_, params_)) {
                plan.dataflow = dataflow;
                plan.layout_a =
                    plan.unit == Unit::matrix && needs_layout_a(dataflow, problem_.transpose_a);
                plan.layout_b = plan.unit == Unit::matrix && !problem_.b_tiles.on() &&
                                needs_layout_b(dataflow, problem_.transpose_b);
                over_tiles(plan, least);
            }
        }
    }

    [[nodiscard]] bool found() const { return found_; }
    [[noreturn]] void refuse() const;

  private:
    void over_tiles(GemmPlan plan, std::uint64_t least) {
        const Gemm& g = problem_.shape;
        const GridView& view = plan.view;
        const auto all_m = edges(g.m, view.extent(GridRole::m), most_edge, least, params_.tile_m);
        const auto all_n = edges(g.n, view.extent(GridRole::n), most_edge, least, params_.tile_n);
        for (const auto k : edges(g.k, view.split, most_k, least, params_.tile_k)) {
            if (ceil_div(g.k, k) < view.split) continue;  // a PE without a part of K
            for (const auto m : all_m) {
                for (const auto n : all_n) {
                    if (!problem_.b_tiles.cuts_k(k, g.k) || !problem_.b_tiles.cuts_n(n, g.n)) {
                        continue;
                    }
                    plan.tile_m = m;
                    plan.tile_n = n;
                    plan.tile_k = k;
                    for (const Resident r : candidate_residents(params_.stationary)) {
                        plan.resident = r;
                        consider(plan);
                    }
                }
            }
        }
    }

    // The deepest buffers that fit: the more tiles on their way, the less latency shows.
    void consider(GemmPlan& plan) {
        const std::uint32_t forced = params_.buffers;
        for (plan.depth = forced > 0 ? forced : most_depth;; --plan.depth) {
            const std::uint64_t bytes = gemm_buffers(problem_, plan).total();
            smallest_ = std::min(smallest_, bytes);
            if (bytes <= chip_.local_memory.bytes) break;
            if (plan.depth == 2 || plan.depth == forced) return;
        }
        found_ = true;
        const bool a = plan.broadcast_a, b = plan.broadcast_b;
        visit_(plan);
        const bool to_choose = (a && params_.broadcast_a == Switch::automatic) ||
                               (b && params_.broadcast_b == Switch::automatic);
        if (!to_choose) return;
        plan.broadcast_a = a && params_.broadcast_a == Switch::on;
        plan.broadcast_b = b && params_.broadcast_b == Switch::on;
        visit_(plan);
        plan.broadcast_a = a;
        plan.broadcast_b = b;
    }

    const GemmProblem& problem_;
    const ChipParams& chip_;
    const LoweringParams& params_;
    const std::function<void(GemmPlan&)>& visit_;
    bool found_ = false, can_share_ = false;
    std::uint64_t smallest_ = ~std::uint64_t{0};  // bytes of the smallest plan seen
};

void Search::refuse() const {
    if (!can_share_) {
        const std::string key = params_.broadcast_a == Switch::on ? "a" : "b";
        throw ConfigError("lowering.broadcast_" + key + ": " + problem_.user +
                          " has no PEs that could share these tiles on chip '" + chip_.name +
                          "' with the other choices given");
    }
    if (smallest_ == ~std::uint64_t{0}) {
        throw ConfigError("lowering.tile_k: " + problem_.user +
                          " has K = " + std::to_string(problem_.shape.k) + ", " +
                          std::to_string(ceil_div(problem_.shape.k, params_.tile_k)) +
                          " tiles of that depth; expected one at least for each of the " +
                          std::to_string(params_.split_k) + " PEs that divide K");
    }
    const std::array<std::pair<const char*, std::uint64_t>, 4> forced = {
        {{"tile_m", params_.tile_m},
         {"tile_n", params_.tile_n},
         {"tile_k", params_.tile_k},
         {"buffers", params_.buffers}}};
    std::string keys;
    for (const auto& [key, value] : forced) {
        if (value == 0) continue;
        keys += (keys.empty() ? "lowering." : ", lowering.") + std::string(key) + " = " +
                std::to_string(value);
    }
    throw ConfigError((keys.empty() ? "local_memory.bytes" : keys) + ": a tile of " +
                      problem_.user + " needs at least " + std::to_string(smallest_) +
                      " bytes per PE, got " + std::to_string(chip_.local_memory.bytes));
}

}  // namespace

MatrixUnit matrix_unit(const GemmProblem& problem, const ChipParams& chip) {
    const DType type = size_of(problem.a) >= size_of(problem.b) ? problem.a : problem.b;
    if (chip.dpe.k_elements[type] > 0 && chip.dpe.arrays > 0 && chip.dpe.columns > 0) {
        return {Unit::matrix, type};
    }
    if (chip.vector.ops_per_cycle[type] > 0) return {Unit::vector, type};
    if (chip.simd.ops_per_cycle[type] > 0) return {Unit::simd, type};
    const std::string name(name_of(type));
    throw ConfigError(problem.user + " multiplies " + name + ", which chip '" + chip.name +
                      "' has on no engine; try --cast " + name + "=fp16");
}

void visit_gemm_candidates(const GemmProblem& problem, const ChipParams& chip,
                           const LoweringParams& params,
                           const std::function<void(GemmPlan&)>& visit) {
    if (params.buffers == 1) {
        throw ConfigError("lowering.buffers: expected 0 or at least 2, got 1");
    }
    GemmPlan plan;
    const MatrixUnit unit = matrix_unit(problem, chip);
    plan.unit = unit.unit;
    plan.type = unit.type;
    plan.sum_bytes = size_of(plan.type) == 8 ? 8 : 4;
    const bool same_type = size_of(problem.out) == plan.sum_bytes &&
                           (problem.out == DType::int32) == (plan.type == DType::int8);
    plan.finish = problem.bias != Bias::none || !same_type;
    Search search(problem, chip, params, visit);
    for (const std::uint64_t least : least_edges) {
        search.over_views(plan, least);
        if (search.found()) return;
    }
    search.refuse();
}

void visit_broadcasts(const GemmPlan& plan, const ChipParams& chip, const LoweringParams& params,
                      const std::function<void(GemmPlan&)>& visit) {
    const Sharing can = sharing_of(plan.view, chip, params);
    GemmPlan other = plan;
    for (const bool a : {true, false}) {
        for (const bool b : {true, false}) {
            if ((a && !can.a) || (b && !can.b)) continue;
            if ((!a && params.broadcast_a == Switch::on) ||
                (!b && params.broadcast_b == Switch::on)) {
                continue;
            }
            other.broadcast_a = a;
            other.broadcast_b = b;
            visit(other);
        }
    }
}

}  // namespace diastole
