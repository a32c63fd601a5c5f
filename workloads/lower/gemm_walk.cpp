#include "workloads/lower/gemm_walk.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "model/timing/array.hpp"
#include "model/timing/engines.hpp"
#include "workloads/lower/engine.hpp"
#include "workloads/lower/gemm_cost.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t most_steps = 600;  // that are walked; the rest goes on at their pace

// Takes work in order.
struct Server {
    double free = 0;
    double take(double at, double time) {
        free = std::max(free, at) + time;
        return free;
    }
};

// When the things of a first-in first-out queue were done, by number.
class Times {
  public:
    void add(double at) { times_.push_back(at); }
    // Of the one `back` before the next; 0 when there is none.
    [[nodiscard]] double before(std::uint64_t back) const {
        return times_.size() < back ? 0 : times_[times_.size() - back];
    }
    [[nodiscard]] double at(std::uint64_t i) const { return times_[i]; }
    void set(std::uint64_t i, double at) { times_[i] = at; }
    [[nodiscard]] std::uint64_t size() const { return times_.size(); }

  private:
    std::vector<double> times_;
};

// An operand: its buffer, its transfers, its way through the layout unit.
struct Operand {
    std::uint64_t element = 0, capacity = 0;  // bytes of an element; tiles in the buffer
    bool stays = false, shared = false, layout = false;
    Space space = Space::dram;
    bool fits_llc = false;
    double copies = 1;    // PEs that ask for one tile
    double answered = 1;  // of those, by one read
    double crowding = 1;
    Times ready, released, raw_released;
};

struct Extent {
    std::uint64_t m = 0, n = 0, k = 0;
};

class Walk {
  public:
    Walk(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip)
        : problem_(problem), plan_(plan), chip_(chip), price_(chip) {
        const Gemm& g = problem.shape;
        const GridView& view = plan.view;
        tiles_m_ = ceil_div(g.m, plan.tile_m);
        tiles_n_ = ceil_div(g.n, plan.tile_n);
        waves_m_ = ceil_div(tiles_m_, view.extent(GridRole::m));
        waves_n_ = ceil_div(tiles_n_, view.extent(GridRole::n));
        waves_ = waves_of(problem, plan);
        steps_ = ceil_div(ceil_div(g.k, plan.tile_k), view.split);
        spare_ = std::min<std::uint64_t>(2, waves_);
        const double m = along(GridRole::m), n = along(GridRole::n);
        active_ = m * n * along(GridRole::batch) * view.split;
        const auto llc = chip.sram.bytes - chip.sram.lls_bytes;
        a_.element = size_of(problem.a);
        b_.element = size_of(problem.b);
        a_.fits_llc = g.batch * g.m * g.k * a_.element <= llc / 2;
        b_.fits_llc = g.batch * g.k * g.n * b_.element <= llc / 2;
        a_.space = problem.a_space;
        b_.space = problem.b_space;
        a_.stays = plan.resident == Resident::a;
        b_.stays = plan.resident == Resident::b;
        a_.shared = plan.broadcast_a;
        b_.shared = plan.broadcast_b;
        a_.crowding = gemm_crowding(plan, true);
        b_.crowding = gemm_crowding(plan, false);
        a_.layout = plan.layout_a;
        b_.layout = plan.layout_b;
        for (Operand* x : {&a_, &b_}) x->capacity = plan.depth + (x->stays ? steps_ - 1 : 0);
        a_.copies = n;
        b_.copies = m;
        a_.answered = std::min(n, gemm_sharers(plan, true));
        b_.answered = std::min(m, gemm_sharers(plan, false));
        if (plan.finish) {
            engine_ =
                pick_engine(chip, plan.sum_bytes == 8 ? DType::fp64 : DType::fp32, problem.user);
        }
    }

    double run(double limit) {
        const std::uint64_t total = waves_ * steps_;
        std::uint64_t done = 0;
        const std::uint64_t inner = b_.stays ? waves_m_ : waves_n_;
        for (std::uint64_t wave = 0; wave < waves_ && done < most_steps; ++wave) {
            const std::uint64_t i = wave % inner, o = wave / inner % (waves_ / inner);
            const std::uint64_t m = b_.stays ? i : o % waves_m_;
            const std::uint64_t n = b_.stays ? o % waves_n_ : i;
            for (std::uint64_t step = 0; step < steps_ && done < most_steps; ++step, ++done) {
                multiply(extent(m, n, step), m, n, i == 0, step);
            }
            if (done == most_steps && done < total) break;
            finish(extent(m, n, 0));
            if (end_ > limit) return end_;
        }
        if (done == total) return end_;
        return std::max(end_, matrix_.free) * static_cast<double>(total) /
               static_cast<double>(done);
    }

