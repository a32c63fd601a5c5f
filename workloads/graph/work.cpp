#include "workloads/graph/work.hpp"

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <utility>

#include "model/base/error.hpp"
#include "workloads/graph/convolution.hpp"
#include "workloads/graph/validate.hpp"

namespace diastole {
namespace {

const Tensor& input(const Graph& graph, const Operator& op, std::size_t i) {
    return graph.tensors.at(op.inputs.at(i));
}

std::uint64_t elements(const Graph& graph, const std::vector<TensorIndex>& list, std::size_t i) {
    return i < list.size() ? element_count(graph.tensors.at(list[i])) : 0;
}

// The largest tensor of the operator: what an element-wise pass goes over. Kinds that change the
// size (a reduction, a gather) name theirs instead.
std::uint64_t widest(const Graph& graph, const Operator& op) {
    std::uint64_t most = 0;
    for (const auto* list : {&op.inputs, &op.outputs}) {
        for (const TensorIndex index : *list) {
            most = std::max(most, element_count(graph.tensors.at(index)));
        }
    }
    return most;
}

Bytes sum(const Graph& graph, const std::vector<TensorIndex>& list) {
    Bytes total;
    for (const TensorIndex index : list) total += size_of(graph.tensors.at(index));
    return total;
}

[[noreturn]] void mismatch(const Operator& op, const std::string& what) {
    throw TraceError("operator " + std::to_string(op.id) + " (" + op.name +
                     "): " + std::string(name_of(op.kind)) + ": " + what);
}

struct Matrix {
    std::uint64_t batch = 1, rows = 0, columns = 0;
};

// The last two dimensions, transposed when asked; all before them are the batch, or, for the left
// operand of a plain gemm, more rows.
Matrix matrix(const Operator& op, const Tensor& tensor, bool transpose, bool fold) {
    const auto& shape = tensor.shape;
    if (shape.size() < 2) {
        mismatch(op, "'" + tensor.id + "' is " + describe(tensor) + ", expected a matrix");
    }
    Matrix result;
    result.batch = std::accumulate(shape.begin(), shape.end() - 2, std::uint64_t{1},
                                   [](std::uint64_t a, std::uint64_t b) { return a * b; });
    result.rows = shape[shape.size() - 2];
    result.columns = shape[shape.size() - 1];
    if (transpose) std::swap(result.rows, result.columns);
    if (fold && !transpose) result.rows *= std::exchange(result.batch, 1);
    return result;
}

// The product of some counts; refused beyond 2^60, where sums of it would no longer fit 64 bits.
std::uint64_t count(const Operator& op, std::initializer_list<std::uint64_t> factors) {
    Wide result = 1;
    for (const std::uint64_t factor : factors) {
        result *= factor;
        if (result >> 60 != 0) mismatch(op, "needs more than 2^60 operations");
    }
    return static_cast<std::uint64_t>(result);
}

Work matrix_work(const Graph& graph, const Operator& op) {
    Work work;
    const Gemm gemm = gemm_of(graph, op);
    work.flops = 2 * gemm.batch * gemm.m * gemm.n * gemm.k;
    return work;
}

// Every output element sums over one filter; products with padding are executed like others.
Work convolution_work(const Graph& graph, const Operator& op) {
    Work work;
    const Convolution c = convolution_of(graph, op);
    work.flops = count(op, {2, elements(graph, op.outputs, 0), c.channels, c.taps()});
    return work;
}

// q [..., Sq, D], k [..., Sk, D], v [..., Sk, Dv]: scores and their product with v.
Work attention_work(const Graph& graph, const Operator& op) {
    Work work;
    const Matrix q = matrix(op, input(graph, op, 0), false, false);
    const Matrix k = matrix(op, input(graph, op, 1), false, false);
    const Matrix v = matrix(op, input(graph, op, 2), false, false);
    work.flops = count(op, {2, q.batch, q.rows, k.rows, q.columns + v.columns});
    return work;
}

// x [B, I], h [B, H], W_x [I, gates H], W_h [H, gates H]: matrix products of every sample, then the
// gates. Counted as vector work: `flops` holds four kinds only.
Work recurrent_work(const Graph& graph, const Operator& op) {
    Work work;
    const std::uint64_t batch = input(graph, op, 0).shape.at(0);
    const std::uint64_t weights = elements(graph, op.inputs, 2) + elements(graph, op.inputs, 3);
    work.flops_vector =
        count(op, {2, batch, weights}) + op.attrs.ops_per_element * elements(graph, op.outputs, 0);
    return work;
}

// Forward: one add per element of a looked-up row, and one multiply where lookups have weights.
Work embedding_work(const Operator& op) {
    Work work;
    const std::uint64_t per_element = op.attrs.weighted ? 2 : 1;
    for (const EmbeddingTable& table : op.attrs.tables) {
        work.lookups += table.lookups;
        work.read += Bytes(table.lookups * table.dim * size_of(table.type));
        work.flops_vector += table.lookups * table.dim * per_element;
    }
    return work;
}

// Backward fused with row-wise Adagrad: gradients of all lookups are accumulated by row; of each
// distinct row the mean square of its gradient (2 per element) goes to its one fp32 moment (root,
// division, product: 4 per row), and the row moves by it (2 per element). Row and moment are read
// and written. Distinct rows: at most the lookups, at most the table.
Work embedding_backward_work(const Operator& op) {
    constexpr std::uint64_t moment_bytes = 4;
    Work work;
    const std::uint64_t per_element = op.attrs.weighted ? 2 : 1;
    for (const EmbeddingTable& table : op.attrs.tables) {
        const std::uint64_t rows = std::min(table.lookups, table.rows);
        const Bytes moved(rows * (table.dim * size_of(table.type) + moment_bytes));
        work.lookups += table.lookups;
        work.read += moved;
        work.written += moved;
        work.flops_vector += table.lookups * table.dim * per_element + rows * (4 * table.dim + 4);
    }
    return work;
}

// Of it only rows move, and those are counted with the lookups.
bool is_row_storage(const Operator& op, const Tensor& tensor) {
    return is_table_storage(op, tensor) || is_moment_storage(op, tensor);
}

Work copy_work(const Graph& graph, const Operator& op) {
    Work work;
    const Bytes moved = op.attrs.bytes ? Bytes(*op.attrs.bytes)
                                       : std::max(sum(graph, op.inputs), sum(graph, op.outputs));
    if (!op.attrs.from_host) work.read = moved;
    if (!op.attrs.to_host) work.written = moved;
    return work;
}

// Operations of the kinds that go over elements once.
std::uint64_t vector_operations(const Graph& graph, const Operator& op) {
    const std::uint64_t in = elements(graph, op.inputs, 0), out = elements(graph, op.outputs, 0);
    switch (op.kind) {
        case OpKind::elementwise:
            return op.attrs.ops_per_element * out;
        case OpKind::optimizer_step:
        case OpKind::loss:
            return op.attrs.ops_per_element * in;
        case OpKind::select:
            return op.attrs.ops_per_element * widest(graph, op);
        case OpKind::reduction:
        case OpKind::scan:
            return in;
        case OpKind::normalization:
            return in * (normalization_ops + (op.inputs.size() > 1 ? normalization_affine_ops : 0));
        case OpKind::normalization_backward:
            return in * normalization_backward_ops;
        case OpKind::softmax:
            return in * softmax_ops;
        case OpKind::scatter:  // one add per element of the updates
            return elements(graph, op.inputs, 2);
        default:
            return 0;
    }
}

Work arithmetic_of(const Graph& graph, const Operator& op) {
    switch (op.kind) {
        case OpKind::gemm:
        case OpKind::batched_gemm:
            return matrix_work(graph, op);
        case OpKind::convolution:
            return convolution_work(graph, op);
        case OpKind::attention:
            return attention_work(graph, op);
        case OpKind::recurrent_cell:
            return recurrent_work(graph, op);
        case OpKind::embedding_bag:
            return embedding_work(op);
        case OpKind::embedding_bag_backward:
            return embedding_backward_work(op);
        default: {
            Work work;
            work.flops_vector = vector_operations(graph, op);
            return work;
        }
    }
}

}  // namespace

Gemm gemm_of(const Graph& graph, const Operator& op) {
    const bool plain = op.kind == OpKind::gemm;
    if (!plain && op.kind != OpKind::batched_gemm) mismatch(op, "has no matrix product");
    if (op.inputs.size() < 2 || op.outputs.empty()) {
        mismatch(op, "expected inputs A, B and an output, got " + std::to_string(op.inputs.size()) +
                         " and " + std::to_string(op.outputs.size()));
    }
    const Tensor &ta = input(graph, op, 0), &tb = input(graph, op, 1);
    const Tensor& tc = graph.tensors.at(op.outputs[0]);
    const Matrix a = matrix(op, ta, op.attrs.transpose_a, plain);
    const Matrix b = matrix(op, tb, op.attrs.transpose_b, false);
    const Matrix c = matrix(op, tc, false, plain);
    const std::string shapes = describe_shape(ta.shape) + " and " + describe_shape(tb.shape);
    if (a.columns != b.rows) {
        mismatch(op, "K differs: A and B are " + shapes + ", so K is " + std::to_string(a.columns) +
                         " and " + std::to_string(b.rows));
    }
    if (a.batch != b.batch) mismatch(op, "the batches of A and B differ: " + shapes);
    if (c.batch != a.batch || c.rows != a.rows || c.columns != b.columns) {
        mismatch(op, "A and B are " + shapes + ", which does not give an output of " +
                         describe_shape(tc.shape));
    }
    count(op, {2, a.batch, a.rows, b.columns, a.columns});
    return {a.batch, a.rows, b.columns, a.columns};
}

bool is_table_storage(const Operator& op, const Tensor& tensor) {
    if (op.kind != OpKind::embedding_bag && op.kind != OpKind::embedding_bag_backward) return false;
    if (tensor.type == DType::int64 || tensor.type == DType::int32) return false;  // indices
    std::uint64_t elements = 0;
    for (const EmbeddingTable& table : op.attrs.tables) {
        if (tensor.shape == std::vector<std::uint64_t>{table.rows, table.dim}) return true;
        elements += table.rows * table.dim;
    }
    return element_count(tensor) == elements;
}

bool is_moment_storage(const Operator& op, const Tensor& tensor) {
    if (op.kind != OpKind::embedding_bag_backward) return false;
    if (tensor.type == DType::int64 || tensor.type == DType::int32) return false;
    if (tensor.shape.size() != 1) return false;
    std::uint64_t rows = 0;
    for (const EmbeddingTable& table : op.attrs.tables) {
        if (tensor.shape[0] == table.rows) return true;
        rows += table.rows;
    }
    return tensor.shape[0] == rows;
}

Work work_of(const Graph& graph, const Operator& op) {
    if (op.kind == OpKind::copy) return copy_work(graph, op);
    if (op.kind == OpKind::layout && op.attrs.view) return {};
    if (op.kind == OpKind::collective && op.attrs.world_size == 1) return {};
    Work work = arithmetic_of(graph, op);
    if (op.kind == OpKind::opaque && op.attrs.bytes) {
        work.read = Bytes(*op.attrs.bytes);  // how much of it is written, nobody knows
        return work;
    }
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        // The gradient, first input of a backward, may have the shape of a table by chance.
        const bool gradient = op.kind == OpKind::embedding_bag_backward && i == 0;
        if (!gradient && is_row_storage(op, input(graph, op, i))) continue;
        Bytes size = size_of(input(graph, op, i));
        if (op.kind == OpKind::convolution && i == 0) {
            size = Bytes(convolution_of(graph, op).touched_elements() *
                         size_of(input(graph, op, i).type));
        }
        const bool looked_up = op.kind == OpKind::gather && i == 0 && !op.outputs.empty();
        if (looked_up) size = std::min(size, size_of(graph.tensors.at(op.outputs[0])));
        work.read += size;
    }
    for (const TensorIndex output : op.outputs) {
        const Tensor& tensor = graph.tensors.at(output);
        const bool in_place = op.kind == OpKind::embedding_bag_backward;
        if (!in_place || !is_row_storage(op, tensor)) work.written += size_of(tensor);
    }
    return work;
}

}  // namespace diastole
