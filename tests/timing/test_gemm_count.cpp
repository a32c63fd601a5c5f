#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <vector>

#include "model/base/random.hpp"
#include "model/timing/gemm_count.hpp"
#include "tests/timing/register_array.hpp"
#include "tests/timing/scalesim_rows.hpp"

using namespace diastole;

namespace {

test::IntMatrix ones(std::size_t rows, std::size_t columns) {
    test::IntMatrix matrix(rows, columns);
    for (std::int64_t& value : matrix.values) value = 1;
    return matrix;
}

GemmArray array_of(std::uint32_t rows, std::uint32_t columns, Dataflow dataflow) {
    GemmArray array;
    array.shape.rows = rows;
    array.shape.columns = columns;
    array.dataflow = dataflow;
    return array;
}

// A product in which every column of the second operand keeps at most two of four elements along K
// (or all), cut into bundles for multipliers that take several of the kept ones at once.
class Bundled {
  public:
    Bundled(Random& random, TileShape gemm, bool pruned, std::size_t per_cell)
        : a_(gemm.m, gemm.k), b_(gemm.k, gemm.n), pruned_(pruned), per_cell_(per_cell) {
        for (std::int64_t& value : a_.values) value = static_cast<std::int64_t>(random.below(99));
        const std::size_t cells = ceil_div(pruned ? kept_2_4(gemm.k) : gemm.k, per_cell);
        inputs_ = test::IntMatrix(gemm.m, cells);
        weights_ = test::IntMatrix(cells, gemm.n);
        for (std::size_t i = 0; i < gemm.m; ++i) {
            for (std::size_t s = 0; s < cells; ++s) take_inputs(i, s);
        }
        for (std::size_t j = 0; j < gemm.n; ++j) {
            const std::vector<std::size_t> kept = keep(random, gemm.k);
            for (std::size_t s = 0; s < cells; ++s) take_weights(random, kept, s, j);
        }
    }

    [[nodiscard]] test::RegisterRun run(test::RegisterArray array) const {
        array.bundles = &bundles_;
        return run_registers(array, inputs_, weights_);
    }
    [[nodiscard]] test::IntMatrix product() const {
        test::IntMatrix c(a_.rows, b_.columns);
        for (std::size_t i = 0; i < a_.rows; ++i) {
            for (std::size_t k = 0; k < a_.columns; ++k) {
                for (std::size_t j = 0; j < b_.columns; ++j)
                    c.at(i, j) += a_.at(i, k) * b_.at(k, j);
            }
        }
        return c;
    }

  private:
    // The first element of K that passes beside cell s.
    [[nodiscard]] std::size_t begin(std::size_t s) const {
        return pruned_ ? s * per_cell_ / 2 * 4 : s * per_cell_;
    }
    void take_inputs(std::size_t i, std::size_t s) {
        auto& bundle = bundles_.inputs.emplace_back();
        for (std::size_t e = 0; e < bundle.size() && begin(s) + e < a_.columns; ++e) {
            bundle[e] = a_.at(i, begin(s) + e);
        }
        inputs_.at(i, s) = static_cast<std::int64_t>(bundles_.inputs.size() - 1);
    }
    // The elements along K that a column keeps: of every four, any two.
    [[nodiscard]] std::vector<std::size_t> keep(Random& random, std::size_t k) const {
        std::vector<std::size_t> kept;
        for (std::size_t group = 0; group < k; group += 4) {
            std::vector<std::size_t> these;
            for (std::size_t e = group; e < std::min(group + 4, k); ++e) these.push_back(e);
            while (pruned_ && these.size() > 2) {
                these.erase(these.begin() +
                            static_cast<std::ptrdiff_t>(random.below(these.size())));
            }
            kept.insert(kept.end(), these.begin(), these.end());
        }
        return kept;
    }
    void take_weights(Random& random, const std::vector<std::size_t>& kept, std::size_t s,
                      std::size_t j) {
        auto& bundle = bundles_.weights.emplace_back();
        for (std::size_t e = 0; e < per_cell_ && s * per_cell_ + e < kept.size(); ++e) {
            const std::size_t k = kept[s * per_cell_ + e];
            bundle.weight[e] = b_.at(k, j) = static_cast<std::int64_t>(random.between(1, 99));
            bundle.from[e] = static_cast<std::uint8_t>(k - begin(s));
        }
        weights_.at(s, j) = static_cast<std::int64_t>(bundles_.weights.size() - 1);
    }

