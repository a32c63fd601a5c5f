// The backward graph of a model, derived from its forward graph.
#pragma once

#include <vector>

#include "workloads/generate/graph_builder.hpp"
#include "workloads/generate/model_description.hpp"

namespace diastole {

struct ParameterGradient {
    TensorIndex parameter = 0, gradient = 0;
};

// Walks the forward operators in reverse launch order from the loss and appends what computes the
// gradients, phase backward:
//   gemm, batched_gemm     dgrad and wgrad with the transposes that fit how the operands are
//   stored,
//                          and a reduction over the rows for a bias; no dgrad where nothing below
//                          has parameters
//   elementwise            by its formula; an addend's gradient is the gradient itself, no operator
//   layout                 the opposite rearrangement: slices of a concatenation, a concatenation
//   of
//                          slices, a scatter into zeros of a selection
//   normalization          normalization_backward, with the gradients of scale and shift
//   embedding_bag          embedding_bag_backward: it sorts and reads the indices, and updates the
//                          rows and one fp32 per row (row-wise Adagrad) in place
//   loss                   the gradient of its prediction
// A tensor with several consumers gets their gradients added, each as soon as it is there. Throws
// ModelError for a kind without a rule.
std::vector<ParameterGradient> derive_backward(GraphBuilder& builder);

// One optimizer_step per parameter, phase optimizer, in place: inputs parameter, gradient and state
// (none for SGD; one fp32 per element for Adagrad; two for Adam).
void add_optimizer_steps(GraphBuilder& builder, const std::vector<ParameterGradient>& gradients,
                         Optimizer optimizer);

}  // namespace diastole
