// Kernels that pass over tensors once or twice: their recipes for the streaming source.
#include <algorithm>
#include <utility>

#include "workloads/graph/work.hpp"
#include "workloads/lower/kernels.hpp"
#include "workloads/lower/stream_source.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t sum_bytes = 4;  // fp32 statistics and sums

const Tensor& tensor_of(const LowerContext& context, TensorIndex index) {
    return context.graph.tensors[index];
}

StreamOperand operand(const Tensor& tensor, Placement at, Follows follows) {
    return {at, static_cast<std::uint32_t>(size_of(tensor.type)), element_count(tensor), follows,
            1};
}

StreamOperand input(const LowerContext& context, const Operator& op, std::size_t i,
                    Follows follows = Follows::linear) {
    return operand(tensor_of(context, op.inputs[i]), context.memory.input(op, i), follows);
}

StreamOperand output(const LowerContext& context, const Operator& op, std::size_t i) {
    return operand(tensor_of(context, op.outputs[i]), context.memory.output(op, i),
                   Follows::linear);
}

std::uint64_t elements_of_input(const LowerContext& context, const Operator& op, std::size_t i) {
    return i < op.inputs.size() ? element_count(tensor_of(context, op.inputs[i])) : 0;
}

// What the engine computes in: the widest type of the operands that are not scalars, and of two as
// wide the earlier in the type table (floating point first).
DType widest_type(const LowerContext& context, const Operator& op) {
    std::optional<DType> widest;
    for (const bool scalars : {false, true}) {
        for (const auto* list : {&op.inputs, &op.outputs}) {
            for (const TensorIndex index : *list) {
                const Tensor& tensor = tensor_of(context, index);
                if (!scalars && element_count(tensor) <= 1) continue;
                if (!widest || size_of(tensor.type) > size_of(*widest) ||
                    (size_of(tensor.type) == size_of(*widest) && tensor.type < *widest)) {
                    widest = tensor.type;
                }
            }
        }
        if (widest) return *widest;
    }
    return DType::fp32;
}

// Whether `shape`, without leading ones, is the end of `whole`: broadcast along leading dimensions.
bool is_suffix(const std::vector<std::uint64_t>& shape, const std::vector<std::uint64_t>& whole) {
    std::size_t first = 0;
    while (first < shape.size() && shape[first] == 1) ++first;
    const std::size_t rank = shape.size() - first;
    return rank <= whole.size() &&
           std::equal(shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end(),
                      whole.end() - static_cast<std::ptrdiff_t>(rank));
}

// The shape of a tensor around the reduced axes: [outer, extent, inner]. Axes that do not touch
// are taken as one at the place of the first: the bytes are right, their order is not.
struct Around {
    std::uint64_t outer = 1, extent = 1, inner = 1;
};
Around around(const Tensor& tensor, const std::vector<std::uint32_t>& axes) {
    Around result;
    const std::uint32_t first = *std::min_element(axes.begin(), axes.end());
    for (std::uint32_t d = 0; d < tensor.shape.size(); ++d) {
        const bool reduced = std::find(axes.begin(), axes.end(), d) != axes.end();
        std::uint64_t& field = reduced ? result.extent : (d < first ? result.outer : result.inner);
        field *= tensor.shape[d];
    }
    return result;
}

std::unique_ptr<CommandSource> stream(const LowerContext& context, StreamRecipe recipe,
                                      const std::string& how, const std::string& engine,
                                      std::string& note) {
    const StreamPlan plan = plan_stream(recipe, context.chip, context.params);
    note = how + " in chunks of " + std::to_string(plan.chunk);
    if (plan.pieces > 1) note += ", each in " + std::to_string(plan.pieces) + " pieces";
    if (!engine.empty()) note += ", " + engine;
    return std::make_unique<StreamSource>(std::move(recipe), plan, context.chip);
}

StreamStage stage_on(const Engine& engine, std::uint64_t operations, std::uint64_t flops) {
    return {engine.unit, engine.type, operations * engine.multiple, flops};
}

