// Kernels that only move bytes: as moves between two pitches.
#include <algorithm>
#include <numeric>
#include <optional>

#include "workloads/lower/kernels.hpp"
#include "workloads/lower/move_source.hpp"

namespace diastole {
namespace {

using Shape = std::vector<std::uint64_t>;

std::uint64_t product(const Shape& shape, std::size_t from, std::size_t to) {
    return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(from),
                           shape.begin() + static_cast<std::ptrdiff_t>(to), std::uint64_t{1},
                           [](std::uint64_t a, std::uint64_t b) { return a * b; });
}

Move straight(Placement from, Placement to, std::uint64_t bytes) {
    return {from, to, 1, bytes, bytes, bytes, 0};
}

std::unique_ptr<CommandSource> moves(const LowerContext& context, const Operator& op,
                                     std::vector<Move> list, const std::string& how,
                                     std::string& note) {
    note = how;
    return std::make_unique<MoveSource>(std::move(list), context.chip, context.params,
                                        describe_operator(op));
}

// Along which axis the parts lie in the whole: as given, else the first along which they differ.
std::size_t split_axis(const Operator& op, const Shape& part, const Shape& whole) {
    if (!op.attrs.axes.empty() && op.attrs.axes[0] < whole.size()) return op.attrs.axes[0];
    for (std::size_t d = 0; d < std::min(part.size(), whole.size()); ++d) {
        if (part[d] != whole[d]) return d;
    }
    return 0;
}

// A concatenation (parts into the whole) or its opposite, a slice or split.
std::vector<Move> split_moves(const LowerContext& context, const Operator& op, bool concatenate) {
    const auto& parts = concatenate ? op.inputs : op.outputs;
    const auto place = [&](bool input, std::size_t i) {
        return input ? context.memory.input(op, i) : context.memory.output(op, i);
    };
    const Tensor& whole = context.graph.tensors[concatenate ? op.outputs[0] : op.inputs[0]];
    const Tensor& first = context.graph.tensors[parts[0]];
    const std::size_t axis = split_axis(op, first.shape, whole.shape);
    const std::uint64_t outer = product(whole.shape, 0, std::min(axis, whole.shape.size()));
    const std::uint64_t pitch = size_of(whole).count() / outer;
    std::vector<Move> list;
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::uint64_t bytes = size_of(context.graph.tensors[parts[i]]).count() / outer;
        Placement in_whole = place(!concatenate, 0);
        in_whole.address += offset;
        const Placement alone = place(concatenate, i);
        if (bytes > 0) {
            list.push_back(concatenate ? Move{alone, in_whole, outer, bytes, bytes, pitch, 0}
                                       : Move{in_whole, alone, outer, bytes, pitch, bytes, 0});
        }
        offset += bytes;
    }
    return list;
}

// A permutation of axes as transpositions of matrices whose elements are the trailing axes that
// keep their place. Exact for one block of axes moved past another; for others the tiles are of the
// right size and number, their addresses approximate.
struct Permutation {
    std::uint64_t batch = 1, rows = 1, columns = 1, inner = 1;
};

std::optional<Permutation> permutation_of(const Operator& op, const Shape& in, const Shape& out) {
    const std::size_t rank = in.size();
    std::vector<std::size_t> order(rank);
    if (op.attrs.axes.size() == rank && rank > 1) {
        for (std::size_t d = 0; d < rank; ++d) order[d] = op.attrs.axes[d];
        std::vector<std::size_t> sorted = order;
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t d = 0; d < rank; ++d) {
            if (sorted[d] != d) return std::nullopt;
        }
    } else {
        if (out.size() != rank || in == out) return std::nullopt;
        std::iota(order.begin(), order.end(), std::size_t{0});
        if (op.attrs.axes.size() == 2 && op.attrs.axes[0] < rank && op.attrs.axes[1] < rank) {
            std::swap(order[op.attrs.axes[0]], order[op.attrs.axes[1]]);
        } else {  // the first exchange of two axes that explains the output
            for (std::size_t a = 0; a < rank; ++a) {
                for (std::size_t b = a + 1; b < rank; ++b) {
                    Shape swapped = in;
                    std::swap(swapped[a], swapped[b]);
                    if (swapped != out) continue;
                    std::swap(order[a], order[b]);
                    a = b = rank;
                }
            }
        }
    }
    std::size_t first = 0, last = rank;
    while (first < rank && order[first] == first) ++first;
    while (last > first && order[last - 1] == last - 1) --last;
    if (first == last) return std::nullopt;
    const std::size_t cut = order[first];  // the axes from here on come first in the output
    return Permutation{product(in, 0, first), product(in, first, cut), product(in, cut, last),
                       product(in, last, rank)};
}

}  // namespace

