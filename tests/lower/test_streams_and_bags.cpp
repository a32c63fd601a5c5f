#include <catch2/catch.hpp>
#include <set>

#include "lowering_fixture.hpp"
#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "workloads/lower/embedding_forward.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

ChipParams random_chip(Random& random) {
    return test_chip(static_cast<std::uint32_t>(random.between(1, 8)),
                     static_cast<std::uint32_t>(random.between(1, 8)), 2048u << random.below(8));
}

Graph bags(const std::vector<EmbeddingTable>& tables, bool weighted, bool one_output) {
    GraphOf g;
    std::vector<TensorIndex> inputs, outputs;
    std::uint64_t lookups = 0, width = 0;
    for (const EmbeddingTable& table : tables) {
        inputs.push_back(g.tensor({table.rows, table.dim}, table.type));
        lookups += table.lookups;
        width += table.dim;
        if (!one_output) outputs.push_back(g.tensor({table.bags, table.dim}));
    }
    inputs.push_back(g.tensor({lookups}, DType::int64));
    inputs.push_back(g.tensor({tables[0].bags * tables.size() + 1}, DType::int64));
    if (weighted) inputs.push_back(g.tensor({lookups}, DType::fp32));
    if (one_output) outputs.push_back(g.tensor({tables[0].bags, width}));
    Operator& op = g.add(OpKind::embedding_bag, inputs, outputs);
    op.attrs.tables = tables;
    op.attrs.weighted = weighted;
    return g.graph;
}

std::vector<EmbeddingTable> random_tables(Random& random) {
    std::vector<EmbeddingTable> tables(random.between(1, 6));
    const auto batch = static_cast<std::uint32_t>(random.between(1, 100));
    for (std::size_t i = 0; i < tables.size(); ++i) {
        EmbeddingTable& table = tables[i];
        table.name = "table" + std::to_string(i);
        table.rows = random.between(1, 5000);
        table.dim = static_cast<std::uint32_t>(random.between(1, 40));
        table.bags = batch;
        table.lookups = random.below(std::uint64_t{batch} * 30);
    }
    return tables;
}

}  // namespace

TEST_CASE(
    "elementwise operators with any broadcasting touch every byte and count every operation") {
    Random random(21);
    for (int trial = 0; trial < 200; ++trial) {
        const ChipParams chip = random_chip(random);
        const std::uint64_t rows = random.between(1, 300), columns = random.between(1, 300);
        const std::vector<std::vector<std::uint64_t>> shapes = {
            {rows, columns}, {columns}, {1, columns}, {rows, 1}, {1}, {}};
        constexpr DType types[] = {DType::fp32, DType::fp16, DType::fp64, DType::boolean,
                                   DType::int64};
        GraphOf g;
        std::vector<TensorIndex> inputs = {g.tensor({rows, columns}, types[random.below(5)])};
        for (std::uint64_t i = random.below(5); i > 0; --i) {
            inputs.push_back(g.tensor(shapes[random.below(shapes.size())], types[random.below(5)]));
        }
        Operator& op =
            g.add(OpKind::elementwise, inputs, {g.tensor({rows, columns}, types[random.below(5)])});
        op.attrs.ops_per_element = static_cast<std::uint32_t>(random.below(6));
        op.attrs.transcendental = random.below(2) == 0;
        CAPTURE(trial, rows, columns, chip.local_memory.bytes, inputs.size());
        run_and_check(g.graph, chip);
    }
}

TEST_CASE("copies, fused optimizer steps and opaque bytes move each byte once") {
    Random random(22);
    for (int trial = 0; trial < 60; ++trial) {
        const ChipParams chip = random_chip(random);
        GraphOf g;
        const std::uint64_t n = random.between(1, 40000);
        g.add(OpKind::copy, {g.tensor({n})}, {g.tensor({n})});
        g.add(OpKind::copy, {g.tensor({n}, DType::fp32)}, {g.tensor({n})});
        const TensorIndex weight = g.tensor({n}, DType::fp32), state = g.tensor({n}, DType::fp32);
        g.add(OpKind::optimizer_step, {weight, g.tensor({n}, DType::fp32), state}, {weight, state})
            .attrs.ops_per_element = 7;
        Operator& opaque = g.add(OpKind::opaque, {}, {});
        opaque.attrs.bytes = n;
        run_and_check(g.graph, chip);
    }
}

