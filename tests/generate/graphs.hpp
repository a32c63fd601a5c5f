// Counting of graphs by definition, independent of workloads/graph/work.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/paths.hpp"
#include "workloads/generate/build_model.hpp"
#include "workloads/generate/read_model.hpp"

namespace diastole::test {

inline ModelDescription bundled(const std::string& name) {
    return read_model(source_dir() + "/workloads/library/" + name + ".toml");
}

inline const Operator& find(const Graph& graph, const std::string& name) {
    for (const Operator& op : graph.operators) {
        if (op.name == name) return op;
    }
    throw std::runtime_error("no operator " + name);
}

inline const std::vector<std::uint64_t>& shape(const Graph& graph, TensorIndex tensor) {
    return graph.tensors[tensor].shape;
}

struct Product {
    std::uint64_t batch = 1, m = 0, n = 0, k = 0;
    bool operator==(const Product& other) const {
        return batch == other.batch && m == other.m && n == other.n && k == other.k;
    }
};

// Multiplies a matrix product out by its shapes; throws where they do not fit.
inline Product product(const Graph& graph, const Operator& op) {
    auto a = shape(graph, op.inputs[0]);
    auto b = shape(graph, op.inputs[1]);
    const auto c = shape(graph, op.outputs[0]);
    if (op.attrs.transpose_a) std::swap(a[a.size() - 1], a[a.size() - 2]);
    if (op.attrs.transpose_b) std::swap(b[b.size() - 1], b[b.size() - 2]);
    const std::size_t r = a.size();
    if (b.size() != r || c.size() != r || a[r - 1] != b[r - 2] || c[r - 2] != a[r - 2] ||
        c[r - 1] != b[r - 1] || (r == 3 && (a[0] != b[0] || a[0] != c[0]))) {
        throw std::runtime_error(op.name + ": shapes do not fit");
    }
    return {r == 3 ? a[0] : 1, a[r - 2], b[r - 1], a[r - 1]};
}

inline double flops(const Graph& graph, const std::string& prefix = "") {
    double sum = 0;
    for (const Operator& op : graph.operators) {
        if (op.kind != OpKind::gemm && op.kind != OpKind::batched_gemm) continue;
        if (op.name.rfind(prefix, 0) != 0) continue;
        const Product p = product(graph, op);
        sum += 2.0 * static_cast<double>(p.batch * p.m) * static_cast<double>(p.n * p.k);
    }
    return sum;
}

inline double lookups(const Graph& graph, OpKind kind = OpKind::embedding_bag) {
    double sum = 0;
    for (const Operator& op : graph.operators) {
        if (op.kind != kind) continue;
        for (const EmbeddingTable& table : op.attrs.tables) {
            sum += static_cast<double>(table.lookups);
        }
    }
    return sum;
}

// Every dependency is earlier, every tensor is written before it is read (or never), and every read
// of a written tensor depends on its writer. Returns what is wrong.
inline std::string disorder(const Graph& graph) {
    std::map<TensorIndex, OperatorIndex> writer;
    std::map<TensorIndex, std::vector<OperatorIndex>> readers;
    std::set<std::uint64_t> ids;
    for (OperatorIndex i = 0; i < graph.operators.size(); ++i) {
        const Operator& op = graph.operators[i];
        const auto depends = [&](OperatorIndex on) {
            return on == i || std::count(op.deps.begin(), op.deps.end(), on) == 1;
        };
        if (!ids.insert(op.id).second) return op.name + ": id twice";
        for (const OperatorIndex dep : op.deps) {
            if (dep >= i) return op.name + ": depends on a later operator";
        }
        for (const TensorIndex t : op.inputs) {
            if (writer.count(t) != 0 && !depends(writer[t])) return op.name + ": misses a writer";
            readers[t].push_back(i);
        }
        for (const TensorIndex t : op.outputs) {
            for (const OperatorIndex reader : readers[t]) {
                if (!depends(reader)) return op.name + ": overwrites what is still to be read";
            }
            readers[t].clear();
            writer[t] = i;
        }
    }
    std::set<std::string> names;
    for (const Tensor& t : graph.tensors) {
        if (!names.insert(t.id).second) return "tensor id twice: " + t.id;
    }
    return {};
}

}  // namespace diastole::test
