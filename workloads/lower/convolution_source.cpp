#include "workloads/lower/convolution_source.hpp"

#include <algorithm>

namespace diastole {
namespace {

struct Buffers {
    CbPlan plan;
    std::uint8_t a, b, bias, sum, out;
};

Buffers lay_out(const ConvolutionProblem& problem, const ConvolutionPlan& plan,
                const ChipParams& chip) {
    const GemmBuffers sizes = convolution_buffers(problem, plan);
    Buffers buffers{CbPlan(chip, problem.user), 0, 0, 0, 0, 0};
    const auto add = [&](std::uint64_t bytes) {
        return bytes > 0 ? buffers.plan.add(bytes) : std::uint8_t{0};
    };
    buffers.a = add(sizes.a);
    buffers.b = add(sizes.b);
    buffers.bias = add(sizes.bias);
    buffers.sum = add(sizes.sum);
    buffers.out = add(sizes.out);
    return buffers;
}

Placement offset(Placement at, std::uint64_t bytes) {
    return {at.space, at.address + bytes};
}

}  // namespace

ConvolutionSource::ConvolutionSource(const ConvolutionProblem& problem, const ConvolutionPlan& plan,
                                     const ConvolutionOperands& operands, const Engine& engine,
                                     const ChipParams& chip, std::uint32_t salt)
    : BufferedSource(pe_count(chip), lay_out(problem, plan, chip).plan),
      problem_(problem),
      plan_(plan),
      operands_(operands),
      engine_(engine),
      array_(array_of(chip.dpe, plan.type)),
      salt_(salt),
      tiles_m_(plan.tiles_m(problem)),
      tiles_n_(plan.tiles_n(problem)),
      tiles_g_(plan.tiles_g(problem)),
      block_steps_(ceil_div(problem.taps() * plan.tile_channels, plan.tile_k)),
      blocks_(plan.blocks(problem)),
      cursors_(pe_count(chip)) {
    const Buffers buffers = lay_out(problem, plan, chip);
    cb_a_ = buffers.a;
    cb_b_ = buffers.b;
    cb_bias_ = buffers.bias;
    cb_sum_ = buffers.sum;
    cb_out_ = buffers.out;
}

bool ConvolutionSource::participates(std::uint32_t pe) const {
    const GridPoint at = plan_.view.point(pe);
    return at.m < tiles_m_ && at.n < tiles_n_ && at.batch < tiles_g_;
}

std::uint64_t ConvolutionSource::waves(GridRole role) const {
    const std::uint64_t tiles = role == GridRole::m   ? tiles_m_
                                : role == GridRole::n ? tiles_n_
                                                      : tiles_g_;
    return ceil_div(tiles, plan_.view.extent(role));
}

void ConvolutionSource::advance(Cursor& cursor) const {
    const bool b_stays = plan_.resident == Resident::b;
    cursor.step = 0;
    if (++cursor.inner < waves(b_stays ? GridRole::m : GridRole::n)) return;
    cursor.inner = 0;
    if (++cursor.outer < waves(b_stays ? GridRole::n : GridRole::m)) return;
    cursor.outer = 0;
    if (++cursor.group_wave == waves(GridRole::batch)) cursor.done = true;
}

bool ConvolutionSource::tile_at(std::uint32_t pe, const Cursor& cursor, Tile& tile) const {
    const GridPoint at = plan_.view.point(pe);
    const bool b_stays = plan_.resident == Resident::b;
    const std::uint64_t m_extent = plan_.view.extent(GridRole::m);
    const std::uint64_t n_extent = plan_.view.extent(GridRole::n);
    const std::uint64_t i = (b_stays ? cursor.inner : cursor.outer) * m_extent + at.m;
    const std::uint64_t j = (b_stays ? cursor.outer : cursor.inner) * n_extent + at.n;
    const std::uint64_t g = cursor.group_wave * plan_.view.extent(GridRole::batch) + at.batch;
    if (i >= tiles_m_ || j >= tiles_n_ || g >= tiles_g_) return false;
    tile.m_index = i;
    tile.n_index = j;

    const PixelTile& shape = plan_.tile;
    const ConvolutionAxis &rows = problem_.rows, &columns = problem_.columns;
    const std::uint64_t across = ceil_div(columns.out, shape.columns);
    const std::uint64_t down = ceil_div(rows.out, shape.rows);
    const std::uint64_t column = i % across * shape.columns;
    const std::uint64_t row = i / across % down * shape.rows;
    const std::uint64_t last_column = std::min(column + shape.columns, columns.out);
    const std::uint64_t last_row = std::min(row + shape.rows, rows.out);
    tile.first_image = i / across / down * shape.images;
    tile.images = std::min(shape.images, problem_.images - tile.first_image);
    tile.first_pixel = row * columns.out + column;
    tile.pixels = (last_row - row) * (last_column - column);
    tile.rows = input_of(rows, row, last_row);
    tile.columns = input_of(columns, column, last_column);
    tile.first_filter = j * plan_.tile_n;
    tile.filters = std::min(plan_.tile_n, problem_.filters - tile.first_filter);
    tile.first_group = g * plan_.groups;
    tile.groups = std::min(plan_.groups, problem_.groups - tile.first_group);
    tile.first_inner = cursor.inner == 0;
    tile.last_inner = b_stays ? i + m_extent >= tiles_m_ : j + n_extent >= tiles_n_;
    return true;
}

ConvolutionSource::Step ConvolutionSource::step_at(const Tile& tile, std::uint64_t index) const {
    Step step{};
    const std::uint64_t taps = problem_.taps();
    if (problem_.groups > 1) {  // a step is a group; all channels of all groups are one block
        step.first_channel = tile.first_group * problem_.channels;
        step.channels = tile.groups * problem_.channels;
        step.group = tile.first_group + index;
        step.k = problem_.k();
        step.before_b = index * problem_.weight_tiles.stored(step.k, tile.filters);
        step.begins_block = index == 0;
        step.ends_block = step.last = index + 1 == tile.groups;
        return step;
    }
    const std::uint64_t block = index / block_steps_, part = index % block_steps_;
    step.first_channel = block * plan_.tile_channels;
    step.channels = std::min(plan_.tile_channels, problem_.channels - step.first_channel);
    const std::uint64_t block_k = taps * step.channels, in_block = part * plan_.tile_k;
    step.k0 = taps * step.first_channel + in_block;
    step.k = std::min(plan_.tile_k, block_k - in_block);
    step.before_a = input_pixels(tile) * step.first_channel;
    step.before_b = problem_.weight_tiles.stored(step.k0, tile.filters);
    step.begins_block = part == 0;
    step.ends_block = in_block + step.k == block_k;
    step.last = step.ends_block && block + 1 == blocks_;
    return step;
}

bool ConvolutionSource::refill(std::uint32_t pe, CommandBuffer& buffer) {
    Cursor& cursor = cursors_[pe];
    if (cursor.done || !participates(pe)) return false;
    Tile tile{};
    if (!tile_at(pe, cursor, tile)) {
        advance(cursor);
        return true;
    }
    const Step step = step_at(tile, cursor.step);
    const bool input_is_there = plan_.resident == Resident::a && !tile.first_inner;
    if (step.begins_block && !input_is_there) load_input(pe, tile, step, buffer);
    if (plan_.resident != Resident::b || tile.first_inner) load_filters(pe, tile, step, buffer);
    multiply(tile, step, buffer);
    // The last block of channels may have fewer steps than the others.
    cursor.step = step.ends_block && problem_.groups == 1
                      ? (cursor.step / block_steps_ + 1) * block_steps_
                      : cursor.step + 1;
    if (step.last) {
        finish(tile, buffer);
        advance(cursor);
    }
    return true;
}

// Members of a group read the same: PEs of one row (or column) that differ only in the other index
// and have a tile in this wave. Those come first in their line, so their number names them.
void ConvolutionSource::share(std::uint32_t pe, const Tile& tile, bool of_input,
                              Transfer& transfer) const {
    if (!(of_input ? plan_.broadcast_a : plan_.broadcast_b)) return;
    const GridView& view = plan_.view;
    const GridRole other = of_input ? GridRole::n : GridRole::m;
    const std::uint64_t index = of_input ? tile.n_index : tile.m_index;
    const std::uint64_t tiles = of_input ? tiles_n_ : tiles_m_;
    const std::uint32_t row = pe / view.grid.columns;
    const std::uint32_t column = pe % view.grid.columns;
    const bool along_row = view.columns == other;
    const std::uint64_t size = along_row ? view.grid.columns : view.grid.rows;
    const std::uint64_t own = along_row ? column : row;
    const std::uint64_t members = std::min(size, tiles - (index - own));
    if (members < 2) return;
    const std::uint64_t line = along_row ? row : column;
    const std::uint64_t group = (line * (size + 1) + members) * 2 + (of_input ? 0 : 1);
    transfer.broadcast.members = static_cast<std::uint32_t>(members);
    transfer.broadcast.group = (salt_ << 24) | static_cast<std::uint32_t>(group & 0xffffff);
}

// The input under the tile's windows: rows of pixels, of each the block's channels. Pieces that
// follow each other in memory become one transfer.
void ConvolutionSource::load_input(std::uint32_t pe, const Tile& tile, const Step& step,
                                   CommandBuffer& buffer) {
    if (input_pixels(tile) == 0) return;  // the windows see nothing but padding
    const std::uint64_t size = size_of(problem_.in), all = problem_.all_channels();
    const std::uint64_t width = problem_.columns.in, height = problem_.rows.in;
    const std::uint64_t piece = step.channels * size, pixel = all * size;
    const bool whole_pixels = step.channels == all, whole_rows = tile.columns.size() == width;
    const auto at = [&](std::uint64_t image, std::uint64_t row) {
        const std::uint64_t first = (image * height + row) * width + tile.columns.begin;
        return offset(operands_.in, first * pixel + step.first_channel * size);
    };
    const auto load = [&](const Block& block) {
        share(pe, tile, true, transfer_of(buffer.load(cb_a_, block)));
    };
    // Images follow each other where all of their rows are taken.
    const bool one = whole_rows && tile.rows.size() == height;
    const std::uint64_t pieces = one ? 1 : tile.images;
    const std::uint64_t rows = one ? tile.images * height : tile.rows.size();
    for (std::uint64_t i = 0; i < pieces; ++i) {
        const std::uint64_t image = tile.first_image + i;
        if (whole_pixels) {
            load({at(image, tile.rows.begin), rows, tile.columns.size() * pixel, width * pixel});
        } else if (whole_rows) {
            load({at(image, tile.rows.begin), rows * width, piece, pixel});
        } else {
            for (std::uint64_t row = 0; row < rows; ++row) {
                load({at(image, tile.rows.begin + row), tile.columns.size(), piece, pixel});
            }
        }
    }
}

void ConvolutionSource::load_filters(std::uint32_t pe, const Tile& tile, const Step& step,
                                     CommandBuffer& buffer) {
    const std::uint64_t size = size_of(problem_.weight), n = problem_.filters;
    const WeightTiles& tiles = problem_.weight_tiles;
    const std::uint64_t of_group = tiles.stored(problem_.k(), n) * size;
    const Placement matrix = offset(operands_.weight, step.group * of_group);
    const Block block = tiles.on() ? tiles.block(matrix, size, problem_.k(), step.k0,
                                                 tile.first_filter, step.k, tile.filters)
                                   : Block{offset(matrix, (step.k0 * n + tile.first_filter) * size),
                                           step.k, tile.filters * size, n * size};
    share(pe, tile, false, transfer_of(buffer.load(cb_b_, block)));
}

void ConvolutionSource::multiply(const Tile& tile, const Step& step, CommandBuffer& buffer) {
    const std::uint64_t m = tile.images * tile.pixels;
    const TileShape shape{m, tile.filters, step.k};
    std::uint64_t a_passes = 1, b_passes = 1;
    Command& command = buffer.add(plan_.unit);
    if (plan_.unit == Unit::matrix) {
        const FoldGrid grid = fold_grid(plan_.dataflow, shape);
        // What streams passes once for every set of columns (or rows) that the arrays take.
        const std::uint64_t across = ceil_div(grid.across, array_.columns);
        if (plan_.dataflow != Dataflow::input_stationary) a_passes = across;
        if (plan_.dataflow == Dataflow::input_stationary) b_passes = across;
        if (plan_.dataflow == Dataflow::output_stationary) {
            b_passes = ceil_div(grid.down, array_.rows);
        }
        const std::uint64_t folds = fold_count(array_, plan_.dataflow, shape);
        command.instructions = static_cast<std::uint32_t>(ceil_div(folds, array_.arrays));
    }
    if (plan_.unit == Unit::simd) {
        const std::uint64_t operations = 2 * m * tile.filters * step.k;
        command.payload = ElementOps{operations, operations, plan_.type};
    } else {
        command.payload =
            MatrixTile{static_cast<std::uint32_t>(m), static_cast<std::uint32_t>(tile.filters),
                       static_cast<std::uint32_t>(step.k), plan_.type, plan_.dataflow};
    }
    const std::uint64_t a_size = size_of(problem_.in), b_size = size_of(problem_.weight);
    const std::uint64_t a_block = input_pixels(tile) * step.channels * a_size;
    if (a_block > 0) {
        // Every window is read out of the tile, so its taps cross the ports again and again. The
        // block goes when its last step is done, a resident one in the last wave.
        const bool stays = plan_.resident == Resident::a && !tile.last_inner;
        peek(command, cb_a_, stays ? step.before_a * a_size + a_block : a_block,
             m * step.k * a_size * a_passes, step.ends_block && !stays ? a_block : 0);
    }
    const std::uint64_t b = problem_.weight_tiles.stored(step.k, tile.filters) * b_size;
    const bool b_stays = plan_.resident == Resident::b && !tile.last_inner;
    peek(command, cb_b_, b_stays ? step.before_b * b_size + b : b,
         step.k * tile.filters * b_size * b_passes, b_stays ? 0 : b);
    const bool sums = problem_.groups > 1 || step.last;  // each group has sums of its own
    if (sums) produce(command, cb_sum_, m * tile.filters * plan_.sum_bytes);
}

void ConvolutionSource::finish(const Tile& tile, CommandBuffer& buffer) {
    const std::uint64_t pixels = tile.images * tile.pixels;
    const std::uint64_t width = tile.groups * tile.filters;  // filters of the tile, all groups
    const std::uint64_t elements = pixels * width, out_size = size_of(problem_.out);
    const std::uint64_t first_filter = tile.first_group * problem_.filters + tile.first_filter;
    std::uint8_t ready = cb_sum_;
    if (plan_.finish) {
        const std::uint64_t bias = problem_.bias ? width * size_of(problem_.bias_type) : 0;
        if (bias > 0) {
            const std::uint64_t at = first_filter * size_of(problem_.bias_type);
            buffer.load(cb_bias_, {offset(operands_.bias, at), 1, bias, bias});
        }
        Command& command = buffer.add(engine_.unit);
        command.payload =
            ElementOps{elements * (problem_.bias ? 2 : 1) * engine_.multiple, 0, engine_.type};
        consume(command, ready, elements * plan_.sum_bytes);
        if (bias > 0) consume(command, cb_bias_, bias);
        produce(command, cb_out_, elements * out_size);
        ready = cb_out_;
    }
    const std::uint64_t all = problem_.all_filters();
    const std::uint64_t first = tile.first_image * problem_.image_pixels() + tile.first_pixel;
    buffer.store(ready, {offset(operands_.out, (first * all + first_filter) * out_size), pixels,
                         width * out_size, all * out_size});
}

}  // namespace diastole
