#include "workloads/generate/build_model.hpp"

#include <string>

#include "model/base/error.hpp"
#include "workloads/generate/backward.hpp"
#include "workloads/generate/graph_builder.hpp"
#include "workloads/generate/index_streams.hpp"

namespace diastole {
namespace {

class ModelBuilder {
  public:
    ModelBuilder(const ModelDescription& model, Mode mode, std::uint64_t batch)
        : model_(model), mode_(mode), batch_(batch) {}
    Graph build();

  private:
    TensorIndex from_host(const std::string& name, GraphBuilder::Shape shape, DType type);
    TensorIndex forward(const std::string& name, OpKind kind, std::vector<TensorIndex> inputs,
                        GraphBuilder::Shape shape, Attributes attrs = {},
                        Formula formula = Formula::none);
    TensorIndex linear(const std::string& name, TensorIndex x, std::uint32_t outputs, bool bias);
    TensorIndex relu(const std::string& name, TensorIndex x);
    TensorIndex mlp(const std::string& name, TensorIndex x, const std::uint32_t* begin,
                    const std::uint32_t* end, bool relu_at_end);
    TensorIndex concat(const std::string& name, const std::vector<TensorIndex>& parts,
                       GraphBuilder::Shape shape);

    [[nodiscard]] EmbeddingTable table(const TableDescription& description) const;
    TensorIndex embeddings();
    TensorIndex interact(TensorIndex dense, TensorIndex pooled);
    TensorIndex dot(TensorIndex dense, TensorIndex pooled);
    TensorIndex cross(TensorIndex x0);
    TensorIndex neumf(TensorIndex pooled);
    TensorIndex predict();
    void finish_inference(TensorIndex logits);
    void finish_training(TensorIndex logits);
    [[nodiscard]] std::uint32_t width(TensorIndex t) const {
        return static_cast<std::uint32_t>(builder_.at(t).shape.back());
    }

