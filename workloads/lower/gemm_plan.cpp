#include "workloads/lower/gemm_plan.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "workloads/lower/gemm_candidates.hpp"
#include "workloads/lower/gemm_cost.hpp"
#include "workloads/lower/gemm_walk.hpp"
#include "workloads/lower/grid.hpp"

namespace diastole {
namespace {

// The best candidates of each way to use the grid, a few of each, by their closed-form cost.
class Shortlist {
  public:
    void offer(const GemmPlan& plan) {
        Group& group = group_of(plan);
        if (group.plans.size() == most_of_group && plan.cycles >= group.plans.back().cycles) return;
        if (group.plans.size() == most_of_group) group.plans.pop_back();
        const auto later = [](const GemmPlan& a, const GemmPlan& b) { return a.cycles < b.cycles; };
        group.plans.insert(std::upper_bound(group.plans.begin(), group.plans.end(), plan, later),
                           plan);
    }

    // The best of all groups together; none that costs much more than the best.
    [[nodiscard]] std::vector<GemmPlan> take() const {
        std::vector<GemmPlan> all;
        for (const Group& group : groups_) {
            all.insert(all.end(), group.plans.begin(), group.plans.end());
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const GemmPlan& a, const GemmPlan& b) { return a.cycles < b.cycles; });
        std::size_t keep = 1;
        while (keep < std::min(all.size(), most) && all[keep].cycles < 2 * all[0].cycles) ++keep;
        all.resize(keep);
        return all;
    }

  private:
    static constexpr std::size_t most_of_group = 6, most = 64;
    struct Group {
        GemmPlan key;
        std::vector<GemmPlan> plans;
    };
    Group& group_of(const GemmPlan& plan) {
        const auto same = [&](const Group& group) {
            const GemmPlan& key = group.key;
            return key.view.rows == plan.view.rows && key.view.columns == plan.view.columns &&
                   key.view.split == plan.view.split &&
                   key.view.whole_grid == plan.view.whole_grid &&
                   key.broadcast_a == plan.broadcast_a && key.broadcast_b == plan.broadcast_b;
        };
        if (last_ < groups_.size() && same(groups_[last_])) return groups_[last_];
        last_ = static_cast<std::size_t>(std::find_if(groups_.begin(), groups_.end(), same) -
                                         groups_.begin());
        if (last_ == groups_.size()) groups_.push_back({plan, {}});
        return groups_[last_];
    }
    std::vector<Group> groups_;
    std::size_t last_ = 0;
};

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

std::uint64_t waves_of(const GemmProblem& problem, const GemmPlan& plan) {
    const Gemm& g = problem.shape;
    const GridView& view = plan.view;
    return ceil_div(ceil_div(g.m, plan.tile_m), view.extent(GridRole::m)) *
           ceil_div(ceil_div(g.n, plan.tile_n), view.extent(GridRole::n)) *
           ceil_div(g.batch, view.extent(GridRole::batch));
}

GemmBuffers gemm_buffers(const GemmProblem& problem, const GemmPlan& plan) {
    const std::uint64_t a = plan.tile_m * plan.tile_k * size_of(problem.a);
    const std::uint64_t b = problem.b_tiles.stored(plan.tile_k, plan.tile_n) * size_of(problem.b);
    const std::uint64_t sums = plan.tile_m * plan.tile_n * plan.sum_bytes;
    const std::uint64_t steps = ceil_div(ceil_div(problem.shape.k, plan.tile_k), plan.view.split);
    GemmBuffers buffers;
    buffers.a = a * (plan.resident == Resident::a ? steps + plan.depth - 1 : plan.depth);
    buffers.b = b * (plan.resident == Resident::b ? steps + plan.depth - 1 : plan.depth);
    if (plan.layout_a) buffers.a_raw = 2 * a;
    if (plan.layout_b) buffers.b_raw = 2 * b;
    // A PE with a single tile has no next one to make room for.
    const std::uint64_t tiles = std::min<std::uint64_t>(2, waves_of(problem, plan));
    buffers.sum = tiles * sums;
    if (plan.view.split > 1) buffers.chained = tiles * sums;
    if (plan.finish) buffers.out = tiles * plan.tile_m * plan.tile_n * size_of(problem.out);
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

GemmPasses gemm_passes(Dataflow dataflow, const FoldGrid& grid, const ArrayShape& array) {
    const std::uint64_t across = ceil_div(grid.across, array.columns);
    switch (dataflow) {
        case Dataflow::weight_stationary:
            return {across, 1};
        case Dataflow::input_stationary:
            return {1, across};
        case Dataflow::output_stationary:
            break;
    }
    return {across, ceil_div(grid.down, array.rows)};
}

std::string describe(const GemmPlan& plan) {
    const auto number = [](std::uint64_t v) { return std::to_string(v); };
    std::string note =
        plan.unit == Unit::matrix ? std::string(short_name(plan.dataflow)) + " " : "";
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
    note += ", " + number(plan.depth) + " buffers";
    if (plan.layout_a || plan.layout_b) note += plan.layout_a ? ", transposes A" : ", transposes B";
    if (plan.layout_a && plan.layout_b) note += " and B";
    return note;
}

// The closed-form cost ranks all candidates; of the best of each way to use the grid, the walk
// through their steps decides.
GemmPlan plan_gemm(const GemmProblem& problem, const ChipParams& chip,
                   const LoweringParams& params) {
    Shortlist list;
    visit_gemm_candidates(problem, chip, params, [&](GemmPlan& plan) {
        plan.cycles = gemm_cost(problem, plan, chip);
        list.offer(plan);
    });
    std::optional<GemmPlan> best;
    const auto consider = [&](GemmPlan& plan) {
        plan.cycles = gemm_walk(problem, plan, chip, best ? best->cycles : 1e300);
        if (!best || plan.cycles < best->cycles) best = plan;
    };
    for (const GemmPlan& plan : list.take()) visit_broadcasts(plan, chip, params, consider);
    best->note = describe(*best);
    return *best;
}

}  // namespace diastole
