// gather and scatter: which tensor is the table, which the indices, which the rows.
#include <algorithm>

#include "model/base/random.hpp"
#include "workloads/graph/work.hpp"
#include "workloads/lower/indexed_source.hpp"
#include "workloads/lower/kernels.hpp"
#include "workloads/lower/stream_source.hpp"

namespace diastole {
namespace {

bool is_index(DType type) {
    return type == DType::int64 || type == DType::int32 || type == DType::boolean;
}

const Tensor& tensor_of(const LowerContext& context, TensorIndex index) {
    return context.graph.tensors[index];
}

// The index tensors: those after the first that hold integers.
std::vector<std::size_t> index_inputs(const LowerContext& context, const Operator& op) {
    std::vector<std::size_t> result;
    for (std::size_t i = 1; i < op.inputs.size(); ++i) {
        if (is_index(tensor_of(context, op.inputs[i]).type)) result.push_back(i);
    }
    return result;
}

// A row per index if that divides evenly, else a row per element.
IndexedRows rows_of(const LowerContext& context, const Operator& op, const Tensor& table,
                    const Tensor& dense) {
    IndexedRows work;
    work.user = describe_operator(op);
    const std::vector<std::size_t> indices = index_inputs(context, op);
    const std::uint64_t elements = element_count(dense);
    const std::uint64_t count =
        indices.empty() ? 0 : element_count(tensor_of(context, op.inputs[indices[0]]));
    work.rows = count > 0 && elements % count == 0 ? count : elements;
    const std::uint64_t row_elements = elements / std::max<std::uint64_t>(1, work.rows);
    work.row_bytes = row_elements * size_of(dense.type);
    work.table_bytes = size_of(table).count();
    work.table_rows =
        std::max<std::uint64_t>(1, work.table_bytes / std::max<std::uint64_t>(1, work.row_bytes));
    for (const std::size_t i : indices) {
        const Tensor& index = tensor_of(context, op.inputs[i]);
        if (element_count(index) != work.rows) continue;
        work.indices.push_back(context.memory.input(op, i));
        work.index_bytes.push_back(static_cast<std::uint32_t>(size_of(index.type)));
    }
    work.seed = Random::mix(op.id + 1) ^ context.batch;
    work.gather_rows = std::max(1U, context.params.gather_rows);
    return work;
}

// A table that a PE can hold: everything streams past it, and the vector cores pick.
std::unique_ptr<CommandSource> gather_locally(const LowerContext& context, const Operator& op,
                                              std::string& note) {
    StreamRecipe recipe;
    recipe.user = describe_operator(op);
    recipe.items = element_count(tensor_of(context, op.outputs[0]));
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const Tensor& tensor = tensor_of(context, op.inputs[i]);
        if (element_count(tensor) == 0) continue;
        recipe.inputs.push_back(
            {context.memory.input(op, i), static_cast<std::uint32_t>(size_of(tensor.type)),
             element_count(tensor), i == 0 ? Follows::whole : Follows::linear, 1});
    }
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
        const Tensor& tensor = tensor_of(context, op.outputs[i]);
        recipe.outputs.push_back({context.memory.output(op, i),
                                  static_cast<std::uint32_t>(size_of(tensor.type)),
                                  element_count(tensor), Follows::linear, 1});
    }
    const Engine engine =
        pick_engine(context.chip, tensor_of(context, op.outputs[0]).type, recipe.user);
    recipe.map = {engine.unit, engine.type, recipe.items * engine.multiple, 0};
    const StreamPlan plan = plan_stream(recipe, context.chip, context.params);
    note = "the table in local memory, chunks of " + std::to_string(plan.chunk);
    return std::make_unique<StreamSource>(std::move(recipe), plan, context.chip);
}

std::unique_ptr<CommandSource> lower_scatter(const LowerContext& context, const Operator& op,
                                             std::string& note) {
    const Tensor& table = tensor_of(context, op.outputs[0]);
    // The rows: the last input that is neither the table nor an index; else the table itself.
    std::size_t source = op.inputs.size() - 1;
    while (source > 0 && is_index(tensor_of(context, op.inputs[source]).type) &&
           !is_index(table.type)) {
        --source;
    }
    const Tensor& dense = tensor_of(context, op.inputs[source]);
    IndexedRows work = rows_of(context, op, table, dense);
    work.scatter = true;
    work.table = context.memory.output(op, 0);
    work.dense = context.memory.input(op, source);
    const std::uint64_t flops = work_of(context.graph, op).flops_vector;
    work.adds = flops > 0;
    work.flops = flops;
    work.engine = pick_engine(context.chip, dense.type, work.user);
    if (source > 0 && op.inputs[0] != op.outputs[0]) work.before = context.memory.input(op, 0);
    note = "scatter of " + std::to_string(work.row_bytes) + "-byte rows, indices uniform (assumed)";
    return std::make_unique<IndexedSource>(work, context.chip);
}

}  // namespace

std::unique_ptr<CommandSource> lower_gather(const LowerContext& context, const Operator& op,
                                            std::string& note) {
    if (op.inputs.empty() || op.outputs.empty()) return lower_elementwise(context, op, note);
    if (element_count(tensor_of(context, op.outputs[0])) == 0) return nullptr;
    if (op.kind == OpKind::scatter) return lower_scatter(context, op, note);
    const Tensor& table = tensor_of(context, op.inputs[0]);
    const std::uint64_t small = context.chip.local_memory.bytes / 4;
    if (size_of(table).count() <= small || op.outputs.size() > 1) {
        return gather_locally(context, op, note);
    }
    IndexedRows work = rows_of(context, op, table, tensor_of(context, op.outputs[0]));
    work.table = context.memory.input(op, 0);
    work.dense = context.memory.output(op, 0);
    note = "gather of " + std::to_string(work.row_bytes) + "-byte rows, indices uniform (assumed)";
    return std::make_unique<IndexedSource>(work, context.chip);
}

}  // namespace diastole
