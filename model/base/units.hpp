// Quantities that carry their unit in their type. Construction is explicit; a conversion is a named
// function that says how it rounds.
#pragma once

#include <cstdint>
#include <limits>

namespace diastole {

// An unsigned count of one unit. Addition and comparison stay within the unit; a quotient of two
// quantities of the same unit is a plain number, rounded down.
template <class Tag>
class Quantity {
  public:
    constexpr Quantity() = default;
    explicit constexpr Quantity(std::uint64_t count) : count_(count) {}

    [[nodiscard]] constexpr std::uint64_t count() const { return count_; }

    constexpr Quantity& operator+=(Quantity other) {
        count_ += other.count_;
        return *this;
    }
    // Precondition: other <= *this; an unsigned difference would wrap.
    constexpr Quantity& operator-=(Quantity other) {
        count_ -= other.count_;
        return *this;
    }
    friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
    friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
    friend constexpr Quantity operator*(Quantity a, std::uint64_t n) {
        return Quantity(a.count_ * n);
    }
    friend constexpr std::uint64_t operator/(Quantity a, Quantity b) { return a.count_ / b.count_; }
    friend constexpr bool operator==(Quantity a, Quantity b) { return a.count_ == b.count_; }
    friend constexpr bool operator!=(Quantity a, Quantity b) { return a.count_ != b.count_; }
    friend constexpr bool operator<(Quantity a, Quantity b) { return a.count_ < b.count_; }
    friend constexpr bool operator<=(Quantity a, Quantity b) { return a.count_ <= b.count_; }
    friend constexpr bool operator>(Quantity a, Quantity b) { return a.count_ > b.count_; }
    friend constexpr bool operator>=(Quantity a, Quantity b) { return a.count_ >= b.count_; }

  private:
    std::uint64_t count_ = 0;
};

using Cycles = Quantity<struct CyclesTag>;            // of the chip's core clock
using DramCycles = Quantity<struct DramCyclesTag>;    // of the memory's command clock (tCK)
using Picoseconds = Quantity<struct PicosecondsTag>;  // 213 days fit
using Bytes = Quantity<struct BytesTag>;
using Hertz = Quantity<struct HertzTag>;
using BytesPerCycle = Quantity<struct BytesPerCycleTag>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag>;

// "Never": later than any time a simulation reaches.
inline constexpr Cycles never{std::numeric_limits<std::uint64_t>::max()};

// Rounds up. Precondition: divisor > 0.
constexpr std::uint64_t ceil_div(std::uint64_t dividend, std::uint64_t divisor) {
    return dividend / divisor + (dividend % divisor != 0 ? 1 : 0);
}

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) {
    return ceil_div(value, multiple) * multiple;
}

// a * b / c without overflow in the product, rounded up. Precondition: c > 0, the result fits.
__extension__ using Wide = unsigned __int128;
constexpr std::uint64_t mul_div_ceil(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return static_cast<std::uint64_t>((static_cast<Wide>(a) * b + (c - 1)) / c);
}
constexpr std::uint64_t mul_div_floor(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return static_cast<std::uint64_t>(static_cast<Wide>(a) * b / c);
}

// How long a link is occupied; rounds up to whole cycles.
constexpr Cycles transfer_cycles(Bytes size, BytesPerCycle rate) {
    return Cycles(ceil_div(size.count(), rate.count()));
}
constexpr Cycles transfer_cycles(Bytes size, BytesPerSecond rate, Hertz clock) {
    return Cycles(mul_div_ceil(size.count(), clock.count(), rate.count()));
}

// Rounds up: a latency is never shorter than its description says.
constexpr Cycles cycles_from_nanoseconds(double nanoseconds, Hertz clock) {
    const double exact = nanoseconds * static_cast<double>(clock.count()) / 1e9;
    const auto whole = static_cast<std::uint64_t>(exact);
    return Cycles(static_cast<double>(whole) < exact ? whole + 1 : whole);
}

constexpr double seconds(Cycles cycles, Hertz clock) {
    return static_cast<double>(cycles.count()) / static_cast<double>(clock.count());
}

}  // namespace diastole
