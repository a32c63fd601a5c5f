// The weights of the next matrix product or convolution, on their way while this one ends: behind
// its own commands, its PEs fetch their first bytes into the LLC. So DRAM goes on across the
// boundary of operators, as behind a weight FIFO.
#pragma once

#include <memory>
#include <optional>

#include "model/isa/job.hpp"
#include "workloads/graph/operator.hpp"
#include "workloads/lower/memory_map.hpp"

namespace diastole {

// The first bytes of weights.
struct WeightRange {
    Placement at;
    std::uint64_t bytes = 0;
};

// What follows operator `index` in launch order (after the last the first one, if `again`) and
// reads weights from DRAM: at most `most` bytes of them. None when `index` itself reads no weights:
// the one before it has fetched them.
std::optional<WeightRange> next_weights(const Graph& graph, const MemoryMap& memory,
                                        const ChipParams& chip, OperatorIndex index, bool again,
                                        std::uint64_t most);

// `inner`, and behind its commands the fetches, spread over its PEs.
std::unique_ptr<CommandSource> with_prefetch(std::unique_ptr<CommandSource> inner,
                                             const WeightRange& weights, const ChipParams& chip);

}  // namespace diastole
