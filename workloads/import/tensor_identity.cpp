#include "workloads/import/tensor_identity.hpp"

#include <algorithm>

namespace diastole::kineto {

TensorIndex TensorIdentity::fresh(const TypedShape& tensor) {
    const auto index = static_cast<TensorIndex>(graph_.tensors.size());
    graph_.tensors.push_back({"t" + std::to_string(index), tensor.shape, tensor.type});
    return index;
}

void TensorIdentity::assign(const Draft& draft, Operator& op) {
    for (const TypedShape& tensor : draft.inputs) {
        const auto found = latest_.find({tensor.type, tensor.shape});
        const bool known = !tensor.fresh && found != latest_.end();
        const bool taken = known && std::find(op.inputs.begin(), op.inputs.end(), found->second) !=
                                        op.inputs.end();
        op.inputs.push_back(known && !taken ? found->second : fresh(tensor));
    }
    for (std::size_t i = 0; i < draft.outputs.size(); ++i) {
        const TypedShape& tensor = draft.outputs[i];
        const bool in_place = i == 0 && draft.in_place;
        op.outputs.push_back(in_place ? op.inputs[*draft.in_place] : fresh(tensor));
        latest_[{tensor.type, tensor.shape}] = op.outputs.back();
    }
}

}  // namespace diastole::kineto
