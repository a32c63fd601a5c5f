#include "tb/line_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tb/display.hpp"
#include "tb/text.hpp"

namespace diastole {
namespace {

constexpr double width = 720, height = 440;
constexpr double left = 80, right = 20, top = 50, bottom = 60;
// Told apart also by who sees no red or green (Okabe and Ito).
constexpr std::array<const char*, 4> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7"};

std::string escaped(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '<':
                safe += "&lt;";
                break;
            case '&':
                safe += "&amp;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

struct Axes {
    double x_min, x_max;
    int y_low, y_high;  // exponents of ten
    [[nodiscard]] double x(double value) const {
        return left + (value - x_min) / (x_max - x_min) * (width - left - right);
    }
    [[nodiscard]] double y(double value) const {
        return top + (y_high - std::log10(value)) / (y_high - y_low) * (height - top - bottom);
    }
};

// Whole decades around every point.
Axes axes_of(const LineChart& chart) {
    double low = 1e300, high = 1e-300;
    for (const ChartLine& one : chart.lines) {
        for (const auto& [x, y] : one.points) {
            low = std::min(low, y);
            high = std::max(high, y);
        }
    }
    Axes axes{chart.x_min, chart.x_max, static_cast<int>(std::floor(std::log10(low))),
              static_cast<int>(std::ceil(std::log10(high)))};
    if (axes.y_high <= axes.y_low) axes.y_high = axes.y_low + 1;
    return axes;
}

void grid(Text& out, const LineChart& chart, const Axes& axes) {
    const auto steps = static_cast<int>((chart.x_max - chart.x_min) / chart.x_step + 1e-9);
    for (int i = 0; i <= steps; ++i) {
        const double x = chart.x_min + i * chart.x_step;
        line(out, R"(<path class="g" d="M{:.1f} {}V{}"/>)", axes.x(x), top, height - bottom);
        line(out, R"(<text x="{:.1f}" y="{}" text-anchor="middle">{:.3g}</text>)", axes.x(x),
             height - bottom + 20, x);
    }
    for (int e = axes.y_low; e <= axes.y_high; ++e) {
        for (const int step : {1, 2, 5}) {
            const double value = step * std::pow(10.0, e);
            if (std::log10(value) > axes.y_high + 1e-9) continue;
            line(out, R"(<path class="g" d="M{} {:.1f}H{}"/>)", left, axes.y(value), width - right);
            line(out, R"(<text x="{}" y="{:.1f}" text-anchor="end">{}{}</text>)", left - 8,
                 axes.y(value) + 4, si(value), chart.y_unit);
        }
    }
}

void draw(Text& out, const ChartLine& one, const char* colour, const Axes& axes) {
    std::string path;
    for (const auto& [x, y] : one.points) {
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", axes.x(x), axes.y(y));
        line(out, R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>)", axes.x(x), axes.y(y),
             colour);
    }
    line(out, R"(<path d="{}" fill="none" stroke="{}" stroke-width="2"/>)", path, colour);
}

}  // namespace

std::string svg(const LineChart& chart) {
    Text out;
    line(out,
         R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" )"
         R"(height="{1}" font-family="sans-serif" font-size="12">)",
         width, height);
    line(out, "<style>text{{fill:#777}}.g{{stroke:#7774;fill:none}}</style>");
    line(out, R"(<text x="{}" y="24" font-size="15">{}</text>)", left, escaped(chart.title));
    const Axes axes = axes_of(chart);
    grid(out, chart, axes);
    line(out, R"(<text x="{}" y="{}" text-anchor="middle">{}</text>)", (left + width - right) / 2,
         height - 16, escaped(chart.x_title));
    line(out,
         R"--(<text transform="translate(16 {}) rotate(-90)" text-anchor="middle">{}</text>)--",
         (top + height - bottom) / 2, escaped(chart.y_title));
    for (std::size_t i = 0; i < chart.lines.size(); ++i) {
        const char* colour = colours[i % colours.size()];
        draw(out, chart.lines[i], colour, axes);
        line(out, R"(<text x="{}" y="{}" style="fill:{}">{}</text>)", left + 12,
             top + 18 * static_cast<double>(i + 1), colour, escaped(chart.lines[i].name));
    }
    line(out, "</svg>");
    return fmt::to_string(out);
}

}  // namespace diastole
