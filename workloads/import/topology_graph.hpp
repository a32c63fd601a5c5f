// A SCALE-Sim topology as an operator graph: a convolution or a gemm for each line, one after the
// other. Depthwise layers are one convolution of as many groups as channels.
#pragma once

#include <optional>
#include <string>

#include "workloads/graph/operator.hpp"
#include "workloads/import/coverage.hpp"
#include "workloads/import/topology.hpp"

namespace diastole {

struct TopologyOptions {
    std::string name;
    DType type = DType::fp16;            // topologies do not say one
    std::optional<std::uint64_t> batch;  // images; only of convolutions without a batch column
};

// Throws TraceError: a layer is too large, or wants what no chip is modelled with (2:4 weights).
Graph graph_of_topology(const Topology& topology, const TopologyOptions& options);

// Of a graph that a topology became: every layer is an event, a kernel and an operator.
Coverage coverage_of_topology(const Graph& graph);

// Reads a file and names the graph after it.
Graph import_topology(const std::string& path, const TopologyOptions& options);

}  // namespace diastole
