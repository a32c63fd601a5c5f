// The closed form of model/timing/array.hpp against an array of registers, to the cycle.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "model/base/random.hpp"
#include "model/timing/array.hpp"
#include "tests/timing/register_array.hpp"

using namespace diastole;
using test::IntMatrix;
using test::RegisterArray;
using test::RegisterRun;

namespace {

constexpr Dataflow dataflows[] = {Dataflow::weight_stationary, Dataflow::input_stationary,
                                  Dataflow::output_stationary};
constexpr FoldOverlap overlaps[] = {FoldOverlap::none, FoldOverlap::shadow, FoldOverlap::stream};

IntMatrix random_matrix(Random& random, std::size_t rows, std::size_t columns) {
    IntMatrix matrix(rows, columns);
    for (std::int64_t& value : matrix.values) {
        value = static_cast<std::int64_t>(random.below(199)) - 99;
    }
    return matrix;
}

IntMatrix product(const IntMatrix& a, const IntMatrix& b) {
    IntMatrix c(a.rows, b.columns);
    for (std::size_t i = 0; i < a.rows; ++i) {
        for (std::size_t k = 0; k < a.columns; ++k) {
            for (std::size_t j = 0; j < b.columns; ++j) c.at(i, j) += a.at(i, k) * b.at(k, j);
        }
    }
    return c;
}

Port port(std::uint64_t elements) {
    return {elements * 2, 2};
}

ArrayTime formula(const RegisterArray& array, TileShape tile) {
    ArrayPorts ports;
    ports.ifmap = port(array.ifmap_port);
    ports.filter = port(array.filter_port);
    ports.ofmap = port(array.ofmap_port);
    ports.partial_sums_leave = array.partial_sums_leave;
    return array_time(
        {array.rows, array.columns, array.of, array.mac_latency, array.overlap, array.mac_interval},
        array.dataflow, tile, ports);
}

// What the registers do and what the formulas say about them; empty when both agree.
std::string difference(const RegisterArray& array, const IntMatrix& a, const IntMatrix& b,
                       const IntMatrix& c) {
    const RegisterRun run = run_registers(array, a, b);
    const ArrayTime time = formula(array, {a.rows, b.columns, a.columns});
    if (run.collision) return "the registers collide";
    if (!(run.product == c)) return "wrong product";
    if (run.cycles != time.time.latency.count()) {
        return std::to_string(run.cycles) + " cycles, formula " +
               std::to_string(time.time.latency.count());
    }
    if (time.account.total() != run.cycles) return "the account does not sum to the cycles";
    return {};
}

std::string name_of(const RegisterArray& array, const IntMatrix& a, const IntMatrix& b) {
    return "M N K " + std::to_string(a.rows) + ' ' + std::to_string(b.columns) + ' ' +
           std::to_string(a.columns) + " on " + std::to_string(array.rows) + 'x' +
           std::to_string(array.columns) + ", dataflow " +
           std::to_string(static_cast<int>(array.dataflow)) + ", overlap " +
           std::to_string(static_cast<int>(array.overlap)) + ", latency " +
           std::to_string(array.mac_latency) + ", interval " + std::to_string(array.mac_interval) +
           ", ports " + std::to_string(array.ifmap_port) + ' ' + std::to_string(array.filter_port) +
           ' ' + std::to_string(array.ofmap_port);
}

// Every M, N, K up to `most` on every array up to `side` x `side`, all dataflows and overlaps.
std::uint64_t exhaust(std::uint64_t most, std::uint32_t side) {
    Random random(5);
    std::uint64_t runs = 0;
    const IntMatrix all_a = random_matrix(random, most, most);
    const IntMatrix all_b = random_matrix(random, most, most);
    for (std::size_t m = 1; m <= most; ++m) {
        for (std::size_t n = 1; n <= most; ++n) {
            for (std::size_t k = 1; k <= most; ++k) {
                IntMatrix a(m, k), b(k, n);
                for (std::size_t i = 0; i < m * k; ++i) a.values[i] = all_a.at(i / k, i % k);
                for (std::size_t i = 0; i < k * n; ++i) b.values[i] = all_b.at(i / n, i % n);
                const IntMatrix c = product(a, b);
                RegisterArray array;
                for (array.rows = 1; array.rows <= side; ++array.rows) {
                    for (array.columns = 1; array.columns <= side; ++array.columns) {
                        for (const Dataflow dataflow : dataflows) {
                            array.dataflow = dataflow;
                            for (const FoldOverlap overlap : overlaps) {
                                array.overlap = overlap;
                                ++runs;
                                const std::string wrong = difference(array, a, b, c);
                                if (!wrong.empty()) FAIL(name_of(array, a, b) << ": " << wrong);
                            }
                        }
                    }
                }
            }
        }
    }
    return runs;
}

RegisterArray random_array(Random& random, std::uint64_t side) {
    RegisterArray array;
    array.rows = static_cast<std::uint32_t>(random.between(1, side));
    array.columns = static_cast<std::uint32_t>(random.between(1, side));
    array.dataflow = dataflows[random.below(3)];
    array.overlap = overlaps[random.below(3)];
    return array;
}

void compare_random(RegisterArray array, Random& random, std::uint64_t most) {
    const IntMatrix a = random_matrix(random, random.between(1, most), random.between(1, most));
    const IntMatrix b = random_matrix(random, a.columns, random.between(1, most));
    const std::string wrong = difference(array, a, b, product(a, b));
    INFO(name_of(array, a, b) << ": " << wrong);
    REQUIRE(wrong.empty());
}

}  // namespace

