// The least time that any chip with these peaks needs, whatever its mechanisms: the bound that
// every result is held against, and the peer that every result is printed beside.
#pragma once

#include <cstdint>
#include <string>

#include "model/params/chip_params.hpp"
#include "workloads/graph/index_stream.hpp"
#include "workloads/graph/operator.hpp"
#include "workloads/lower/lowering_params.hpp"

namespace diastole {

struct Roofline {
    double seconds = 0;         // the largest of the terms
    std::string limited_by;     // matrix, vector, dram or host
    double matrix_seconds = 0;  // FLOPs over the peak of their type, on the engine that has it
    double vector_seconds = 0;  // all other FLOPs over all vector engines together
    double dram_seconds = 0;    // compulsory bytes over the DRAM's peak
    double host_seconds = 0;    // the busier direction of the host link
    std::uint64_t compulsory_bytes = 0;
};

// Compulsory bytes: each tensor that comes from outside once, each distinct embedding row once,
// less what on-chip memory can hold when it has been warmed up or `inputs_on_chip`. Rows are
// counted over the counted batches by drawing the index streams once more.
Roofline roofline_of(const Graph& graph, const ChipParams& chip, const Casts& casts,
                     const IndexStreams& streams, std::uint32_t warmup, std::uint32_t batches,
                     bool host_copies, bool inputs_on_chip);

// The type that tensors of `type` are stored and computed as.
DType cast_type(const Casts& casts, DType type);

}  // namespace diastole
