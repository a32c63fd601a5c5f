// What an operator of a foreign trace turns out to be, before its tensors have identities.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/graph/operator.hpp"
#include "workloads/import/kineto_events.hpp"

namespace diastole::kineto {

struct TypedShape {
    DType type = DType::fp32;
    Shape shape;
    bool fresh = false;  // never the output of an earlier operator: its true shape is not recorded
    bool storage = false;  // of embedding tables: the same tensor wherever type and shape are equal
};

// How the shape of the first output is known.
enum class OutputSource : std::uint8_t { none, argument, rule, contradicted };

struct Draft {
    OpKind kind = OpKind::opaque;
    Attributes attrs;
    std::vector<TypedShape> inputs, outputs;
    std::optional<std::size_t> in_place;  // outputs[0] is this input
    OutputSource output_source = OutputSource::none;
    bool axes_assumed = false;  // a reduction whose axes are not recorded is taken as one over all
};

// A fresh draft of an ATen operator; nothing when its name is not known or the arguments recorded
// do not suffice. `name`: "aten::add", "aten::mul_".
std::optional<Draft> draft_aten(std::string_view name, const std::vector<Argument>& arguments);

// The same for fbgemm:: and fb:: operators.
std::optional<Draft> draft_fbgemm(std::string_view name, const std::vector<Argument>& arguments);

// A kernel beside the main one of its operator: element-wise, scan or reduction by its own name.
std::optional<Draft> draft_auxiliary(std::string_view kernel, const TypedShape& tensor);

// Whatever it is, it moves its tensors; but an embedding whose dims are not recorded has no known
// bytes.
Draft draft_opaque(std::string_view name, const std::vector<Argument>& arguments);

// Helpers that both families use.
bool is_tensor(const std::vector<Argument>& arguments, std::size_t i);  // with elements
TypedShape tensor_at(const std::vector<Argument>& arguments, std::size_t i);
std::uint64_t elements_of(const Shape& shape);
// "[0, -1]", "1", "" -> the axes of a tensor of this rank, sorted; empty where none is named.
std::vector<std::uint32_t> axes_from(const std::string& text, std::size_t rank);

}  // namespace diastole::kineto
