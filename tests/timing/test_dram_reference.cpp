// The pseudo-channel against arithmetic and against what three public simulators measured on the
// same configuration and patterns (docs/memory.md).
#include <catch2/catch.hpp>

#include "tests/timing/dram_harness.hpp"

using namespace diastole;
using namespace diastole::dram_test;

namespace {

constexpr std::uint64_t capacity = std::uint64_t{512} << 20;

Outcome exact(const DramParams& p, const Pattern& pattern, std::uint64_t requests) {
    DramChannel channel(p);
    return drive(channel, p, pattern, requests);
}

// Within one per cent of a range that two peers span.
void check_between(double value, double low, double high) {
    CHECK(value >= low * 0.99);
    CHECK(value <= high * 1.01);
}

}  // namespace

TEST_CASE("C1 sequential reads reach what refresh leaves of the peak") {
    const Outcome o = exact(c1(), sequential(capacity), 100'000);
    CHECK(o.percent == Approx(91.94).margin(0.2));
    CHECK(o.row_hit_rate == Approx(0.9598).margin(0.002));
    CHECK(o.mean_read == Approx(155).margin(8));
    CHECK(o.percent < 100 * (1 - 260.0 / 3900));
}

TEST_CASE("one 32-byte access per activate is bound by tRRD_S and refresh") {
    // Random rows, one atom each: 2 of 4 ticks, times 93.3 %.
    Random random(5);
    const Outcome o = exact(
        c1(),
        [&](std::uint64_t) {
            return Access{random.below(capacity / 32) * 32, false};
        },
        50'000);
    CHECK(o.percent == Approx(46.7).margin(1.5));
    CHECK(o.percent < 46.7);
}

TEST_CASE("a new row of the same bank every time is bound by tRC") {
    const Outcome o = exact(c1(), stride(capacity, 16384), 10'000);
    CHECK(o.percent == Approx(3.89).margin(0.04));
    CHECK(o.mean_read == Approx(3316).epsilon(0.05));
}

TEST_CASE("without refresh sequential reads fill the data bus") {
    DramParams p = c1();
    p.policy.refresh = RefreshMode::none;
    CHECK(exact(p, sequential(capacity), 50'000).percent > 99.5);
}

TEST_CASE("C1 random and embedding reads lie within one per cent of two peers") {
    const Outcome random = exact(c1(), random64(capacity), 60'000);
    check_between(random.percent, 45.82, 46.11);
    CHECK(random.mean_read == Approx(301).epsilon(0.05));
    CHECK(random.row_hit_rate == Approx(-0.002).margin(0.01));
    const Outcome rows = exact(c1(), embedding(), 60'000);
    check_between(rows.percent, 52.19, 52.35);
    CHECK(rows.mean_read == Approx(267).epsilon(0.05));
    CHECK(rows.row_hit_rate == Approx(0.1225).margin(0.01));
}

TEST_CASE("C1 reads and writes in streams lie between the peers of equal policy") {
    const Outcome split = exact(c1(), two_reads_one_write(capacity), 90'000);
    check_between(split.percent, 73.65, 75.01);
    CHECK(split.mean_read == Approx(275).epsilon(0.05));
    CHECK(split.row_hit_rate == Approx(0.707).margin(0.01));
    const Outcome streams = exact(c1(), four_streams(capacity), 90'000);
    check_between(streams.percent, 87.96, 89.46);
    DramParams shared = c1();
    shared.policy.queue = QueueKind::shared;
    const Outcome mixed = exact(shared, two_reads_one_write(capacity), 90'000);
    CHECK(mixed.percent == Approx(84.69).epsilon(0.03));
}

TEST_CASE("C3 sequential reads and 2:1 streams lie within two per cent of the peer") {
    CHECK(exact(c3(), sequential(capacity), 100'000).percent == Approx(89.89).epsilon(0.01));
    CHECK(exact(c3(), two_reads_one_write(capacity), 90'000).percent ==
          Approx(69.19).epsilon(0.02));
}
