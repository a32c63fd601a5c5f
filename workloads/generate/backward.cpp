#include "workloads/generate/backward.hpp"

#include <optional>
#include <string>

#include "model/base/error.hpp"

namespace diastole {
namespace {

class ReversePass {
  public:
    explicit ReversePass(GraphBuilder& builder)
        : builder_(builder),
          gradient_(builder.graph().tensors.size()),
          wanted_(builder.graph().tensors.size(), false) {}

    std::vector<ParameterGradient> run();

  private:
    void find_wanted(OperatorIndex forward_end);
    void visit(const Operator& op, Formula formula);
    void gemm(const Operator& op);
    void elementwise(const Operator& op, Formula formula);
    void layout(const Operator& op);
    void normalization(const Operator& op);
    void embedding_bag(const Operator& op);
    void loss(const Operator& op);

    [[nodiscard]] bool wants(TensorIndex t) const { return wanted_[t]; }
    TensorIndex gradient_of_output(const Operator& op) { return *gradient_[op.outputs.front()]; }
    TensorIndex fresh(TensorIndex of, const std::string& by);
    void accumulate(TensorIndex of, TensorIndex gradient);
    void derive(const std::string& name, OpKind kind, std::vector<TensorIndex> inputs,
                TensorIndex of, Attributes attrs = {});

    GraphBuilder& builder_;
    std::vector<std::optional<TensorIndex>> gradient_;  // by forward tensor
    std::vector<bool> wanted_;                          // a parameter is at or below it
};

std::vector<ParameterGradient> ReversePass::run() {
    const auto end = static_cast<OperatorIndex>(builder_.graph().operators.size());
    find_wanted(end);
    for (OperatorIndex i = end; i-- > 0;) {
        const Operator op = builder_.graph().operators[i];  // a copy: the vector grows
        if (op.phase == Phase::forward) visit(op, builder_.formula(i));
    }
    std::vector<ParameterGradient> result;
    for (const TensorIndex parameter : builder_.parameters()) {
        if (gradient_[parameter]) result.push_back({parameter, *gradient_[parameter]});
    }
    return result;
}

void ReversePass::find_wanted(OperatorIndex forward_end) {
    for (const TensorIndex parameter : builder_.parameters()) wanted_[parameter] = true;
    for (OperatorIndex i = 0; i < forward_end; ++i) {
        const Operator& op = builder_.graph().operators[i];
        bool wanted = op.kind == OpKind::embedding_bag;
        for (const TensorIndex input : op.inputs) wanted = wanted || wanted_[input];
        for (const TensorIndex output : op.outputs) wanted_[output] = wanted;
    }
}

void ReversePass::visit(const Operator& op, Formula formula) {
    if (op.kind == OpKind::loss) return loss(op);
    bool reached = false;
    for (const TensorIndex output : op.outputs) reached = reached || gradient_[output].has_value();
    if (!reached) return;  // it does not lead to the loss
    switch (op.kind) {
        case OpKind::gemm:
        case OpKind::batched_gemm:
            return gemm(op);
        case OpKind::elementwise:
            return elementwise(op, formula);
        case OpKind::layout:
            return layout(op);
        case OpKind::normalization:
            return normalization(op);
        case OpKind::embedding_bag:
            return embedding_bag(op);
        case OpKind::copy:
            return;
        default:
            throw ModelError("operator '" + op.name + "': no rule to differentiate " +
                             std::string(name_of(op.kind)));
    }
}

TensorIndex ReversePass::fresh(TensorIndex of, const std::string& by) {
    const Tensor& t = builder_.at(of);
    return builder_.tensor("grad:" + t.id + "@" + by, t.shape, t.type);
}

void ReversePass::accumulate(TensorIndex of, TensorIndex gradient) {
    if (!gradient_[of]) {
        gradient_[of] = gradient;
        return;
    }
    const std::string name = "grad_add:" + builder_.at(gradient).id;
    const TensorIndex sum = fresh(of, name);
    builder_.add(name, OpKind::elementwise, Phase::backward, {*gradient_[of], gradient}, {sum}, {},
                 Formula::add);
    gradient_[of] = sum;
}

void ReversePass::derive(const std::string& name, OpKind kind, std::vector<TensorIndex> inputs,
                         TensorIndex of, Attributes attrs) {
    const TensorIndex gradient = fresh(of, name);
    builder_.add(name, kind, Phase::backward, std::move(inputs), {gradient}, std::move(attrs));
    accumulate(of, gradient);
}

// C = op(A) op(B): the gradient of op(A) is dC op(B)^T and that of op(B) is op(A)^T dC; where an
// operand is stored transposed, so is its gradient, which swaps the factors.
void ReversePass::gemm(const Operator& op) {
    const TensorIndex dc = gradient_of_output(op);
    const TensorIndex a = op.inputs[0];
    const TensorIndex b = op.inputs[1];
    const bool ta = op.attrs.transpose_a;
    const bool tb = op.attrs.transpose_b;
    const auto product = [&](const char* name, TensorIndex left, bool transpose_left,
                             TensorIndex right, bool transpose_right, TensorIndex of) {
        Attributes attrs;
        attrs.transpose_a = transpose_left;
        attrs.transpose_b = transpose_right;
        derive(op.name + name, op.kind, {left, right}, of, attrs);
    };
    if (wants(a)) {
        if (ta) {
            product(".dgrad", b, tb, dc, true, a);
        } else {
            product(".dgrad", dc, false, b, !tb, a);
        }
    }
    if (wants(b)) {
        if (tb) {
            product(".wgrad", dc, true, a, ta, b);
        } else {
            product(".wgrad", a, !ta, dc, false, b);
        }
    }
    if (op.inputs.size() > 2 && wants(op.inputs[2])) {
        Attributes attrs;
        attrs.axes = {0};
        derive(op.name + ".bias_grad", OpKind::reduction, {dc}, op.inputs[2], attrs);
    }
}

void ReversePass::elementwise(const Operator& op, Formula formula) {
    const TensorIndex dy = gradient_of_output(op);
    const TensorIndex y = op.outputs.front();
    const auto pointwise = [&](const std::string& name, TensorIndex other, std::uint32_t ops,
                               TensorIndex of) {
        Attributes attrs;
        attrs.ops_per_element = ops;
        if (wants(of)) derive(op.name + name, OpKind::elementwise, {dy, other}, of, attrs);
    };
    switch (formula) {
        case Formula::relu:
            return pointwise(".backward", y, 1, op.inputs[0]);  // dy where y > 0
        case Formula::sigmoid:
            return pointwise(".backward", y, 3, op.inputs[0]);  // dy * y * (1 - y)
        case Formula::add:
            for (const TensorIndex input : op.inputs) {
                if (wants(input)) accumulate(input, dy);
            }
            return;
        case Formula::multiply_add:
            pointwise(".backward0", op.inputs[1], 1, op.inputs[0]);
            pointwise(".backward1", op.inputs[0], 1, op.inputs[1]);
            if (wants(op.inputs[2])) accumulate(op.inputs[2], dy);
            return;
        case Formula::none:
            throw ModelError("operator '" + op.name + "': no rule to differentiate it");
    }
}

void ReversePass::layout(const Operator& op) {
    Attributes attrs;
    attrs.axes = op.attrs.axes;
    attrs.view = op.attrs.view;
    std::vector<TensorIndex> gradients;
    for (const TensorIndex output : op.outputs) {
        if (!gradient_[output]) {
            throw ModelError("operator '" + op.name + "': only some outputs have a gradient");
        }
        gradients.push_back(*gradient_[output]);
    }
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        if (!wants(op.inputs[i])) continue;
        const std::string part = op.inputs.size() > 1 ? std::to_string(i) : "";
        derive(op.name + ".backward" + part, OpKind::layout, gradients, op.inputs[i], attrs);
    }
}

void ReversePass::normalization(const Operator& op) {
    const std::string name = op.name + ".backward";
    std::vector<TensorIndex> outputs;
    for (const TensorIndex input : op.inputs) outputs.push_back(fresh(input, name));
    std::vector<TensorIndex> inputs = {gradient_of_output(op), op.inputs[0]};
    if (op.inputs.size() > 1) inputs.push_back(op.inputs[1]);  // the scale
    Attributes attrs;
    attrs.axes = op.attrs.axes;
    builder_.add(name, OpKind::normalization_backward, Phase::backward, inputs, outputs, attrs);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        if (wants(op.inputs[i])) accumulate(op.inputs[i], outputs[i]);
    }
}

