// A workload in words and figures, for `diastole show workload`.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/graph/operator.hpp"

namespace diastole {

// Several lines, the last one ended: mode and batch, memory, work per sample, operators by kind,
// tables (equal ones together), the reuse of one batch's lookups and what caches make of it, and
// every assumption. Draws the lookups of the first batch with `seed`.
std::string workload_description(const Graph& graph, std::uint64_t seed);

}  // namespace diastole
