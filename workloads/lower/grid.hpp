// PEs in the order of a boustrophedon: along the first row, back along the second, and so on.
// Neighbours in this order are neighbours on the grid, so a reduction chain takes single hops.
#pragma once

#include <cstdint>

#include "model/params/chip_params.hpp"

namespace diastole {

constexpr std::uint32_t pe_of_rank(const GridParams& grid, std::uint32_t rank) {
    const std::uint32_t row = rank / grid.columns;
    const std::uint32_t column = rank % grid.columns;
    return row * grid.columns + (row % 2 == 0 ? column : grid.columns - 1 - column);
}
// The mapping is its own inverse.
constexpr std::uint32_t rank_of_pe(const GridParams& grid, std::uint32_t pe) {
    return pe_of_rank(grid, pe);
}

// Part i of `parts` near-equal consecutive parts of [0, total).
struct Range {
    std::uint64_t begin = 0, end = 0;
    [[nodiscard]] constexpr std::uint64_t size() const { return end - begin; }
};
constexpr std::uint64_t share(std::uint64_t total, std::uint64_t i, std::uint64_t parts) {
    return static_cast<std::uint64_t>(static_cast<Wide>(total) * i / parts);
}
constexpr Range part(std::uint64_t total, std::uint64_t i, std::uint64_t parts) {
    return {share(total, i, parts), share(total, i + 1, parts)};
}

}  // namespace diastole