    test::IntMatrix a_, b_;             // the product as its user sees it
    test::IntMatrix inputs_, weights_;  // the same in bundles
    test::Bundles bundles_;
    bool pruned_;
    std::size_t per_cell_;
};

}  // namespace

TEST_CASE("2:4 weights and wide multipliers take as long as registers, and multiply right") {
    Random random(33);
    for (int trial = 0; trial < 900; ++trial) {
        test::RegisterArray registers;
        registers.rows = static_cast<std::uint32_t>(random.between(1, 7));
        registers.columns = static_cast<std::uint32_t>(random.between(1, 7));
        registers.dataflow = static_cast<Dataflow>(random.below(3));
        registers.overlap = static_cast<FoldOverlap>(random.below(3));
        GemmArray array = array_of(registers.rows, registers.columns, registers.dataflow);
        array.shape.overlap = registers.overlap;
        array.pruned_2_4 = random.below(3) > 0;
        array.k_per_cell = static_cast<std::uint32_t>(random.between(1, 4));
        const TileShape gemm{random.between(1, 15), random.between(1, 15), random.between(1, 40)};
        const Bundled bundled(random, gemm, array.pruned_2_4, array.k_per_cell);
        const test::RegisterRun run = bundled.run(registers);
        CAPTURE(gemm.m, gemm.n, gemm.k, registers.rows, registers.columns, array.pruned_2_4,
                array.k_per_cell, static_cast<int>(registers.dataflow));
        REQUIRE_FALSE(run.collision);
        REQUIRE(run.product == bundled.product());
        REQUIRE(run.cycles == count_gemm(array, gemm).cycles);
    }
}

TEST_CASE("SCALE-Sim's accounting gives its own numbers, row by row") {
    CHECK(std::size(test::scalesim_rows) == 149);
    for (const test::ScaleSimRow& row : test::scalesim_rows) {
        const TileShape gemm{row.m, row.n, row.k};
        const GemmCount count = scalesim_count(row.side, row.side, row.dataflow, gemm);
        CAPTURE(row.layer, row.side, static_cast<int>(row.dataflow));
        CHECK(count.cycles == row.cycles);
        CHECK(count.ifmap_reads == row.ifmap_reads);
        CHECK(count.filter_reads == row.filter_reads);
        CHECK(count.writes == row.ofmap_writes);
        // The recorded figures have fifteen to sixteen digits.
        CHECK(scalesim_utilization_percent(row.side, row.side, gemm, count.cycles) ==
              Approx(row.utilization_percent).epsilon(2e-15 / row.utilization_percent + 1e-14));
    }
}

TEST_CASE("SRAM reads and writes are what crosses the ports of an array of registers") {
    Random random(31);
    for (int trial = 0; trial < 600; ++trial) {
        test::RegisterArray registers;
        registers.rows = static_cast<std::uint32_t>(random.between(1, 7));
        registers.columns = static_cast<std::uint32_t>(random.between(1, 7));
        registers.dataflow = static_cast<Dataflow>(random.below(3));
        registers.overlap = static_cast<FoldOverlap>(random.below(3));
        registers.partial_sums_leave = random.below(2) == 0;
        const TileShape gemm{random.between(1, 20), random.between(1, 20), random.between(1, 20)};
        const test::RegisterRun run =
            run_registers(registers, ones(gemm.m, gemm.k), ones(gemm.k, gemm.n));
        GemmArray array = array_of(registers.rows, registers.columns, registers.dataflow);
        array.shape.overlap = registers.overlap;
        array.partial_sums_leave = registers.partial_sums_leave;
        const GemmCount count = count_gemm(array, gemm);
        CAPTURE(gemm.m, gemm.n, gemm.k, registers.rows, registers.columns);
        REQUIRE(count.ifmap_reads == run.ifmap_reads);
        REQUIRE(count.filter_reads == run.filter_reads);
        REQUIRE(count.writes == run.results);
        REQUIRE(count.cycles == run.cycles);
        // Every partial sum that leaves but those of the last K-fold comes back.
        REQUIRE(count.partial_sum_reads == count.writes - gemm.m * gemm.n);
    }
}

