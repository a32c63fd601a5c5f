#include "workloads/lower/gemm_source.hpp"

#include <algorithm>

namespace diastole {
namespace {

struct Buffers {
    CbPlan plan;
    std::uint8_t a, b, a_raw, b_raw, bias, sum, chained, out;
};

Buffers lay_out(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip) {
    const GemmBuffers sizes = gemm_buffers(problem, plan);
    Buffers buffers{CbPlan(chip, problem.user), 0, 0, 0, 0, 0, 0, 0, 0};
    const auto add = [&](std::uint64_t bytes) {
        return bytes > 0 ? buffers.plan.add(bytes) : std::uint8_t{0};
    };
    buffers.a = add(sizes.a);
    buffers.b = add(sizes.b);
    buffers.a_raw = add(sizes.a_raw);
    buffers.b_raw = add(sizes.b_raw);
    buffers.bias = add(sizes.bias);
    buffers.sum = add(sizes.sum);
    buffers.chained = add(sizes.chained);
    buffers.out = add(sizes.out);
    return buffers;
}

Placement offset(Placement at, std::uint64_t bytes) {
    return {at.space, at.address + bytes};
}

}  // namespace

GemmSource::GemmSource(const GemmProblem& problem, const GemmPlan& plan,
                       const GemmOperands& operands, const Engine& engine, const ChipParams& chip,
                       std::uint32_t salt)
    : BufferedSource(pe_count(chip), lay_out(problem, plan, chip).plan),
      problem_(problem),
      plan_(plan),
      operands_(operands),
      engine_(engine),
      array_(array_of(chip.dpe, plan.type)),
      salt_(salt),
      tiles_m_(ceil_div(problem.shape.m, plan.tile_m)),
      tiles_n_(ceil_div(problem.shape.n, plan.tile_n)),
      tiles_k_(ceil_div(problem.shape.k, plan.tile_k)),
      cursors_(pe_count(chip)) {
    const Buffers buffers = lay_out(problem, plan, chip);
    cb_a_ = buffers.a;
    cb_b_ = buffers.b;
    cb_a_raw_ = buffers.a_raw;
    cb_b_raw_ = buffers.b_raw;
    cb_bias_ = buffers.bias;
    cb_sum_ = buffers.sum;
    cb_chained_ = buffers.chained;
    cb_out_ = buffers.out;
}

bool GemmSource::participates(std::uint32_t pe) const {
    const GridPoint at = plan_.view.point(pe);
    return at.m < tiles_m_ && at.n < tiles_n_ && at.batch < problem_.shape.batch &&
           k_steps(pe).size() > 0;
}

Range GemmSource::k_steps(std::uint32_t pe) const {
    return part(tiles_k_, plan_.view.point(pe).k, plan_.view.split);
}

std::uint64_t GemmSource::waves(GridRole role) const {
    const std::uint64_t tiles = role == GridRole::m   ? tiles_m_
                                : role == GridRole::n ? tiles_n_
                                                      : problem_.shape.batch;
    return ceil_div(tiles, plan_.view.extent(role));
}

void GemmSource::advance(Cursor& cursor) const {
    const bool b_stays = plan_.resident == Resident::b;
    cursor.step = 0;
    if (++cursor.inner < waves(b_stays ? GridRole::m : GridRole::n)) return;
    cursor.inner = 0;
    if (++cursor.outer < waves(b_stays ? GridRole::n : GridRole::m)) return;
    cursor.outer = 0;
    if (++cursor.batch_wave == waves(GridRole::batch)) cursor.done = true;
}

bool GemmSource::tile_at(std::uint32_t pe, const Cursor& cursor, Tile& tile) const {
    const GridPoint at = plan_.view.point(pe);
    const bool b_stays = plan_.resident == Resident::b;
    const std::uint64_t m_wave = b_stays ? cursor.inner : cursor.outer;
    const std::uint64_t n_wave = b_stays ? cursor.outer : cursor.inner;
    const std::uint64_t m_extent = plan_.view.extent(GridRole::m);
    const std::uint64_t n_extent = plan_.view.extent(GridRole::n);
    const std::uint64_t i = m_wave * m_extent + at.m;
    const std::uint64_t j = n_wave * n_extent + at.n;
    tile.batch = cursor.batch_wave * plan_.view.extent(GridRole::batch) + at.batch;
    if (i >= tiles_m_ || j >= tiles_n_ || tile.batch >= problem_.shape.batch) return false;
    tile.row = i * plan_.tile_m;
    tile.column = j * plan_.tile_n;
    tile.m = std::min(plan_.tile_m, problem_.shape.m - tile.row);
    tile.n = std::min(plan_.tile_n, problem_.shape.n - tile.column);
    tile.first_inner = cursor.inner == 0;
    tile.last_inner = b_stays ? i + m_extent >= tiles_m_ : j + n_extent >= tiles_n_;
    return true;
}

bool GemmSource::refill(std::uint32_t pe, CommandBuffer& buffer) {
    Cursor& cursor = cursors_[pe];
    const Range steps = k_steps(pe);
    if (cursor.done || steps.size() == 0) return false;
    Tile tile{};
    if (!tile_at(pe, cursor, tile)) {
        advance(cursor);
        return true;
    }
    multiply(pe, tile, steps.begin + cursor.step, buffer);
    if (++cursor.step == steps.size()) {
        finish(pe, tile, buffer);
        advance(cursor);
    }
    return true;
}

// Members of a group read the same tile: PEs of one row (or column) that differ only in the other
// index and have a tile in this wave. Those come first in their line, so their number names them.
void GemmSource::share(std::uint32_t pe, const Tile& tile, bool of_a, Transfer& transfer) const {
    if (!(of_a ? plan_.broadcast_a : plan_.broadcast_b)) return;
    const GridView& view = plan_.view;
    const GridRole other = of_a ? GridRole::n : GridRole::m;
    const std::uint64_t index =
        other == GridRole::n ? tile.column / plan_.tile_n : tile.row / plan_.tile_m;
    const std::uint64_t tiles = other == GridRole::n ? tiles_n_ : tiles_m_;
    const std::uint32_t row = pe / view.grid.columns;
    const std::uint32_t column = pe % view.grid.columns;
    const bool along_row = view.columns == other;
    const std::uint64_t size = along_row ? view.grid.columns / view.split : view.grid.rows;
    // When both axes divide the other index, only the PEs of this row share.
    const std::uint64_t own = along_row ? column / view.split : row;
    const std::uint64_t members = std::min(size, tiles - (index - own));
    if (members < 2) return;
    // Lines: a row and its place in K, or a whole column (which fixes the place in K).
    const std::uint64_t line =
        along_row ? std::uint64_t{row} * view.split + column % view.split : column;
    const std::uint64_t group = (line * (size + 1) + members) * 2 + (of_a ? 0 : 1);
    transfer.broadcast.members = static_cast<std::uint32_t>(members);
    transfer.broadcast.group = (salt_ << 24) | static_cast<std::uint32_t>(group & 0xffffff);
}

void GemmSource::load_a(std::uint32_t pe, const Tile& tile, std::uint64_t k0, std::uint64_t k,
                        CommandBuffer& buffer) {
    const Gemm& g = problem_.shape;
    const std::uint64_t size = size_of(problem_.a);
    const std::uint64_t base = tile.batch * g.m * g.k;
    const bool t = problem_.transpose_a;
    const std::uint64_t first = base + (t ? k0 * g.m + tile.row : tile.row * g.k + k0);
    const Block block{offset(operands_.a, first * size), t ? k : tile.m, (t ? tile.m : k) * size,
                      (t ? g.m : g.k) * size};
    Command& load = buffer.load(plan_.layout_a ? cb_a_raw_ : cb_a_, block);
    share(pe, tile, true, transfer_of(load));
    if (!plan_.layout_a) return;
    Command& move = buffer.add(Unit::layout);
    move.payload = LayoutMove{size_of(block)};
    consume(move, cb_a_raw_, size_of(block));
    produce(move, cb_a_, size_of(block));
}

void GemmSource::load_b(std::uint32_t pe, const Tile& tile, std::uint64_t k0, std::uint64_t k,
                        CommandBuffer& buffer) {
    const Gemm& g = problem_.shape;
    const std::uint64_t size = size_of(problem_.b);
    const std::uint64_t base = tile.batch * g.k * g.n;
    const bool t = problem_.transpose_b;
    if (problem_.b_tiles.on()) {
        const std::uint64_t whole = problem_.b_tiles.stored(g.k, g.n) * size;
        const Placement matrix = offset(operands_.b, tile.batch * whole);
        Command& load = buffer.load(
            cb_b_, problem_.b_tiles.block(matrix, size, g.k, k0, tile.column, k, tile.n));
        share(pe, tile, false, transfer_of(load));
        return;
    }
    const std::uint64_t first = base + (t ? tile.column * g.k + k0 : k0 * g.n + tile.column);
    const Block block{offset(operands_.b, first * size), t ? tile.n : k, (t ? k : tile.n) * size,
                      (t ? g.k : g.n) * size};
    Command& load = buffer.load(plan_.layout_b ? cb_b_raw_ : cb_b_, block);
    share(pe, tile, false, transfer_of(load));
    if (!plan_.layout_b) return;
    Command& move = buffer.add(Unit::layout);
    move.payload = LayoutMove{size_of(block)};
    consume(move, cb_b_raw_, size_of(block));
    produce(move, cb_b_, size_of(block));
}

// A resident panel keeps its place until the last wave that needs it: before that nothing is
// released, so the step's own bytes lie behind those of the steps before it.
void GemmSource::read_panel(Command& command, std::uint8_t cb, bool resident, const Tile& tile,
                            std::uint64_t done_bytes, std::uint64_t bytes,
                            std::uint64_t touched) const {
    const bool stays = resident && !tile.last_inner;
    peek(command, cb, stays ? done_bytes + bytes : bytes, touched, stays ? 0 : bytes);
}

void GemmSource::multiply(std::uint32_t pe, const Tile& tile, std::uint64_t step,
                          CommandBuffer& buffer) {
    const std::uint64_t k0 = step * plan_.tile_k;
    const std::uint64_t k = std::min(plan_.tile_k, problem_.shape.k - k0);
    const Range steps = k_steps(pe);
    const bool a_stays = plan_.resident == Resident::a;
    const bool b_stays = plan_.resident == Resident::b;
    if (!a_stays || tile.first_inner) load_a(pe, tile, k0, k, buffer);
    if (!b_stays || tile.first_inner) load_b(pe, tile, k0, k, buffer);

    const std::uint64_t a_element = size_of(problem_.a), b_element = size_of(problem_.b);
    const std::uint64_t before = (step - steps.begin) * plan_.tile_k;  // of K, in earlier steps
    GemmPasses passes;
    Command& command = buffer.add(plan_.unit);
    if (plan_.unit == Unit::matrix) {
        const TileShape shape{tile.m, tile.n, k};
        passes = gemm_passes(plan_.dataflow, fold_grid(plan_.dataflow, shape), array_);
        const std::uint64_t folds = fold_count(array_, plan_.dataflow, shape);
        command.instructions = static_cast<std::uint32_t>(ceil_div(folds, array_.arrays));
    }
    if (plan_.unit == Unit::simd) {
        const std::uint64_t operations = 2 * tile.m * tile.n * k;
        command.payload = ElementOps{operations, operations, plan_.type};
    } else {
        command.payload =
            MatrixTile{static_cast<std::uint32_t>(tile.m), static_cast<std::uint32_t>(tile.n),
                       static_cast<std::uint32_t>(k), plan_.type, plan_.dataflow};
    }
    const std::uint64_t a_bytes = tile.m * k * a_element,
                        b_bytes = problem_.b_tiles.stored(k, tile.n) * b_element;
    read_panel(command, cb_a_, a_stays, tile, tile.m * before * a_element, a_bytes,
               a_bytes * passes.a);
    read_panel(command, cb_b_, b_stays, tile, problem_.b_tiles.stored(before, tile.n) * b_element,
               b_bytes, b_bytes * passes.b);
    if (step + 1 == steps.end) produce(command, cb_sum_, tile.m * tile.n * plan_.sum_bytes);
}

std::uint64_t GemmSource::load_bias(const Tile& tile, CommandBuffer& buffer) {
    const Gemm& g = problem_.shape;
    const std::uint64_t size = size_of(problem_.bias_type);
    Block block{operands_.bias, 1, size, size};
    switch (problem_.bias) {
        case Bias::none:
            return 0;
        case Bias::scalar:
            break;
        case Bias::row:
            block.at = offset(operands_.bias, tile.column * size);
            block.row_bytes = tile.n * size;
            break;
        case Bias::column:
            block.at = offset(operands_.bias, tile.row * size);
            block.row_bytes = tile.m * size;
            break;
        case Bias::full:
            block.at = offset(operands_.bias,
                              (tile.batch * g.m * g.n + tile.row * g.n + tile.column) * size);
            block = {block.at, tile.m, tile.n * size, g.n * size};
            break;
    }
    buffer.load(cb_bias_, block);
    return size_of(block);
}

void GemmSource::finish(std::uint32_t pe, const Tile& tile, CommandBuffer& buffer) {
    const Gemm& g = problem_.shape;
    const std::uint64_t elements = tile.m * tile.n;
    const std::uint64_t sums = elements * plan_.sum_bytes;
    std::uint8_t ready = cb_sum_;
    if (plan_.view.split > 1) {
        const std::uint32_t k = plan_.view.point(pe).k;
        const bool last = k + 1 == plan_.view.split;
        NeighbourReduce reduce;
        if (k > 0) reduce.from = static_cast<std::int32_t>(plan_.view.along_k(pe, -1));
        if (!last) reduce.to = static_cast<std::int32_t>(plan_.view.along_k(pe, 1));
        reduce.elements = static_cast<std::uint32_t>(elements);
        reduce.bytes = static_cast<std::uint32_t>(sums);
        reduce.type = plan_.sum_bytes == 8 ? DType::fp64 : DType::fp32;
        Command& command = buffer.add(Unit::reduction);
        command.payload = reduce;
        consume(command, cb_sum_, sums);
        if (!last) return;
        produce(command, cb_chained_, sums);
        ready = cb_chained_;
    }
    const std::uint64_t out_size = size_of(problem_.out);
    if (plan_.finish) {
        const std::uint64_t bias = load_bias(tile, buffer);
        const std::uint64_t operations =
            elements * (problem_.bias == Bias::none ? 1 : 2) * engine_.multiple;
        Command& command = buffer.add(engine_.unit);
        command.payload = ElementOps{operations, 0, engine_.type};
        consume(command, ready, sums);
        if (bias > 0) consume(command, cb_bias_, bias);
        produce(command, cb_out_, elements * out_size);
        ready = cb_out_;
    }
    const std::uint64_t first = tile.batch * g.m * g.n + tile.row * g.n + tile.column;
    buffer.store(ready, {offset(operands_.out, first * out_size), tile.m, tile.n * out_size,
                         g.n * out_size});
}

}  // namespace diastole
