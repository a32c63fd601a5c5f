#include "workloads/generate/footprint.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "workloads/graph/work.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t moment_bytes = 4;  // row-wise Adagrad: one fp32 per row

bool is_embedding(const Operator& op) {
    return op.kind == OpKind::embedding_bag || op.kind == OpKind::embedding_bag_backward;
}

// Bytes of all tables, and of their moments where an operator trains them.
void add_tables(const Graph& graph, Footprint& result) {
    // A table is known by its place, name and size; forward and backward list the same ones.
    using Key = std::tuple<std::size_t, std::string, std::uint64_t, std::uint32_t>;
    std::set<Key> seen;
    std::set<Key> trained;
    for (const Operator& op : graph.operators) {
        if (!is_embedding(op)) continue;
        for (std::size_t i = 0; i < op.attrs.tables.size(); ++i) {
            const EmbeddingTable& table = op.attrs.tables[i];
            const Key key{i, table.name, table.rows, table.dim};
            if (seen.insert(key).second) {
                result.tables += Bytes(table.rows * table.dim * size_of(table.type));
            }
            if (op.kind == OpKind::embedding_bag_backward && trained.insert(key).second) {
                result.state += Bytes(table.rows * moment_bytes);
            }
        }
    }
}

Bytes peak_activations(const Graph& graph, const std::vector<TensorRole>& roles) {
    std::vector<OperatorIndex> last_use(graph.tensors.size(), 0);
    std::vector<bool> born(graph.tensors.size(), false);
    std::vector<bool> moves_nothing(graph.tensors.size(), false);
    for (OperatorIndex i = 0; i < graph.operators.size(); ++i) {
        const Operator& op = graph.operators[i];
        for (const TensorIndex t : op.inputs) last_use[t] = i;
        for (const TensorIndex t : op.outputs) {
            last_use[t] = i;
            moves_nothing[t] = op.kind == OpKind::layout && op.attrs.view;
        }
    }
    std::vector<std::vector<TensorIndex>> dying(graph.operators.size());
    for (TensorIndex t = 0; t < graph.tensors.size(); ++t) {
        if (!graph.operators.empty()) dying[last_use[t]].push_back(t);
    }
    Bytes live;
    Bytes peak;
    for (OperatorIndex i = 0; i < graph.operators.size(); ++i) {
        for (const TensorIndex t : graph.operators[i].outputs) {
            if (roles[t] != TensorRole::activation || born[t] || moves_nothing[t]) continue;
            born[t] = true;
            live += size_of(graph.tensors[t]);
        }
        peak = std::max(peak, live);
        for (const TensorIndex t : dying[i]) {
            if (born[t]) live -= size_of(graph.tensors[t]);
        }
    }
    return peak;
}

}  // namespace

std::vector<TensorRole> tensor_roles(const Graph& graph) {
    std::vector<TensorRole> roles(graph.tensors.size(), TensorRole::activation);
    std::vector<bool> seen(graph.tensors.size(), false);  // read or written before
    for (const Operator& op : graph.operators) {
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
            const TensorIndex t = op.inputs[i];
            if (seen[t]) continue;
            seen[t] = true;
            roles[t] = TensorRole::parameter;
            if (op.kind == OpKind::optimizer_step && i >= 2) roles[t] = TensorRole::state;
            const bool gradient = op.kind == OpKind::embedding_bag_backward && i == 0;
            if (gradient) continue;
            if (is_table_storage(op, graph.tensors[t])) {
                roles[t] = TensorRole::table;
            } else if (is_moment_storage(op, graph.tensors[t])) {
                roles[t] = TensorRole::state;
            }
        }
        for (const TensorIndex t : op.outputs) seen[t] = true;
    }
    return roles;
}

Footprint footprint(const Graph& graph) {
    Footprint result;
    add_tables(graph, result);
    const std::vector<TensorRole> roles = tensor_roles(graph);
    for (TensorIndex t = 0; t < graph.tensors.size(); ++t) {
        const Bytes size = size_of(graph.tensors[t]);
        if (roles[t] == TensorRole::parameter) result.parameters += size;
    }
    for (const Operator& op : graph.operators) {
        if (op.kind != OpKind::optimizer_step) continue;
        for (std::size_t i = 2; i < op.inputs.size(); ++i) {
            if (roles[op.inputs[i]] == TensorRole::state) {
                result.state += size_of(graph.tensors[op.inputs[i]]);
            }
        }
    }
    result.peak_activations = peak_activations(graph, roles);
    return result;
}

}  // namespace diastole