  private:
    // PEs along a role that have a tile at all.
    [[nodiscard]] double along(GridRole role) const {
        const std::uint64_t tiles = role == GridRole::m   ? tiles_m_
                                    : role == GridRole::n ? tiles_n_
                                                          : problem_.shape.batch;
        return static_cast<double>(std::min<std::uint64_t>(plan_.view.extent(role), tiles));
    }

    [[nodiscard]] Extent extent(std::uint64_t m, std::uint64_t n, std::uint64_t step) const {
        const Gemm& g = problem_.shape;
        const GridView& view = plan_.view;
        const std::uint64_t row = m * view.extent(GridRole::m) * plan_.tile_m;
        const std::uint64_t column = n * view.extent(GridRole::n) * plan_.tile_n;
        return {std::min(plan_.tile_m, g.m - row), std::min(plan_.tile_n, g.n - column),
                std::min(plan_.tile_k, g.k - step * plan_.tile_k)};
    }

    // The scalar core issues a command when its unit's queue has room.
    double issue(double instructions, const Times& starts, std::uint64_t queue) {
        core_ = std::max(core_ + instructions * chip_.issue.cycles_per_instruction,
                         starts.before(queue));
        return core_;
    }

    void load(Operand& x, const TileRows& tile, bool first_pass) {
        const double bytes = tile.bytes();
        const bool cold = x.space == Space::dram && (first_pass || !x.fits_llc);
        const double at = issue(1, submits_, 2 * std::uint64_t{chip_.issue.queue_depth});
        const double room = x.layout ? x.raw_released.before(2) : x.released.before(x.capacity);
        const double submit = std::max({at, room, submits_.before(1)});
        submits_.add(submit);
        const double idle = submit >= in_port_.free ? chip_.dma.startup_cycles : 0;
        const double start = submit + idle + (x.shared ? 2.0 * chip_.noc.port_cycles : 0);
        const double requests = price_.requests(tile);
        const double run = bytes / requests;
        const double latency = price_.latency(cold);
        const double tiles = active_ / x.copies;  // different ones, on all PEs
        double done = in_port_.take(start, requests * price_.pace(latency, run));
        done = std::max(done, in_link_.take(start, x.crowding * price_.link(bytes, requests)));
        const double copies = std::max(1.0, x.copies / x.answered);
        done = std::max(done, sram_.take(start, price_.sram(tile, tiles, copies) +
                                                    (cold ? price_.fill(tiles * bytes) : 0)));
        if (cold) {
            // An MSHR takes four requests for its line (model/memory); more than that hold up what
            // is behind them until the line is there. A fifth is assumed.
            const double held = copies > 4 ? 1.2 : 1;
            // Each time the buffers have gone round, the latency of a DRAM row shows: assumed.
            const double gap = price_.row() / (plan_.depth - 1);
            done = std::max(done, dram_.take(start, held * price_.dram(tiles * bytes, run) + gap));
        }
        done = std::max(done + latency, loaded_);
        loaded_ = done;
        if (x.layout) {
            const double begin = std::max(done, x.released.before(x.capacity));
            done = layout_.take(begin,
                                chip_.layout.startup_cycles + bytes / chip_.layout.bytes_per_cycle);
            x.raw_released.add(done);
        }
        x.ready.add(done);
    }

    void multiply(const Extent& e, std::uint64_t m, std::uint64_t n, bool first_inner,
                  std::uint64_t step) {
        const Gemm& g = problem_.shape;
        if (!a_.stays || first_inner) {
            load(a_, gemm_rows(problem_.transpose_a, e.m, e.k, g.m, g.k, problem_.a),
                 a_.stays || n == 0);
        }
        if (!b_.stays || first_inner) {
            load(b_, gemm_rows(problem_.transpose_b, e.k, e.n, g.k, g.n, problem_.b),
                 b_.stays || m == 0);
        }
        const Tile& tile = tile_of(e);
        const double at = issue(tile.instructions, starts_, chip_.issue.queue_depth);
        double start = std::max({at, matrix_.free, ready(a_, step), ready(b_, step)});
        if (step + 1 == steps_) start = std::max(start, sums_released_.before(spare_));
        starts_.add(start);
        matrix_.free = start + tile.occupied;
        finished_ = std::max(finished_, start + std::max(tile.latency, tile.occupied));
        release(a_, step);
        release(b_, step);
    }

    // A panel that stays was loaded in the first inner wave.
    [[nodiscard]] double ready(const Operand& x, std::uint64_t step) const {
        return x.stays ? x.ready.at(x.ready.size() - panel_left(x, step)) : x.ready.before(1);
    }
    [[nodiscard]] std::uint64_t panel_left(const Operand& x, std::uint64_t step) const {
        const std::uint64_t loaded = x.ready.size() % steps_;
        return loaded == 0 ? steps_ - step : 1;
    }
    // Of a panel that stays, the last wave's use is what counts.
    void release(Operand& x, std::uint64_t step) {
        if (!x.stays || x.released.size() < x.ready.size()) {
            x.released.add(finished_);
        } else {
            x.released.set(x.ready.size() - steps_ + step, finished_);
        }
    }

