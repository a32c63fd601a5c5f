#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "model/base/random.hpp"
#include "model/timing/array.hpp"
#include "model/timing/engines.hpp"

using namespace diastole;

namespace {

using Matrix = std::vector<std::vector<std::int64_t>>;

Matrix random_matrix(Random& random, std::size_t rows, std::size_t columns) {
    Matrix result(rows, std::vector<std::int64_t>(columns));
    for (auto& row : result) {
        for (auto& value : row) value = static_cast<std::int64_t>(random.below(19)) - 9;
    }
    return result;
}

Matrix product(const Matrix& a, const Matrix& b) {
    Matrix c(a.size(), std::vector<std::int64_t>(b[0].size(), 0));
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t j = 0; j < b[0].size(); ++j) {
            for (std::size_t k = 0; k < b.size(); ++k) c[i][j] += a[i][k] * b[k][j];
        }
    }
    return c;
}

// One register per hop, one step per cycle. Counts the cycles until the last product has left the
// array at the bottom. Weights of unused rows are zero; they still pass the partial sums on.
std::uint64_t step_weight_stationary(const Matrix& a, const Matrix& b, std::size_t rows,
                                     std::size_t columns) {
    const std::size_t m = a.size();
    const std::size_t k = b.size();
    const std::size_t n = b[0].size();
    Matrix weight(rows, std::vector<std::int64_t>(columns, 0));
    std::uint64_t cycle = 0;
    for (std::size_t step = 0; step < rows; ++step, ++cycle) {  // shifted in from the top
        for (std::size_t r = rows - 1; r > 0; --r) weight[r] = weight[r - 1];
        const std::size_t k_row = rows - 1 - step;
        for (std::size_t c = 0; c < columns; ++c) {
            weight[0][c] = k_row < k && c < n ? b[k_row][c] : 0;
        }
    }
    Matrix moving(rows, std::vector<std::int64_t>(columns, 0));
    Matrix sum(rows, std::vector<std::int64_t>(columns, 0));
    Matrix result(m, std::vector<std::int64_t>(n, 0));
    std::size_t finished = 0;
    for (std::uint64_t t = 0; finished < m * n; ++t, ++cycle) {
        for (std::size_t r = rows; r-- > 0;) {
            for (std::size_t c = columns; c-- > 0;) {
                const std::uint64_t skew = r;
                const std::int64_t entering =
                    t >= skew && t - skew < m && r < k ? a[t - skew][r] : 0;
                moving[r][c] = c > 0 ? moving[r][c - 1] : entering;
                sum[r][c] = (r > 0 ? sum[r - 1][c] : 0) + weight[r][c] * moving[r][c];
            }
        }
        for (std::size_t c = 0; c < n; ++c) {  // row t - c - (rows - 1) leaves column c
            if (t < c + rows - 1) continue;
            const std::uint64_t row = t - c - (rows - 1);
            if (row >= m) continue;
            result[row][c] = sum[rows - 1][c];
            ++finished;
        }
    }
    REQUIRE(result == product(a, b));
    return cycle;
}

struct OutputStationarySteps {
    std::uint64_t last_mac = 0, shifted_out = 0;
};

