// Seeded random numbers of our own: standard distributions differ between libraries, and a report
// must be the same byte for byte everywhere.
#pragma once

#include <cstdint>

#include "model/base/units.hpp"

namespace diastole {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
class Random {
  public:
    explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        return mix(state_);
    }

    // Uniform in [0, bound) by multiplication; the bias is below bound / 2^64. Precondition: bound
    // > 0.
    constexpr std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
    }

    // Uniform in [low, high], both included.
    constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) {
        return low + below(high - low + 1);
    }

    // Uniform in [0, 1) with 53 random bits.
    constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    // A generator for a named part of the work, independent of how much this one has drawn.
    [[nodiscard]] constexpr Random fork(std::uint64_t stream) const {
        return Random(mix(state_ ^ mix(stream + 0x632be59bd9b4e019ULL)));
    }

    static constexpr std::uint64_t mix(std::uint64_t z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

  private:
    std::uint64_t state_;
};

}  // namespace diastole
