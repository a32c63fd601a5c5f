// A line chart as SVG: numbers on a linear x axis, a logarithmic y axis.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace diastole {

struct ChartLine {
    std::string name;
    std::vector<std::pair<double, double>> points;  // y > 0
};

struct LineChart {
    std::string title, x_title, y_title;
    std::string y_unit;  // after the ticks' numbers: "s"
    double x_min = 0, x_max = 1, x_step = 0.1;
    std::vector<ChartLine> lines;
};

// A whole SVG document, 720 x 440, readable on white and on black.
std::string svg(const LineChart& chart);

}  // namespace diastole