OutputStationarySteps step_output_stationary(const Matrix& a, const Matrix& b, std::size_t rows,
                                             std::size_t columns) {
    const std::size_t m = a.size();
    const std::size_t k = b.size();
    const std::size_t n = b[0].size();
    Matrix from_left(rows, std::vector<std::int64_t>(columns, 0));
    Matrix from_top = from_left;
    Matrix sum = from_left;
    Matrix count = from_left;
    std::uint64_t cycle = 0;
    for (; count[m - 1][n - 1] < static_cast<std::int64_t>(k); ++cycle) {
        for (std::size_t r = rows; r-- > 0;) {
            for (std::size_t c = columns; c-- > 0;) {
                const bool left_in = cycle >= r && cycle - r < k && r < m;
                const bool top_in = cycle >= c && cycle - c < k && c < n;
                from_left[r][c] = c > 0 ? from_left[r][c - 1] : (left_in ? a[r][cycle - r] : 0);
                from_top[r][c] = r > 0 ? from_top[r - 1][c] : (top_in ? b[cycle - c][c] : 0);
                sum[r][c] += from_left[r][c] * from_top[r][c];
                if (cycle >= r + c && cycle - r - c < k) ++count[r][c];
            }
        }
    }
    const Matrix expected = product(a, b);
    OutputStationarySteps steps;
    steps.last_mac = cycle;
    for (std::size_t r = rows; r-- > 0; ++cycle) {  // the bottom row leaves, the others move down
        for (std::size_t c = 0; r < m && c < n; ++c) REQUIRE(sum[rows - 1][c] == expected[r][c]);
        for (std::size_t row = rows - 1; row > 0; --row) sum[row] = sum[row - 1];
    }
    steps.shifted_out = cycle;
    return steps;
}

std::uint64_t cycles(ArrayShape array, Dataflow dataflow, TileShape tile) {
    return tile_time(array, dataflow, tile).latency.count();
}

ArrayShape square(std::uint32_t side, FoldOverlap overlap = FoldOverlap::none) {
    return {side, side, 1, 1, overlap};
}

constexpr Dataflow ws = Dataflow::weight_stationary;
constexpr Dataflow is = Dataflow::input_stationary;
constexpr Dataflow os = Dataflow::output_stationary;

}  // namespace

TEST_CASE("weight-stationary tiles take as long as a register-accurate array") {
    CHECK(cycles(square(4), ws, {4, 4, 4}) == 14);
    CHECK(cycles(square(16), ws, {16, 16, 16}) == 62);
    CHECK(cycles(square(32), ws, {32, 32, 32}) == 126);
    CHECK(cycles(square(16), ws, {100, 16, 16}) == 146);
    CHECK(cycles(square(16), ws, {1, 16, 16}) == 47);
    CHECK(cycles(square(16), ws, {8, 5, 3}) == 43);
}

TEST_CASE("output-stationary tiles take as long as a register-accurate array after its shift-out") {
    CHECK(cycles(square(4), os, {4, 4, 4}) == 14);
    CHECK(cycles(square(32), os, {32, 32, 32}) == 126);
}

TEST_CASE("a single fold equals the stepped registers of an array of any shape") {
    Random random(7);
    for (int trial = 0; trial < 150; ++trial) {
        const auto rows = static_cast<std::uint32_t>(random.between(1, 9));
        const auto columns = static_cast<std::uint32_t>(random.between(1, 9));
        const ArrayShape array{rows, columns, 1, 1, FoldOverlap::none};
        {
            const TileShape tile{random.between(1, 20), random.between(1, columns),
                                 random.between(1, rows)};
            const Matrix a = random_matrix(random, tile.m, tile.k);
            const Matrix b = random_matrix(random, tile.k, tile.n);
            CAPTURE(rows, columns, tile.m, tile.n, tile.k);
            CHECK(cycles(array, ws, tile) == step_weight_stationary(a, b, rows, columns));
            // Held the other way round it is the same array.
            CHECK(cycles(array, is, {tile.n, tile.m, tile.k}) == cycles(array, ws, tile));
        }
        {
            const TileShape tile{random.between(1, rows), random.between(1, columns),
                                 random.between(1, 20)};
            const Matrix a = random_matrix(random, tile.m, tile.k);
            const Matrix b = random_matrix(random, tile.k, tile.n);
            CAPTURE(rows, columns, tile.m, tile.n, tile.k);
            const OutputStationarySteps steps = step_output_stationary(a, b, rows, columns);
            CHECK(cycles(array, os, tile) == steps.shifted_out);
            CHECK(steps.shifted_out == steps.last_mac + rows);
        }
    }
}