std::unique_ptr<CommandSource> lower_copy(const LowerContext& context, const Operator& op,
                                          std::string& note) {
    if (op.inputs.empty() || op.outputs.empty()) {
        if (!op.attrs.bytes) return lower_elementwise(context, op, note);
        const Placement scratch = context.memory.scratch();
        return moves(context, op, {straight(scratch, scratch, *op.attrs.bytes)},
                     "copy of an unnamed buffer", note);
    }
    const Tensor& from = context.graph.tensors[op.inputs[0]];
    const Tensor& to = context.graph.tensors[op.outputs[0]];
    if (from.type != to.type || element_count(from) != element_count(to)) {
        return lower_elementwise(context, op, note);  // converts or repeats
    }
    return moves(context, op,
                 {straight(context.memory.input(op, 0), context.memory.output(op, 0),
                           size_of(from).count())},
                 "copy", note);
}

std::unique_ptr<CommandSource> lower_layout(const LowerContext& context, const Operator& op,
                                            std::string& note) {
    if (op.attrs.view) return nullptr;
    if (op.inputs.empty() || op.outputs.empty()) return lower_elementwise(context, op, note);
    const auto sum = [&](const std::vector<TensorIndex>& list) {
        std::uint64_t bytes = 0;
        for (const TensorIndex t : list) bytes += size_of(context.graph.tensors[t]).count();
        return bytes;
    };
    const Tensor& in = context.graph.tensors[op.inputs[0]];
    const Tensor& out = context.graph.tensors[op.outputs[0]];
    const std::uint64_t bytes_in = sum(op.inputs), bytes_out = sum(op.outputs);
    if (op.inputs.size() > 1 && op.outputs.size() == 1 && bytes_in == bytes_out) {
        return moves(context, op, split_moves(context, op, true), "concatenation", note);
    }
    const bool shrinks = bytes_out < bytes_in && in.type == out.type;
    if (op.inputs.size() == 1 && (shrinks || op.outputs.size() > 1) && bytes_out <= bytes_in) {
        return moves(context, op, split_moves(context, op, false), "slice", note);
    }
    if (op.inputs.size() != 1 || op.outputs.size() != 1 || bytes_in != bytes_out ||
        in.type != out.type) {
        return lower_elementwise(context, op, note);  // a padding, a repetition
    }
    const auto permutation = permutation_of(op, in.shape, out.shape);
    if (!permutation || permutation->rows == 1 || permutation->columns == 1) {
        return lower_copy(context, op, note);
    }
    const std::uint64_t element = permutation->inner * size_of(in.type);
    const std::uint64_t matrix = permutation->rows * permutation->columns * element;
    std::vector<Move> list;
    for (std::uint64_t b = 0; b < permutation->batch; ++b) {
        Placement from = context.memory.input(op, 0), to = context.memory.output(op, 0);
        from.address += b * matrix;
        to.address += b * matrix;
        list.push_back({from, to, permutation->rows, permutation->columns * element,
                        permutation->columns * element, permutation->rows * element, element});
    }
    return moves(context, op, std::move(list), "transposition on the layout unit", note);
}

}  // namespace diastole
