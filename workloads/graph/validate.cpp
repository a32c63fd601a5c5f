#include "workloads/graph/validate.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "workloads/graph/work.hpp"

namespace diastole {
namespace {

class Check {
  public:
    Check(const Graph& graph, const Operator& op) : graph_(graph), op_(op) {}

    void run() const {
        switch (op_.kind) {
            case OpKind::gemm:
            case OpKind::batched_gemm:
                gemm_of(graph_, op_);
                break;
            case OpKind::convolution:
                work_of(graph_, op_);
                break;
            case OpKind::attention:
                attention();
                work_of(graph_, op_);
                break;
            case OpKind::recurrent_cell:
                needs(4, 1, "x, h, W_x, W_h");
                if (input(0).shape.size() != 2)
                    fail("expected x [B, I], got " + describe(input(0)));
                work_of(graph_, op_);  // refuses what cannot be counted
                break;
            case OpKind::embedding_bag:
            case OpKind::embedding_bag_backward:
                embedding();
                break;
            case OpKind::elementwise:
                broadcast();
                break;
            case OpKind::reduction:
            case OpKind::softmax:
            case OpKind::scan:
            case OpKind::normalization:
            case OpKind::normalization_backward:
                needs(1, 1, "a tensor");
                axes();
                break;
            case OpKind::gather:
                needs(1, 1, "a source");
                break;
            case OpKind::scatter:
                needs(3, 1, "destination, indices, updates");
                break;
            case OpKind::loss:
            case OpKind::select:
            case OpKind::optimizer_step:
                needs(1, 0, "a tensor");
                break;
            case OpKind::layout:
            case OpKind::copy:
            case OpKind::collective:
            case OpKind::opaque:
                break;
        }
        if (op_.attrs.to_host && op_.attrs.from_host) fail("both to_host and from_host are set");
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw TraceError("operator " + std::to_string(op_.id) + " (" + op_.name +
                         "): " + std::string(name_of(op_.kind)) + ": " + what);
    }
    [[nodiscard]] const Tensor& input(std::size_t i) const { return graph_.tensors[op_.inputs[i]]; }
    [[nodiscard]] const Tensor& output() const { return graph_.tensors[op_.outputs[0]]; }

    void needs(std::size_t inputs, std::size_t outputs, const char* which) const {
        if (op_.inputs.size() >= inputs && op_.outputs.size() >= outputs) return;
        fail("expected at least " + std::to_string(inputs) + " inputs (" + which + ") and " +
             std::to_string(outputs) + " outputs, got " + std::to_string(op_.inputs.size()) +
             " and " + std::to_string(op_.outputs.size()));
    }

    void attention() const {
        needs(3, 1, "q, k, v");
        const auto &q = input(0).shape, &k = input(1).shape, &v = input(2).shape;
        const bool matrices = q.size() >= 2 && k.size() >= 2 && v.size() >= 2;
        if (!matrices || q.back() != k.back() || k[k.size() - 2] != v[v.size() - 2]) {
            fail("expected q [..., S, D], k [..., T, D], v [..., T, E], got " + describe_shape(q) +
                 ", " + describe_shape(k) + " and " + describe_shape(v));
        }
    }

    void embedding() const {
        if (op_.attrs.tables.empty()) fail("expected attrs.tables with at least one table");
        if (op_.kind == OpKind::embedding_bag_backward) return needs(1, 0, "the gradient");
        if (op_.outputs.empty()) fail("expected an output");
        std::uint64_t pooled = 0, lookups = 0;
        for (const EmbeddingTable& table : op_.attrs.tables) {
            pooled += std::uint64_t{table.bags} * table.dim;
            lookups += table.lookups;
        }
        // One value per lookup: the gradient of the lookups' weights, which reads the same rows.
        const std::uint64_t got = element_count(output());
        if (got != pooled && got != lookups) {
            fail("the tables give " + std::to_string(pooled) +
                 " elements (bags x dim), the output is " + describe(output()));
        }
    }

    void broadcast() const {
        if (op_.outputs.empty()) fail("expected an output");
        const auto& out = output().shape;
        for (const TensorIndex index : op_.inputs) {
            const auto& in = graph_.tensors[index].shape;
            bool fits = in.size() <= out.size();
            for (std::size_t i = 0; fits && i < in.size(); ++i) {
                fits = in[i] == 1 || in[i] == out[out.size() - in.size() + i];
            }
            // A reshape in between is free: as many elements are good enough.
            if (!fits && element_count(graph_.tensors[index]) != element_count(output())) {
                fail("the input " + describe(graph_.tensors[index]) +
                     " cannot be broadcast to the output " + describe(output()));
            }
        }
    }

    void axes() const {
        const std::size_t rank = input(0).shape.size();
        for (const std::uint32_t axis : op_.attrs.axes) {
            if (axis >= rank) {
                fail("axis " + std::to_string(axis) + " is outside of " + describe(input(0)));
            }
        }
    }

    const Graph& graph_;
    const Operator& op_;
};

}  // namespace

std::string describe_shape(const std::vector<std::uint64_t>& shape) {
    if (shape.empty()) return "scalar";
    std::string text;
    for (const std::uint64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
    return text;
}

bool is_plausible(const std::vector<std::uint64_t>& shape) {
    std::uint64_t elements = 1;
    for (const std::uint64_t size : shape) {
        if (size == 0 || size > most_elements / elements) return false;
        elements *= size;
    }
    return shape.size() <= most_dimensions;
}

std::string describe(const Tensor& tensor) {
    return std::string(name_of(tensor.type)) + "[" + describe_shape(tensor.shape) + "]";
}

void validate_operator(const Graph& graph, const Operator& op) {
    Check(graph, op).run();
}

void validate(const Graph& graph) {
    for (std::size_t i = 0; i < graph.operators.size(); ++i) {
        const Operator& op = graph.operators[i];
        for (const auto* list : {&op.inputs, &op.outputs}) {
            for (const TensorIndex index : *list) {
                if (index < graph.tensors.size()) continue;
                throw TraceError("operator " + std::to_string(op.id) + " (" + op.name +
                                 "): uses tensor number " + std::to_string(index) + " of " +
                                 std::to_string(graph.tensors.size()));
            }
        }
        for (const OperatorIndex dep : op.deps) {
            if (dep < i) continue;
            throw TraceError("operator " + std::to_string(op.id) + " (" + op.name +
                             "): depends on an operator that is launched later");
        }
        validate_operator(graph, op);
    }
}

}  // namespace diastole