TEST_CASE("folds without overlap add up, with shadow registers they start max(T, R) apart") {
    // 40 x 20 x 33 on 16 x 16: three folds of K and two of N, the second 4 columns wide.
    const TileShape tile{40, 20, 33};
    CHECK(cycles(square(16), ws, tile) ==
          3 * cycles(square(16), ws, {40, 16, 16}) + 3 * cycles(square(16), ws, {40, 4, 16}));
    CHECK(cycles(square(16, FoldOverlap::shadow), ws, tile) ==
          5 * 40 + cycles(square(16), ws, {40, 4, 16}));
    CHECK(tile_time(square(16, FoldOverlap::shadow), ws, tile).occupied == Cycles(6 * 40));
    // Fewer vectors than rows: the weight load sets the pace, unless it never limits.
    CHECK(tile_time(square(16, FoldOverlap::shadow), ws, {5, 32, 32}).occupied == Cycles(4 * 16));
    CHECK(tile_time(square(16, FoldOverlap::stream), ws, {5, 32, 32}).occupied == Cycles(4 * 5));
}

TEST_CASE("two arrays take the folds in turn") {
    ArrayShape pair = square(16, FoldOverlap::shadow);
    pair.arrays = 2;
    CHECK(tile_time(pair, ws, {64, 64, 64}).occupied == Cycles(8 * 64));
    CHECK(tile_time(pair, ws, {64, 16, 48}).occupied == Cycles(2 * 64));
    CHECK(tile_time(pair, ws, {64, 16, 16}).latency ==
          tile_time(square(16), ws, {64, 16, 16}).latency);
}

TEST_CASE("overlap never makes a tile slower and no tile beats one product per multiplier") {
    Random random(11);
    for (int trial = 0; trial < 2000; ++trial) {
        ArrayShape array{static_cast<std::uint32_t>(random.between(1, 64)),
                         static_cast<std::uint32_t>(random.between(1, 64)),
                         static_cast<std::uint32_t>(random.between(1, 4)),
                         static_cast<std::uint32_t>(random.between(1, 4)), FoldOverlap::none};
        const TileShape tile{random.between(1, 300), random.between(1, 300),
                             random.between(1, 300)};
        const auto dataflow = static_cast<Dataflow>(random.below(3));
        const std::uint64_t none = cycles(array, dataflow, tile);
        array.overlap = FoldOverlap::shadow;
        const TileTime shadow = tile_time(array, dataflow, tile);
        array.overlap = FoldOverlap::stream;
        const TileTime stream = tile_time(array, dataflow, tile);
        const std::uint64_t multipliers = std::uint64_t{array.rows} * array.columns * array.arrays;
        CHECK(shadow.latency.count() <= none);
        CHECK(stream.latency <= shadow.latency);
        CHECK(stream.occupied.count() >= ceil_div(tile.m * tile.n * tile.k, multipliers));
        CHECK(stream.latency >= stream.occupied);
    }
}

TEST_CASE("an engine's time is its start-up and the work at its rate, rounded up") {
    SimdParams simd;
    simd.ops_per_cycle[DType::fp32] = 32;
    simd.startup_cycles = 8;
    CHECK(element_cycles(simd, DType::fp32, 64) == Cycles(10));
    CHECK(element_cycles(simd, DType::fp32, 65) == Cycles(11));
    CHECK(vector_matrix_cycles(simd, DType::fp32, 4, 4, 4) == Cycles(12));
    ReductionParams reduction;
    reduction.elements_per_cycle = 32;
    reduction.neighbour_bytes_per_cycle = 64;
    CHECK(reduction_cycles(reduction, 33) == Cycles(8 + 2));
    CHECK(neighbour_cycles(reduction, 64, Bytes(256)) == Cycles(8 + 4));
    CHECK(neighbour_cycles(reduction, 256, Bytes(256)) == Cycles(8 + 8));
    CHECK(layout_cycles(LayoutParams{}, Bytes(65)) == Cycles(8 + 2));
    CHECK(sort_operations(100, 32) == 100 * 2 * 4 * 4);
    simd.ops_per_cycle[DType::int32] = 16;
    CHECK(sort_cycles(simd, 100, 32) == Cycles(8 + 200));
}
