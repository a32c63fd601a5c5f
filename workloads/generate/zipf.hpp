// Ranks with a power-law popularity.
#pragma once

#include <cstdint>
#include <vector>

#include "model/base/random.hpp"

namespace diastole {

// Draws x in [1, n] with probability proportional to (x + q)^-s. The ranks are cut into blocks,
// each so short (1/64 of its place, or one rank) that its weights differ by a few per cent. A block
// is drawn by the alias method (Walker 1977; Vose 1991) in proportion to its length times the
// weight of its first rank; a rank within it uniformly; and the rank is accepted with its own
// weight over that of the first. Exact up to rounding, O(1) a draw, about 64 s ln(n) blocks
// whatever n. Weights need a power only where the last rank of a block would not be accepted, in
// under 2 % of the draws.
class Zipf {
  public:
    // Preconditions: n >= 1, q > -1, s >= 0 (0 is uniform).
    Zipf(std::uint64_t n, double q, double s);

    std::uint64_t draw(Random& random) const {
        while (true) {
            const Wide column = static_cast<Wide>(random.next()) * blocks_.size();
            const Block* block = &blocks_[static_cast<std::size_t>(column >> 64)];
            if (static_cast<std::uint64_t>(column) >= block->keep) block = &blocks_[block->alias];
            const Wide place = static_cast<Wide>(random.next()) * block->length;
            const std::uint64_t x = block->first + static_cast<std::uint64_t>(place >> 64);
            // The low half is uniform too, independent of x up to length / 2^64.
            const auto u = static_cast<std::uint64_t>(place);
            if (u < block->sure || accepts(*block, x, u)) return x;
        }
    }

  private:
    struct Block {
        std::uint64_t first = 0, length = 0;
        std::uint64_t sure = 0;   // accepted below this, in 2^-64: the weight of the last rank
        std::uint64_t keep = 0;   // alias method: stay in this column below this, in 2^-64
        std::uint32_t alias = 0;  // and go there otherwise
    };
    void build_aliases(const std::vector<double>& mass);
    [[nodiscard]] bool accepts(const Block& block, std::uint64_t x, std::uint64_t u) const;
    [[nodiscard]] double weight(std::uint64_t x) const;

    double q_, s_;
    std::vector<Block> blocks_;
};

// Ranks from 0: the first ones with the given probabilities, the rest of the mass as Zipf over the
// remaining ranks (the parameter set of FBGEMM's TBEDataConfig).
class RankedRows {
  public:
    // Preconditions: heavy_hitters.size() <= rows, each in [0, 1], their sum at most 1, and 1 if
    // there are no other rows.
    RankedRows(std::uint64_t rows, double q, double s, const std::vector<double>& heavy_hitters);

    std::uint64_t draw(Random& random) const {
        if (!cumulative_.empty()) {
            const double u = random.unit();
            if (u < cumulative_.back() || rest_ == 0) return heavy_hitter(u);
        }
        return cumulative_.size() + tail_.draw(random) - 1;
    }

  private:
    [[nodiscard]] std::uint64_t heavy_hitter(double u) const;

    std::vector<double> cumulative_;  // of the heavy hitters
    std::uint64_t rest_;              // rows that are none
    Zipf tail_;
};

}  // namespace diastole