    void finish(const Extent& e) {
        const std::uint64_t elements = e.m * e.n;
        const auto split = static_cast<double>(plan_.view.split);
        double ready = finished_;
        if (plan_.view.split > 1) {
            const auto step = static_cast<double>(
                neighbour_cycles(chip_.reduction, elements, Bytes(elements * plan_.sum_bytes))
                    .count());
            const double hop = chip_.reduction.neighbour_cycles;
            core_ += chip_.issue.cycles_per_instruction;
            ready = std::max({ready + split * step + (split - 1) * hop, reduced_ + step,
                              chained_released_.before(spare_) + step});
            reduced_ = ready;
            sums_released_.add(ready);
        }
        Times& source = plan_.view.split > 1 ? chained_released_ : sums_released_;
        if (plan_.finish) {
            core_ += chip_.issue.cycles_per_instruction;
            const std::uint64_t operations =
                elements * (problem_.bias == Bias::none ? 1 : 2) * engine_.multiple;
            const SimdParams& unit = engine_.unit == Unit::simd ? chip_.simd : chip_.vector;
            const auto time =
                static_cast<double>(element_cycles(unit, engine_.type, operations).count());
            ready = simd_.take(std::max({ready, core_, stored_.before(spare_)}), time);
            source.add(ready);
        }
        core_ += chip_.issue.cycles_per_instruction;
        const TileRows tile =
            gemm_rows(false, e.m, e.n, problem_.shape.m, problem_.shape.n, problem_.out);
        const double requests = price_.requests(tile);
        const double latency = price_.latency(false);
        const double idle = ready >= out_port_.free ? chip_.dma.startup_cycles : 0;
        const double time =
            std::max({requests * price_.pace(latency, 0), price_.link(tile.bytes(), requests),
                      price_.sram(tile, active_ / split, 1)});
        stored_.add(out_port_.take(std::max(ready, core_) + idle, time) + latency);
        if (!plan_.finish) source.add(stored_.before(1));
        end_ = stored_.before(1);
    }

    struct Tile {
        Extent extent;
        double occupied = 0, latency = 0, instructions = 1;
    };
    const Tile& tile_of(const Extent& e) {
        for (const Tile& tile : tiles_) {
            if (tile.extent.m == e.m && tile.extent.n == e.n && tile.extent.k == e.k) return tile;
        }
        Tile tile;
        tile.extent = e;
        if (plan_.unit == Unit::matrix) {
            const TileShape shape{e.m, e.n, e.k};
            const TileTime time = tile_time(chip_.dpe, plan_.type, plan_.dataflow, shape);
            tile.occupied = static_cast<double>(time.occupied.count());
            tile.latency = static_cast<double>(time.latency.count());
            const ArrayShape array = array_of(chip_.dpe, plan_.type);
            tile.instructions = static_cast<double>(
                ceil_div(fold_count(array, plan_.dataflow, shape), array.arrays));
        } else {
            const SimdParams& unit = plan_.unit == Unit::vector ? chip_.vector : chip_.simd;
            tile.occupied =
                static_cast<double>(vector_matrix_cycles(unit, plan_.type, e.m, e.n, e.k).count());
        }
        const double local = gemm_touched_bytes(problem_, plan_, chip_, {e.m, e.n, e.k}) /
                             static_cast<double>(local_memory_bytes_per_cycle(chip_.local_memory));
        tile.occupied = std::max(tile.occupied, local);
        tiles_.push_back(tile);
        return tiles_.back();
    }

    const GemmProblem& problem_;
    const GemmPlan& plan_;
    const ChipParams& chip_;
    MemoryPrice price_;
    Engine engine_;
    std::uint64_t tiles_m_ = 0, tiles_n_ = 0, waves_m_ = 0, waves_n_ = 0, waves_ = 0, steps_ = 0;
    std::uint64_t spare_ = 2;  // tiles of sums in a buffer
    double active_ = 1;        // PEs at work
    Operand a_, b_;
    Server in_port_, in_link_, sram_, dram_, layout_, matrix_, simd_, out_port_;
    Times submits_, starts_, sums_released_, chained_released_, stored_;
    double core_ = 0, loaded_ = 0, finished_ = 0, reduced_ = 0, end_ = 0;
    std::vector<Tile> tiles_;
};

}  // namespace

double gemm_walk(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip,
                 double limit) {
    const double least = gemm_bound(problem, plan, chip);
    if (least > limit) return least;
    return std::max(least, Walk(problem, plan, chip).run(limit));
}

}  // namespace diastole
