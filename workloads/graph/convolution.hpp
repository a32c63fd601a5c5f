// The geometry of a convolution, by definition: which input elements meet which weights. Windows
// slide over all dimensions behind batch and channels.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/operator.hpp"

namespace diastole {

// One dimension that windows slide along.
struct ConvolutionAxis {
    std::uint64_t in = 1, window = 1, out = 1;
    std::uint64_t stride = 1, dilation = 1;  // between windows; between the taps of one
    std::uint64_t before = 0, after = 0;     // zeros around the input, never stored or read

    // From a window's first tap to behind its last.
    [[nodiscard]] constexpr std::uint64_t span() const { return (window - 1) * dilation + 1; }
};

// Positions of the input, [begin, end).
struct AxisRange {
    std::uint64_t begin = 0, end = 0;
    [[nodiscard]] constexpr std::uint64_t size() const { return end - begin; }
};
// What the windows [first, last) reach of the input; empty where they see only zeros.
AxisRange input_of(const ConvolutionAxis& axis, std::uint64_t first, std::uint64_t last);
// Positions of the input that lie under at least one window, those between dilated taps included.
std::uint64_t touched(const ConvolutionAxis& axis);

// Each of `groups` groups convolves `channels` of the input into `filters` of the output.
struct Convolution {
    std::uint64_t batch = 0, groups = 1, channels = 0, filters = 0;
    std::vector<ConvolutionAxis> axes;

    [[nodiscard]] std::uint64_t taps() const;    // of a window
    [[nodiscard]] std::uint64_t pixels() const;  // of an output image
    // Elements of the input that any window needs, all images and channels.
    [[nodiscard]] std::uint64_t touched_elements() const;
};

// Throws TraceError naming the operator when its tensors and attributes do not fit each other.
Convolution convolution_of(const Graph& graph, const Operator& op);

}  // namespace diastole
