// Logarithm, exponential and power of our own: those of the C library differ in the last bit
// between platforms, and a drawn index must be the same everywhere. Only +, -, *, / and integer
// operations on IEEE doubles are used, so the results are equal on any compiler that does not
// contract or reorder (the project builds with -ffp-contract=off).
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

namespace diastole::math {

inline std::uint64_t bits_of(double x) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}
inline double double_of(std::uint64_t bits) {
    double x = 0;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

// ln 2 in two parts: the high one has 21 trailing zero bits, so that an exponent times it is exact.
inline constexpr double ln2_high = 0x1.62e42fee00000p-1;
inline constexpr double ln2_low = 0x1.a39ef35793c76p-33;

// atanh(f) / f - 1 for |f| < 0.172: its series up to f^20, whose remainder is below 1e-18.
inline double atanh_series(double f) {
    const double g = f * f;
    const double g2 = g * g;
    // Even and odd powers apart (Estrin), which halves the chain of dependent operations.
    const double even =
        1.0 / 3 + g2 * (1.0 / 7 + g2 * (1.0 / 11 + g2 * (1.0 / 15 + g2 * (1.0 / 19))));
    const double odd =
        1.0 / 5 + g2 * (1.0 / 9 + g2 * (1.0 / 13 + g2 * (1.0 / 17 + g2 * (1.0 / 21))));
    return g * (even + g * odd);
}

// e^r - 1 for |r| < 0.3466: Taylor's series to r^13, whose remainder is below 5e-18.
inline double expm1_series(double r) {
    const double s = r * r;
    const double even =
        1.0 / 2 +
        s * (1.0 / 24 +
             s * (1.0 / 720 + s * (1.0 / 40320 + s * (1.0 / 3628800 + s * (1.0 / 479001600)))));
    const double odd =
        1.0 / 6 +
        s * (1.0 / 120 + s * (1.0 / 5040 + s * (1.0 / 362880 +
                                                s * (1.0 / 39916800 + s * (1.0 / 6227020800.0)))));
    return r + s * (even + r * odd);
}

// Natural logarithm of a finite, normal x > 0; relative error below 1e-15. x = 2^e * m with m in
// [sqrt(1/2), sqrt(2)); ln m = 2 atanh(f), f = (m - 1) / (m + 1), |f| < 0.1716. Other arguments:
// NaN below zero, -infinity at zero.
inline double log(double x) {
    if (!(x > 0)) {
        return x == 0 ? -std::numeric_limits<double>::infinity()
                      : std::numeric_limits<double>::quiet_NaN();
    }
    constexpr std::uint64_t sqrt_half = 0x3fe6a09e667f3bcdULL;
    const std::uint64_t offset = bits_of(x) - sqrt_half;
    const auto exponent = static_cast<std::int64_t>(offset) >> 52;
    const double m = double_of((offset & 0x000fffffffffffffULL) + sqrt_half);
    const double f = (m - 1.0) / (m + 1.0);
    const auto e = static_cast<double>(exponent);
    return e * ln2_high + (2.0 * f + (2.0 * f * atanh_series(f) + e * ln2_low));
}

// e^x for |x| < 708; relative error below 1e-15. Beyond it: 0 or infinity. x = k ln 2 + r with
// |r| < 0.3466.
inline double exp(double x) {
    if (x > 708) return std::numeric_limits<double>::infinity();
    if (x < -708) return 0;
    const double scaled = x * 0x1.71547652b82fep0;
    const auto k = static_cast<std::int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    const auto kd = static_cast<double>(k);
    const double r = (x - kd * ln2_high) - kd * ln2_low;
    return (1.0 + expm1_series(r)) * double_of(static_cast<std::uint64_t>(k + 1023) << 52);
}

// x^y for x > 0; relative error below 1e-15 * (1 + |y ln x|), thus 1e-12 wherever it is finite.
inline double pow(double x, double y) {
    return exp(y * log(x));
}

}  // namespace diastole::math
