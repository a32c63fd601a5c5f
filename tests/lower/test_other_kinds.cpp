#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "lowering_fixture.hpp"
#include "model/base/random.hpp"
#include "workloads/lower/sorted_lookups.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

using Shape = std::vector<std::uint64_t>;

ChipParams random_chip(Random& random) {
    return test_chip(static_cast<std::uint32_t>(random.between(1, 8)),
                     static_cast<std::uint32_t>(random.between(1, 8)), 4096u << random.below(7));
}

Shape random_shape(Random& random, std::size_t rank) {
    Shape shape(rank);
    for (auto& extent : shape) extent = random.between(1, random.below(3) == 0 ? 200 : 12);
    return shape;
}

constexpr DType types[] = {DType::fp32, DType::fp16, DType::int64, DType::fp64};

}  // namespace

TEST_CASE("reductions over any axis read every element and write every sum once") {
    Random random(31);
    for (int trial = 0; trial < 200; ++trial) {
        const ChipParams chip = random_chip(random);
        const Shape shape = random_shape(random, random.between(1, 4));
        const auto axis = static_cast<std::uint32_t>(random.below(shape.size()));
        Shape reduced = shape;
        reduced[axis] = 1;
        GraphOf g;
        const DType type = types[random.below(4)];
        g.add(OpKind::reduction, {g.tensor(shape, type)}, {g.tensor(reduced, type)}).attrs.axes = {
            axis};
        g.add(OpKind::reduction, {g.tensor(shape, type)}, {g.tensor({}, type)});
        CAPTURE(trial, shape, axis, chip.grid.rows, chip.grid.columns, chip.local_memory.bytes);
        run_and_check(g.graph, chip);
    }
}

TEST_CASE("a column sum of a tall matrix is chained over the PEs") {
    GraphOf g;
    g.add(OpKind::reduction, {g.tensor({4096, 128}, DType::fp32)}, {g.tensor({128}, DType::fp32)})
        .attrs.axes = {0};
    const Checked checked = run_and_check(g.graph, test_chip(4, 4, 128 * 1024));
    CHECK(checked.notes[0].find("chained") != std::string::npos);
}

TEST_CASE(
    "normalization, its backward and softmax work row by row, also on rows too long to hold") {
    Random random(32);
    for (int trial = 0; trial < 120; ++trial) {
        const ChipParams chip = random_chip(random);
        const std::uint64_t rows = random.between(1, 150);
        const std::uint64_t n = random.between(1, random.below(4) == 0 ? 6000 : 300);
        const DType type = random.below(2) == 0 ? DType::fp32 : DType::fp16;
        GraphOf g;
        const auto full = [&] { return g.tensor({rows, n}, type); };
        const auto row = [&] { return g.tensor({n}, type); };
        const auto column = [&] { return g.tensor({rows, 1}, DType::fp32); };
        g.add(OpKind::normalization, {full(), row(), row()}, {full(), column(), column()});
        g.add(OpKind::normalization_backward, {full(), full(), column(), column(), row()},
              {full(), row(), row()});
        g.add(OpKind::softmax, {full()}, {full()});
        g.add(OpKind::scan, {full()}, {full()}).attrs.axes = {1};
        CAPTURE(trial, rows, n, chip.grid.rows, chip.grid.columns, chip.local_memory.bytes);
        run_and_check(g.graph, chip);
    }
}

TEST_CASE("losses end in one element or in one per sample") {
    Random random(33);
    for (int trial = 0; trial < 30; ++trial) {
        const ChipParams chip = random_chip(random);
        const std::uint64_t n = random.between(2, 5000);
        GraphOf g;
        const auto samples = [&] { return g.tensor({n}, DType::fp32); };
        g.add(OpKind::loss, {samples(), samples()}, {g.tensor({1}, DType::fp32)})
            .attrs.ops_per_element = 8;
        g.add(OpKind::loss, {samples(), samples()}, {samples()}).attrs.transcendental = true;
        run_and_check(g.graph, chip);
    }
}

