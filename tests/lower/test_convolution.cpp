#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "lowering_fixture.hpp"
#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "workloads/graph/convolution.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

struct Sizes {
    std::uint64_t images = 1, groups = 1, channels = 1, filters = 1;  // the last two of one group
    ConvolutionAxis rows, columns;
    DType type = DType::fp16;
    bool bias = false;
};

// Windows that fit, with zeros of their own at every edge.
ConvolutionAxis random_axis(Random& random, std::uint64_t most) {
    for (;;) {
        ConvolutionAxis axis;
        axis.in = random.between(1, most);
        axis.window = random.between(1, 5);
        axis.stride = random.between(1, 3);
        axis.dilation = random.below(4) == 0 ? 2 : 1;
        axis.before = random.below(3);
        axis.after = random.below(3);
        const std::uint64_t padded = axis.in + axis.before + axis.after;
        if (axis.span() > padded) continue;
        axis.out = (padded - axis.span()) / axis.stride + 1;
        return axis;
    }
}

Sizes random_sizes(Random& random, std::uint64_t most) {
    Sizes s;
    s.images = random.between(1, 3);
    s.groups = random.below(4) == 0 ? random.between(2, 40) : 1;
    s.channels = s.groups > 1 ? random.between(1, 3) : random.between(1, 70);
    s.filters = s.groups > 1 ? random.between(1, 3) : random.between(1, 70);
    s.rows = random_axis(random, most);
    s.columns = random_axis(random, most);
    s.bias = random.below(2) == 0;
    return s;
}

Graph graph_of(const Sizes& s) {
    GraphOf g;
    std::vector<TensorIndex> inputs = {
        g.tensor({s.images, s.groups * s.channels, s.rows.in, s.columns.in}, s.type),
        g.tensor({s.groups * s.filters, s.channels, s.rows.window, s.columns.window}, s.type)};
    if (s.bias) inputs.push_back(g.tensor({s.groups * s.filters}, s.type));
    Operator& op =
        g.add(OpKind::convolution, inputs,
              {g.tensor({s.images, s.groups * s.filters, s.rows.out, s.columns.out}, s.type)});
    const auto small = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
    op.attrs.strides = {small(s.rows.stride), small(s.columns.stride)};
    op.attrs.dilations = {small(s.rows.dilation), small(s.columns.dilation)};
    op.attrs.padding = {small(s.rows.before), small(s.columns.before), small(s.rows.after),
                        small(s.columns.after)};
    return g.graph;
}

// The pixels of one image that windows see, by definition: (row, column).
std::uint64_t tapped(const ConvolutionAxis& axis, std::vector<bool>& seen) {
    seen.assign(axis.in, false);
    for (std::uint64_t window = 0; window < axis.out; ++window) {
        for (std::uint64_t tap = 0; tap < axis.window; ++tap) {
            const std::uint64_t at = window * axis.stride + tap * axis.dilation;
            if (at >= axis.before && at - axis.before < axis.in) seen[at - axis.before] = true;
        }
    }
    return static_cast<std::uint64_t>(std::count(seen.begin(), seen.end(), true));
}

struct Loaded {
    Totals totals;
    std::uint64_t input_bytes = 0, filter_bytes = 0;
    std::string note;
};

