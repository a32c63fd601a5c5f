#include <catch2/catch.hpp>
#include <set>

#include "lowering_fixture.hpp"
#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "workloads/lower/gemm_plan.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

struct Shapes {
    std::uint64_t batch, m, n, k;
    bool transpose_a, transpose_b;
    DType type = DType::fp16;
    bool bias = false;
};

Graph gemm_graph(const Shapes& s) {
    GraphOf g;
    const auto matrix = [&](std::uint64_t rows, std::uint64_t columns, bool transposed) {
        if (transposed) std::swap(rows, columns);
        return s.batch > 1 ? g.tensor({s.batch, rows, columns}, s.type)
                           : g.tensor({rows, columns}, s.type);
    };
    std::vector<TensorIndex> inputs = {matrix(s.m, s.k, s.transpose_a),
                                       matrix(s.k, s.n, s.transpose_b)};
    if (s.bias) inputs.push_back(g.tensor({s.n}, s.type));
    Operator& op =
        g.add(s.batch > 1 ? OpKind::batched_gemm : OpKind::gemm, inputs, {matrix(s.m, s.n, false)});
    op.attrs.transpose_a = s.transpose_a;
    op.attrs.transpose_b = s.transpose_b;
    return g.graph;
}

// Decodes which elements of A and B meet in every tile, and counts each product (m, n, k).
void check_products(const Shapes& s, const ChipParams& chip, const LoweringOptions& options = {}) {
    const Graph graph = gemm_graph(s);
    const MemoryMap memory(graph, chip, {});
    const Operator& op = graph.operators[0];
    const std::uint64_t size = size_of(s.type);
    const auto element = [&](std::uint64_t address, std::size_t input, bool transposed,
                             std::uint64_t rows, std::uint64_t columns) {
        const std::uint64_t i = (address - memory.input(op, input).address) / size;
        const std::uint64_t of_batch = i % (rows * columns);
        const std::uint64_t b = i / (rows * columns);
        const std::uint64_t r = transposed ? of_batch % rows : of_batch / columns;
        const std::uint64_t c = transposed ? of_batch / rows : of_batch % columns;
        return std::array<std::uint64_t, 3>{b, r, c};
    };
    std::vector<std::uint8_t> count(s.batch * s.m * s.n * s.k, 0);
    const TestStreams streams;
    LoweringNotes notes;
    auto jobs = lower(graph, chip, streams, options, notes);
    auto job = jobs->next();
    REQUIRE(job->commands);
    CAPTURE(notes[0]);
    CommandInterpreter interpreter(*job->commands, chip);
    interpreter.a_element = interpreter.b_element = static_cast<std::uint32_t>(size);
    interpreter.on_tile = [&](const MatrixTile&, const std::vector<Run>& a,
                              const std::vector<Run>& b) {
        for (const Run& run_a : a) {
            for (std::uint64_t x = 0; x < run_a.bytes; x += size) {
                const auto [ba, m, k] = element(run_a.address + x, 0, s.transpose_a, s.m, s.k);
                for (const Run& run_b : b) {
                    for (std::uint64_t y = 0; y < run_b.bytes; y += size) {
                        const auto [bb, k2, n] =
                            element(run_b.address + y, 1, s.transpose_b, s.k, s.n);
                        if (k2 != k) continue;
                        REQUIRE(ba == bb);
                        ++count[((ba * s.m + m) * s.n + n) * s.k + k];
                    }
                }
            }
        }
    };
    const Totals totals = interpreter.run();
    CHECK(std::all_of(count.begin(), count.end(), [](std::uint8_t c) { return c == 1; }));
    CHECK(totals.macs == s.batch * s.m * s.n * s.k);
}

std::uint64_t random_edge(Random& random) {
    constexpr std::uint64_t odd[] = {1, 3, 16, 17, 31, 32, 33, 64};
    return random.below(2) == 0 ? odd[random.below(8)] : random.between(1, 70);
}

}  // namespace

TEST_CASE("every product of a matrix multiplication is formed exactly once") {
    Random random(5);
    for (int trial = 0; trial < 60; ++trial) {
        const ChipParams chip =
            test_chip(static_cast<std::uint32_t>(random.between(1, 4)),
                      static_cast<std::uint32_t>(random.between(1, 4)), 1024u << random.below(6));
        const Shapes s{random.below(3) == 0 ? random.between(2, 5) : 1,
                       random_edge(random),
                       random_edge(random),
                       random_edge(random),
                       random.below(2) == 0,
                       random.below(2) == 0};
        CAPTURE(trial, s.batch, s.m, s.n, s.k, s.transpose_a, s.transpose_b);
        check_products(s, chip);
    }
}

