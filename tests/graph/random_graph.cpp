#include "tests/graph/random_graph.hpp"

namespace diastole::test {
namespace {

class Builder {
  public:
    explicit Builder(Random& random) : random_(random) {
        graph_.name = "graph \"" + std::to_string(random.below(1000)) + "\"";
        graph_.batch = random.between(1, 1 << 20);
        graph_.mode = random.below(2) == 0 ? Mode::inference : Mode::training;
        graph_.identity_inferred = random.below(2) == 0;
        graph_.eager = random.below(2) == 0;
        if (random.below(2) == 0) graph_.source = "somewhere/\xc3\xa9/file.json";
        if (random.below(2) == 0) graph_.licence = "MIT";
        for (std::uint64_t i = random.below(3); i > 0; --i) graph_.notes.push_back("a\tnote\n");
    }

    void add() {
        Operator op;
        op.id = graph_.operators.empty() ? random_.below(5) : last_id_ + random_.between(1, 9);
        last_id_ = op.id;
        op.name = "op\\" + std::to_string(op.id);
        op.phase = static_cast<Phase>(random_.below(4));
        op.kind = static_cast<OpKind>(random_.below(op_kind_names().size()));
        fill(op);
        for (OperatorIndex i = 0; i < graph_.operators.size(); ++i) {
            if (random_.below(4) == 0) op.deps.push_back(i);
        }
        if (random_.below(3) == 0) op.recorded_seconds = random_.unit() * 1e-3;
        graph_.operators.push_back(std::move(op));
    }

    Graph take() { return std::move(graph_); }

  private:
    TensorIndex tensor(std::vector<std::uint64_t> shape) {
        const auto index = static_cast<TensorIndex>(graph_.tensors.size());
        graph_.tensors.push_back({"t" + std::to_string(index), std::move(shape),
                                  static_cast<DType>(random_.below(dtype_count))});
        return index;
    }
    std::uint64_t size() { return random_.between(1, 64); }

    void fill(Operator& op) {
        const std::uint64_t m = size(), n = size(), k = size(), b = size();
        switch (op.kind) {
            case OpKind::gemm:
            case OpKind::batched_gemm: {
                op.attrs.transpose_a = random_.below(2) == 0;
                op.attrs.transpose_b = random_.below(2) == 0;
                std::vector<std::uint64_t> lead;
                if (op.kind == OpKind::batched_gemm) lead.push_back(b);
                op.inputs = {tensor(with(lead, op.attrs.transpose_a, m, k)),
                             tensor(with(lead, op.attrs.transpose_b, k, n))};
                op.outputs = {tensor(with(lead, false, m, n))};
                break;
            }
            case OpKind::convolution:
                op.inputs = {tensor({b, k, 8, 8}), tensor({n, k, 3, 3})};
                if (random_.below(2) == 0) {
                    op.outputs = {tensor({b, n, 6, 6})};
                } else {
                    op.attrs.strides = {2, 1};
                    op.attrs.dilations = {1, 3};
                    op.attrs.padding = {1, 0, 0, 2};
                    op.outputs = {tensor({b, n, 4, 4})};
                }
                break;
            case OpKind::attention:
                op.inputs = {tensor({b, m, k}), tensor({b, n, k}), tensor({b, n, k})};
                op.outputs = {tensor({b, m, k})};
                break;
            case OpKind::recurrent_cell:
                op.inputs = {tensor({b, m}), tensor({b, n}), tensor({m, 4 * n}),
                             tensor({n, 4 * n})};
                op.outputs = {tensor({b, n})};
                break;
            case OpKind::embedding_bag:
            case OpKind::embedding_bag_backward:
                fill_embedding(op, static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(m));
                break;
            default:
                op.inputs = {tensor({m, n}), tensor({m, n}), tensor({m, n}), tensor({m, n})};
                op.outputs = {tensor({m, n})};
                fill_plain_attributes(op);
        }
    }

    static std::vector<std::uint64_t> with(std::vector<std::uint64_t> lead, bool transpose,
                                           std::uint64_t rows, std::uint64_t columns) {
        lead.push_back(transpose ? columns : rows);
        lead.push_back(transpose ? rows : columns);
        return lead;
    }

    void fill_embedding(Operator& op, std::uint32_t bags, std::uint32_t dim) {
        EmbeddingTable table;
        table.name = random_.below(2) == 0 ? "" : "t";
        table.rows = random_.between(1, 1'000'000'000);
        table.dim = dim;
        table.type = static_cast<DType>(random_.below(dtype_count));
        table.bags = bags;
        table.lookups = random_.below(100'000);
        table.indices.distribution = static_cast<IndexDistribution>(random_.below(4));
        table.indices.zipf_q = random_.unit() * 10;
        table.indices.zipf_s = random_.unit() * 2;
        if (random_.below(2) == 0) table.indices.heavy_hitters = {0.1 + random_.unit() / 10, 0.05};
        table.indices.histogram = "/a.csv#b";
        table.indices.indices_path = "/a.npy";
        op.attrs.tables = {table};
        op.attrs.weighted = random_.below(2) == 0;
        op.inputs = {tensor({table.lookups + 1}), tensor({bags + std::uint64_t{1}})};
        op.outputs = {tensor({bags, dim})};
    }

    void fill_plain_attributes(Operator& op) {
        op.attrs.ops_per_element = static_cast<std::uint32_t>(random_.below(20));
        op.attrs.transcendental = random_.below(2) == 0;
        if (random_.below(2) == 0) op.attrs.axes = {static_cast<std::uint32_t>(random_.below(2))};
        if (random_.below(2) == 0) op.attrs.collective = "all_reduce";
        op.attrs.world_size = static_cast<std::uint32_t>(random_.between(1, 3));
        op.attrs.to_host = random_.below(2) == 0;
        op.attrs.from_host = !op.attrs.to_host && random_.below(2) == 0;
        op.attrs.host_copy_request = random_.below(2) == 0;
        if (random_.below(2) == 0) op.attrs.bytes = random_.below(1 << 30);
        op.attrs.view = random_.below(2) == 0;
    }

    Random& random_;
    Graph graph_;
    std::uint64_t last_id_ = 0;
};

}  // namespace

Graph random_graph(Random& random, std::size_t operators) {
    Builder builder(random);
    for (std::size_t i = 0; i < operators; ++i) builder.add();
    return builder.take();
}

}  // namespace diastole::test
