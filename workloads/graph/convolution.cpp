#include "workloads/graph/convolution.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "workloads/graph/validate.hpp"

namespace diastole {
namespace {

using Shape = std::vector<std::uint64_t>;

[[noreturn]] void fail(const Operator& op, const std::string& what) {
    throw TraceError("operator " + std::to_string(op.id) + " (" + op.name +
                     "): convolution: " + what);
}

std::uint64_t value_or(const std::vector<std::uint32_t>& list, std::size_t i,
                       std::uint64_t otherwise) {
    return list.empty() ? otherwise : list[i];
}

void check_length(const Operator& op, const char* key, std::size_t got, std::size_t axes) {
    const bool paddings = std::string_view(key) == "padding";
    if (got == 0 || got == axes || (paddings && got == 2 * axes)) return;
    fail(op, "attrs." + std::string(key) + ": expected " + std::to_string(axes) +
                 (paddings ? " or " + std::to_string(2 * axes) : "") + " values, got " +
                 std::to_string(got));
}

void check_ranks(const Graph& graph, const Operator& op) {
    if (op.inputs.size() < 2 || op.outputs.empty()) {
        fail(op, "expected at least 2 inputs (input, weight) and 1 outputs, got " +
                     std::to_string(op.inputs.size()) + " and " +
                     std::to_string(op.outputs.size()));
    }
    const Shape& in = graph.tensors.at(op.inputs[0]).shape;
    const Shape& weight = graph.tensors.at(op.inputs[1]).shape;
    const Shape& out = graph.tensors.at(op.outputs[0]).shape;
    if (in.size() < 3 || in.size() != weight.size() || in.size() != out.size()) {
        fail(op, "expected input, weight and output of the same rank from 3 on, got " +
                     describe_shape(in) + ", " + describe_shape(weight) + " and " +
                     describe_shape(out));
    }
    const bool fits = in[0] == out[0] && weight[0] == out[1] && in[1] % weight[1] == 0 &&
                      weight[0] % (in[1] / weight[1]) == 0;
    if (!fits) {
        fail(op, "batch or channels of input " + describe_shape(in) + ", weight " +
                     describe_shape(weight) + " and output " + describe_shape(out) + " do not fit");
    }
    const std::size_t axes = in.size() - 2;
    check_length(op, "strides", op.attrs.strides.size(), axes);
    check_length(op, "dilations", op.attrs.dilations.size(), axes);
    check_length(op, "padding", op.attrs.padding.size(), axes);
}

void check_axis(const Operator& op, const ConvolutionAxis& axis, std::size_t i) {
    const std::string dimension = "dimension " + std::to_string(i + 2) + ": ";
    const std::uint64_t padded = axis.in + axis.before + axis.after;
    if (axis.span() > padded) {
        fail(op, dimension + "a window of " + std::to_string(axis.span()) +
                     " is larger than the input of " + std::to_string(axis.in) +
                     (padded > axis.in ? " with padding, " + std::to_string(padded) : ""));
    }
    const std::uint64_t out = (padded - axis.span()) / axis.stride + 1;
    if (out == axis.out) return;
    fail(op, dimension + "an input of " + std::to_string(axis.in) + ", a window of " +
                 std::to_string(axis.window) + ", stride " + std::to_string(axis.stride) +
                 ", dilation " + std::to_string(axis.dilation) + " and padding " +
                 std::to_string(axis.before) + " + " + std::to_string(axis.after) + " give " +
                 std::to_string(out) + ", the output has " + std::to_string(axis.out));
}

}  // namespace

AxisRange input_of(const ConvolutionAxis& axis, std::uint64_t first, std::uint64_t last) {
    if (first >= last) return {};
    const std::uint64_t begin = first * axis.stride;
    const std::uint64_t end = (last - 1) * axis.stride + axis.span();
    const auto stored = [&](std::uint64_t padded) {
        return std::min(padded > axis.before ? padded - axis.before : 0, axis.in);
    };
    return {stored(begin), stored(end)};
}

// Positions of the padded input repeat with the stride: the first `span` of each period lie under a
// window.
std::uint64_t touched(const ConvolutionAxis& axis) {
    if (axis.stride <= axis.span()) return input_of(axis, 0, axis.out).size();
    const auto below = [&](std::uint64_t position) {
        const std::uint64_t windows = position / axis.stride;
        if (windows >= axis.out) return axis.out * axis.span();
        return windows * axis.span() + std::min(position % axis.stride, axis.span());
    };
    return below(axis.before + axis.in) - below(axis.before);
}

std::uint64_t Convolution::taps() const {
    std::uint64_t result = 1;
    for (const ConvolutionAxis& axis : axes) result *= axis.window;
    return result;
}

std::uint64_t Convolution::pixels() const {
    std::uint64_t result = 1;
    for (const ConvolutionAxis& axis : axes) result *= axis.out;
    return result;
}

std::uint64_t Convolution::touched_elements() const {
    std::uint64_t result = batch * groups * channels;
    for (const ConvolutionAxis& axis : axes) result *= touched(axis);
    return result;
}

Convolution convolution_of(const Graph& graph, const Operator& op) {
    check_ranks(graph, op);
    const Shape& in = graph.tensors.at(op.inputs[0]).shape;
    const Shape& weight = graph.tensors.at(op.inputs[1]).shape;
    const Shape& out = graph.tensors.at(op.outputs[0]).shape;
    Convolution result;
    result.batch = in[0];
    result.channels = weight[1];
    result.groups = in[1] / weight[1];
    result.filters = weight[0] / result.groups;
    const Attributes& attrs = op.attrs;
    for (std::size_t i = 0; i + 2 < in.size(); ++i) {
        ConvolutionAxis axis{in[i + 2], weight[i + 2], out[i + 2], 1, 1, 0, 0};
        axis.stride = value_or(attrs.strides, i, 1);
        axis.dilation = value_or(attrs.dilations, i, 1);
        const bool both = attrs.padding.size() == 2 * (in.size() - 2);
        axis.before = value_or(attrs.padding, i, 0);
        axis.after = value_or(attrs.padding, both ? i + in.size() - 2 : i, 0);
        check_axis(op, axis, i);
        result.axes.push_back(axis);
    }
    return result;
}

}  // namespace diastole
