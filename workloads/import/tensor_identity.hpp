// Tensors for operators of a trace that has shapes but no tensor ids.
#pragma once

#include <map>
#include <utility>

#include "workloads/import/draft.hpp"

namespace diastole::kineto {

// An input takes the latest output of equal shape and type that no later one has superseded, else a
// fresh tensor; a second input of the same shape and type in one operator is a fresh one, because
// which of two it might be cannot be told. An output is a fresh tensor, unless it is written in
// place. The storage of embedding tables is one tensor for each shape and type, in the forward and
// in the backward.
class TensorIdentity {
  public:
    explicit TensorIdentity(Graph& graph) : graph_(graph) {}

    // Fills the inputs and outputs of `op`.
    void assign(const Draft& draft, Operator& op);

  private:
    using Key = std::pair<DType, Shape>;
    TensorIndex fresh(const TypedShape& tensor);
    TensorIndex storage(const TypedShape& tensor);
    TensorIndex input(const TypedShape& tensor, const Operator& op);

    Graph& graph_;
    std::map<Key, TensorIndex> latest_, storage_;
};

}  // namespace diastole::kineto