    const ModelDescription& model_;
    Mode mode_;
    std::uint64_t batch_;
    GraphBuilder builder_;
    TensorIndex labels_ = 0;
};

TensorIndex ModelBuilder::from_host(const std::string& name, GraphBuilder::Shape shape,
                                    DType type) {
    const TensorIndex t = builder_.tensor(name, std::move(shape), type);
    Attributes attrs;
    attrs.from_host = true;
    attrs.bytes = size_of(builder_.at(t)).count();
    builder_.add("copy_in:" + name, OpKind::copy, Phase::forward, {}, {t}, attrs);
    return t;
}

TensorIndex ModelBuilder::forward(const std::string& name, OpKind kind,
                                  std::vector<TensorIndex> inputs, GraphBuilder::Shape shape,
                                  Attributes attrs, Formula formula) {
    const TensorIndex y = builder_.tensor(name + ".out", std::move(shape), model_.dense_type);
    builder_.add(name, kind, Phase::forward, std::move(inputs), {y}, std::move(attrs), formula);
    return y;
}

TensorIndex ModelBuilder::linear(const std::string& name, TensorIndex x, std::uint32_t outputs,
                                 bool bias) {
    const TensorIndex w =
        builder_.parameter(name + ".weight", {outputs, width(x)}, model_.dense_type);
    std::vector<TensorIndex> inputs = {x, w};
    if (bias) {
        inputs.push_back(builder_.parameter(name + ".bias", {outputs}, model_.dense_type));
    }
    Attributes attrs;
    attrs.transpose_b = true;  // weights are stored [outputs, inputs], as PyTorch does
    return forward(name, OpKind::gemm, inputs, {batch_, outputs}, attrs);
}

TensorIndex ModelBuilder::relu(const std::string& name, TensorIndex x) {
    return forward(name, OpKind::elementwise, {x}, builder_.at(x).shape, {}, Formula::relu);
}

TensorIndex ModelBuilder::mlp(const std::string& name, TensorIndex x, const std::uint32_t* begin,
                              const std::uint32_t* end, bool relu_at_end) {
    for (const std::uint32_t* layer = begin; layer != end; ++layer) {
        const std::string suffix = std::to_string(layer - begin);
        x = linear(name + ".fc" + suffix, x, *layer, true);
        if (layer + 1 != end || relu_at_end) x = relu(name + ".relu" + suffix, x);
    }
    return x;
}

TensorIndex ModelBuilder::concat(const std::string& name, const std::vector<TensorIndex>& parts,
                                 GraphBuilder::Shape shape) {
    if (parts.size() == 1) return parts.front();
    Attributes attrs;
    attrs.axes = {1};
    return forward(name, OpKind::layout, parts, std::move(shape), attrs);
}

EmbeddingTable ModelBuilder::table(const TableDescription& description) const {
    EmbeddingTable result;
    result.name = description.name;
    result.rows = description.rows;
    result.dim = description.dim;
    result.type = model_.row_type;
    result.bags = static_cast<std::uint32_t>(batch_);
    result.lookups =
        static_cast<std::uint64_t>(description.pooling * static_cast<double>(batch_) + 0.5);
    result.indices = description.indices;
    result.lookups = recorded_lookups(result);
    return result;
}

TensorIndex ModelBuilder::embeddings() {
    Attributes attrs;
    std::vector<TensorIndex> inputs;
    std::uint64_t lookups = 0;
    for (const TableDescription& description : model_.tables) {
        attrs.tables.push_back(table(description));
        lookups += attrs.tables.back().lookups;
    }
    if (lookups == 0) {
        throw ConfigError("batch: " + std::to_string(batch_) + " of model '" + model_.name +
                          "' does not look up a single row");
    }
    const TensorIndex indices = from_host("indices", {lookups}, model_.index_type);
    const TensorIndex offsets =
        from_host("offsets", {model_.tables.size() * batch_ + 1}, model_.index_type);
    for (const TableDescription& description : model_.tables) {
        inputs.push_back(builder_.tensor(description.name + ".weight",
                                         {description.rows, description.dim}, model_.row_type));
    }
    inputs.push_back(indices);
    inputs.push_back(offsets);
    return forward("embedding", OpKind::embedding_bag, inputs, {batch_, pooled_width(model_)},
                   attrs);
}

// Every pair of the bottom output and the pooled rows: X X^T, its part below the diagonal, and the
// bottom output again.
TensorIndex ModelBuilder::dot(TensorIndex dense, TensorIndex pooled) {
    const std::uint64_t vectors = model_.tables.size() + 1;
    const std::uint64_t pairs = vectors * (vectors - 1) / 2;
    const std::uint32_t dim = width(dense);
    const TensorIndex x = concat("interaction.concat", {dense, pooled}, {batch_, vectors, dim});
    Attributes transposed;
    transposed.transpose_b = true;
    const TensorIndex products = forward("interaction.dot", OpKind::batched_gemm, {x, x},
                                         {batch_, vectors, vectors}, transposed);
    const TensorIndex lower =
        forward("interaction.lower_triangle", OpKind::layout, {products}, {batch_, pairs});
    return concat("interaction.join", {dense, lower}, {batch_, dim + pairs});
}

TensorIndex ModelBuilder::cross(TensorIndex x0) {
    TensorIndex x = x0;
    Attributes two_operations;
    two_operations.ops_per_element = 2;
    for (std::uint32_t i = 0; i < model_.cross_layers; ++i) {
        const std::string name = "interaction.cross" + std::to_string(i);
        const TensorIndex low = linear(name + ".v", x, model_.low_rank, false);
        const TensorIndex wide = linear(name + ".w", low, width(x0), true);
        x = forward(name, OpKind::elementwise, {x0, wide, x}, builder_.at(x0).shape, two_operations,
                    Formula::multiply_add);
    }
    return x;
}

TensorIndex ModelBuilder::interact(TensorIndex dense, TensorIndex pooled) {
    if (model_.interaction == Interaction::dot) return dot(dense, pooled);
    std::vector<TensorIndex> parts = {pooled};
    std::uint64_t total = pooled_width(model_);
    if (model_.dense_inputs > 0) {
        parts.insert(parts.begin(), dense);
        total += width(dense);
    }
    const TensorIndex x = concat("interaction.concat", parts, {batch_, total});
    return model_.interaction == Interaction::dcn_v2 ? cross(x) : x;
}

// DeepRecSys models/ncf.py: the matrix-factorisation tables are summed (net.Sum), the others go
// through the MLP, and the last layer sees both.
TensorIndex ModelBuilder::neumf(TensorIndex pooled) {
    const std::uint64_t half = model_.tables.size() / 2;
    const std::uint32_t dim = model_.tables.front().dim;
    std::vector<TensorIndex> parts;
    for (std::uint64_t i = 0; i <= half; ++i) {
        parts.push_back(builder_.tensor("interaction.part" + std::to_string(i),
                                        {batch_, i < half ? dim : half * dim}, model_.dense_type));
    }
    Attributes attrs;
    attrs.axes = {1};
    builder_.add("interaction.split", OpKind::layout, Phase::forward, {pooled}, parts, attrs);
    TensorIndex sum = parts[0];
    for (std::uint64_t i = 1; i < half; ++i) {
        sum = forward("interaction.sum" + std::to_string(i), OpKind::elementwise, {sum, parts[i]},
                      {batch_, dim}, {}, Formula::add);
    }
    const std::uint32_t* layers = model_.top_mlp.data();
    const std::size_t count = model_.top_mlp.size();
    const TensorIndex deep = mlp("top", parts.back(), layers, layers + count - 1, true);
    const TensorIndex joined =
        concat("interaction.join", {sum, deep}, {batch_, std::uint64_t{dim} + width(deep)});
    return linear("top.last", joined, model_.top_mlp.back(), true);
}

TensorIndex ModelBuilder::predict() {
    TensorIndex dense = 0;
    if (model_.dense_inputs > 0) {
        dense = from_host("dense", {batch_, model_.dense_inputs}, model_.dense_type);
    }
    const TensorIndex pooled = embeddings();
    if (model_.interaction == Interaction::neumf) return neumf(pooled);
    const std::uint32_t* bottom = model_.bottom_mlp.data();
    dense = mlp("bottom", dense, bottom, bottom + model_.bottom_mlp.size(), true);
    const TensorIndex x = interact(dense, pooled);
    const std::uint32_t* top = model_.top_mlp.data();
    return mlp("top", x, top, top + model_.top_mlp.size(), false);
}

void ModelBuilder::finish_inference(TensorIndex logits) {
    Attributes sigmoid;
    sigmoid.ops_per_element = 4;  // negate, exponential, add, divide
    sigmoid.transcendental = true;
    const TensorIndex result = forward("sigmoid", OpKind::elementwise, {logits},
                                       builder_.at(logits).shape, sigmoid, Formula::sigmoid);
    Attributes attrs;
    attrs.to_host = true;
    attrs.bytes = size_of(builder_.at(result)).count();
    builder_.add("copy_out:result", OpKind::copy, Phase::forward, {result}, {}, attrs);
}

// Binary cross-entropy on the logits, max(z, 0) - z y + ln(1 + exp(-|z|)): 8 operations an element.
void ModelBuilder::finish_training(TensorIndex logits) {
    Attributes attrs;
    attrs.ops_per_element = 8;
    attrs.transcendental = true;
    const TensorIndex loss = builder_.tensor("loss.out", {1}, DType::fp32);
    builder_.add("loss", OpKind::loss, Phase::forward, {logits, labels_}, {loss}, attrs);
    const std::vector<ParameterGradient> gradients = derive_backward(builder_);
    add_optimizer_steps(builder_, gradients, model_.optimizer);
}

Graph ModelBuilder::build() {
    if (mode_ == Mode::training) {
        labels_ = from_host("labels", {batch_, model_.top_mlp.back()}, DType::fp32);
    }
    const TensorIndex logits = predict();
    if (mode_ == Mode::training) {
        finish_training(logits);
    } else {
        finish_inference(logits);
    }
    Graph graph = builder_.take();
    graph.name = model_.name;
    graph.batch = batch_;
    graph.mode = mode_;
    graph.source = model_.source;
    graph.notes = model_.notes;
    return graph;
}

// Lookups, bytes and three passes of multiply-adds stay below 2^62.
void check_size(const ModelDescription& model, std::uint64_t batch) {
    if (batch == 0 || batch > (std::uint64_t{1} << 31)) {
        throw ConfigError("batch: expected 1 to 2147483648, got " + std::to_string(batch));
    }
    // Every layer is at most this wide, and so is its input.
    double widest = pooled_width(model) + static_cast<double>(model.dense_inputs);
    double weights = 0;
    double layers = 0;
    const auto add = [&](const std::vector<std::uint32_t>& widths) {
        for (const std::uint32_t width : widths) {
            if (width > widest) widest = width;
            layers += 1;
        }
    };
    add(model.bottom_mlp);
    add(model.top_mlp);
    const auto vectors = static_cast<double>(model.tables.size() + 1);
    weights = (layers + 2.0 * model.cross_layers) * widest * widest + vectors * vectors * widest;
    double lookups = 0;
    for (const TableDescription& table : model.tables) lookups += table.pooling * table.dim;
    if (static_cast<double>(batch) * (6 * weights + 32 * (widest + lookups)) > 0x1p62) {
        throw ConfigError("batch: " + std::to_string(batch) + " of model '" + model.name +
                          "' is more work than 62 bits can count");
    }
}

}  // namespace

Graph build_model(const ModelDescription& model, Mode mode, std::uint64_t batch) {
    std::string text;
    for (const DescriptionProblem& problem : problems_of(model)) {
        text += (text.empty() ? "" : "\n") + model.name + ": " + problem.key + ": " + problem.text;
    }
    if (!text.empty()) throw ConfigError(text);
    check_size(model, batch);
    return ModelBuilder(model, mode, batch).build();
}

}  // namespace diastole
