// The pseudo-channel against arithmetic and against what public simulators measured on the same
// configurations, patterns and numbers of requests (docs/memory.md).
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

DramParams with(DramParams p, SchedulerKind scheduler, QueueKind queue = QueueKind::split) {
    p.policy.scheduler = scheduler;
    p.policy.queue = queue;
    return p;
}

// One run of a peer: what it measured, in per cent of peak and nanoseconds.
struct Peer {
    double percent, hits, mean, p99;
};
// A pattern under one policy, and those peers that ran it under the same.
struct Case {
    const char* name;
    DramParams params;
    Pattern pattern;
    std::uint64_t requests;
    std::vector<Peer> peers;
    double bandwidth = 1, latency = 5, p99 = 10, hits = 0.01;  // per cent; hits absolute
};

// Within so many per cent of the range that the peers span.
void check_between(double value, const std::vector<double>& peers, double per_cent) {
    const auto [low, high] = std::minmax_element(peers.begin(), peers.end());
    CHECK(value >= *low * (1 - per_cent / 100));
    CHECK(value <= *high * (1 + per_cent / 100));
}

void compare(const Case& c) {
    const Outcome o = exact(c.params, c.pattern, c.requests);
    const double ns = static_cast<double>(c.params.timing.tck_ps) / 1000;
    std::vector<double> percent, mean, p99, hits;
    for (const Peer& peer : c.peers) {
        percent.push_back(peer.percent);
        mean.push_back(peer.mean);
        p99.push_back(peer.p99);
        hits.push_back(peer.hits);
    }
    INFO(c.name << ", " << c.requests << " requests");
    check_between(o.percent, percent, c.bandwidth);
    check_between(o.mean_read * ns, mean, c.latency);
    check_between(static_cast<double>(o.p99_read) * ns, p99, c.p99);
    const auto [low, high] = std::minmax_element(hits.begin(), hits.end());
    CHECK(o.row_hit_rate >= *low - c.hits);
    CHECK(o.row_hit_rate <= *high + c.hits);
}

}  // namespace