TEST_CASE("forced tiles, dataflows and splits of K form every product once, too") {
    Random random(6);
    for (int trial = 0; trial < 60; ++trial) {
        const ChipParams chip = test_chip(2, 4, 64 * 1024);
        const Shapes s{1,
                       random_edge(random),
                       random_edge(random),
                       random.between(8, 70),
                       random.below(2) == 0,
                       random.below(2) == 0};
        LoweringOptions options;
        options.params.tile_m = static_cast<std::uint32_t>(random.between(1, 20));
        options.params.tile_n = static_cast<std::uint32_t>(random.between(1, 20));
        constexpr std::uint32_t splits[] = {0, 1, 2, 4, 8};
        options.params.split_k = splits[random.below(5)];
        options.params.tile_k = static_cast<std::uint32_t>(random.between(1, s.k / 8));
        options.params.dataflow = static_cast<DataflowChoice>(random.below(4));
        CAPTURE(trial, s.m, s.n, s.k, options.params.split_k);
        check_products(s, chip, options);
    }
}

TEST_CASE("gemms write every output once, read every input and drain, on grids up to 8 x 8") {
    Random random(8);
    for (int trial = 0; trial < 120; ++trial) {
        const ChipParams chip =
            test_chip(static_cast<std::uint32_t>(random.between(1, 8)),
                      static_cast<std::uint32_t>(random.between(1, 8)), 2048u << random.below(9));
        constexpr DType types[] = {DType::fp16, DType::fp32, DType::int8};
        const Shapes s{random.below(3) == 0 ? random.between(2, 40) : 1,
                       random_edge(random) * random.between(1, 8),
                       random_edge(random) * random.between(1, 8),
                       random_edge(random) * random.between(1, 8),
                       random.below(2) == 0,
                       random.below(2) == 0,
                       types[random.below(3)],
                       random.below(2) == 0};
        CAPTURE(trial, s.batch, s.m, s.n, s.k, s.transpose_a, s.transpose_b, s.bias, chip.grid.rows,
                chip.grid.columns, chip.local_memory.bytes);
        run_and_check(gemm_graph(s), chip);
    }
}

TEST_CASE("a long K with few outputs is divided over neighbouring PEs") {
    const ChipParams chip = test_chip(4, 4, 128 * 1024);
    const Checked checked = run_and_check(gemm_graph({1, 32, 32, 16384, true, false}), chip);
    CHECK(checked.notes[0].find(" k") != std::string::npos);
    CHECK(checked.totals[0].by_unit.count(Unit::reduction) == 1);
}

TEST_CASE("a gemm of a type that the matrix engine lacks runs on the vector cores, and says so") {
    const ChipParams chip = test_chip(2, 2, 128 * 1024);
    const Checked checked =
        run_and_check(gemm_graph({1, 64, 64, 64, false, false, DType::fp32}), chip);
    CHECK(checked.notes[0].find("on vector fp32") != std::string::npos);
    CHECK(checked.totals[0].by_unit.count(Unit::matrix) == 0);

    LoweringOptions options;
    options.casts = {{DType::fp32, DType::fp16}};
    LoweringNotes notes;
    const Graph graph = gemm_graph({1, 64, 64, 64, false, false, DType::fp32});
    const TestStreams streams;
    auto jobs = lower(graph, chip, streams, options, notes);
    jobs->next();
    CHECK(notes[0].find("on dpe fp16") != std::string::npos);
}

TEST_CASE("a gemm of a type that the chip has nowhere asks for a cast") {
    ChipParams chip = test_chip(2, 2, 128 * 1024);
    const Graph graph = gemm_graph({1, 64, 64, 64, false, false, DType::fp64});
    const TestStreams streams;
    LoweringNotes notes;
    auto jobs = lower(graph, chip, streams, {}, notes);
    CHECK_THROWS_WITH(jobs->next(), Catch::Contains("--cast fp64=fp16"));
}

TEST_CASE("a local memory that holds no tile is refused with both sizes") {
    const ChipParams chip = test_chip(2, 2, 16);
    const Graph graph = gemm_graph({1, 64, 64, 64, false, false});
    const TestStreams streams;
    LoweringNotes notes;
    auto jobs = lower(graph, chip, streams, {}, notes);
    CHECK_THROWS_WITH(jobs->next(),
                      Catch::Contains("local_memory.bytes") && Catch::Contains("got 16"));
}

