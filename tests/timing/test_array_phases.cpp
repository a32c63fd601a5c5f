#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "model/base/random.hpp"
#include "model/timing/array_phases.hpp"

using namespace diastole;

namespace {

// Cycle by cycle: which cycles an array streams in, and which it loads in.
struct Calendar {
    std::set<std::uint64_t> streams, loads;
    void tile(const ArrayShape& array, Dataflow dataflow, TileShape shape, std::uint64_t start) {
        const FoldGrid grid = fold_grid(dataflow, shape);
        const std::uint64_t folds = ceil_div(fold_count(array, dataflow, shape), array.arrays);
        for (std::uint64_t fold = 0; fold < folds; ++fold) {
            for (std::uint64_t i = 0; i < array.rows; ++i) loads.insert(start + i);
            for (std::uint64_t i = 0; i < grid.streamed; ++i) {
                streams.insert(start + array.rows + i);
            }
            const std::uint64_t column = fold / ceil_div(grid.down, array.rows) * array.columns;
            const std::uint64_t across =
                std::min<std::uint64_t>(array.columns, grid.across - column);
            // One fold: the load, the vectors, the columns in use, the way down.
            const std::uint64_t whole = 2 * array.rows + grid.streamed + across - 2;
            start += array.overlap == FoldOverlap::none
                         ? whole
                         : std::max<std::uint64_t>(grid.streamed, array.rows);
        }
    }
    [[nodiscard]] std::uint64_t loading() const {
        std::uint64_t alone = 0;
        for (const std::uint64_t cycle : loads) alone += 1 - streams.count(cycle);
        return alone;
    }
};

}  // namespace

TEST_CASE("streaming and loading cycles agree with a calendar of random tiles") {
    Random random(5);
    for (int round = 0; round < 500; ++round) {
        const auto size = [&](std::uint64_t most) {
            return static_cast<std::uint32_t>(random.between(1, most));
        };
        ArrayShape array{size(12), size(12), 1, 1,
                         random.below(2) == 0 ? FoldOverlap::none : FoldOverlap::shadow};
        const Dataflow dataflow =
            random.below(2) == 0 ? Dataflow::weight_stationary : Dataflow::input_stationary;
        ArrayPhases phases;
        Calendar calendar;
        std::uint64_t at = 0;
        for (int tile = 0; tile < 4; ++tile) {
            const TileShape shape{size(30), size(30), size(30)};
            phases.tile(array, dataflow, shape, Cycles(at));
            calendar.tile(array, dataflow, shape, at);
            at += tile_time(array, dataflow, shape).occupied.count() + random.below(2) * size(40);
        }
        CHECK(phases.streaming().count() == calendar.streams.size());
        CHECK(phases.loading().count() == calendar.loading());
    }
}

TEST_CASE("a starved array shifts each tile in before it streams; a fed one hides it") {
    // The TPU's tile of 256 x 256 weights and a batch of 200, as its counters see them.
    const ArrayShape array{256, 256, 1, 1, FoldOverlap::shadow};
    const TileShape tile{200, 256, 256};
    ArrayPhases starved, fed;
    for (std::uint64_t i = 0; i < 10; ++i) {
        starved.tile(array, Dataflow::weight_stationary, tile, Cycles(i * 1330));
        fed.tile(array, Dataflow::weight_stationary, tile, Cycles(i * 256));
    }
    CHECK(starved.streaming() == Cycles(2000));
    CHECK(starved.loading() == Cycles(2560));
    CHECK(fed.loading() == Cycles(256 + 9 * 56));
    ArrayPhases sums;
    sums.tile(array, Dataflow::output_stationary, tile, Cycles(0));
    CHECK(sums.loading() == Cycles(0));
    CHECK(sums.streaming() == Cycles(256));
}