// Lowers the one operator, runs it, and checks the rules: every output written once, every pixel
// and filter that takes part read, each multiply counted once.
Loaded run_convolution(const Sizes& s, const ChipParams& chip,
                       const LoweringOptions& options = {}) {
    const Graph graph = graph_of(s);
    const Operator& op = graph.operators[0];
    const MemoryMap memory(graph, chip, {});
    const TestStreams streams;
    LoweringNotes notes;
    auto jobs = lower(graph, chip, streams, options, notes);
    auto job = jobs->next();
    REQUIRE(job->commands);
    CAPTURE(notes[0], s.images, s.groups, s.channels, s.filters, s.rows.in, s.rows.window,
            s.rows.stride, s.rows.before, s.columns.in, s.columns.window, s.columns.stride,
            s.columns.before);
    Loaded result;
    result.note = notes[0];
    CommandInterpreter interpreter(*job->commands, chip);
    REQUIRE_NOTHROW(result.totals = interpreter.run());
    const std::uint64_t taps = s.rows.window * s.columns.window;
    CHECK(result.totals.macs ==
          s.images * s.groups * s.rows.out * s.columns.out * s.filters * s.channels * taps);
    const std::uint64_t size = size_of(s.type), pixel = s.groups * s.channels * size;

    std::vector<Interval> written;
    REQUIRE_NOTHROW(written = united(result.totals.writes, true));
    const auto whole = [&](Placement at, TensorIndex t) {
        return Interval{at.space, at.address, at.address + size_of(graph.tensors[t]).count()};
    };
    CHECK(covers(written, whole(memory.output(op, 0), op.outputs[0])));
    const std::vector<Interval> read = united(result.totals.reads, false);
    for (std::size_t i = 1; i < op.inputs.size(); ++i) {
        CHECK(covers(read, whole(memory.input(op, i), op.inputs[i])));
    }
    const Interval input = whole(memory.input(op, 0), op.inputs[0]);
    const Interval filters = whole(memory.input(op, 1), op.inputs[1]);
    std::vector<bool> rows, columns;
    tapped(s.rows, rows);
    tapped(s.columns, columns);
    bool all = true;
    for (std::uint64_t image = 0; image < s.images; ++image) {
        for (std::uint64_t y = 0; y < s.rows.in; ++y) {
            for (std::uint64_t x = 0; x < s.columns.in; ++x) {
                if (!rows[y] || !columns[x]) continue;
                const std::uint64_t at =
                    input.begin + ((image * s.rows.in + y) * s.columns.in + x) * pixel;
                all = all && covers(read, {input.space, at, at + pixel});
            }
        }
    }
    CHECK(all);
    for (const Interval& interval : result.totals.reads) {
        const bool of_input = interval.space == input.space && interval.begin >= input.begin &&
                              interval.end <= input.end;
        const bool of_filters = interval.space == filters.space &&
                                interval.begin >= filters.begin && interval.end <= filters.end;
        if (of_input) result.input_bytes += interval.end - interval.begin;
        if (of_filters) result.filter_bytes += interval.end - interval.begin;
        CHECK((of_input || of_filters || s.bias));
    }
    return result;
}

ConvolutionAxis axis(std::uint64_t in, std::uint64_t window, std::uint64_t stride,
                     std::uint64_t padding) {
    ConvolutionAxis a{in, window, 0, stride, 1, padding, padding};
    a.out = (in + 2 * padding - window) / stride + 1;
    return a;
}

}  // namespace

TEST_CASE("convolutions execute every multiply, read what windows see and write outputs once") {
    Random random(41);
    for (int trial = 0; trial < 150; ++trial) {
        const ChipParams chip =
            test_chip(static_cast<std::uint32_t>(random.between(1, 5)),
                      static_cast<std::uint32_t>(random.between(1, 5)), 8192u << random.below(6));
        Sizes s = random_sizes(random, 14);
        constexpr DType types[] = {DType::fp16, DType::int8, DType::fp32};
        s.type = types[random.below(3)];
        CAPTURE(trial, chip.grid.rows, chip.grid.columns, chip.local_memory.bytes);
        run_convolution(s, chip);
    }
}

TEST_CASE("forced tiles and dataflows of a convolution execute every multiply, too") {
    Random random(42);
    for (int trial = 0; trial < 100; ++trial) {
        const ChipParams chip = test_chip(2, 3, 256 * 1024);
        LoweringOptions options;
        options.params.tile_m = static_cast<std::uint32_t>(random.between(1, 60));
        options.params.tile_n = static_cast<std::uint32_t>(random.between(1, 20));
        options.params.tile_k = static_cast<std::uint32_t>(random.between(1, 60));
        options.params.dataflow = static_cast<DataflowChoice>(random.below(4));
        CAPTURE(trial, options.params.tile_m, options.params.tile_n, options.params.tile_k);
        run_convolution(random_sizes(random, 12), chip, options);
    }
}

