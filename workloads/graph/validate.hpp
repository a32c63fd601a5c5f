// Whether the tensors of an operator fit its kind; docs/formats.md has the rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph/operator.hpp"

namespace diastole {

// Throws TraceError: "operator 3 (fc1): gemm: ...".
void validate_operator(const Graph& graph, const Operator& op);

// Every operator, and that dependencies point to earlier operators and tensors exist.
void validate(const Graph& graph);

// 256 Ti elements: beyond any tensor that a chip or a rack of them holds; a typo, not a shape.
inline constexpr std::uint64_t most_elements = std::uint64_t{1} << 48;
inline constexpr std::size_t most_dimensions = 64;
// Sizes from 1, within these bounds.
bool is_plausible(const std::vector<std::uint64_t>& shape);

std::string describe(const Tensor& tensor);                           // "fp16[1024x128]"
std::string describe_shape(const std::vector<std::uint64_t>& shape);  // "1024x128", "scalar"

}  // namespace diastole
