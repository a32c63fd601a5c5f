#include "workloads/generate/graph_builder.hpp"

#include <algorithm>

namespace diastole {

TensorIndex GraphBuilder::tensor(std::string id, Shape shape, DType type) {
    graph_.tensors.push_back({std::move(id), std::move(shape), type});
    uses_.emplace_back();
    return static_cast<TensorIndex>(graph_.tensors.size() - 1);
}

TensorIndex GraphBuilder::parameter(std::string id, Shape shape, DType type) {
    const TensorIndex index = tensor(std::move(id), std::move(shape), type);
    parameters_.push_back(index);
    return index;
}

OperatorIndex GraphBuilder::add(std::string name, OpKind kind, Phase phase,
                                std::vector<TensorIndex> inputs, std::vector<TensorIndex> outputs,
                                Attributes attrs, Formula formula) {
    const auto index = static_cast<OperatorIndex>(graph_.operators.size());
    Operator op;
    op.id = index + 1;
    op.name = std::move(name);
    op.kind = kind;
    op.phase = phase;
    op.attrs = std::move(attrs);
    const auto depend = [&](const std::vector<OperatorIndex>& on) {
        op.deps.insert(op.deps.end(), on.begin(), on.end());
    };
    for (const TensorIndex input : inputs) depend(uses_[input].writer);
    for (const TensorIndex output : outputs) {
        depend(uses_[output].writer);
        depend(uses_[output].readers);
    }
    std::sort(op.deps.begin(), op.deps.end());
    op.deps.erase(std::unique(op.deps.begin(), op.deps.end()), op.deps.end());
    for (const TensorIndex input : inputs) uses_[input].readers.push_back(index);
    for (const TensorIndex output : outputs) uses_[output] = {{index}, {}};
    op.inputs = std::move(inputs);
    op.outputs = std::move(outputs);
    graph_.operators.push_back(std::move(op));
    formulas_.push_back(formula);
    return index;
}

}  // namespace diastole
