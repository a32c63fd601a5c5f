#include <catch2/catch.hpp>

#include "tests/generate/graphs.hpp"
#include "workloads/generate/backward.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

// y = op(A) op(B), summed up by a loss; returns the operators of the backward pass.
Graph derived_product(OpKind kind, bool ta, bool tb) {
    const bool batched = kind == OpKind::batched_gemm;
    const auto matrix = [&](std::uint64_t rows, std::uint64_t columns) {
        std::vector<std::uint64_t> s = {rows, columns};
        if (batched) s.insert(s.begin(), 5);
        return s;
    };
    GraphBuilder builder;
    const TensorIndex a = builder.parameter("a", ta ? matrix(7, 2) : matrix(2, 7), DType::fp16);
    const TensorIndex b = builder.parameter("b", tb ? matrix(3, 7) : matrix(7, 3), DType::fp16);
    const TensorIndex c = builder.tensor("c", matrix(2, 3), DType::fp16);
    const TensorIndex loss = builder.tensor("loss", {1}, DType::fp32);
    Attributes attrs;
    attrs.transpose_a = ta;
    attrs.transpose_b = tb;
    builder.add("product", kind, Phase::forward, {a, b}, {c}, attrs);
    builder.add("loss", OpKind::loss, Phase::forward, {c}, {loss});
    const auto gradients = derive_backward(builder);
    REQUIRE(gradients.size() == 2);
    for (const ParameterGradient& pair : gradients) {
        CHECK(builder.at(pair.gradient).shape == builder.at(pair.parameter).shape);
    }
    return builder.take();
}

}  // namespace

TEST_CASE("dgrad and wgrad of a product have the right sizes however its operands are stored") {
    for (const OpKind kind : {OpKind::gemm, OpKind::batched_gemm}) {
        const std::uint64_t batch = kind == OpKind::gemm ? 1 : 5;
        for (const bool ta : {false, true}) {
            for (const bool tb : {false, true}) {
                const Graph graph = derived_product(kind, ta, tb);
                INFO(name_of(kind) << " ta " << ta << " tb " << tb);
                CHECK(disorder(graph).empty());
                // op(A) is 2 x 7 and op(B) 7 x 3; a gradient is as its operand is stored.
                const Product da = product(graph, find(graph, "product.dgrad"));
                const Product db = product(graph, find(graph, "product.wgrad"));
                CHECK(da == (ta ? Product{batch, 7, 2, 3} : Product{batch, 2, 7, 3}));
                CHECK(db == (tb ? Product{batch, 3, 7, 2} : Product{batch, 7, 3, 2}));
            }
        }
    }
}

TEST_CASE("a product of a tensor with itself gets both gradients, added") {
    const Graph graph = build_model(bundled("dlrm-v1"), Mode::training, 4);
    const Product square{4, 27, 128, 27};
    CHECK(product(graph, find(graph, "interaction.dot.dgrad")) == square);
    CHECK(product(graph, find(graph, "interaction.dot.wgrad")) == square);
    const Operator& dgrad = find(graph, "interaction.dot.dgrad");
    const Operator& wgrad = find(graph, "interaction.dot.wgrad");
    bool added = false;
    for (const Operator& op : graph.operators) {
        added =
            added || (op.name.rfind("grad_add", 0) == 0 &&
                      op.inputs == std::vector<TensorIndex>{dgrad.outputs[0], wgrad.outputs[0]});
    }
    CHECK(added);
}

TEST_CASE("every layer of DLRM-DCNv2 has the dgrad and wgrad of its sizes, the first no dgrad") {
    const std::uint64_t batch = 16;
    const Graph graph = build_model(bundled("dlrm-dcnv2"), Mode::training, batch);
    int layers = 0, without_dgrad = 0;
    std::map<std::string, const Operator*> by_name;
    for (const Operator& op : graph.operators) by_name[op.name] = &op;
    for (const Operator& op : graph.operators) {
        if (op.kind != OpKind::gemm || op.phase != Phase::forward) continue;
        ++layers;
        const Product p = product(graph, op);
        INFO(op.name);
        CHECK(product(graph, *by_name.at(op.name + ".wgrad")) == Product{1, p.n, p.k, batch});
        if (by_name.count(op.name + ".dgrad") == 0) {
            ++without_dgrad;
            CHECK(op.name == "bottom.fc0");
        } else {
            CHECK(product(graph, *by_name[op.name + ".dgrad"]) == Product{1, batch, p.k, p.n});
        }
        const bool bias = op.inputs.size() == 3;
        CHECK(by_name.count(op.name + ".bias_grad") == (bias ? 1 : 0));
    }
    CHECK(layers == 3 + 6 + 5);
    CHECK(without_dgrad == 1);
}

