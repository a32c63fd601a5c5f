// Operator graph -> jobs. The chip pulls; nothing is lowered before it is needed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/isa/job.hpp"
#include "workloads/graph/index_stream.hpp"
#include "workloads/graph/operator.hpp"
#include "workloads/lower/lowering_params.hpp"

namespace diastole {

struct LoweringOptions {
    LoweringParams params;
    Casts casts;
    std::uint32_t warmup = 0;
    std::uint32_t batches = 1;
    bool recorded = false;     // opaque operators may use their recorded duration
    bool host_copies = false;  // replay recorded DMA requests
    bool infer_reuse = true;   // false: every tensor of a trace without ids is a fresh one
};

// What the lowering decided for an operator, for the report: "gemm ws 128x128x512 on dpe fp16".
using LoweringNotes = std::vector<std::string>;

// Throws ConfigError: the tensors do not fit the chip's memory (both figures, chips needed); an
// opaque operator has neither bytes nor a permitted duration; a forced choice is impossible.
// `graph`, `chip` and `streams` must outlive the result. `notes` gets one entry per operator index,
// filled when the operator is first lowered.
std::unique_ptr<JobStream> lower(const Graph& graph, const ChipParams& chip,
                                 const IndexStreams& streams, const LoweringOptions& options,
                                 LoweringNotes& notes);

}  // namespace diastole