TEST_CASE("concatenations, splits and slices place every byte once") {
    Random random(34);
    for (int trial = 0; trial < 120; ++trial) {
        const ChipParams chip = random_chip(random);
        const Shape base = random_shape(random, random.between(1, 3));
        const auto axis = static_cast<std::uint32_t>(random.below(base.size()));
        GraphOf g;
        std::vector<TensorIndex> parts, again;
        Shape whole = base;
        whole[axis] = 0;
        for (std::uint64_t i = random.between(2, 6); i > 0; --i) {
            Shape shape = base;
            shape[axis] = random.between(1, 50);
            whole[axis] += shape[axis];
            parts.push_back(g.tensor(shape));
            again.push_back(g.tensor(shape));
        }
        const TensorIndex all = g.tensor(whole);
        g.add(OpKind::layout, parts, {all}).attrs.axes = {axis};
        g.add(OpKind::layout, {all}, again).attrs.axes = {axis};
        Shape smaller = whole;
        smaller[axis] -= 1;
        g.add(OpKind::layout, {all}, {g.tensor(smaller)}).attrs.axes = {axis};
        CAPTURE(trial, whole, axis, parts.size());
        run_and_check(g.graph, chip);
    }
}

TEST_CASE("permutations pass the layout unit and place every byte once") {
    Random random(35);
    for (int trial = 0; trial < 150; ++trial) {
        const ChipParams chip = random_chip(random);
        const Shape shape = random_shape(random, random.between(2, 4));
        std::vector<std::uint32_t> order(shape.size());
        std::iota(order.begin(), order.end(), 0U);
        for (std::size_t i = order.size(); i > 1; --i) {
            std::swap(order[i - 1], order[random.below(i)]);
        }
        Shape result;
        for (const std::uint32_t d : order) result.push_back(shape[d]);
        GraphOf g;
        const DType type = types[random.below(4)];
        g.add(OpKind::layout, {g.tensor(shape, type)}, {g.tensor(result, type)}).attrs.axes = order;
        CAPTURE(trial, shape, order);
        run_and_check(g.graph, chip);
    }
    GraphOf g;
    g.add(OpKind::layout, {g.tensor({64, 96})}, {g.tensor({96, 64})});
    const Checked checked = run_and_check(g.graph, test_chip(2, 2, 65536));
    CHECK(checked.totals[0].by_unit.count(Unit::layout) == 1);
    GraphOf view;
    view.add(OpKind::layout, {view.tensor({64, 96})}, {view.tensor({96, 64})}).attrs.view = true;
    CHECK(run_and_check(view.graph, test_chip(2, 2, 65536)).totals[0].commands == 0);
}

TEST_CASE("gathers and scatters move a row for every index") {
    Random random(36);
    for (int trial = 0; trial < 80; ++trial) {
        const ChipParams chip = random_chip(random);
        const std::uint64_t rows = random.between(1, 3000), width = random.between(1, 40);
        const std::uint64_t picks = random.between(1, 2000);
        GraphOf g;
        const TensorIndex table = g.tensor({rows, width}, DType::fp32);
        const TensorIndex index = g.tensor({picks}, DType::int64);
        g.add(OpKind::gather, {table, index}, {g.tensor({picks, width}, DType::fp32)});
        const TensorIndex updates = g.tensor({picks, width}, DType::fp32);
        g.add(OpKind::scatter, {table, index, updates}, {g.tensor({rows, width}, DType::fp32)});
        g.add(OpKind::scatter, {table, index, updates}, {table});
        CAPTURE(trial, rows, width, picks);
        const Checked checked = run_and_check(g.graph, chip);
        CHECK(checked.totals[1].rows_written == picks);
        CHECK(checked.totals[2].rows_written == picks);
    }
}