TEST_CASE("a tile of the input is read once with its halo, not once for each tap") {
    // One PE, one tile: 3 x 3 windows over 16 x 16 pixels of 32 channels.
    Sizes s;
    s.channels = s.filters = 32;
    s.rows = s.columns = axis(16, 3, 1, 1);
    const ChipParams one = test_chip(1, 1, 1024 * 1024);
    LoweringOptions options;
    options.params.tile_m = 256;
    options.params.tile_n = 32;
    const Loaded whole = run_convolution(s, one, options);
    CHECK(whole.input_bytes == 16 * 16 * 32 * 2);
    CHECK(whole.filter_bytes == 9 * 32 * 32 * 2);

    // Four rows of output at a time: of the 16 rows, 4 tiles read 5, 6, 6 and 5.
    options.params.tile_m = 64;
    const Loaded halves = run_convolution(s, one, options);
    CHECK(halves.input_bytes == (5 + 6 + 6 + 5) * 16 * 32 * 2);
}

TEST_CASE("a window as large as the input, or of one pixel, is a matrix product") {
    const ChipParams chip = test_chip(2, 2, 256 * 1024);
    Sizes s;
    s.channels = 16;
    s.filters = 24;
    s.images = 5;
    s.rows = s.columns = axis(6, 6, 1, 0);
    CHECK(run_convolution(s, chip).note.find("as a matrix product") == 0);
    s.rows = s.columns = axis(6, 1, 1, 0);
    CHECK(run_convolution(s, chip).note.find("as a matrix product") == 0);
    s.rows = axis(6, 1, 2, 0);
    const Loaded strided = run_convolution(s, chip);
    CHECK(strided.note.find("im2col on the fly") == 0);
}

TEST_CASE("filters in whole tiles of the array are read once a tile, filled up at the edges") {
    ChipParams chip = test_chip(1, 1, 1024 * 1024);
    chip.dpe.weight_tiles = true;
    Sizes s;
    s.channels = 20;  // K is 180: 12 tiles of 16 rows
    s.filters = 40;   // 2 tiles of 32 columns
    s.rows = s.columns = axis(8, 3, 1, 1);
    const Graph graph = graph_of(s);
    const TestStreams streams;
    LoweringNotes notes;
    auto job = lower(graph, chip, streams, {}, notes)->next();
    CommandInterpreter interpreter(*job->commands, chip);
    const Totals totals = interpreter.run();
    CHECK(totals.macs == 8 * 8 * 180 * 40);
    const Placement at = MemoryMap(graph, chip, {}).input(graph.operators[0], 1);
    std::uint64_t bytes = 0;
    for (const Interval& interval : totals.reads) {
        if (interval.begin >= at.address && interval.space == Space::dram &&
            interval.end <= at.address + 12 * 2 * 16 * 32 * 2) {
            bytes += interval.end - interval.begin;
        }
    }
    CHECK(bytes == 12 * 2 * 16 * 32 * 2);
}

TEST_CASE("a convolution that nothing fits, or of three dimensions, is refused by name") {
    Sizes s;
    s.channels = s.filters = 64;
    s.rows = s.columns = axis(9, 3, 1, 0);
    const TestStreams streams;
    LoweringNotes notes;
    const Graph graph = graph_of(s);
    const ChipParams tiny = test_chip(1, 1, 512);
    CHECK_THROWS_WITH(lower(graph, tiny, streams, {}, notes)->next(),
                      Catch::Contains("convolution1") && Catch::Contains("needs at least"));
    GraphOf deep;
    deep.add(OpKind::convolution, {deep.tensor({1, 2, 4, 4, 4}), deep.tensor({2, 2, 3, 3, 3})},
             {deep.tensor({1, 2, 2, 2, 2})});
    const ChipParams chip = test_chip(1, 1, 65536);
    CHECK_THROWS_WITH(lower(deep.graph, chip, streams, {}, notes)->next(),
                      Catch::Contains("convolution over 3 dimensions"));
}
