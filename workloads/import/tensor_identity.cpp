#include "workloads/import/tensor_identity.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "workloads/graph/validate.hpp"

namespace diastole::kineto {

TensorIndex TensorIdentity::fresh(const TypedShape& tensor) {
    if (!is_plausible(tensor.shape)) {
        throw TraceError("a tensor would have the shape " + describe_shape(tensor.shape) +
                         ": more than 2^48 elements");
    }
    const auto index = static_cast<TensorIndex>(graph_.tensors.size());
    graph_.tensors.push_back({"t" + std::to_string(index), tensor.shape, tensor.type});
    return index;
}

TensorIndex TensorIdentity::storage(const TypedShape& tensor) {
    const auto found = storage_.find({tensor.type, tensor.shape});
    if (found != storage_.end()) return found->second;
    return storage_[{tensor.type, tensor.shape}] = fresh(tensor);
}

TensorIndex TensorIdentity::input(const TypedShape& tensor, const Operator& op) {
    if (tensor.storage) return storage(tensor);
    const auto found = latest_.find({tensor.type, tensor.shape});
    if (tensor.fresh || found == latest_.end()) return fresh(tensor);
    const bool taken =
        std::find(op.inputs.begin(), op.inputs.end(), found->second) != op.inputs.end();
    return taken ? fresh(tensor) : found->second;
}

void TensorIdentity::assign(const Draft& draft, Operator& op) {
    for (const TypedShape& tensor : draft.inputs) op.inputs.push_back(input(tensor, op));
    for (std::size_t i = 0; i < draft.outputs.size(); ++i) {
        const TypedShape& tensor = draft.outputs[i];
        if (tensor.storage) {
            op.outputs.push_back(storage(tensor));
            continue;
        }
        const bool in_place = i == 0 && draft.in_place;
        op.outputs.push_back(in_place ? op.inputs[*draft.in_place] : fresh(tensor));
        latest_[{tensor.type, tensor.shape}] = op.outputs.back();
    }
}

}  // namespace diastole::kineto
