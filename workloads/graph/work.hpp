// How much work an operator is, by definition and independently of how it is lowered.
#pragma once

#include <cstdint>

#include "workloads/graph/operator.hpp"

namespace diastole {

struct Gemm {
    std::uint64_t batch = 1, m = 0, n = 0, k = 0;
};
// Of gemm and batched_gemm; throws TraceError naming the operator when the shapes do not fit.
Gemm gemm_of(const Graph& graph, const Operator& op);

struct Work {
    std::uint64_t flops = 0;  // gemm, batched gemm, convolution, attention: 2 per multiply-add
    std::uint64_t flops_vector = 0;  // all other operators
    std::uint64_t lookups = 0;       // embedding rows read
    Bytes read, written;             // each input and each output once; of embedding tables: the
                                     // rows looked up, not the table
};
Work work_of(const Graph& graph, const Operator& op);

}  // namespace diastole
