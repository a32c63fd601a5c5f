// What the lowering of one operator may look at.
#pragma once

#include <cstdint>
#include <string>

#include "model/params/chip_params.hpp"
#include "workloads/graph/index_stream.hpp"
#include "workloads/graph/operator.hpp"
#include "workloads/lower/gemm_plan_cache.hpp"
#include "workloads/lower/lowering_params.hpp"
#include "workloads/lower/memory_map.hpp"

namespace diastole {

struct LowerContext {
    const Graph& graph;
    const ChipParams& chip;
    const LoweringParams& params;
    const IndexStreams& streams;
    const MemoryMap& memory;
    GemmPlanCache& plans;
    std::uint32_t batch = 0;
    std::uint64_t job = 0;
};

// "operator 12 (fc1)", for messages.
std::string describe_operator(const Operator& op);

}  // namespace diastole