TEST_CASE("every loop order, use of the grid and sharing can be forced, and is reported") {
    const ChipParams chip = test_chip(2, 4, 64 * 1024);
    Random random(7);
    for (int trial = 0; trial < 60; ++trial) {
        const Shapes s{random.below(3) == 0 ? random.between(2, 5) : 1,
                       random_edge(random),
                       random_edge(random),
                       random.between(8, 70),
                       false,
                       false};
        LoweringOptions options;
        LoweringParams& p = options.params;
        p.tile_m = static_cast<std::uint32_t>(random.between(4, 20));
        p.tile_n = static_cast<std::uint32_t>(random.between(4, 20));
        p.tile_k = static_cast<std::uint32_t>(random.between(1, s.k / 4));
        p.stationary = static_cast<StationaryChoice>(random.below(4));
        p.grid_rows = static_cast<GridChoice>(random.below(4));
        p.grid_columns = static_cast<GridChoice>(random.below(4));
        p.buffers = random.below(2) == 0 ? 0 : static_cast<std::uint32_t>(random.between(2, 6));
        const bool by_n = p.grid_rows == GridChoice::n || p.grid_columns == GridChoice::n;
        const bool by_m = p.grid_rows == GridChoice::m || p.grid_columns == GridChoice::m;
        p.broadcast_a = by_n && random.below(2) == 0 ? Switch::on : Switch::off;
        p.broadcast_b = by_m && random.below(2) == 0 ? Switch::on : Switch::off;
        CAPTURE(trial, s.batch, s.m, s.n, s.k);
        check_products(s, chip, options);

        const Checked checked = run_and_check(gemm_graph(s), chip, options);
        const std::string& note = checked.notes[0];
        CAPTURE(note);
        const auto says = [&](const char* what) { return note.find(what) != std::string::npos; };
        if (p.stationary != StationaryChoice::automatic) {
            CHECK(says("A stays") == (p.stationary == StationaryChoice::input));
            CHECK(says("B stays") == (p.stationary == StationaryChoice::weight));
        }
        CHECK(says("broadcast A") == (p.broadcast_a == Switch::on));
        CHECK((says("broadcast B") || says("broadcast A B")) == (p.broadcast_b == Switch::on));
        if (p.buffers > 0) CHECK(says((std::to_string(p.buffers) + " buffers").c_str()));
    }
}

TEST_CASE("a forced choice that is impossible is one error that names its key") {
    const ChipParams chip = test_chip(2, 4, 64 * 1024);
    const auto refusal = [&](const LoweringParams& params) -> std::string {
        const Graph graph = gemm_graph({1, 512, 512, 512, false, false});
        const TestStreams streams;
        LoweringNotes notes;
        LoweringOptions options;
        options.params = params;
        auto jobs = lower(graph, chip, streams, options, notes);
        try {
            jobs->next();
        } catch (const ConfigError& error) {
            return error.what();
        }
        return "accepted";
    };
    LoweringParams tile;
    tile.tile_m = tile.tile_n = 512;
    CHECK_THAT(refusal(tile), Catch::StartsWith("lowering.tile_m = 512, lowering.tile_n = 512: ") &&
                                  Catch::Contains("got 65536"));
    LoweringParams depth;
    depth.tile_k = 512;
    depth.split_k = 4;
    CHECK_THAT(refusal(depth),
               Catch::StartsWith("lowering.tile_k: ") && Catch::Contains("each of the 4 PEs"));
    LoweringParams share;
    share.grid_rows = share.grid_columns = GridChoice::m;
    share.broadcast_a = Switch::on;
    CHECK_THAT(refusal(share), Catch::StartsWith("lowering.broadcast_a: "));
    LoweringParams single;
    single.buffers = 1;
    CHECK_THAT(refusal(single), Catch::StartsWith("lowering.buffers: expected 0 or at least 2"));
}

TEST_CASE("inputs and parameters lie in LLS when that is asked for, while they fit") {
    ChipParams chip = test_chip(2, 2, 64 * 1024);
    const Graph graph = gemm_graph({1, 64, 64, 64, false, false});
    const Operator& op = graph.operators[0];
    MemoryOptions options;
    chip.sram.lls_bytes = 1 << 20;
    CHECK(MemoryMap(graph, chip, options).input(op, 0).space == Space::dram);
    options.inputs_in_lls = true;
    CHECK(MemoryMap(graph, chip, options).input(op, 0).space == Space::lls);
    CHECK(MemoryMap(graph, chip, options).input(op, 1).space == Space::lls);
    chip.sram.lls_bytes = 64 * 64 * 2;  // room for one of them
    CHECK(MemoryMap(graph, chip, options).input(op, 0).space == Space::lls);
    CHECK(MemoryMap(graph, chip, options).input(op, 1).space == Space::dram);
}

TEST_CASE("broadcast can be turned off, and then every PE reads for itself") {
    const ChipParams chip = test_chip(4, 4, 128 * 1024);
    LoweringOptions options;
    const auto reads = [&] {
        std::uint64_t bytes = 0;
        const Checked checked =
            run_and_check(gemm_graph({1, 256, 256, 256, false, false}), chip, options);
        for (const Interval& i : checked.totals[0].reads) bytes += i.end - i.begin;
        CHECK((checked.notes[0].find("broadcast") != std::string::npos) ==
              options.params.broadcast);
        return bytes;
    };
    reads();
    options.params.broadcast = false;
    reads();
}
