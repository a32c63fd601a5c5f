// A seeded one-to-one mapping of [0, n) onto itself in O(1) memory.
#pragma once

#include <cstdint>

#include "model/base/random.hpp"

namespace diastole {

// Two rounds of x -> xorshift(x * odd + key) on the smallest power of two 2^b >= n. Each round is
// invertible (an odd factor has an inverse modulo 2^b; x ^= x >> h is undone from the top), so the
// whole is a bijection of [0, 2^b). Walking the cycle until the value falls into [0, n) again makes
// it one of [0, n) (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002); since
// 2^b < 2n it takes fewer than two steps on average. It scatters; it is no cipher.
class Permutation {
  public:
    // Precondition: 0 < n <= 2^63.
    Permutation(std::uint64_t n, Random random) : n_(n) {
        unsigned bits = 1;
        while (bits < 63 && (std::uint64_t{1} << bits) < n) ++bits;
        mask_ = (std::uint64_t{1} << bits) - 1;
        shift_ = (bits + 1) / 2;
        for (Round& round : rounds_) {
            round.factor = random.next() | 1;
            round.key = random.next();
        }
    }

    std::uint64_t operator()(std::uint64_t x) const {
        do {
            for (const Round& round : rounds_) {
                x = (x * round.factor + round.key) & mask_;
                x ^= x >> shift_;
            }
        } while (x >= n_);
        return x;
    }

  private:
    struct Round {
        std::uint64_t factor = 1, key = 0;
    };
    std::uint64_t n_;
    std::uint64_t mask_ = 0;
    unsigned shift_ = 0;
    Round rounds_[2];
};

}  // namespace diastole
