#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "model/base/divisor.hpp"
#include "model/base/random.hpp"
#include "model/memory/flight_table.hpp"
#include "model/memory/ring.hpp"

using namespace diastole;

TEST_CASE("a ring keeps the order of a queue while it grows and wraps") {
    Random random(5);
    Ring<int> ring;
    std::deque<int> queue;
    for (int i = 0; i < 5000; ++i) {
        if (random.below(100) < (i < 2500 ? 52U : 48U)) {
            ring.add() = i;
            queue.push_back(i);
        } else if (!queue.empty()) {
            REQUIRE(ring.front() == queue.front());
            ring.pop();
            queue.pop_front();
        }
        REQUIRE(ring.size() == queue.size());
        for (std::size_t k = 0; k < queue.size(); k += 7) REQUIRE(ring[k] == queue[k]);
    }
}

TEST_CASE("a divisor divides as the operators do, power of two or not") {
    Random random(6);
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t by = random.below(2) == 0 ? std::uint64_t{1} << random.below(64)
                                                      : 1 + (random.next() >> random.below(64));
        const Divisor divisor(by);
        const std::uint64_t n = random.next() >> random.below(64);
        REQUIRE(divisor.quotient(n) == n / by);
        REQUIRE(divisor.remainder(n) == n % by);
    }
}

TEST_CASE("the table of lines on their way finds what was put in and not taken out") {
    Random random(7);
    for (const std::uint64_t stride : {1U, 4U, 64U, 1024U}) {
        FlightTable table(24);
        std::map<std::uint64_t, std::uint32_t> lines;
        for (std::uint32_t i = 0; i < 3000; ++i) {
            const std::uint64_t line = random.below(60) * stride;
            const auto found = lines.find(line);
            REQUIRE(table.find(line) == (found == lines.end() ? FlightTable::none : found->second));
            if (found != lines.end()) {
                table.erase(line);
                lines.erase(found);
            } else if (table.free() > 0) {
                table.insert(line, i);
                lines[line] = i;
            }
            REQUIRE(table.size() == lines.size());
        }
    }
}
