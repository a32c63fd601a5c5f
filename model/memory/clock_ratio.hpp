// Between core cycles and ticks of the memory's command clock, exactly: both directions round up to
// the first edge at or after the moment, so neither clock ever acts before the other has.
#pragma once

#include <cstdint>
#include <limits>
#include <numeric>

#include "model/base/units.hpp"

namespace diastole {

class ClockRatio {
  public:
    ClockRatio(Hertz core, Picoseconds tick) {
        // cycles = ticks * tick_ps * core_hz / 10^12
        const std::uint64_t second = 1'000'000'000'000;
        const std::uint64_t a = std::gcd(tick.count(), second);
        const std::uint64_t rest = second / a;
        const std::uint64_t b = std::gcd(core.count(), rest);
        cycles_ = (tick.count() / a) * (core.count() / b);
        ticks_ = rest / b;
        small_ticks_ = (max - ticks_) / cycles_;
        small_cycles_ = (max - cycles_) / ticks_;
    }

    [[nodiscard]] Cycles core_of(DramCycles tick) const {
        return Cycles(convert(tick.count(), cycles_, ticks_, small_ticks_));
    }
    [[nodiscard]] DramCycles tick_of(Cycles cycle) const {
        return DramCycles(convert(cycle.count(), ticks_, cycles_, small_cycles_));
    }

  private:
    static constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();  // never
    static std::uint64_t convert(std::uint64_t n, std::uint64_t to, std::uint64_t from,
                                 std::uint64_t small) {
        if (n <= small) return ceil_div(n * to, from);
        const Wide exact = (static_cast<Wide>(n) * to + (from - 1)) / from;
        return n == max || exact > max ? max : static_cast<std::uint64_t>(exact);
    }

    std::uint64_t cycles_, ticks_;  // cycles_ core cycles last exactly as long as ticks_ ticks
    std::uint64_t small_ticks_, small_cycles_;  // up to here 64 bits hold the product
};

}  // namespace diastole