TEST_CASE("C1 reads at equal policy lie where Ramulator and DRAMSys measured them") {
    const DramParams p = with(c1(), SchedulerKind::fr_fcfs);
    // Ramulator; DRAMSys with one queue, which reads alone cannot tell from two; grouped.
    compare({"sequential",
             p,
             sequential(capacity),
             300'000,
             {{91.94, .9597, 155.8, 461}, {91.94, .9598, 154.2, 460}}});
    compare({"sequential", p, sequential(capacity), 100'000, {{92.06, .9598, 154.0, 456}}});
    compare({"random 64 B",
             p,
             random64(capacity),
             200'000,
             {{46.11, .0001, 308.5, 703}, {45.82, -.0040, 294.3, 705}}});
    compare({"random 64 B", p, random64(capacity), 100'000, {{45.81, -.0039, 294.1, 707}}});
    compare({"embedding 128 B",
             p,
             embedding(),
             200'000,
             {{52.35, .1197, 273.6, 651}, {52.19, .1246, 260.2, 647}}});
    compare({"embedding 128 B", p, embedding(), 100'000, {{52.10, .1230, 260.5, 655}}});
    compare({"four streams",
             p,
             four_streams(capacity),
             300'000,
             {{87.96, .4763, 169.5, 549}, {89.46, .4898, 158.0, 543}}});
    compare({"stride 16 KB",
             p,
             stride(capacity, 16384),
             20'000,
             {{3.89, .0000, 3316.5, 3363}, {3.87, -.0044, 3315.1, 3395}}});
}

TEST_CASE("C1 reads and writes with watermarks lie where Ramulator and DRAMSys measured them") {
    const DramParams p = with(c1(), SchedulerKind::fr_fcfs);
    compare({"2:1",
             p,
             two_reads_one_write(capacity),
             300'000,
             {{75.01, .7063, 275.1, 598}, {73.65, .7071, 274.7, 605}}});
    compare({"2:1",
             p,
             two_reads_one_write(capacity),
             90'000,
             {{75.01, .7063, 275.1, 598}, {73.65, .7071, 274.7, 605}}});
}

TEST_CASE("C1 without row-hit priority lies where Ramulator measured it") {
    const DramParams p = with(c1(), SchedulerKind::first_ready);
    compare({"sequential", p, sequential(capacity), 60'000, {{90.87, .9062, 158.2, 451}}});
    compare({"random 64 B", p, random64(capacity), 60'000, {{46.11, .0001, 308.2, 695}}});
    compare({"embedding 128 B", p, embedding(), 60'000, {{52.22, .1180, 274.1, 639}}});
    compare({"2:1", p, two_reads_one_write(capacity), 60'000, {{74.85, .6820, 275.9, 605}}});
}

TEST_CASE("C1 with one shared queue lies near DRAMSys, 1.5 per cent faster where writes mix in") {
    const DramParams p = with(c1(), SchedulerKind::fr_fcfs, QueueKind::shared);
    Case mixed{
        "2:1 shared", p, two_reads_one_write(capacity), 300'000, {{84.69, .8373, 145.9, 506}}};
    mixed.bandwidth = 1.6;  // one peer only: nothing says how far two would differ
    compare(mixed);
    compare(
        {"four streams shared", p, four_streams(capacity), 300'000, {{89.46, .4898, 158.0, 543}}});
}

TEST_CASE("C3 lies where Ramulator measured it, 1.9 per cent faster where writes mix in") {
    compare({"sequential", c3(), sequential(capacity), 150'000, {{89.89, .9629, 104.4, 485.6}}});
    Case mixed{"2:1", c3(), two_reads_one_write(capacity), 90'000, {{69.19, .7973, 190.9, 613.8}}};
    // Ramulator frees a place of its queue at the activate; offered as here it reaches 69.58.
    mixed.bandwidth = 1.9;
    compare(mixed);
}

TEST_CASE("at Ramulator's policy the model gives Ramulator's figures") {
    const auto as_ramulator = [](DramParams p, SchedulerKind scheduler) {
        p.policy.scheduler = scheduler;
        p.policy.opened = OpenedPlace::apart;
        return p;
    };
    // Several times closer than what is asked for elsewhere.
    const auto close = [](Case c) {
        c.bandwidth = 0.5, c.latency = 1, c.p99 = 1, c.hits = 0.002;
        compare(c);
    };
    DramParams p = as_ramulator(c1(), SchedulerKind::older_hits);
    close({"sequential", p, sequential(capacity), 300'000, {{91.94, .9597, 155.8, 461}}});
    close({"random 64 B", p, random64(capacity), 200'000, {{46.11, .0001, 308.5, 703}}});
    close({"embedding 128 B", p, embedding(), 200'000, {{52.35, .1197, 273.6, 651}}});
    close({"2:1", p, two_reads_one_write(capacity), 300'000, {{75.01, .7063, 275.1, 598}}});
    close({"four streams", p, four_streams(capacity), 300'000, {{87.96, .4763, 169.5, 549}}});
    close({"stride", p, stride(capacity, 16384), 20'000, {{3.89, .0000, 3316.5, 3363}}});
    p = as_ramulator(c1(), SchedulerKind::first_ready);
    close({"sequential", p, sequential(capacity), 60'000, {{90.87, .9062, 158.2, 451}}});
    close({"random 64 B", p, random64(capacity), 60'000, {{46.11, .0001, 308.2, 695}}});
    close({"embedding 128 B", p, embedding(), 60'000, {{52.22, .1180, 274.1, 639}}});
    close({"2:1", p, two_reads_one_write(capacity), 60'000, {{74.85, .6820, 275.9, 605}}});
    p = as_ramulator(c3(), SchedulerKind::older_hits);
    close({"C3", p, sequential(capacity), 150'000, {{89.89, .9629, 104.4, 485.6}}});
    close({"C3 2:1", p, two_reads_one_write(capacity), 90'000, {{69.19, .7973, 190.9, 613.8}}});
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

TEST_CASE("sequential reads stay below what refresh leaves of the peak") {
    const double limit = 100 * (1 - 260.0 / 3900);
    const double percent = exact(c1(), sequential(capacity), 50'000).percent;
    CHECK(percent < limit);
    CHECK(percent > limit - 1.5);
}

TEST_CASE("a new row of the same bank every time is bound by tRC and refresh") {
    const double limit = 100 * 2.0 / 48 * (1 - 260.0 / 3900);
    const double percent = exact(c1(), stride(capacity, 16384), 10'000).percent;
    CHECK(percent == Approx(limit).epsilon(0.01));
    CHECK(percent < limit);
}

TEST_CASE("without refresh sequential reads fill the data bus") {
    DramParams p = c1();
    p.policy.refresh = RefreshMode::none;
    CHECK(exact(p, sequential(capacity), 50'000).percent > 99.5);
}
