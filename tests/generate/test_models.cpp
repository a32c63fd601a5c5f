#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "tests/generate/graphs.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

const std::vector<std::string> all_models = {"dlrm-v1", "dlrm-dcnv2",    "rm1", "rm2",
                                             "rm3",     "wide-and-deep", "ncf"};

double mega_per_sample(const Graph& graph, const std::string& prefix = "") {
    return flops(graph, prefix) / static_cast<double>(graph.batch) / 1e6;
}

}  // namespace

TEST_CASE("DLRM-DCNv2 inference has the published FLOPs and lookups per sample") {
    const Graph graph = build_model(bundled("dlrm-dcnv2"), Mode::inference, 512);
    CHECK(mega_per_sample(graph) == Approx(32.06).epsilon(0.0005));
    CHECK(mega_per_sample(graph, "bottom") == Approx(0.341).epsilon(0.002));
    CHECK(mega_per_sample(graph, "interaction") == Approx(21.234).epsilon(0.0001));
    CHECK(mega_per_sample(graph, "top") == Approx(10.486).epsilon(0.0001));
    CHECK(lookups(graph) == 214.0 * 512);
    CHECK(graph.mode == Mode::inference);
    CHECK(graph.batch == 512);
    CHECK_FALSE(graph.eager);
    CHECK_FALSE(graph.identity_inferred);
    CHECK(graph.notes.size() >= 4);
}

TEST_CASE("DLRM-DCNv2 training does three times the work less the first layer's dgrad") {
    const Graph graph = build_model(bundled("dlrm-dcnv2"), Mode::training, 64);
    const double forward = (0.340992 + 21.233664 + 10.485760);
    CHECK(mega_per_sample(graph) == Approx(3 * forward - 2 * 13 * 512 / 1e6).epsilon(0.0005));
    CHECK(mega_per_sample(graph) == Approx(96.2).epsilon(0.005));
    CHECK(lookups(graph, OpKind::embedding_bag_backward) == 214.0 * 64);
}

TEST_CASE("DLRM v1 has the published FLOPs per sample, part by part") {
    const Graph graph = build_model(bundled("dlrm-v1"), Mode::inference, 128);
    CHECK(mega_per_sample(graph, "bottom") == Approx(0.341).epsilon(0.002));
    CHECK(mega_per_sample(graph, "interaction") == Approx(0.187).epsilon(0.003));
    CHECK(mega_per_sample(graph, "top") == Approx(4.389).epsilon(0.0005));
    CHECK(lookups(graph) == 26.0 * 128);
    const Operator& first = find(graph, "top.fc0");
    CHECK(product(graph, first) == Product{1, 128, 1024, 479});
}

TEST_CASE("DeepRecSys models have the layers and lookups of their configurations") {
    const auto check = [](const char* name, double kilo_flops, double per_sample) {
        const Graph graph = build_model(bundled(name), Mode::inference, 16);
        INFO(name);
        CHECK(flops(graph) / 16 == Approx(kilo_flops * 1e3));
        CHECK(lookups(graph) / 16 == per_sample);
    };
    // By hand: twice the sum of products of neighbouring widths.
    check("rm1", 2e-3 * (128 * 64 + 64 * 32 + 288 * 256 + 256 * 64 + 64), 8 * 80);
    check("rm2", 2e-3 * (256 * 128 + 128 * 64 + 2112 * 128 + 128 * 64 + 64), 32 * 120);
    check("rm3", 2e-3 * (2560 * 1024 + 1024 * 256 + 256 * 32 + 352 * 512 + 512 * 256 + 256),
          10 * 20);
    check("wide-and-deep", 2e-3 * (1376 * 1024 + 1024 * 512 + 512 * 256 + 256), 27);
    check("ncf", 2e-3 * (128 * 256 + 256 * 256 + 256 * 128 + 128 * 64 + 128 * 64), 4);
}

TEST_CASE("every bundled model builds an ordered graph with fitting shapes in both modes") {
    for (const std::string& name : all_models) {
        for (const Mode mode : {Mode::inference, Mode::training}) {
            const Graph graph = build_model(bundled(name), mode, 8);
            INFO(name << ", " << name_of(mode));
            CHECK(disorder(graph).empty());
            CHECK_NOTHROW(flops(graph));
            for (const Operator& op : graph.operators) {
                if (op.kind != OpKind::layout) continue;
                std::uint64_t in = 0, out = 0;
                for (const TensorIndex t : op.inputs) in += element_count(graph.tensors[t]);
                for (const TensorIndex t : op.outputs) out += element_count(graph.tensors[t]);
                const bool slice = op.phase == Phase::backward && out < in;
                const bool triangle = op.name.find("lower_triangle") != std::string::npos;
                INFO(op.name);
                CHECK((in == out || slice || triangle));
            }
            CHECK_FALSE(graph.source.empty());
            CHECK_FALSE(graph.notes.empty());
        }
    }
}

TEST_CASE("the embedding operator reads tables, indices and offsets, and pools into one tensor") {
    const Graph graph = build_model(bundled("dlrm-dcnv2"), Mode::inference, 32);
    const Operator& op = find(graph, "embedding");
    REQUIRE(op.inputs.size() == 28);
    REQUIRE(op.attrs.tables.size() == 26);
    CHECK(shape(graph, op.inputs[0]) == std::vector<std::uint64_t>{40000000, 128});
    CHECK(shape(graph, op.inputs[26]) == std::vector<std::uint64_t>{214 * 32});
    CHECK(graph.tensors[op.inputs[26]].type == DType::int64);
    CHECK(shape(graph, op.inputs[27]) == std::vector<std::uint64_t>{26 * 32 + 1});
    CHECK(shape(graph, op.outputs[0]) == std::vector<std::uint64_t>{32, 26 * 128});
    CHECK(op.attrs.tables[20].lookups == 3200);
    CHECK(op.attrs.tables[20].bags == 32);
    // The features come from the host, the result goes back.
    std::uint64_t in = 0, out = 0;
    for (const Operator& copy : graph.operators) {
        if (copy.kind != OpKind::copy) continue;
        if (copy.attrs.from_host) in += copy.attrs.bytes.value();
        if (copy.attrs.to_host) out += copy.attrs.bytes.value();
    }
    CHECK(in == 32 * 13 * 2 + 214 * 32 * 8 + (26 * 32 + 1) * 8);
    CHECK(out == 32 * 2);
}

TEST_CASE("absurd batches are refused, large ones do not overflow") {
    const ModelDescription model = bundled("dlrm-dcnv2");
    CHECK_THROWS_AS(build_model(model, Mode::inference, 0), ConfigError);
    CHECK_THROWS_WITH(build_model(model, Mode::inference, (1ULL << 31) + 1),
                      Catch::Contains("expected 1 to 2147483648"));
    const Graph graph = build_model(model, Mode::training, 1ULL << 31);
    CHECK(flops(graph) == Approx(96.17 * 1e6 * 0x1p31).epsilon(0.001));
    CHECK(lookups(graph) == 214 * 0x1p31);
    ModelDescription wide = model;
    wide.top_mlp = std::vector<std::uint32_t>(100, 1 << 20);
    CHECK_THROWS_WITH(build_model(wide, Mode::training, 1ULL << 31), Catch::Contains("62 bits"));
}
