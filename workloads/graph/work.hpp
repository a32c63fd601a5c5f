// How much work an operator is, by definition and independently of how it is lowered.
// docs/formats.md says for each kind which tensors and attributes it reads and how its operations
// are counted.
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
    std::uint64_t lookups = 0;       // embedding rows read, each lookup once
    // Each input and each output once. Not so: of an embedding table, and of the source of a
    // gather, only the rows looked up; of the backward of an embedding, a table's rows at most once
    // each (how many are distinct, only the index stream knows); a view moves nothing.
    Bytes read, written;
};
Work work_of(const Graph& graph, const Operator& op);

// Whether a tensor of an embedding operator is the storage of its tables, or of the moments that
// its backward keeps: one table's [rows, dim] and [rows], or those of all tables in one. (The
// gradient, first input of a backward, is never one, whatever its shape.)
bool is_table_storage(const Operator& op, const Tensor& tensor);
bool is_moment_storage(const Operator& op, const Tensor& tensor);

// Vector operations per element, counted from the formulas in docs/formats.md.
inline constexpr std::uint64_t normalization_ops = 6;         // without scale and shift
inline constexpr std::uint64_t normalization_affine_ops = 2;  // they add
inline constexpr std::uint64_t normalization_backward_ops = 13;
inline constexpr std::uint64_t softmax_ops = 5;

}  // namespace diastole
