// How much memory a workload needs.
#pragma once

#include <vector>

#include "workloads/graph/operator.hpp"

namespace diastole {

// What a tensor is to the workload: it outlives a batch, or lives from its writer to its last
// reader.
enum class TensorRole : std::uint8_t { activation, parameter, table, state };

// A table is what an embedding operator finds as one; state is what an optimizer step or the
// backward of an embedding keeps beside it; a parameter is any other tensor that is read before
// anything writes it; all others are activations.
std::vector<TensorRole> tensor_roles(const Graph& graph);

struct Footprint {
    Bytes tables;  // of attrs.tables, each name once
    Bytes parameters;
    Bytes state;             // of optimizers
    Bytes peak_activations;  // largest sum of live ones in launch order; views take none
    [[nodiscard]] Bytes total() const { return tables + parameters + state + peak_activations; }
};
Footprint footprint(const Graph& graph);

}  // namespace diastole
