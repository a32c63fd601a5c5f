#include <catch2/catch.hpp>

#include "model/base/bounded_queue.hpp"
#include "model/base/names.hpp"
#include "model/base/random.hpp"
#include "model/base/units.hpp"

using namespace diastole;

TEST_CASE("a transfer occupies a link for whole cycles, rounded up") {
    CHECK(transfer_cycles(Bytes(64), BytesPerCycle(64)) == Cycles(1));
    CHECK(transfer_cycles(Bytes(65), BytesPerCycle(64)) == Cycles(2));
    // 32 GB/s at 1.35 GHz: 23.7 bytes a cycle.
    CHECK(transfer_cycles(Bytes(4096), BytesPerSecond(32'000'000'000), Hertz(1'350'000'000)) ==
          Cycles(173));
}

TEST_CASE("a latency in nanoseconds is never shortened") {
    CHECK(cycles_from_nanoseconds(10.0, Hertz(1'000'000'000)) == Cycles(10));
    CHECK(cycles_from_nanoseconds(10.0, Hertz(1'350'000'000)) == Cycles(14));
}

TEST_CASE("products beyond 64 bits do not overflow") {
    CHECK(mul_div_ceil(1ULL << 62, 8, 16) == 1ULL << 61);
    CHECK(mul_div_ceil(10, 1, 3) == 4);
    CHECK(mul_div_floor(10, 1, 3) == 3);
}

TEST_CASE("a misspelt name finds its nearest neighbour, nonsense finds none") {
    const std::vector<std::string> names = {"columns", "rows", "outstanding"};
    CHECK(nearest_name("colums", names) == "columns");
    CHECK(nearest_name("outstandig", names) == "outstanding");
    CHECK(nearest_name("zzzzzzzzzzzz", names).empty());
}

TEST_CASE("a bounded queue keeps order across its wrap and refuses to overflow") {
    BoundedQueue<int> queue(2);
    queue.push(1);
    queue.push(2);
    CHECK_THROWS_AS(queue.push(3), ModelError);
    queue.pop();
    queue.push(3);
    CHECK(queue.front() == 2);
    CHECK(queue[1] == 3);
    CHECK(queue.peak() == 2);
}

TEST_CASE("random numbers follow the published SplitMix64 sequence") {
    Random random(1234567);
    CHECK(random.next() == 6457827717110365317ULL);
    CHECK(random.next() == 3203168211198807973ULL);
    for (int i = 0; i < 1000; ++i) CHECK(random.below(7) < 7);
}