void ReversePass::embedding_bag(const Operator& op) {
    const std::size_t tables = op.attrs.tables.size();
    std::vector<TensorIndex> inputs = {gradient_of_output(op)};
    inputs.insert(inputs.end(), op.inputs.begin(), op.inputs.end());
    std::vector<TensorIndex> updated(op.inputs.begin(),
                                     op.inputs.begin() + static_cast<std::ptrdiff_t>(tables));
    for (const EmbeddingTable& table : op.attrs.tables) {
        const TensorIndex momentum =
            builder_.tensor(table.name + ".momentum", {table.rows}, DType::fp32);
        inputs.push_back(momentum);
        updated.push_back(momentum);
    }
    Attributes attrs;
    attrs.tables = op.attrs.tables;
    attrs.weighted = op.attrs.weighted;
    builder_.add(op.name + ".backward", OpKind::embedding_bag_backward, Phase::backward, inputs,
                 updated, attrs);
}

void ReversePass::loss(const Operator& op) {
    Attributes attrs = op.attrs;
    derive(op.name + ".backward", OpKind::loss, op.inputs, op.inputs[0], attrs);
}

}  // namespace

std::vector<ParameterGradient> derive_backward(GraphBuilder& builder) {
    return ReversePass(builder).run();
}

void add_optimizer_steps(GraphBuilder& builder, const std::vector<ParameterGradient>& gradients,
                         Optimizer optimizer) {
    // Operations per element, counted from the update rules:
    //   SGD      w -= lr g                                                     2
    //   Adagrad  s += g g; w -= lr g / (sqrt(s) + eps)                         7
    //   Adam     m, v: 3 + 4; w -= lr (m / c1) / (sqrt(v / c2) + eps)         14
    Attributes attrs;
    attrs.ops_per_element = optimizer == Optimizer::sgd       ? 2
                            : optimizer == Optimizer::adagrad ? 7
                                                              : 14;
    attrs.transcendental = optimizer != Optimizer::sgd;
    const int states = optimizer == Optimizer::sgd ? 0 : optimizer == Optimizer::adagrad ? 1 : 2;
    for (const ParameterGradient& pair : gradients) {
        const Tensor parameter = builder.at(pair.parameter);
        std::vector<TensorIndex> inputs = {pair.parameter, pair.gradient};
        std::vector<TensorIndex> outputs = {pair.parameter};
        for (int i = 0; i < states; ++i) {
            const TensorIndex state = builder.tensor(parameter.id + ".state" + std::to_string(i),
                                                     parameter.shape, DType::fp32);
            inputs.push_back(state);
            outputs.push_back(state);
        }
        builder.add("update:" + parameter.id, OpKind::optimizer_step, Phase::optimizer, inputs,
                    outputs, attrs);
    }
}

}  // namespace diastole