TEST_CASE("embedding bags look up every row once and store every pooled row once") {
    Random random(23);
    for (int trial = 0; trial < 80; ++trial) {
        const ChipParams chip =
            test_chip(static_cast<std::uint32_t>(random.between(1, 8)),
                      static_cast<std::uint32_t>(random.between(1, 8)), 4096u << random.below(7));
        const auto tables = random_tables(random);
        const bool weighted = random.below(2) == 0, one = random.below(2) == 0;
        const Graph graph = bags(tables, weighted, one);
        CAPTURE(trial, tables.size(), tables[0].bags, weighted, one);
        const Checked checked = run_and_check(graph, chip);
        const MemoryMap memory(graph, chip, {});
        const Operator& op = graph.operators[0];
        // Every bag was pooled and stored, empty ones too.
        std::vector<Interval> written;
        REQUIRE_NOTHROW(written = united(checked.totals[0].writes, true));
        for (std::size_t i = 0; i < op.outputs.size(); ++i) {
            const Placement at = memory.output(op, i);
            CHECK(covers(written, {at.space, at.address,
                                   at.address + size_of(graph.tensors[op.outputs[i]]).count()}));
        }
        // The rows read are those of the index streams, as often as they occur.
        std::multiset<std::uint64_t> expected, read;
        std::uint64_t index_bytes = 0;
        for (std::uint32_t t = 0; t < tables.size(); ++t) {
            auto stream = TestStreams().open(tables[t], t, 0);
            for (std::uint32_t bag = 0; bag < tables[t].bags; ++bag) {
                for (std::uint32_t i = stream->next_bag(); i > 0; --i) {
                    expected.insert(memory.input(op, t).address +
                                    stream->next_row() * tables[t].dim * 2);
                }
            }
        }
        const Placement indices = memory.input(op, tables.size());
        for (const Interval& i : checked.totals[0].reads) {
            if (i.begin < indices.address) read.insert(i.begin);
            if (i.begin >= indices.address && i.begin < indices.address + expected.size() * 8) {
                index_bytes += i.end - i.begin;
            }
        }
        CHECK(read == expected);
        CHECK(index_bytes == expected.size() * 8);
        for (std::size_t i = tables.size(); i < op.inputs.size();
             ++i) {  // indices, offsets, weights
            const Placement at = memory.input(op, i);
            const bool offsets = i == tables.size() + 1;  // the last only closes the last bag
            const std::uint64_t bytes =
                size_of(graph.tensors[op.inputs[i]]).count() - (offsets ? 8 : 0);
            CHECK(covers(united(checked.totals[0].reads, false),
                         {at.space, at.address, at.address + bytes}));
        }
    }
}

TEST_CASE("bags of very different tables spread evenly over the PEs") {
    std::vector<EmbeddingTable> tables(26);
    for (std::size_t i = 0; i < tables.size(); ++i) {
        tables[i].bags = 4096;
        tables[i].lookups = 4096 * (i == 20 ? 100 : 1 + i % 7);
    }
    const auto runs = divide_bags(tables, 64);
    double most = 0, sum = 0;
    std::size_t pieces = 0;
    for (const auto& of_pe : runs) {
        double weight = 0;
        for (const BagRun& run : of_pe) {
            const EmbeddingTable& table = tables[run.table];
            weight += static_cast<double>((run.end - run.begin) * (table.lookups + table.bags)) /
                      table.bags;
        }
        pieces += of_pe.size();
        most = std::max(most, weight);
        sum += weight;
    }
    CHECK(most < 1.02 * sum / 64);
    CHECK(pieces <= 64 + 26);
}

TEST_CASE("a model larger than the memory is refused with both figures and the chips it needs") {
    ChipParams chip = test_chip(2, 2, 128 * 1024);
    EmbeddingTable table;
    table.name = "large";
    table.bags = 4;
    table.lookups = 8;
    table.dim = 128;
    table.rows = dram_bytes(chip.dram) / 256 * 5 / 2;  // two and a half times the memory
    const Graph graph = bags({table}, false, true);
    const TestStreams streams;
    LoweringNotes notes;
    CHECK_THROWS_WITH(lower(graph, chip, streams, {}, notes), Catch::Contains("needs 21.5 GB") &&
                                                                  Catch::Contains("has 8.59 GB") &&
                                                                  Catch::Contains("3 such chips"));
}

TEST_CASE("an opaque operator without bytes stops, or takes its recorded duration when allowed") {
    GraphOf g;
    g.add(OpKind::opaque, {}, {}).recorded_seconds = 1e-6;
    const ChipParams chip = test_chip(1, 1, 65536);
    const TestStreams streams;
    LoweringNotes notes;
    LoweringOptions options;
    CHECK_THROWS_WITH(lower(g.graph, chip, streams, options, notes),
                      Catch::Contains("operator 1 (opaque1)") && Catch::Contains("recorded"));
    options.recorded = true;
    auto job = lower(g.graph, chip, streams, options, notes)->next();
    CHECK(job->fixed_cycles == 1000);
    CHECK_FALSE(job->commands);
}

TEST_CASE("batches repeat the graph, with warm-up drained before the counted part") {
    GraphOf g;
    const TensorIndex a = g.tensor({64}), b = g.tensor({64}), c = g.tensor({64});
    g.add(OpKind::copy, {a}, {b}).attrs.from_host = true;
    g.add(OpKind::elementwise, {b}, {c});
    const ChipParams chip = test_chip(1, 1, 65536);
    const TestStreams streams;
    LoweringNotes notes;
    LoweringOptions options;
    options.warmup = 1;
    options.batches = 2;
    auto jobs = lower(g.graph, chip, streams, options, notes);
    std::vector<std::unique_ptr<Job>> all;
    while (auto job = jobs->next()) all.push_back(std::move(job));
    REQUIRE(all.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(all[i]->id == i);
        CHECK(all[i]->batch == i / 2);
        CHECK(all[i]->launch == (i % 2 == 1));  // the first operator on the PEs
        CHECK(all[i]->drain_before == (i == 2));
        CHECK(all[i]->host_copy.has_value() == (i % 2 == 0));
        CHECK((all[i]->commands != nullptr) == (i % 2 == 1));
        for (const std::uint64_t dep : all[i]->deps) CHECK(dep < i);
    }
    CHECK(all[0]->host_copy->bytes == 128);
    CHECK(all[0]->host_copy->direction == HostDirection::to_device);
}
