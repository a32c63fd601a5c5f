// How far the reservation model is from the exact one, pattern by pattern. The figures are
// published in docs/memory.md; this holds them.
#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/timing/dram_harness.hpp"

using namespace diastole;
using namespace diastole::dram_test;

namespace {

constexpr std::uint64_t capacity = std::uint64_t{512} << 20;

struct Error {
    double bandwidth, latency;  // per cent, fast against exact
};

Error error_of(const DramParams& p, const std::function<Pattern()>& pattern, std::uint64_t count) {
    const auto exact = make_dram_model(p, MemoryMode::exact);
    const auto fast = make_dram_model(p, MemoryMode::fast);
    const Outcome e = drive(*exact, p, pattern(), count);
    const Outcome f = drive(*fast, p, pattern(), count);
    return {100 * (f.percent / e.percent - 1), 100 * (f.mean_read / e.mean_read - 1)};
}

struct Case {
    const char* name;
    DramParams params;
    std::function<Pattern()> pattern;
};

std::vector<Case> cases() {
    DramParams rows = c1();
    rows.map = "row:15 ba:2 bg:2 col:5 byte:5";
    DramParams shared = c1();
    shared.policy.queue = QueueKind::shared;
    const auto random_row = [] {
        auto random = std::make_shared<Random>(1);
        return Pattern([=](std::uint64_t) {
            return Access{random->below(capacity / 256) * 256, false, 8};
        });
    };
    return {
        {"C1 sequential", c1(), [] { return sequential(capacity); }},
        {"C1 sequential 2:1", c1(), [] { return two_reads_one_write(capacity); }},
        {"C1 sequential 2:1, shared queue", shared, [] { return two_reads_one_write(capacity); }},
        {"C1 random 64 B", c1(), [] { return random64(capacity); }},
        {"C1 embedding 128 B", c1(), [] { return embedding(); }},
        {"C1 stride 16 KB", c1(), [] { return stride(capacity, 16384); }},
        {"C1 four streams", c1(), [] { return four_streams(capacity); }},
        {"C1 random 256 B in one row", rows, random_row},
        {"C3 sequential", c3(), [] { return sequential(capacity); }},
        {"C3 sequential 2:1", c3(), [] { return two_reads_one_write(capacity); }},
        {"C3 random 64 B", c3(), [] { return random64(capacity); }}};
}

}  // namespace

TEST_CASE("the fast memory mode stays within ten per cent of the exact one's bandwidth") {
    for (const Case& c : cases()) {
        const Error error = error_of(c.params, c.pattern, 20'000);
        INFO(c.name << ": bandwidth " << error.bandwidth << " %, mean read latency "
                    << error.latency << " %");
        CHECK(std::abs(error.bandwidth) < 10);
        CHECK(std::abs(error.latency) < 25);
    }
}

TEST_CASE("bench: error of the fast memory mode", "[.bench]") {
    for (const Case& c : cases()) {
        const Error error = error_of(c.params, c.pattern, 90'000);
        std::printf("%-34s bandwidth %+6.1f %%, mean read latency %+6.1f %%\n", c.name,
                    error.bandwidth, error.latency);
        CHECK(std::abs(error.bandwidth) < 10);
    }
}

TEST_CASE("the fast mode gives the exact idle latencies") {
    DramParams p = c1();
    const auto fast = make_dram_model(p, MemoryMode::fast);
    const auto exact = make_dram_model(p, MemoryMode::exact);
    std::vector<DramCompletion> a, b;
    // A closed row, a hit, a conflict, one after a refresh; each on an idle channel.
    const std::uint64_t addresses[] = {0, 512, 16384, 16384};
    const std::uint64_t times[] = {100, 500, 1000, 8500};
    for (std::uint32_t i = 0; i < 4; ++i) {
        for (auto* model : {fast.get(), exact.get()}) {
            auto& out = model == fast.get() ? a : b;
            model->advance(DramCycles(times[i]), out);
            model->push({addresses[i], 1, i, false, DramCycles(times[i])});
        }
    }
    fast->advance(DramCycles(20'000), a);
    exact->advance(DramCycles(20'000), b);
    REQUIRE(a.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(a[i].done.count() == b[i].done.count());
    CHECK(fast->stats().refreshes == exact->stats().refreshes);
}
