#include "workloads/graph/operator.hpp"

#include <array>
#include <numeric>

namespace diastole {
namespace {

constexpr std::array<std::string_view, 22> kind_names = {
    "gemm",
    "batched_gemm",
    "convolution",
    "embedding_bag",
    "embedding_bag_backward",
    "elementwise",
    "reduction",
    "normalization",
    "normalization_backward",
    "softmax",
    "attention",
    "recurrent_cell",
    "layout",
    "gather",
    "scatter",
    "scan",
    "select",
    "loss",
    "optimizer_step",
    "copy",
    "collective",
    "opaque",
};

constexpr std::array<std::string_view, 4> phase_names = {"forward", "backward", "optimizer",
                                                         "other"};

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

}  // namespace

std::string_view name_of(OpKind kind) {
    return kind_names[static_cast<std::size_t>(kind)];
}
std::optional<OpKind> op_kind_from_name(std::string_view name) {
    return find_name<OpKind>(kind_names, name);
}
std::vector<std::string> op_kind_names() {
    return {kind_names.begin(), kind_names.end()};
}

std::string_view name_of(Phase phase) {
    return phase_names[static_cast<std::size_t>(phase)];
}
std::optional<Phase> phase_from_name(std::string_view name) {
    return find_name<Phase>(phase_names, name);
}

std::string_view name_of(Mode mode) {
    return mode == Mode::training ? "training" : "inference";
}

std::uint64_t element_count(const Tensor& tensor) {
    return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1},
                           [](std::uint64_t a, std::uint64_t b) { return a * b; });
}

Bytes size_of(const Tensor& tensor) {
    return Bytes(element_count(tensor) * size_of(tensor.type));
}

}  // namespace diastole
