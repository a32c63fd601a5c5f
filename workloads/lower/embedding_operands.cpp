#include "workloads/lower/embedding_operands.hpp"

namespace diastole {
namespace {

bool is_integer(DType type) {
    return type == DType::int64 || type == DType::int32;
}

// Inputs that no role has taken yet.
class Inputs {
  public:
    Inputs(const Graph& graph, const Operator& op)
        : graph_(graph), op_(op), taken_(op.inputs.size(), false) {}

    [[nodiscard]] std::size_t size() const { return taken_.size(); }
    [[nodiscard]] const Tensor& tensor(std::size_t i) const {
        return graph_.tensors.at(op_.inputs[i]);
    }
    OperandRef take(std::size_t i) {
        taken_[i] = true;
        return {static_cast<std::int32_t>(i), 0};
    }
    OperandRef take_first(bool integer, std::uint64_t elements) {
        for (std::size_t i = 0; i < size(); ++i) {
            if (!taken_[i] && is_integer(tensor(i).type) == integer &&
                element_count(tensor(i)) == elements) {
                return take(i);
            }
        }
        return {};
    }

  private:
    const Graph& graph_;
    const Operator& op_;
    std::vector<bool> taken_;
};

// One tensor per part, in order, else one tensor with all parts, else nowhere.
std::vector<OperandRef> take_parts(Inputs& inputs, const std::vector<std::uint64_t>& elements) {
    std::uint64_t total = 0;
    for (const std::uint64_t count : elements) total += count;
    std::vector<OperandRef> refs(elements.size());
    if (elements.size() > 1) {
        const OperandRef whole = inputs.take_first(false, total);
        if (whole.found()) {
            const auto input = static_cast<std::size_t>(whole.input);
            std::uint64_t offset = 0;
            for (std::size_t i = 0; i < refs.size(); ++i) {
                refs[i] = {whole.input, offset};
                offset += elements[i] * size_of(inputs.tensor(input).type);
            }
            return refs;
        }
    }
    for (std::size_t i = 0; i < refs.size(); ++i) refs[i] = inputs.take_first(false, elements[i]);
    return refs;
}

OperandRef take_integers(Inputs& inputs, std::uint64_t elements, std::uint32_t& bytes) {
    const OperandRef ref = inputs.take_first(true, elements);
    if (ref.found()) {
        const DType type = inputs.tensor(static_cast<std::size_t>(ref.input)).type;
        bytes = static_cast<std::uint32_t>(size_of(type));
    }
    return ref;
}

}  // namespace

EmbeddingOperands embedding_operands(const Graph& graph, const Operator& op) {
    Inputs inputs(graph, op);
    EmbeddingOperands result;
    const bool backward = op.kind == OpKind::embedding_bag_backward;
    if (backward && inputs.size() > 0) result.gradient = inputs.take(0);
    std::vector<std::uint64_t> sizes, rows;
    for (const EmbeddingTable& table : op.attrs.tables) {
        sizes.push_back(table.rows * table.dim);
        rows.push_back(table.rows);
    }
    result.tables = take_parts(inputs, sizes);
    result.indices = take_integers(inputs, total_lookups(op), result.index_bytes);
    const std::uint64_t bags = total_bags(op);
    result.offsets = take_integers(inputs, bags + 1, result.offset_bytes);
    if (!result.offsets.found()) {
        result.offsets = take_integers(inputs, bags + op.attrs.tables.size(), result.offset_bytes);
    }
    if (!result.offsets.found()) result.offsets = take_integers(inputs, bags, result.offset_bytes);
    if (op.attrs.weighted) {
        result.weights = inputs.take_first(false, total_lookups(op));
        if (result.weights.found()) {
            const auto input = static_cast<std::size_t>(result.weights.input);
            result.weight_bytes = static_cast<std::uint32_t>(size_of(inputs.tensor(input).type));
        }
    }
    if (backward) result.moments = take_parts(inputs, rows);
    return result;
}

std::uint64_t total_lookups(const Operator& op) {
    std::uint64_t sum = 0;
    for (const EmbeddingTable& table : op.attrs.tables) sum += table.lookups;
    return sum;
}

std::uint64_t total_bags(const Operator& op) {
    std::uint64_t sum = 0;
    for (const EmbeddingTable& table : op.attrs.tables) sum += table.bags;
    return sum;
}

}  // namespace diastole
