// Operator graphs of ranking models.
#pragma once

#include <cstdint>

#include "workloads/generate/model_description.hpp"
#include "workloads/graph/operator.hpp"

namespace diastole {

// Throws ConfigError: the description has problems (all of them, one a line), the batch is 0 or
// above 2^31, or its work does not fit into 62 bits.
//
// How tensors meet operators:
//   gemm                    A [M, K], B as [N, K] with transpose_b, bias [N] if any -> [M, N]
//   embedding_bag           one weight [rows, dim] per table, indices [lookups of all tables],
//                           offsets [tables * batch + 1] -> [batch, sum of dims]
//   embedding_bag_backward  gradient of the pooled output, then the inputs of the forward operator,
//                           then one momentum [rows] per table -> weights and momenta, in place
//   layout                  concatenation (several inputs), split (several outputs), selection
//                           (fewer elements); the result may be written in the shape that its
//                           consumer reads, [batch, 27, 128] for [batch, 27 * 128]
Graph build_model(const ModelDescription& model, Mode mode, std::uint64_t batch);

}  // namespace diastole
