#include "workloads/import/kineto_arguments.hpp"

#include <simdjson.h>

#include <array>

namespace diastole::kineto {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr std::uint64_t most_elements = std::uint64_t{1} << 48;
constexpr std::size_t most_dimensions = 64;
constexpr std::size_t most_items = 1 << 20;  // arguments of an operator, tensors of a list

// The names of PyTorch's element types in a trace; both spellings of `long` occur.
struct TypeName {
    std::string_view name;
    ArgumentKind kind;
    DType type;
    std::uint8_t bytes;  // of a type that Diastole does not have
};
constexpr std::array<TypeName, 24> type_names = {{
    {"Scalar", ArgumentKind::scalar, DType::fp32, 0},
    {"ScalarList", ArgumentKind::scalar, DType::fp32, 0},
    {"TensorList", ArgumentKind::tensor_list, DType::fp32, 0},
    {"GenericList", ArgumentKind::tensor_list, DType::fp32, 0},
    {"float", ArgumentKind::tensor, DType::fp32, 0},
    {"double", ArgumentKind::tensor, DType::fp64, 0},
    {"c10::Half", ArgumentKind::tensor, DType::fp16, 0},
    {"c10::BFloat16", ArgumentKind::tensor, DType::bf16, 0},
    {"c10::Float8_e4m3fn", ArgumentKind::tensor, DType::fp8, 0},
    {"c10::Float8_e5m2", ArgumentKind::tensor, DType::fp8, 0},
    {"c10::Float8_e4m3fnuz", ArgumentKind::tensor, DType::fp8, 0},
    {"c10::Float8_e5m2fnuz", ArgumentKind::tensor, DType::fp8, 0},
    {"long", ArgumentKind::tensor, DType::int64, 0},
    {"long int", ArgumentKind::tensor, DType::int64, 0},
    {"int", ArgumentKind::tensor, DType::int32, 0},
    {"signed char", ArgumentKind::tensor, DType::int8, 0},
    {"unsigned char", ArgumentKind::tensor, DType::int8, 0},
    {"bool", ArgumentKind::tensor, DType::boolean, 0},
    {"short", ArgumentKind::foreign_tensor, DType::fp32, 2},
    {"short int", ArgumentKind::foreign_tensor, DType::fp32, 2},
    {"c10::complex<float>", ArgumentKind::foreign_tensor, DType::fp32, 8},
    {"c10::complex<double>", ArgumentKind::foreign_tensor, DType::fp32, 16},
    {"c10::qint8", ArgumentKind::foreign_tensor, DType::fp32, 1},
    {"c10::quint8", ArgumentKind::foreign_tensor, DType::fp32, 1},
}};

// Packed form: the number of arguments, then for each its type and concrete text in one word, a
// count, and as many shapes as the count says: a rank and the sizes. Names are numbered from 1
// here; 0 is "not recorded".
std::string pack_shape(const array& sizes, std::vector<std::uint64_t>& words) {
    if (sizes.size() > most_dimensions) return "'Input Dims' has more than 64 dimensions";
    std::uint64_t elements = 1;
    words.push_back(sizes.size());
    for (const element size : sizes) {
        std::uint64_t number = 0;
        if (size.get(number) != simdjson::SUCCESS) return "expected sizes from 0 in 'Input Dims'";
        if (number > 0 && elements > most_elements / number) {
            return "'Input Dims' has a tensor of more than 2^48 elements";
        }
        elements *= number == 0 ? 1 : number;
        words.push_back(number);
    }
    return {};
}

std::string pack_shapes(const element& value, std::vector<std::uint64_t>& words) {
    array list;
    if (value.get(list) != simdjson::SUCCESS) return "expected lists in 'Input Dims'";
    const bool nested = list.size() > 0 && (*list.begin()).is_array();  // a list of tensors
    if (list.size() > most_items) return "'Input Dims' has a list of more than 2^20 tensors";
    words.push_back(nested ? list.size() : 1);
    if (!nested) return pack_shape(list, words);
    for (const element item : list) {
        array sizes;
        if (item.get(sizes) != simdjson::SUCCESS) return "expected lists of sizes in 'Input Dims'";
        std::string problem = pack_shape(sizes, words);
        if (!problem.empty()) return problem;
    }
    return {};
}

// The texts of a list, numbered; 0 for an item that is not a text.
std::vector<std::uint64_t> numbered(const element* value, std::size_t count, Names& names) {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(count);
    array list;
    if (value != nullptr && value->get(list) == simdjson::SUCCESS) {
        for (const element item : list) {
            std::string_view text;
            const bool named = item.get(text) == simdjson::SUCCESS;
            numbers.push_back(named ? std::uint64_t{names.number(text)} + 1 : 0);
        }
    }
    numbers.resize(count, 0);
    return numbers;
}

Shape unpack_shape(const std::vector<std::uint64_t>& words, std::size_t& at) {
    const auto rank = static_cast<std::ptrdiff_t>(words[at++]);
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(at);
    at += static_cast<std::size_t>(rank);
    return {begin, begin + rank};
}

void set_type(Argument& argument, std::string_view name) {
    argument.kind = ArgumentKind::none;
    for (const TypeName& known : type_names) {
        if (known.name != name) continue;
        argument.kind = known.kind;
        argument.type = known.type;
        argument.element_bytes = known.bytes;
    }
}

}  // namespace

std::string pack_arguments(const element* dims, const element* types, const element* concretes,
                           Names& names, std::vector<std::uint64_t>& words) {
    array list;
    if (dims->get(list) != simdjson::SUCCESS) return "expected a list in 'Input Dims'";
    if (list.size() > most_items) return "'Input Dims' has more than 2^20 arguments";
    const std::vector<std::uint64_t> type_numbers = numbered(types, list.size(), names);
    const std::vector<std::uint64_t> concrete_numbers = numbered(concretes, list.size(), names);
    words.push_back(list.size());
    std::size_t i = 0;
    for (const element item : list) {
        words.push_back(type_numbers[i] << 32 | concrete_numbers[i]);
        std::string problem = pack_shapes(item, words);
        if (!problem.empty()) return problem;
        ++i;
    }
    return {};
}

std::vector<Argument> arguments_of(const Events& events, const HostOp& op) {
    std::size_t at = op.arguments;
    std::vector<Argument> arguments(events.words[at++]);
    for (Argument& argument : arguments) {
        const std::uint64_t texts = events.words[at++];
        const std::uint64_t type = texts >> 32, concrete = texts & 0xffffffffU;
        set_type(argument,
                 type == 0 ? "" : events.names.text(static_cast<std::uint32_t>(type - 1)));
        if (concrete != 0) {
            argument.concrete = events.names.text(static_cast<std::uint32_t>(concrete - 1));
        }
        const std::uint64_t count = events.words[at++];
        for (std::uint64_t i = 0; i < count; ++i) {
            argument.shapes.push_back(unpack_shape(events.words, at));
        }
        if (argument.kind != ArgumentKind::tensor_list) {
            argument.shape = std::move(argument.shapes.front());
            argument.shapes.clear();
        } else if (count == 1 && argument.shapes[0].empty()) {
            argument.shapes.clear();  // "[]": the shapes were not recorded
        }
        if (argument.shape.empty() && argument.kind == ArgumentKind::foreign_tensor) {
            argument.kind = ArgumentKind::scalar;
        }
    }
    return arguments;
}

}  // namespace diastole::kineto
