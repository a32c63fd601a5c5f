// Builds an operator graph in launch order and finds the dependencies.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "workloads/graph/operator.hpp"

namespace diastole {

// What an elementwise operator computes, as far as its derivative needs it; the kind says the rest.
enum class Formula : std::uint8_t {
    none,
    relu,
    sigmoid,
    add,           // a + b
    multiply_add,  // a * b + c
};

class GraphBuilder {
  public:
    using Shape = std::vector<std::uint64_t>;

    TensorIndex tensor(std::string id, Shape shape, DType type);
    // A tensor that training changes.
    TensorIndex parameter(std::string id, Shape shape, DType type);

    // Depends on the last writer of every input, and, where an output exists already (an update in
    // place), on its readers and writer too.
    OperatorIndex add(std::string name, OpKind kind, Phase phase, std::vector<TensorIndex> inputs,
                      std::vector<TensorIndex> outputs, Attributes attrs = {},
                      Formula formula = Formula::none);

    [[nodiscard]] const Graph& graph() const { return graph_; }
    [[nodiscard]] const Tensor& at(TensorIndex tensor) const { return graph_.tensors[tensor]; }
    [[nodiscard]] Formula formula(OperatorIndex op) const { return formulas_[op]; }
    [[nodiscard]] const std::vector<TensorIndex>& parameters() const { return parameters_; }
    Graph take() { return std::move(graph_); }

  private:
    struct Use {
        std::vector<OperatorIndex> writer;   // the last one, if any
        std::vector<OperatorIndex> readers;  // since then
    };

    Graph graph_;
    std::vector<Use> uses_;  // by tensor
    std::vector<Formula> formulas_;
    std::vector<TensorIndex> parameters_;
};

}  // namespace diastole
