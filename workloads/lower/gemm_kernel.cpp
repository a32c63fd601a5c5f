// gemm and batched_gemm.
#include <tuple>

#include "workloads/graph/work.hpp"
#include "workloads/lower/gemm_source.hpp"
#include "workloads/lower/kernels.hpp"

namespace diastole {
namespace {

Bias bias_of(const Gemm& g, std::uint64_t elements, bool row_vector) {
    if (elements == 1) return Bias::scalar;
    if (elements == g.n && row_vector) return Bias::row;
    if (elements == g.batch * g.m * g.n) return Bias::full;
    if (elements == g.m) return Bias::column;
    return elements == g.n ? Bias::row : Bias::none;
}

}  // namespace

// Inputs A, B and, if there, what is added: [N], [M, 1], [M, N] or one element.
std::unique_ptr<CommandSource> lower_gemm(const LowerContext& context, const Operator& op,
                                          std::string& note) {
    const auto tensor = [&](std::size_t i) -> const Tensor& {
        return context.graph.tensors[op.inputs[i]];
    };
    GemmProblem problem;
    problem.shape = gemm_of(context.graph, op);
    const Gemm& g = problem.shape;
    if (g.batch * g.m * g.n == 0) return nullptr;
    problem.a = tensor(0).type;
    problem.b = tensor(1).type;
    problem.out = context.graph.tensors[op.outputs[0]].type;
    problem.transpose_a = op.attrs.transpose_a;
    problem.transpose_b = op.attrs.transpose_b;
    if (context.memory.is_weight(op, 1)) {
        const DType type = size_of(problem.a) >= size_of(problem.b) ? problem.a : problem.b;
        problem.b_tiles = weight_tiles(context.chip.dpe, type);
    }
    problem.user = describe_operator(op);
    GemmOperands operands{
        context.memory.input(op, 0), context.memory.input(op, 1), {}, context.memory.output(op, 0)};
    if (op.inputs.size() > 2) {
        const Tensor& bias = tensor(2);
        const bool row_vector = bias.shape.empty() || bias.shape.back() != 1;
        problem.bias = bias_of(g, element_count(bias), row_vector);
        problem.bias_type = bias.type;
        operands.bias = context.memory.input(op, 2);
    }
    return lower_product(context, problem, operands, note);
}

std::unique_ptr<CommandSource> lower_product(const LowerContext& context, GemmProblem problem,
                                             const GemmOperands& operands, std::string& note) {
    problem.a_space = operands.a.space;
    problem.b_space = operands.b.space;
    problem.out_space = operands.out.space;
    const GemmPlan plan = context.plans.plan(problem, context.chip, context.params);
    const Engine engine =
        pick_engine(context.chip, plan.sum_bytes == 8 ? DType::fp64 : DType::fp32, problem.user);
    note += plan.note;
    return std::make_unique<GemmSource>(problem, plan, operands, engine, context.chip,
                                        static_cast<std::uint32_t>(context.job % 256));
}

}  // namespace diastole