TEST_CASE(
    "the backward of embedding bags updates each distinct row once and reads every gradient") {
    Random random(37);
    for (int trial = 0; trial < 60; ++trial) {
        const ChipParams chip =
            test_chip(static_cast<std::uint32_t>(random.between(1, 8)),
                      static_cast<std::uint32_t>(random.between(1, 8)), 16384u << random.below(5));
        GraphOf g;
        std::vector<EmbeddingTable> tables(random.between(1, 5));
        std::uint64_t lookups = 0, width = 0;
        const auto batch = static_cast<std::uint32_t>(random.between(1, 80));
        for (std::size_t t = 0; t < tables.size(); ++t) {
            tables[t].name = "table" + std::to_string(t);
            tables[t].rows = random.between(1, random.below(2) == 0 ? 5 : 4000);
            tables[t].dim = static_cast<std::uint32_t>(random.between(1, 32));
            tables[t].bags = batch;
            tables[t].lookups = random.below(batch * 20ULL);
            lookups += tables[t].lookups;
            width += tables[t].dim;
        }
        const bool weighted = random.below(2) == 0;
        std::vector<TensorIndex> inputs = {g.tensor({batch, width}),
                                           g.tensor({lookups}, DType::int64)};
        if (weighted) inputs.push_back(g.tensor({lookups}, DType::fp32));
        Operator& op = g.add(OpKind::embedding_bag_backward, inputs, {});
        op.attrs.tables = tables;
        op.attrs.weighted = weighted;
        CAPTURE(trial, tables.size(), batch, lookups, weighted);
        const Checked checked = run_and_check(g.graph, chip);

        const MemoryMap memory(g.graph, chip, {});
        std::multiset<std::uint64_t> rows, moments, gradients, seen_rows, seen_moments, seen_grad;
        std::uint64_t flops = 0, column = 0;
        for (std::uint32_t t = 0; t < tables.size(); ++t) {
            std::set<std::uint64_t> distinct;
            auto stream = TestStreams().open(tables[t], t, 0);
            for (std::uint32_t bag = 0; bag < batch; ++bag) {
                for (std::uint32_t i = stream->next_bag(); i > 0; --i) {
                    distinct.insert(stream->next_row());
                    gradients.insert(memory.input(g.graph.operators[0], 0).address +
                                     (bag * width + column) * 2);
                }
            }
            column += tables[t].dim;
            for (const std::uint64_t row : distinct) {
                rows.insert(memory.table(g.graph.operators[0], t).address +
                            row * tables[t].dim * 2);
                moments.insert(memory.moment(g.graph.operators[0], t).address + row * 4);
            }
            flops += tables[t].lookups * tables[t].dim * (weighted ? 2 : 1) +
                     distinct.size() * (4 * tables[t].dim + 4);
        }
        const auto keep = [](const std::vector<Interval>& from, const auto& wanted) {
            std::multiset<std::uint64_t> result;
            for (const Interval& i : from) {
                if (wanted.count(i.begin) > 0) result.insert(i.begin);
            }
            return result;
        };
        const Totals& totals = checked.totals[0];
        CHECK(keep(totals.writes, rows) == rows);
        CHECK(keep(totals.reads, rows) == rows);
        CHECK(keep(totals.writes, moments) == moments);
        CHECK(keep(totals.reads, gradients) == gradients);
        CHECK(totals.flops == flops);
    }
}

TEST_CASE("sorted lookups come back in the same order after they were let go") {
    std::vector<EmbeddingTable> tables(20);
    for (auto& table : tables) {
        table.rows = 100;
        table.bags = 10;
        table.lookups = 200;
    }
    const TestStreams streams;
    SortedLookups sorted(tables, streams, 0);
    const auto rows = [&] {
        std::vector<std::uint64_t> result;
        for (const Lookup& lookup : sorted.part_of(0, 0)->lookups) result.push_back(lookup.row);
        return result;
    };
    const auto before = rows();
    CHECK(std::is_sorted(before.begin(), before.end()));
    for (std::uint32_t t = 1; t < 20; ++t) sorted.part_of(t, 0);
    CHECK(rows() == before);
}
