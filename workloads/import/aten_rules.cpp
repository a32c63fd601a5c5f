#include "workloads/import/aten_rules.hpp"

#include <array>

namespace diastole::kineto {
namespace {

using K = OpKind;
using R = Rule;

// Argument counts are those of the functional overload in PyTorch's native_functions.yaml. The
// operations are those of the formula in the comment, or one; of a function such as exp, tanh or a
// division, each counts one and is marked transcendental.
constexpr std::array rules = {
    // element-wise, two operands
    AtenRule{"add", K::elementwise, R::broadcast, 3},
    AtenRule{"sub", K::elementwise, R::broadcast, 3},
    AtenRule{"rsub", K::elementwise, R::broadcast, 3},
    AtenRule{"mul", K::elementwise, R::broadcast, 2},
    AtenRule{"div", K::elementwise, R::broadcast, 2, 1, true},
    AtenRule{"pow", K::elementwise, R::broadcast, 2, 1, true},
    AtenRule{"maximum", K::elementwise, R::broadcast, 2},
    AtenRule{"minimum", K::elementwise, R::broadcast, 2},
    AtenRule{"remainder", K::elementwise, R::broadcast, 2, 3, true},
    AtenRule{"bitwise_and", K::elementwise, R::broadcast, 2},
    AtenRule{"bitwise_or", K::elementwise, R::broadcast, 2},
    AtenRule{"gt", K::elementwise, R::compare, 2},
    AtenRule{"ge", K::elementwise, R::compare, 2},
    AtenRule{"lt", K::elementwise, R::compare, 2},
    AtenRule{"le", K::elementwise, R::compare, 2},
    AtenRule{"eq", K::elementwise, R::compare, 2},
    AtenRule{"ne", K::elementwise, R::compare, 2},
    AtenRule{"logical_and", K::elementwise, R::compare, 2},
    AtenRule{"logical_or", K::elementwise, R::compare, 2},
    AtenRule{"where", K::elementwise, R::where, 3},
    AtenRule{"masked_fill", K::elementwise, R::like_first, 3},
    AtenRule{"lerp", K::elementwise, R::broadcast, 3, 3},           // a + w (b - a)
    AtenRule{"addcmul", K::elementwise, R::broadcast, 4, 3},        // self + v a b
    AtenRule{"addcdiv", K::elementwise, R::broadcast, 4, 3, true},  // self + v a / b
    // element-wise, one operand
    AtenRule{"neg", K::elementwise, R::like_first, 1},
    AtenRule{"abs", K::elementwise, R::like_first, 1},
    AtenRule{"sgn", K::elementwise, R::like_first, 1},
    AtenRule{"sign", K::elementwise, R::like_first, 1},
    AtenRule{"floor", K::elementwise, R::like_first, 1},
    AtenRule{"ceil", K::elementwise, R::like_first, 1},
    AtenRule{"round", K::elementwise, R::like_first, 1},
    AtenRule{"relu", K::elementwise, R::like_first, 1},
    AtenRule{"clamp", K::elementwise, R::like_first, 3, 2},
    AtenRule{"clamp_min", K::elementwise, R::like_first, 2},
    AtenRule{"clamp_max", K::elementwise, R::like_first, 2},
    AtenRule{"nan_to_num", K::elementwise, R::like_first, 4, 3},
    AtenRule{"sigmoid", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"tanh", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"exp", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"log", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"log1p", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"log2", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"sqrt", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"rsqrt", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"reciprocal", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"sin", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"cos", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"erf", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"gelu", K::elementwise, R::like_first, 2, 1, true},
    AtenRule{"silu", K::elementwise, R::like_first, 1, 1, true},
    AtenRule{"bernoulli", K::elementwise, R::like_first, 2},
    AtenRule{"uniform", K::elementwise, R::fill, 4},
    AtenRule{"normal", K::elementwise, R::fill, 4, 1, true},
    AtenRule{"random", K::elementwise, R::fill, 2},
    AtenRule{"fill", K::elementwise, R::fill, 2, 0},
    AtenRule{"zero", K::elementwise, R::fill, 1, 0},
    AtenRule{"copy", K::copy, R::copy, 3},
    AtenRule{"clone", K::copy, R::like_first, 2},
    AtenRule{"native_dropout", K::elementwise, R::like_first, 3, 2},
    // backward, element-wise
    AtenRule{"threshold_backward", K::elementwise, R::broadcast, 3},
    AtenRule{"sigmoid_backward", K::elementwise, R::broadcast, 2, 3},  // g y (1 - y)
    AtenRule{"tanh_backward", K::elementwise, R::broadcast, 2, 3},     // g (1 - y y)
    AtenRule{"gelu_backward", K::elementwise, R::broadcast, 3, 1, true},
    AtenRule{"silu_backward", K::elementwise, R::broadcast, 2, 1, true},
    AtenRule{"native_dropout_backward", K::elementwise, R::broadcast, 3, 2},
    AtenRule{"_softmax_backward_data", K::elementwise, R::broadcast, 4, 4},  // y (g - sum(g y))
    AtenRule{"_log_softmax_backward_data", K::elementwise, R::broadcast, 4, 4, true},
    // matrices
    AtenRule{"mm", K::gemm, R::mm, 2},
    AtenRule{"addmm", K::gemm, R::addmm, 5},
    AtenRule{"bmm", K::batched_gemm, R::mm, 2},
    AtenRule{"baddbmm", K::batched_gemm, R::addmm, 5},
    AtenRule{"linear", K::gemm, R::linear, 3},
    AtenRule{"convolution", K::convolution, R::convolution, 9},
    AtenRule{"cudnn_convolution", K::convolution, R::convolution, 8},
    AtenRule{"_scaled_dot_product_flash_attention", K::attention, R::attention, 7},
    AtenRule{"_scaled_dot_product_efficient_attention", K::attention, R::attention, 8},
    // reductions, scans, normalizations
    AtenRule{"sum", K::reduction, R::reduce, 4, 1, false, 1},
    AtenRule{"mean", K::reduction, R::reduce, 4, 1, false, 1},
    AtenRule{"max", K::reduction, R::reduce, 3, 1, false, 1},
    AtenRule{"min", K::reduction, R::reduce, 3, 1, false, 1},
    AtenRule{"amax", K::reduction, R::reduce, 3, 1, false, 1},
    AtenRule{"amin", K::reduction, R::reduce, 3, 1, false, 1},
    AtenRule{"argmax", K::reduction, R::reduce, 3, 1, false, 1},
    AtenRule{"prod", K::reduction, R::reduce, 4, 1, false, 1},
    AtenRule{"any", K::reduction, R::reduce, 3, 1, false, 1},
    AtenRule{"all", K::reduction, R::reduce, 3, 1, false, 1},
    AtenRule{"linalg_vector_norm", K::reduction, R::reduce, 5, 1, false, 2},
    AtenRule{"cumsum", K::scan, R::scan, 3, 1, false, 1},
    AtenRule{"cumprod", K::scan, R::scan, 3, 1, false, 1},
    AtenRule{"native_layer_norm", K::normalization, R::norm, 5},
    AtenRule{"native_layer_norm_backward", K::normalization_backward, R::norm_backward, 8},
    AtenRule{"_softmax", K::softmax, R::softmax, 3, 1, true, 1},
    AtenRule{"_log_softmax", K::softmax, R::softmax, 3, 1, true, 1},
    // moving elements
    AtenRule{"cat", K::layout, R::concat, 2, 1, false, 1},
    AtenRule{"gather", K::gather, R::take_index, 4},
    AtenRule{"index_select", K::gather, R::take_rows, 3},
    AtenRule{"index", K::gather, R::take_any, 2},
    AtenRule{"embedding", K::gather, R::lookup, 5},
    AtenRule{"scatter_add", K::scatter, R::put_source, 4},
    AtenRule{"scatter", K::scatter, R::put_source, 4},
    AtenRule{"index_copy", K::scatter, R::put_source, 4},
    AtenRule{"index_add", K::scatter, R::put_source, 5},
    AtenRule{"bucketize", K::select, R::search, 4},
    // stable form: max(x, 0) - x t + log(1 + exp(-|x|)); weight and mean apart
    AtenRule{"binary_cross_entropy_with_logits", K::loss, R::loss, 5, 8, true},
};

}  // namespace

const AtenRule* find_aten_rule(std::string_view name) {
    for (const AtenRule& rule : rules) {
        if (rule.name == name) return &rule;
    }
    return nullptr;
}

}  // namespace diastole::kineto