// Adds every operand, as it follows the widest one.
void add_operands(const LowerContext& context, const Operator& op, StreamRecipe& recipe) {
    const Tensor* widest = nullptr;
    for (const auto* list : {&op.outputs, &op.inputs}) {
        for (const TensorIndex index : *list) {
            const Tensor& tensor = tensor_of(context, index);
            if (widest == nullptr || element_count(tensor) > element_count(*widest)) {
                widest = &tensor;
            }
        }
    }
    recipe.items = widest == nullptr ? 0 : element_count(*widest);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const Tensor& tensor = tensor_of(context, op.inputs[i]);
        const std::uint64_t count = element_count(tensor);
        if (count == 0) continue;
        const bool repeats = count < recipe.items && is_suffix(tensor.shape, widest->shape);
        recipe.inputs.push_back(input(context, op, i, repeats ? Follows::cyclic : Follows::linear));
    }
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
        recipe.outputs.push_back(output(context, op, i));
    }
}

}  // namespace

// Elementwise, select, optimizer step, a loss without reduction: one pass over everything.
std::unique_ptr<CommandSource> lower_elementwise(const LowerContext& context, const Operator& op,
                                                 std::string& note) {
    StreamRecipe recipe;
    recipe.user = describe_operator(op);
    add_operands(context, op, recipe);
    const Engine engine = pick_engine(context.chip, widest_type(context, op), recipe.user);
    const std::uint64_t flops = work_of(context.graph, op).flops_vector;
    // One operation of a transcendental kind takes longer; a pass without arithmetic (a fill, a
    // conversion) still moves every element through the engine once.
    std::uint64_t operations = std::max(flops, recipe.items);
    if (op.attrs.transcendental) operations += recipe.items * (engine.transcendental_ops - 1);
    recipe.map = stage_on(engine, operations, flops);
    return stream(context, std::move(recipe), "streamed", engine.note, note);
}

// Bytes in, bytes out, no arithmetic.
std::unique_ptr<CommandSource> lower_opaque(const LowerContext& context, const Operator& op,
                                            std::string& note) {
    StreamRecipe recipe;
    recipe.user = describe_operator(op);
    if (op.attrs.bytes) {
        recipe.items = *op.attrs.bytes;
        recipe.inputs.push_back({context.memory.scratch(), 1, *op.attrs.bytes, Follows::linear, 1});
    } else {
        add_operands(context, op, recipe);
        for (StreamOperand& in : recipe.inputs) in.follows = Follows::linear;
    }
    const Engine engine = pick_engine(context.chip, DType::fp32, recipe.user);
    recipe.map = {engine.unit, engine.type, 0, 0};
    return stream(context, std::move(recipe), "its bytes streamed", "", note);
}

std::unique_ptr<CommandSource> lower_reduction(const LowerContext& context, const Operator& op,
                                               std::string& note) {
    const Tensor& in = tensor_of(context, op.inputs.at(0));
    const std::uint64_t total = element_count(in);
    const std::uint64_t results =
        op.outputs.empty() ? 1 : element_count(tensor_of(context, op.outputs[0]));
    if (total == 0) return nullptr;
    Around shape{1, total, 1};
    if (!op.attrs.axes.empty() && op.kind == OpKind::reduction) {
        shape = around(in, op.attrs.axes);
    } else if (results > 0 && total % results == 0) {
        shape = {results, total / results, 1};  // along the last dimensions
    }
    const std::uint64_t pes = pe_count(context.chip);
    const std::uint64_t memory = context.chip.local_memory.bytes;
    const std::uint64_t element = size_of(in.type);
    const std::uint64_t item = shape.extent * shape.inner * element;

    StreamRecipe recipe;
    recipe.user = describe_operator(op);
    recipe.output_once_per_item = true;
    std::string how;
    const bool by_rows = shape.inner == 1 ? shape.outer >= 4 * pes || item <= 4096
                                          : shape.outer >= pes && item <= memory / 8;
    const bool by_columns =
        shape.inner > 1 && (shape.inner * element >= pes * context.chip.sram.interleave_bytes ||
                            shape.inner * std::max(element, sum_bytes) > memory / 16);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        StreamOperand operand = input(context, op, i);
        if (operand.elements == 0) continue;
        if (operand.elements == total && !by_rows && by_columns) {
            operand.follows = Follows::strided;
            operand.rows = shape.extent;
        }
        recipe.inputs.push_back(operand);
    }
    std::vector<StreamOperand> outputs;
    for (std::size_t i = 0; i < op.outputs.size(); ++i) outputs.push_back(output(context, op, i));
    if (by_rows) {
        how = "rows over PEs";
        recipe.items = shape.outer;
        recipe.outputs = outputs;
    } else if (by_columns) {
        how = "columns over PEs";
        recipe.groups = shape.outer;
        recipe.items = shape.inner;
        recipe.outputs = outputs;
    } else {
        how = "partial sums, chained over PEs";
        recipe.groups = shape.outer;
        recipe.items = shape.extent;
        for (StreamOperand& column : outputs) column.elements /= shape.outer;
        recipe.column_sums = outputs;
        recipe.output_once_per_item = false;
    }
    // A loss: the arithmetic on the SIMD engine, its sums there too.
    const std::uint64_t flops = work_of(context.graph, op).flops_vector;
    std::string engine_note;
    if (op.kind == OpKind::loss) {
        const Engine engine = pick_engine(context.chip, in.type, recipe.user);
        const std::uint64_t more = op.attrs.transcendental ? engine.transcendental_ops - 1 : 0;
        recipe.map = stage_on(engine, std::max(flops, total) + total * more, flops);
        engine_note = engine.note;
    } else {
        recipe.map = {Unit::reduction, in.type, std::max(flops, total), flops};
    }
    return stream(context, std::move(recipe), how, engine_note, note);
}