TEST_CASE("the published figures of other tools stand where the reference says") {
    // 128 x 512 x 512 on 128 x 128: SCALE-Sim 8,159 cycles; full overlap about 2,430.
    GemmArray array = array_of(128, 128, Dataflow::weight_stationary);
    CHECK(scalesim_count(128, 128, Dataflow::weight_stationary, {128, 512, 512}).cycles == 8159);
    CHECK(count_gemm(array, {128, 512, 512}).cycles == 8160);  // nothing ragged: one more
    array.shape.overlap = FoldOverlap::shadow;
    CHECK(count_gemm(array, {128, 512, 512}).cycles == 2430);
    // 8 x 5 x 3 on 16 x 16: 53 against 43.
    CHECK(scalesim_count(16, 16, Dataflow::weight_stationary, {8, 5, 3}).cycles == 53);
    CHECK(count_gemm(array_of(16, 16, Dataflow::weight_stationary), {8, 5, 3}).cycles == 43);
}

TEST_CASE("multipliers that take more of K at once shorten the product as a smaller K would") {
    GemmArray array = array_of(16, 16, Dataflow::weight_stationary);
    const GemmCount plain = count_gemm(array, {100, 40, 33});
    array.k_per_cell = 2;
    const GemmCount twice = count_gemm(array, {100, 40, 66});
    CHECK(twice.cycles == plain.cycles);
    CHECK(twice.products == 2 * plain.products);
    CHECK(twice.ifmap_reads == 2 * plain.ifmap_reads);
    CHECK(count_gemm(array, {100, 40, 65}).cycles == plain.cycles);  // the last cell half empty
    CHECK(peak_products(array) == 512);
}

TEST_CASE("a type with a quarter of the rate streams a vector every four cycles") {
    GemmArray array = array_of(16, 16, Dataflow::weight_stationary);
    array.shape.overlap = FoldOverlap::shadow;
    const std::uint64_t full = count_gemm(array, {1000, 64, 64}).cycles;
    array.shape.mac_interval = 4;
    const std::uint64_t quarter = count_gemm(array, {1000, 64, 64}).cycles;
    CHECK(full == 15 * 1000 + (1000 + 2 * 16 + 16 - 2));
    CHECK(quarter == 15 * 4000 + (999 * 4 + 2 * 16 + 16 - 1));
    CHECK(peak_products(array) == 64);
}

TEST_CASE("2:4 weights halve the folds of K, a ragged group keeps at most two") {
    CHECK(kept_2_4(4) == 2);
    CHECK(kept_2_4(5) == 3);
    CHECK(kept_2_4(6) == 4);
    CHECK(kept_2_4(7) == 4);
    GemmArray array = array_of(16, 16, Dataflow::weight_stationary);
    const GemmCount dense = count_gemm(array, {64, 32, 64});
    array.pruned_2_4 = true;
    const GemmCount pruned = count_gemm(array, {64, 32, 64});
    CHECK(pruned.folds * 2 == dense.folds);
    CHECK(pruned.cycles * 2 == dense.cycles);
    CHECK(pruned.products * 2 == dense.products);
    CHECK(pruned.filter_reads * 2 == dense.filter_reads);
    CHECK(pruned.ifmap_reads == dense.ifmap_reads);  // any of the four may be selected
}

TEST_CASE("a narrow port takes the blame for the cycles it costs") {
    GemmArray array = array_of(16, 16, Dataflow::weight_stationary);
    array.shape.overlap = FoldOverlap::shadow;
    const GemmCount free = count_gemm(array, {256, 64, 64});
    array.ifmap_bytes_per_cycle = 16;  // a row of 16 fp16 elements takes two cycles
    const GemmCount ifmap = count_gemm(array, {256, 64, 64});
    CHECK(ifmap.account.ifmap == 15 * 256 + 255);
    CHECK(ifmap.cycles == free.cycles + ifmap.account.ifmap);
    array.ifmap_bytes_per_cycle = 0;
    array.filter_bytes_per_cycle = 1;  // a fold of weights takes 512 cycles, a stream of M 256
    const GemmCount filter = count_gemm(array, {256, 64, 64});
    CHECK(filter.account.filter == (512 - 16) + 15 * (512 - 256));
    CHECK(filter.cycles == free.cycles + filter.account.filter);
}
