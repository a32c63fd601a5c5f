// convolution.
#include "model/base/error.hpp"
#include "workloads/lower/convolution_source.hpp"
#include "workloads/lower/gemm_source.hpp"
#include "workloads/lower/kernels.hpp"

namespace diastole {
namespace {

// A window as wide as what it slides along is one place with more channels: with channels innermost
// the same bytes in the same order.
void fold_whole_windows(ConvolutionProblem& p) {
    const auto whole = [](const ConvolutionAxis& axis) {
        return axis.window == axis.in && axis.before + axis.after == 0 && axis.dilation == 1;
    };
    if (p.groups > 1 || !whole(p.columns)) return;
    p.channels *= p.columns.in;
    p.columns = {};
    if (!whole(p.rows)) return;
    p.channels *= p.rows.in;
    p.rows = {};
}

// Windows of one pixel, at every pixel.
bool is_product(const ConvolutionProblem& p) {
    const auto every = [](const ConvolutionAxis& axis) {
        return axis.window == 1 && axis.out == axis.in && axis.before + axis.after == 0;
    };
    return p.groups == 1 && every(p.rows) && every(p.columns);
}

ConvolutionProblem problem_of(const LowerContext& context, const Operator& op) {
    const Convolution c = convolution_of(context.graph, op);
    if (c.axes.size() > 2) {
        throw ConfigError(describe_operator(op) + " has no kernel: convolution over " +
                          std::to_string(c.axes.size()) + " dimensions, expected 1 or 2");
    }
    const auto type = [&](std::size_t i) { return context.graph.tensors[op.inputs[i]].type; };
    ConvolutionProblem p;
    p.images = c.batch;
    p.groups = c.groups;
    p.channels = c.channels;
    p.filters = c.filters;
    p.columns = c.axes.back();
    if (c.axes.size() == 2) p.rows = c.axes.front();
    p.in = type(0);
    p.weight = type(1);
    p.out = context.graph.tensors[op.outputs[0]].type;
    if (op.inputs.size() > 2) {
        const std::uint64_t elements = element_count(context.graph.tensors[op.inputs[2]]);
        if (elements != p.all_filters()) {
            throw ConfigError(describe_operator(op) + ": expected a bias of " +
                              std::to_string(p.all_filters()) + " elements, got " +
                              std::to_string(elements));
        }
        p.bias = true;
        p.bias_type = type(2);
    }
    if (context.memory.is_weight(op, 1)) {
        p.weight_tiles =
            weight_tiles(context.chip.dpe, size_of(p.in) >= size_of(p.weight) ? p.in : p.weight);
    }
    p.user = describe_operator(op);
    return p;
}

std::unique_ptr<CommandSource> as_product(const LowerContext& context, const ConvolutionProblem& p,
                                          const GemmOperands& operands, std::string& note) {
    GemmProblem product;
    product.shape = {1, p.images * p.image_pixels(), p.filters, p.k()};
    product.a = p.in;
    product.b = p.weight;
    product.out = p.out;
    product.bias_type = p.bias_type;
    product.bias = p.bias ? Bias::row : Bias::none;
    product.b_tiles = p.weight_tiles;
    product.user = p.user;
    note = "as a matrix product, ";
    return lower_product(context, product, operands, note);
}

}  // namespace

std::unique_ptr<CommandSource> lower_convolution(const LowerContext& context, const Operator& op,
                                                 std::string& note) {
    ConvolutionProblem problem = problem_of(context, op);
    Placement bias;
    if (problem.bias) bias = context.memory.input(op, 2);
    const Placement in = context.memory.input(op, 0), weight = context.memory.input(op, 1);
    const Placement out = context.memory.output(op, 0);
    fold_whole_windows(problem);
    if (is_product(problem)) {
        return as_product(context, problem, {in, weight, bias, out}, note);
    }
    problem.in_space = in.space;
    problem.out_space = out.space;
    const ConvolutionPlan plan = plan_convolution(problem, context.chip, context.params);
    const Engine engine =
        pick_engine(context.chip, plan.sum_bytes == 8 ? DType::fp64 : DType::fp32, problem.user);
    note = plan.note;
    return std::make_unique<ConvolutionSource>(
        problem, plan, ConvolutionOperands{in, weight, bias, out}, engine, context.chip,
        static_cast<std::uint32_t>(context.job % 256));
}

}  // namespace diastole
