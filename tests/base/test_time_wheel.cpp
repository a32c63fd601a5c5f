#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "model/base/random.hpp"
#include "model/base/sorted_queue.hpp"
#include "model/base/time_wheel.hpp"

using namespace diastole;

TEST_CASE("a time wheel gives events back by time and, at equal times, in insertion order") {
    Random random(7);
    for (int round = 0; round < 50; ++round) {
        TimeWheel<int> wheel;
        std::multimap<std::uint64_t, int> expected;  // keeps insertion order within a key
        std::uint64_t now = 0;
        for (int i = 0; i < 3000; ++i) {
            if (random.below(3) != 0 || expected.empty()) {
                // Near, far and very far events, so that the overflow is used too.
                const std::uint64_t horizon = random.below(10) == 0 ? 50'000 : 300;
                const std::uint64_t at = now + random.below(horizon);
                wheel.push(Cycles(at), i);
                expected.emplace(at, i);
            } else {
                REQUIRE(wheel.next() == Cycles(expected.begin()->first));
                now = expected.begin()->first;
                REQUIRE(wheel.pop() == expected.begin()->second);
                expected.erase(expected.begin());
            }
        }
        CHECK(wheel.size() == expected.size());
    }
}

TEST_CASE("a time wheel refuses an event in the past") {
    TimeWheel<int> wheel;
    wheel.push(Cycles(100), 1);
    wheel.pop();
    CHECK_THROWS_AS(wheel.push(Cycles(99), 2), ModelError);
    wheel.push(Cycles(100), 3);
    CHECK(wheel.next() == Cycles(100));
}

TEST_CASE("a time wheel's front stays until it is dropped") {
    TimeWheel<int> wheel;
    wheel.add(Cycles(100'000)) = 2;  // in the overflow
    wheel.add(Cycles(7)) = 1;
    CHECK(wheel.front() == 1);
    wheel.front() = 5;
    CHECK(wheel.pop() == 5);
    CHECK(wheel.front() == 2);
    CHECK(wheel.next() == Cycles(100'000));
    wheel.drop();
    CHECK(wheel.empty());
    CHECK(wheel.next() == never);
}

TEST_CASE("a sorted queue gives items back by time and, at equal times, in insertion order") {
    Random random(3);
    SortedQueue<int> queue;
    SortedTimes times;
    std::multimap<std::uint64_t, int> expected;
    for (int i = 0; i < 5000; ++i) {
        if (random.below(2) == 0 || expected.empty()) {
            const std::uint64_t at = static_cast<std::uint64_t>(i) + random.below(20);
            queue.push(Cycles(at), i);
            times.push(Cycles(at));
            expected.emplace(at, i);
        } else {
            REQUIRE(queue.first() == Cycles(expected.begin()->first));
            REQUIRE(times.first() == queue.first());
            times.pop();
            REQUIRE(queue.pop() == expected.begin()->second);
            expected.erase(expected.begin());
        }
    }
    CHECK(queue.empty() == expected.empty());
}
