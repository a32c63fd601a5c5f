// Division by a number that is fixed for a run and nearly always a power of two: then a shift,
// which costs a twentieth of a division.
#pragma once

#include <cstdint>

namespace diastole {

class Divisor {
  public:
    // Precondition: by > 0.
    explicit Divisor(std::uint64_t by)
        : by_(by), shift_((by & (by - 1)) == 0 ? __builtin_ctzll(by) : no_shift) {}

    [[nodiscard]] std::uint64_t value() const { return by_; }
    [[nodiscard]] std::uint64_t quotient(std::uint64_t n) const {
        return shift_ == no_shift ? n / by_ : n >> shift_;
    }
    [[nodiscard]] std::uint64_t remainder(std::uint64_t n) const {
        return shift_ == no_shift ? n % by_ : n & (by_ - 1);
    }

  private:
    static constexpr int no_shift = -1;

    std::uint64_t by_;
    int shift_;
};

}  // namespace diastole
