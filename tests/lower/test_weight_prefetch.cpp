#include <algorithm>
#include <catch2/catch.hpp>

#include "lowering_fixture.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

// Bytes read of [begin, begin + bytes) in DRAM.
std::uint64_t read_of(const Totals& totals, std::uint64_t begin, std::uint64_t bytes) {
    std::uint64_t sum = 0;
    for (const Interval& i : totals.reads) {
        if (i.space == Space::dram && i.begin >= begin && i.end <= begin + bytes) {
            sum += i.end - i.begin;
        }
    }
    return sum;
}

}  // namespace

TEST_CASE("a product fetches the first weights of the next one behind its own commands") {
    GraphOf g;
    const auto x = g.tensor({64, 64}), w1 = g.tensor({64, 64}), y = g.tensor({64, 64});
    const auto z = g.tensor({64, 64}), w2 = g.tensor({64, 64}), out = g.tensor({64, 64});
    g.add(OpKind::gemm, {x, w1}, {y});
    g.add(OpKind::elementwise, {y},
          {z});  // reads no weights: what was fetched is not fetched again
    g.add(OpKind::gemm, {z, w2}, {out});
    const ChipParams chip = test_chip(2, 2, 128 * 1024);
    const TestStreams streams;
    const std::uint64_t next = MemoryMap(g.graph, chip, {}).input(g.graph.operators[2], 1).address;
    for (const std::uint32_t most : {0U, 3000U, 100000U}) {
        LoweringOptions options;
        options.params.prefetch_weights = most;
        LoweringNotes notes;
        auto jobs = lower(g.graph, chip, streams, options, notes);
        const std::uint64_t expected = std::min<std::uint64_t>(most, 64 * 64 * 2);
        for (int i = 0; i < 3; ++i) {
            auto job = jobs->next();
            CommandInterpreter interpreter(*job->commands, chip);
            const Totals totals = interpreter.run();
            CHECK(totals.macs == (i == 1 ? 0 : 64 * 64 * 64));
            if (i == 0) CHECK(read_of(totals, next, 64 * 64 * 2) == expected);
            if (i == 1) CHECK(read_of(totals, next, 64 * 64 * 2) == 0);
        }
        CHECK(jobs->next() == nullptr);
    }
}
