// How weights lie in memory on a chip that reads them as whole tiles of its array
// (dpe.weight_tiles): tiles of rows x columns, one behind the other down K and then across N, those
// at the edges filled up. Elsewhere: row by row, as they are.
#pragma once

#include <cstdint>

#include "model/params/chip_params.hpp"
#include "workloads/graph/operator.hpp"
#include "workloads/lower/command_buffer.hpp"

namespace diastole {

struct WeightTiles {
    std::uint64_t rows = 0, columns = 0;  // of a tile; 0: no tiles

    [[nodiscard]] bool on() const { return rows > 0; }
    // Elements that a part of k x n takes in memory; with tiles, it begins at one.
    [[nodiscard]] std::uint64_t stored(std::uint64_t k, std::uint64_t n) const {
        return on() ? round_up(k, rows) * round_up(n, columns) : k * n;
    }
    // Whether cutting `whole` into parts of `part` cuts at tiles.
    [[nodiscard]] bool cuts_k(std::uint64_t part, std::uint64_t whole) const {
        return !on() || part >= whole || part % rows == 0;
    }
    [[nodiscard]] bool cuts_n(std::uint64_t part, std::uint64_t whole) const {
        return !on() || part >= whole || part % columns == 0;
    }
    // The part of a matrix of `k_all` rows that begins at row `k0` and column `n0`. Precondition:
    // on(), and it begins at a tile.
    [[nodiscard]] Block block(Placement matrix, std::uint64_t element, std::uint64_t k_all,
                              std::uint64_t k0, std::uint64_t n0, std::uint64_t k,
                              std::uint64_t n) const;
};

// Of weights that are multiplied as `type`.
WeightTiles weight_tiles(const DpeParams& dpe, DType type);

// Of input 1 of a matrix product or convolution: bytes in memory.
std::uint64_t stored_weight_bytes(const Graph& graph, const Operator& op, const ChipParams& chip);

}  // namespace diastole
