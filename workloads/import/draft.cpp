#include "workloads/import/draft.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace diastole::kineto {
namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

std::uint64_t elements_of(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1},
                           [](std::uint64_t a, std::uint64_t b) { return a * b; });
}

bool is_tensor(const std::vector<Argument>& arguments, std::size_t i) {
    return i < arguments.size() && arguments[i].kind == ArgumentKind::tensor &&
           elements_of(arguments[i].shape) > 0;
}

TypedShape tensor_at(const std::vector<Argument>& arguments, std::size_t i) {
    return {arguments[i].type, arguments[i].shape};
}

std::vector<std::uint32_t> axes_from(const std::string& text, std::size_t rank) {
    std::vector<std::uint32_t> axes;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        std::int64_t axis = 0;
        const auto [next, error] = std::from_chars(at, end, axis);
        if (error != std::errc()) {
            ++at;
            continue;
        }
        at = next;
        if (axis < 0) axis += static_cast<std::int64_t>(rank);
        if (axis >= 0 && axis < static_cast<std::int64_t>(rank)) {
            axes.push_back(static_cast<std::uint32_t>(axis));
        }
    }
    std::sort(axes.begin(), axes.end());
    axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
    return axes;
}

std::optional<Draft> draft_auxiliary(std::string_view kernel, const TypedShape& tensor) {
    Draft draft;
    draft.inputs = draft.outputs = {tensor};
    draft.output_source = OutputSource::rule;
    if (contains(kernel, "Scan") || contains(kernel, "scan")) {
        draft.kind = OpKind::scan;
    } else if (contains(kernel, "permute") || contains(kernel, "Copy")) {
        draft.kind = OpKind::layout;
    } else if (contains(kernel, "elementwise") || contains(kernel, "mul_const") ||
               contains(kernel, "splitK") || contains(kernel, "reduce") ||
               contains(kernel, "copy")) {
        draft.kind = OpKind::elementwise;
    } else {
        return std::nullopt;
    }
    return draft;
}

Draft draft_opaque(std::string_view name, const std::vector<Argument>& arguments) {
    Draft draft;
    // Of a table nobody knows how much is touched; its size would be a wild guess.
    if (contains(name, "embedding")) return draft;
    std::uint64_t foreign = 0, known = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const Argument& argument = arguments[i];
        if (argument.kind == ArgumentKind::foreign_tensor) {
            foreign += elements_of(argument.shape) * argument.element_bytes;
        }
        if (!is_tensor(arguments, i) || argument.shape.empty()) continue;
        draft.inputs.push_back(tensor_at(arguments, i));
        known += elements_of(argument.shape) * size_of(argument.type);
    }
    if (foreign > 0) draft.attrs.bytes = known + foreign;
    return draft;
}

}  // namespace diastole::kineto