// Normalization, its backward and softmax: along rows, statistics first, then every element.
std::unique_ptr<CommandSource> lower_rows(const LowerContext& context, const Operator& op,
                                          std::string& note) {
    const Tensor& first = tensor_of(context, op.inputs.at(0));
    const std::uint64_t total = element_count(first);
    if (total == 0) return nullptr;
    std::uint64_t extent = first.shape.empty() ? 1 : first.shape.back();
    if (!op.attrs.axes.empty()) extent = around(first, op.attrs.axes).extent;
    const std::uint64_t rows = total / extent;
    const bool backward = op.kind == OpKind::normalization_backward;

    StreamRecipe recipe;
    recipe.user = describe_operator(op);
    recipe.items = rows;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const std::uint64_t count = elements_of_input(context, op, i);
        if (count == 0) continue;
        const bool of_rows = count == total || (count == rows && rows != extent);
        const bool shared = !of_rows && (count == extent || count == 1);
        recipe.inputs.push_back(input(context, op, i, shared ? Follows::whole : Follows::linear));
    }
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
        const StreamOperand out = output(context, op, i);
        const bool sums = backward && i > 0 && out.elements == extent;
        (sums ? recipe.column_sums : recipe.outputs).push_back(out);
    }
    const Engine engine = pick_engine(context.chip, first.type, recipe.user);
    const std::uint64_t flops = work_of(context.graph, op).flops_vector;
    // Sum and sum of squares; maximum and sum of exponentials; two dot products.
    const std::uint64_t statistics = std::min(flops, total * (backward ? 4 : 2));
    recipe.reduce = StreamStage{Unit::reduction, first.type, statistics, statistics};
    std::uint64_t operations = std::max(flops - statistics, total);
    const std::uint64_t more = engine.transcendental_ops - 1;
    operations += op.kind == OpKind::softmax ? total * more : rows * more;  // exp; square root
    recipe.map = stage_on(engine, operations, flops - statistics);
    return stream(context, std::move(recipe), "rows over PEs", engine.note, note);
}

// Along the last of [outer, extent, inner]; a row stays on one PE, which carries the sum along.
std::unique_ptr<CommandSource> lower_scan(const LowerContext& context, const Operator& op,
                                          std::string& note) {
    const Tensor& in = tensor_of(context, op.inputs.at(0));
    const std::uint64_t total = element_count(in);
    if (total == 0) return nullptr;
    std::uint64_t rows = 1;
    if (!op.attrs.axes.empty()) rows = around(in, op.attrs.axes).outer;
    StreamRecipe recipe;
    recipe.user = describe_operator(op);
    recipe.items = rows;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        if (elements_of_input(context, op, i) > 0) recipe.inputs.push_back(input(context, op, i));
    }
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
        recipe.outputs.push_back(output(context, op, i));
    }
    const Engine engine = pick_engine(context.chip, in.type, recipe.user);
    const std::uint64_t flops = work_of(context.graph, op).flops_vector;
    recipe.map = stage_on(engine, std::max(flops, total), flops);
    return stream(context, std::move(recipe), "rows over PEs", engine.note, note);
}

}  // namespace diastole