TEST_CASE("every small product takes as long as on an array of registers") {
    CHECK(exhaust(5, 3) == 125 * 9 * 9);
}

TEST_CASE("every product up to 12 takes as long as on every array of registers up to 6 x 6",
          "[slow]") {
    CHECK(exhaust(12, 6) == 1728 * 36 * 9);
}

TEST_CASE("random products take as long as on arrays of registers") {
    Random random(17);
    for (int trial = 0; trial < 400; ++trial) {
        compare_random(random_array(random, 12), random, 40);
    }
}

TEST_CASE("large random products take as long as on arrays of registers", "[slow]") {
    Random random(18);
    for (int trial = 0; trial < 300; ++trial) {
        compare_random(random_array(random, 40), random, 150);
    }
}

TEST_CASE("pipelined and slow multipliers take as long as registers say") {
    Random random(19);
    for (int trial = 0; trial < 1500; ++trial) {
        RegisterArray array = random_array(random, 9);
        array.mac_latency = static_cast<std::uint32_t>(random.between(1, 5));
        array.mac_interval = static_cast<std::uint32_t>(random.between(1, 4));
        compare_random(array, random, 25);
    }
}

TEST_CASE("narrow ports make an array wait as long as registers say") {
    Random random(20);
    for (int trial = 0; trial < 2500; ++trial) {
        RegisterArray array = random_array(random, 9);
        const bool outputs = array.dataflow == Dataflow::output_stationary;
        const bool stream = array.overlap == FoldOverlap::stream;  // loading never limits
        array.mac_latency = static_cast<std::uint32_t>(random.between(1, 3));
        array.mac_interval = static_cast<std::uint32_t>(random.between(1, 2));
        if (!stream || array.dataflow != Dataflow::input_stationary) {
            array.ifmap_port = random.below(6);
        }
        if (!stream || array.dataflow != Dataflow::weight_stationary) {
            array.filter_port = random.below(6);
        }
        if (!stream || !outputs) array.ofmap_port = random.below(6);
        array.partial_sums_leave = random.below(2) == 0;
        compare_random(array, random, 25);
    }
}

TEST_CASE("the arrays of an engine take as long as the slowest of their registers") {
    Random random(21);
    for (int trial = 0; trial < 400; ++trial) {
        RegisterArray array = random_array(random, 6);
        array.of = static_cast<std::uint32_t>(random.between(2, 5));
        array.mac_latency = static_cast<std::uint32_t>(random.between(1, 3));
        // Results that leave through a narrow port make the last fold of K the slow one.
        if (array.overlap != FoldOverlap::stream) array.ofmap_port = random.below(3);
        const IntMatrix a = random_matrix(random, random.between(1, 25), random.between(1, 25));
        const IntMatrix b = random_matrix(random, a.columns, random.between(1, 25));
        const ArrayTime time = formula(array, {a.rows, b.columns, a.columns});
        IntMatrix sum(a.rows, b.columns);
        std::uint64_t slowest = 0;
        for (array.which = 0; array.which < array.of; ++array.which) {
            const RegisterRun run = run_registers(array, a, b);
            REQUIRE_FALSE(run.collision);
            slowest = std::max(slowest, run.cycles);
            for (std::size_t i = 0; i < sum.values.size(); ++i) {
                sum.values[i] += run.product.values[i];
            }
        }
        INFO(name_of(array, a, b) << " x " << array.of);
        REQUIRE(sum == product(a, b));
        REQUIRE(time.time.latency.count() == slowest);
        REQUIRE(time.account.total() == slowest);
    }
}

TEST_CASE("folds that start a cycle sooner collide in the registers") {
    Random random(22);
    for (const Dataflow dataflow : dataflows) {
        for (std::uint32_t rows = 2; rows <= 6; ++rows) {
            for (std::uint64_t vectors = 1; vectors < rows; ++vectors) {
                RegisterArray array;
                array.rows = rows;
                array.columns = 3;
                array.dataflow = dataflow;
                array.overlap = FoldOverlap::shadow;
                // Several folds of `rows` by 3; `vectors` pass, too few to hide R cycles.
                const bool outputs = dataflow == Dataflow::output_stationary;
                const bool inputs = dataflow == Dataflow::input_stationary;
                const std::size_t m = outputs ? 2 * rows : inputs ? 9 : vectors;
                const std::size_t n = inputs ? vectors : 9;
                const std::size_t k = outputs ? vectors : 2 * rows;
                const IntMatrix a = random_matrix(random, m, k);
                const IntMatrix b = random_matrix(random, k, n);
                INFO(name_of(array, a, b));
                CHECK_FALSE(run_registers(array, a, b).collision);
                array.hurry = 1;
                CHECK(run_registers(array, a, b).collision);
            }
        }
    }
}

TEST_CASE("with pipelined multipliers the swap of shadow weights, not their load, sets the pace") {
    // R = 8, latency 3: the next weights follow the swap, which takes (R - 1) 3 cycles to reach
    // the last row. max(T, R) would be 8.
    const ArrayShape array{8, 8, 1, 3, FoldOverlap::shadow};
    CHECK(tile_time(array, Dataflow::weight_stationary, {4, 16, 8}).occupied ==
          Cycles(2 * (7 * 3 + 1)));
    CHECK(tile_time(array, Dataflow::weight_stationary, {40, 16, 8}).occupied == Cycles(2 * 40));
}
