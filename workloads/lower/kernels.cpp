#include "workloads/lower/kernels.hpp"

#include <algorithm>

#include "model/base/error.hpp"

namespace diastole {
namespace {

std::uint64_t largest_output(const LowerContext& context, const Operator& op) {
    std::uint64_t most = 0;
    for (const TensorIndex t : op.outputs) {
        most = std::max(most, element_count(context.graph.tensors[t]));
    }
    return most;
}

// A loss that sums up ends in fewer elements than it reads.
bool reduces(const LowerContext& context, const Operator& op) {
    return !op.inputs.empty() &&
           largest_output(context, op) < element_count(context.graph.tensors[op.inputs[0]]);
}

}  // namespace

std::string describe_operator(const Operator& op) {
    return "operator " + std::to_string(op.id) + (op.name.empty() ? "" : " (" + op.name + ")");
}

std::unique_ptr<CommandSource> lower_operator(const LowerContext& context, const Operator& op,
                                              std::string& note) {
    switch (op.kind) {
        case OpKind::gemm:
        case OpKind::batched_gemm:
            return lower_gemm(context, op, note);
        case OpKind::convolution:
            return lower_convolution(context, op, note);
        case OpKind::embedding_bag:
            return lower_embedding_forward(context, op, note);
        case OpKind::elementwise:
        case OpKind::select:
        case OpKind::optimizer_step:
            return lower_elementwise(context, op, note);
        case OpKind::loss:
            return reduces(context, op) ? lower_reduction(context, op, note)
                                        : lower_elementwise(context, op, note);
        case OpKind::reduction:
            return lower_reduction(context, op, note);
        case OpKind::normalization:
        case OpKind::normalization_backward:
        case OpKind::softmax:
            return lower_rows(context, op, note);
        case OpKind::scan:
            return lower_scan(context, op, note);
        case OpKind::copy:
            return lower_copy(context, op, note);
        case OpKind::layout:
            return lower_layout(context, op, note);
        case OpKind::gather:
        case OpKind::scatter:
            return lower_gather(context, op, note);
        case OpKind::embedding_bag_backward:
            return lower_embedding_backward(context, op, note);
        case OpKind::opaque:
            return lower_opaque(context, op, note);
        case OpKind::collective:
            note = "world size 1: nothing to do";
            return nullptr;
        default:
            break;
    }
    throw ConfigError(describe_operator(op) + ": no kernel for " + std::string(name_of(op.kind)) +
                      "; --compute recorded would use its recorded duration");
}

}  // namespace diastole