TEST_CASE("gradients of a tensor with several consumers are added as often as needed") {
    const Graph graph = build_model(bundled("dlrm-dcnv2"), Mode::training, 4);
    int adds = 0;
    for (const Operator& op : graph.operators) adds += op.name.rfind("grad_add", 0) == 0 ? 1 : 0;
    // x0 feeds three cross layers, the first one's product besides, and is the first one's addend:
    // 5 gradients; x1 and x2 feed a product and an addend each: 2.
    CHECK(adds == 4 + 1 + 1);
}

TEST_CASE("the embedding backward updates rows and one fp32 momentum per row in place") {
    const Graph graph = build_model(bundled("ncf"), Mode::training, 4);
    const Operator& forward = find(graph, "embedding");
    const Operator& op = find(graph, "embedding.backward");
    CHECK(op.kind == OpKind::embedding_bag_backward);
    CHECK(op.phase == Phase::backward);
    REQUIRE(op.inputs.size() == 1 + 4 + 2 + 4);
    REQUIRE(op.outputs.size() == 8);
    CHECK(shape(graph, op.inputs[0]) == std::vector<std::uint64_t>{4, 256});
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(op.inputs[1 + i] == forward.inputs[i]);
        CHECK(op.outputs[i] == forward.inputs[i]);
        CHECK(op.outputs[4 + i] == op.inputs[7 + i]);
        CHECK(shape(graph, op.outputs[4 + i]) ==
              std::vector<std::uint64_t>{op.attrs.tables[i].rows});
        CHECK(graph.tensors[op.outputs[4 + i]].type == DType::fp32);
    }
    CHECK(op.inputs[5] == forward.inputs[4]);
}

TEST_CASE("every dense parameter gets one optimizer step with the state of its optimizer") {
    const auto states = [](const char* name) {
        const Graph graph = build_model(bundled(name), Mode::training, 4);
        std::set<TensorIndex> updated;
        std::size_t inputs = 0;
        for (const Operator& op : graph.operators) {
            if (op.kind != OpKind::optimizer_step) continue;
            CHECK(op.phase == Phase::optimizer);
            CHECK(op.outputs[0] == op.inputs[0]);
            CHECK(updated.insert(op.inputs[0]).second);
            CHECK(shape(graph, op.inputs[0]) == shape(graph, op.inputs[1]));
            inputs = op.inputs.size();
        }
        std::size_t parameters = 0;
        for (const Operator& op : graph.operators) {
            if (op.kind == OpKind::gemm && op.phase == Phase::forward) {
                parameters += op.inputs.size() - 1;
            }
        }
        CHECK(updated.size() == parameters);
        return inputs - 2;
    };
    CHECK(states("dlrm-v1") == 0);     // SGD
    CHECK(states("dlrm-dcnv2") == 1);  // Adagrad
    CHECK(states("ncf") == 2);         // Adam
}

TEST_CASE("layer normalization gets gradients of its input, scale and shift") {
    GraphBuilder builder;
    const TensorIndex x = builder.parameter("x", {4, 8}, DType::fp32);
    const TensorIndex scale = builder.parameter("scale", {8}, DType::fp32);
    const TensorIndex shift = builder.parameter("shift", {8}, DType::fp32);
    const TensorIndex y = builder.tensor("y", {4, 8}, DType::fp32);
    const TensorIndex loss = builder.tensor("loss", {1}, DType::fp32);
    Attributes attrs;
    attrs.axes = {1};
    builder.add("norm", OpKind::normalization, Phase::forward, {x, scale, shift}, {y}, attrs);
    builder.add("loss", OpKind::loss, Phase::forward, {y}, {loss});
    CHECK(derive_backward(builder).size() == 3);
    const Graph graph = builder.take();
    const Operator& op = find(graph, "norm.backward");
    CHECK(op.kind == OpKind::normalization_backward);
    CHECK(op.attrs.axes == std::vector<std::uint32_t>{1});
    CHECK(op.outputs.size() == 3);
}

TEST_CASE("a kind without a derivative stops the model, by name") {
    GraphBuilder builder;
    const TensorIndex x = builder.parameter("x", {4}, DType::fp32);
    const TensorIndex y = builder.tensor("y", {4}, DType::fp32);
    const TensorIndex loss = builder.tensor("loss", {1}, DType::fp32);
    builder.add("running_sum", OpKind::scan, Phase::forward, {x}, {y});
    builder.add("loss", OpKind::loss, Phase::forward, {y}, {loss});
    CHECK_THROWS_WITH(derive_backward(builder), Catch::Contains("running_sum"));
}
