// Whether the tensors of an operator fit its kind; docs/formats.md has the rules.
#pragma once

#include <string>

#include "workloads/graph/operator.hpp"

namespace diastole {

// Throws TraceError: "operator 3 (fc1): gemm: ...".
void validate_operator(const Graph& graph, const Operator& op);

// Every operator, and that dependencies point to earlier operators and tensors exist.
void validate(const Graph& graph);

std::string describe(const Tensor& tensor);                           // "fp16[1024x128]"
std::string describe_shape(const std::vector<std::uint64_t>& shape);  // "1024x128", "scalar"

}  // namespace diastole
