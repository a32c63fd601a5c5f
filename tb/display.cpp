#include "tb/display.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace diastole {

std::string si(double value) {
    struct Prefix {
        double factor;
        const char* name;
    };
    constexpr std::array<Prefix, 9> prefixes = {{{1e15, "P"},
                                                 {1e12, "T"},
                                                 {1e9, "G"},
                                                 {1e6, "M"},
                                                 {1e3, "k"},
                                                 {1, ""},
                                                 {1e-3, "m"},
                                                 {1e-6, "u"},
                                                 {1e-9, "n"}}};
    if (value == 0) return "0 ";
    for (const Prefix& prefix : prefixes) {
        const double scaled = value / prefix.factor;
        if (std::abs(scaled) < 0.9995) continue;
        const int digits = std::abs(scaled) >= 99.95 ? 0 : std::abs(scaled) >= 9.995 ? 1 : 2;
        return fmt::format("{:.{}f} {}", scaled, digits, prefix.name);
    }
    return fmt::format("{:.3g} ", value);
}

std::string bar(double share, int width) {
    constexpr std::array<const char*, 8> eighths = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * width * 8 + 0.5);
    std::string text;
    for (int i = 0; i < filled / 8; ++i) text += "█";
    if (filled / 8 < width) text += eighths[static_cast<std::size_t>(filled % 8)];
    for (int i = filled / 8 + 1; i < width; ++i) text += " ";
    return text;
}

}  // namespace diastole
