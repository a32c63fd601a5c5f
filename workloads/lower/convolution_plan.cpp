#include "workloads/lower/convolution_plan.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <vector>

#include "model/base/error.hpp"
#include "model/timing/array.hpp"
#include "model/timing/engines.hpp"

namespace diastole {
namespace {

double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

// Sizes from `whole` down: it, its halves and thirds, powers of two.
std::vector<std::uint64_t> sizes(std::uint64_t whole, std::uint64_t most) {
    std::vector<std::uint64_t> result;
    for (const std::uint64_t parts : {1, 2, 3}) {
        const std::uint64_t size = ceil_div(whole, parts);
        if (size <= most) result.push_back(size);
    }
    for (std::uint64_t size = 1; size <= most && size < whole; size *= 2) result.push_back(size);
    std::sort(result.begin(), result.end(), std::greater<>());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

constexpr std::uint64_t most_pixels = 4096, most_filters = 512, most_k = 1024, most_groups = 64;
constexpr std::uint32_t most_depth = 4;

// Whole images, whole rows, or parts of a row.
std::vector<PixelTile> pixel_tiles(const ConvolutionProblem& p, const LoweringParams& params,
                                   std::uint64_t parts) {
    const std::uint64_t image = p.image_pixels(), row = p.columns.out;
    const std::uint64_t most = params.tile_m > 0 ? params.tile_m : most_pixels;
    std::vector<PixelTile> result;
    const auto add = [&](PixelTile tile) {
        if (tile.pixels() <= most) result.push_back(tile);
    };
    if (params.tile_m > 0) {
        if (most >= image) return {{std::min(p.images, most / image), p.rows.out, row}};
        if (most >= row) return {{1, most / row, row}};
        return {{1, 1, most}};
    }
    for (const std::uint64_t images : sizes(ceil_div(p.images, parts), p.images)) {
        add({images, p.rows.out, row});
    }
    for (const std::uint64_t rows : sizes(p.rows.out, p.rows.out)) add({1, rows, row});
    const std::uint64_t share = ceil_div(p.rows.out, ceil_div(parts, p.images));
    add({1, share, row});
    for (const std::uint64_t columns : sizes(row, row)) add({1, 1, columns});
    return result;
}

std::vector<GridView> views(const ConvolutionProblem& problem, const ChipParams& chip) {
    std::vector<GridRole> roles = {GridRole::m, GridRole::n};
    if (problem.groups > 1) roles = {GridRole::m, GridRole::batch};
    std::vector<GridView> result;
    for (const GridRole down : roles) {
        for (const GridRole across : roles) result.push_back({chip.grid, down, across, 1, false});
    }
    return result;
}

double cost(const ConvolutionProblem& p, const ConvolutionPlan& plan, const ChipParams& chip) {
    const auto waves = [&](std::uint64_t tiles, GridRole role) {
        return as_double(ceil_div(tiles, plan.view.extent(role)));
    };
    const double m = waves(plan.tiles_m(p), GridRole::m);
    const double n = waves(plan.tiles_n(p), GridRole::n);
    const double g = waves(plan.tiles_g(p), GridRole::batch);
    const double tiles = m * n * g;
    const double blocks = as_double(plan.blocks(p));
    const std::uint64_t block_k = p.taps() * plan.tile_channels;
    const std::uint64_t step_k = std::min(plan.tile_k, block_k);
    const double steps = tiles * blocks * as_double(plan.groups * ceil_div(block_k, step_k));

    double step = 0;  // cycles of the arrays
    const TileShape shape{plan.tile.pixels(), plan.tile_n, step_k};
    if (plan.unit == Unit::matrix) {
        step = as_double(tile_time(chip.dpe, plan.type, plan.dataflow, shape).occupied.count());
    } else {
        const SimdParams& engine = plan.unit == Unit::vector ? chip.vector : chip.simd;
        step =
            as_double(vector_matrix_cycles(engine, plan.type, shape.m, shape.n, shape.k).count());
    }

    // Bytes of a tile, over all blocks.
    const double a_tile =
        as_double(halo_pixels(p, plan.tile) * plan.groups * p.channels * size_of(p.in));
    const double b_tile =
        as_double(plan.groups * p.weight_tiles.stored(p.k(), plan.tile_n) * size_of(p.weight));
    const double elements = as_double(plan.tile.pixels() * plan.tile_n * plan.groups);
    const double a_loads = g * m * (plan.resident == Resident::a ? 1 : n);
    const double b_loads = g * n * (plan.resident == Resident::b ? 1 : m);
    const double loads = a_loads * a_tile + b_loads * b_tile;

    const GridParams& grid = plan.view.grid;
    const auto sharers = [&](bool broadcast, GridRole other) -> double {
        if (!broadcast) return 1;
        return plan.view.columns == other ? grid.columns : grid.rows;
    };
    const double pes = pe_count(chip);
    const double a_total = a_loads * a_tile * pes / sharers(plan.broadcast_a, GridRole::n);
    const double b_total = b_loads * b_tile * pes / sharers(plan.broadcast_b, GridRole::m);
    const double out = as_double(p.images * p.image_pixels() * p.all_filters() * size_of(p.out));
    const double a_once =
        as_double(p.images * p.rows.in * p.columns.in * p.all_channels() * size_of(p.in));
    const double b_once = as_double(p.groups * p.k() * p.filters * size_of(p.weight));
    const double llc = as_double(chip.sram.bytes - chip.sram.lls_bytes);
    double dram = b_once <= llc / 2 ? b_once : std::max(b_once, b_total);
    if (p.in_space == Space::dram) dram += a_once <= llc / 2 ? a_once : std::max(a_once, a_total);
    if (p.out_space == Space::dram) dram += out;

    // A request is at most an interleave block, and at most a contiguous piece of the tensor.
    const double block = chip.sram.interleave_bytes;
    const bool all_channels = plan.tile_channels * plan.groups == p.all_channels();
    const double a_piece = as_double(
        (all_channels ? p.columns.in * p.all_channels() : plan.tile_channels * plan.groups) *
        size_of(p.in));
    const double b_piece = as_double(
        (plan.tile_n == p.filters || p.weight_tiles.on() ? step_k * plan.tile_n : plan.tile_n) *
        size_of(p.weight));
    const double requests =
        a_loads * a_tile / std::min(block, a_piece) + b_loads * b_tile / std::min(block, b_piece);

    const double passes = as_double(
        ceil_div(plan.dataflow == Dataflow::input_stationary ? plan.tile.pixels() : plan.tile_n,
                 chip.dpe.columns));
    const double streamed =
        plan.dataflow == Dataflow::input_stationary
            ? steps * as_double(step_k * plan.tile_n * size_of(p.weight)) * passes
            : steps * as_double(shape.m * step_k * size_of(p.in)) * passes;
    const double local =
        (loads + streamed + tiles * elements * as_double(plan.sum_bytes + 2 * size_of(p.out))) /
        as_double(local_memory_bytes_per_cycle(chip.local_memory));
    const double link = chip.noc.pe_link_bytes_per_cycle;
    const double finish_rate = 32;  // elements finished per cycle, for comparing tiles only
    const double finish = plan.finish ? tiles * elements / finish_rate : 0;
    const double commands = 2 * steps + tiles * blocks + 3 * tiles;
    const std::array<double, 8> resources = {
        steps * step,
        loads / link,
        requests * chip.dma.issue_interval,
        tiles * elements * as_double(size_of(p.out)) / link,
        (a_total + b_total + out) / as_double(sram_bytes_per_cycle(chip.sram)),
        dram / std::max(1e-9, dram_peak(chip.dram) / as_double(chip.clock_hz)),
        local,
        finish + commands * chip.issue.cycles_per_instruction};
    const double busiest = *std::max_element(resources.begin(), resources.end());
    const double all = std::accumulate(resources.begin(), resources.end(), 0.0);
    // As of matrix products (docs/lowering.md): a tenth of what is hidden shows, and the first
    // tile's loads and the last tile's way out are not hidden at all.
    const double first = (a_tile + b_tile) / blocks / link;
    const double last = step / 4 + (plan.finish ? elements / finish_rate : 0) +
                        elements * as_double(size_of(p.out)) / link;
    return busiest + 0.1 * (all - busiest) + first + last;
}

struct Search {
    const ConvolutionProblem& problem;
    const ChipParams& chip;
    const LoweringParams& params;
    std::optional<ConvolutionPlan> best;
    std::uint64_t smallest = ~std::uint64_t{0};  // bytes of the smallest plan seen

    void consider(ConvolutionPlan plan) {
        for (plan.depth = most_depth; plan.depth >= 2; --plan.depth) {
            const std::uint64_t bytes = convolution_buffers(problem, plan).total();
            smallest = std::min(smallest, bytes);
            if (bytes > chip.local_memory.bytes) continue;
            plan.cycles = cost(problem, plan, chip);
            if (!best || plan.cycles < best->cycles) best = plan;
            return;
        }
    }

    void over_residents(ConvolutionPlan plan) {
        for (const Resident resident : {Resident::none, Resident::a, Resident::b}) {
            plan.resident = resident;
            consider(plan);
        }
    }

    // Steps of K within a block: all of it, or parts.
    void over_steps(ConvolutionPlan plan) {
        const std::uint64_t block = problem.taps() * plan.tile_channels;
        const WeightTiles& tiles = problem.weight_tiles;
        if (problem.groups > 1) {
            plan.tile_k = block;
            return over_residents(plan);
        }
        if (params.tile_k > 0) {
            plan.tile_k = std::min<std::uint64_t>(params.tile_k, block);
            if (tiles.cuts_k(plan.tile_k, block)) over_residents(plan);
            return;
        }
        for (const std::uint64_t k : sizes(block, most_k)) {
            plan.tile_k = k;
            if (k * 32 < block && k < 256) break;  // crumbs
            if (tiles.cuts_k(k, block)) over_residents(plan);
        }
    }

    void over_channels(ConvolutionPlan plan) {
        // Blocks of channels begin in the middle of tiles of the array.
        const bool whole = problem.groups > 1 || problem.weight_tiles.on();
        for (const std::uint64_t channels : sizes(problem.channels, problem.channels)) {
            if (whole && channels < problem.channels) return;
            if (channels < problem.channels && channels < 16) return;
            plan.tile_channels = channels;
            over_steps(plan);
        }
    }

    void over_filters(ConvolutionPlan plan) {
        if (problem.groups > 1) {
            const std::uint64_t share = ceil_div(problem.groups, plan.view.extent(GridRole::batch));
            plan.tile_n = problem.filters;
            for (const std::uint64_t groups : sizes(share, std::min(share, most_groups))) {
                plan.groups = groups;
                over_channels(plan);
            }
            return;
        }
        const std::uint64_t share = ceil_div(problem.filters, plan.view.extent(GridRole::n));
        std::vector<std::uint64_t> candidates = sizes(share, std::min(share, most_filters));
        if (params.tile_n > 0) {
            candidates = {std::min<std::uint64_t>(params.tile_n, problem.filters)};
        }
        for (const std::uint64_t n : candidates) {
            if (params.tile_n == 0 && n < 8 && n < share) break;
            plan.tile_n = n;
            if (problem.weight_tiles.cuts_n(n, problem.filters)) over_channels(plan);
        }
    }
};

std::vector<Dataflow> dataflows(const ConvolutionProblem& problem, const ChipParams& chip,
                                const LoweringParams& params) {
    if (problem.weight_tiles.on()) return {Dataflow::weight_stationary};
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
    if (chip.dpe.dataflow == Dataflow::output_stationary) return {Dataflow::output_stationary};
    return {Dataflow::weight_stationary, Dataflow::input_stationary};
}

std::string describe(const ConvolutionPlan& plan) {
    const auto number = [](std::uint64_t v) { return std::to_string(v); };
    std::string note = "im2col on the fly, ";
    if (plan.unit == Unit::matrix) {
        note += plan.dataflow == Dataflow::weight_stationary  ? "ws "
                : plan.dataflow == Dataflow::input_stationary ? "is "
                                                              : "os ";
    }
    note += number(plan.tile.images) + "x" + number(plan.tile.rows) + "x" +
            number(plan.tile.columns) + " pixels x" + number(plan.tile_n) + " x" +
            number(plan.tile_k) + " on " +
            (plan.unit == Unit::matrix   ? "dpe"
             : plan.unit == Unit::vector ? "vector"
                                         : "simd") +
            " " + std::string(name_of(plan.type)) + ", PEs m" +
            number(plan.view.extent(GridRole::m)) + " n" + number(plan.view.extent(GridRole::n));
    if (plan.view.extent(GridRole::batch) > 1) {
        note += " groups" + number(plan.view.extent(GridRole::batch));
    }
    if (plan.resident != Resident::none) {
        note += plan.resident == Resident::a ? ", input stays" : ", filters stay";
    }
    if (plan.broadcast_a) note += ", broadcast input";
    if (plan.broadcast_b) note += ", broadcast filters";
    return note;
}

}  // namespace

std::uint64_t ConvolutionPlan::tiles_m(const ConvolutionProblem& p) const {
    return ceil_div(p.images, tile.images) * ceil_div(p.rows.out, tile.rows) *
           ceil_div(p.columns.out, tile.columns);
}
std::uint64_t ConvolutionPlan::tiles_n(const ConvolutionProblem& p) const {
    return ceil_div(p.filters, tile_n);
}
std::uint64_t ConvolutionPlan::tiles_g(const ConvolutionProblem& p) const {
    return ceil_div(p.groups, groups);
}
std::uint64_t ConvolutionPlan::blocks(const ConvolutionProblem& p) const {
    return ceil_div(p.channels, tile_channels);
}

std::uint64_t halo_pixels(const ConvolutionProblem& problem, const PixelTile& tile) {
    const auto reach = [](const ConvolutionAxis& axis, std::uint64_t windows) {
        return std::min(axis.in, (windows - 1) * axis.stride + axis.span());
    };
    return tile.images * reach(problem.rows, tile.rows) * reach(problem.columns, tile.columns);
}

GemmBuffers convolution_buffers(const ConvolutionProblem& p, const ConvolutionPlan& plan) {
    const std::uint64_t a =
        halo_pixels(p, plan.tile) * plan.groups * plan.tile_channels * size_of(p.in);
    const std::uint64_t block_k = p.taps() * plan.tile_channels;
    const std::uint64_t b =
        p.weight_tiles.stored(std::min(plan.tile_k, block_k), plan.tile_n) * size_of(p.weight);
    const std::uint64_t steps = plan.blocks(p) * plan.groups * ceil_div(block_k, plan.tile_k);
    const std::uint64_t elements = plan.tile.pixels() * plan.tile_n * plan.groups;
    GemmBuffers buffers;
    buffers.a = plan.resident == Resident::a ? a * (plan.blocks(p) + 1) : 2 * a;
    buffers.b = b * (plan.resident == Resident::b ? steps + plan.depth - 1 : plan.depth);
    buffers.sum = 2 * elements * plan.sum_bytes;
    if (plan.finish) buffers.out = 2 * elements * size_of(p.out);
    if (p.bias) buffers.bias = 2 * plan.tile_n * plan.groups * size_of(p.bias_type);
    return buffers;
}

ConvolutionPlan plan_convolution(const ConvolutionProblem& problem, const ChipParams& chip,
                                 const LoweringParams& params) {
    GemmProblem product;  // the same unit, and the same finish, as a matrix product of these types
    product.a = problem.in;
    product.b = problem.weight;
    product.out = problem.out;
    product.user = problem.user;
    ConvolutionPlan plan;
    const MatrixUnit unit = matrix_unit(product, chip);
    plan.unit = unit.unit;
    plan.type = unit.type;
    plan.sum_bytes = size_of(plan.type) == 8 ? 8 : 4;
    const bool same_type = size_of(problem.out) == plan.sum_bytes &&
                           (problem.out == DType::int32) == (plan.type == DType::int8);
    plan.finish = problem.bias || !same_type;
    Search search{problem, chip, params, {}};
    for (const GridView& view : views(problem, chip)) {
        plan.view = view;
        const bool share = params.broadcast && chip.noc.broadcast_reads;
        plan.broadcast_a = share && (view.rows == GridRole::n || view.columns == GridRole::n);
        plan.broadcast_b = share && problem.groups == 1 &&
                           (view.rows == GridRole::m || view.columns == GridRole::m);
        for (const PixelTile& tile : pixel_tiles(problem, params, view.extent(GridRole::m))) {
            plan.tile = tile;
            for (const Dataflow dataflow : dataflows(problem, chip, params)) {
                plan.dataflow = dataflow;
                search.over_filters(plan);
            }
        }
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
