#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "model/base/error.hpp"
#include "tests/generate/graphs.hpp"
#include "tests/paths.hpp"
#include "workloads/generate/footprint.hpp"
#include "workloads/generate/graph_builder.hpp"
#include "workloads/generate/index_streams.hpp"
#include "workloads/generate/lookup_profile.hpp"
#include "workloads/generate/workload.hpp"
#include "workloads/generate/workload_description.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/validate.hpp"
#include "workloads/graph/work.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

// A stream that repeats a list of rows.
class FixedStreams : public IndexStreams {
  public:
    explicit FixedStreams(std::vector<std::uint64_t> rows) : rows_(std::move(rows)) {}
    std::unique_ptr<IndexStream> open(const EmbeddingTable& table, std::uint32_t,
                                      std::uint32_t) const override {
        class Stream : public IndexStream {
          public:
            Stream(const std::vector<std::uint64_t>& rows, std::uint32_t length)
                : rows_(rows), length_(length) {}
            std::uint32_t next_bag() override { return length_; }
            std::uint64_t next_row() override { return rows_[next_++ % rows_.size()]; }

          private:
            const std::vector<std::uint64_t>& rows_;
            std::uint32_t length_;
            std::size_t next_ = 0;
        };
        return std::make_unique<Stream>(rows_,
                                        static_cast<std::uint32_t>(table.lookups / table.bags));
    }

  private:
    std::vector<std::uint64_t> rows_;
};

Graph one_table(std::uint64_t rows, std::uint32_t dim, std::uint64_t lookups) {
    ModelDescription model;
    model.name = "one";
    model.batch = 1;
    model.tables.push_back({"t", rows, dim, static_cast<double>(lookups), {}});
    model.top_mlp = {1};
    return build_model(model, Mode::inference, 1);
}

}  // namespace

TEST_CASE("work_of agrees with the published figures of the bundled models") {
    const auto total = [](const Graph& graph) {
        Work sum;
        for (const Operator& op : graph.operators) {
            const Work work = work_of(graph, op);
            sum.flops += work.flops;
            sum.lookups += op.kind == OpKind::embedding_bag ? work.lookups : 0;
        }
        return sum;
    };
    const Graph inference = build_model(bundled("dlrm-dcnv2"), Mode::inference, 100);
    CHECK(static_cast<double>(total(inference).flops) == flops(inference));
    CHECK(total(inference).lookups == 21400);
    const Graph training = build_model(bundled("dlrm-v1"), Mode::training, 100);
    CHECK(static_cast<double>(total(training).flops) == flops(training));
}

TEST_CASE("an embedding operator reads the rows looked up, not its tables") {
    const Graph graph = build_model(bundled("dlrm-dcnv2"), Mode::training, 10);
    const Work forward = work_of(graph, find(graph, "embedding"));
    const std::uint64_t indices = (214 * 10 + 26 * 10 + 1) * 8;
    CHECK(forward.read == Bytes(214 * 10 * 256 + indices));
    CHECK(forward.written == Bytes(10 * 26 * 256));
    const Work backward = work_of(graph, find(graph, "embedding.backward"));
    std::uint64_t rows = 0;
    for (const EmbeddingTable& t : find(graph, "embedding").attrs.tables) {
        rows += std::min(t.rows, t.lookups);
    }
    CHECK(backward.written == Bytes(rows * (256 + 4)));
    CHECK(backward.read == Bytes(rows * (256 + 4) + indices + 10 * 26 * 256));
}

TEST_CASE("generated graphs are valid native traces and survive a round trip") {
    for (const char* name : {"dlrm-v1", "dlrm-dcnv2", "rm1", "wide-and-deep", "ncf"}) {
        for (const Mode mode : {Mode::inference, Mode::training}) {
            const Graph graph = build_model(bundled(name), mode, 8);
            INFO(name << ", " << name_of(mode));
            CHECK_NOTHROW(validate(graph));
            const std::string text = native_trace_text(graph);
            const auto source = open_text(text, "memory");
            CHECK(native_trace_text(read_native_trace(*source)) == text);
        }
    }
}

TEST_CASE("the footprint of DLRM-DCNv2 is its tables, weights, state and live activations") {
    const Footprint inference =
        footprint(build_model(bundled("dlrm-dcnv2"), Mode::inference, 4096));
    CHECK(inference.tables == Bytes(204184588ULL * 128 * 2));
    // Weights and biases by hand, fp16.
    const std::uint64_t bottom = 13 * 512 + 512 * 256 + 256 * 128 + 512 + 256 + 128;
    const std::uint64_t cross = 3 * (2 * 3456 * 512 + 3456);
    const std::uint64_t top =
        3456 * 1024 + 1024 * 1024 + 1024 * 512 + 512 * 256 + 256 + 1024 + 1024 + 512 + 256 + 1;
    CHECK(inference.parameters == Bytes(2 * (bottom + cross + top)));
    CHECK(inference.state == Bytes(0));
    // At least the concatenated features and what they are made of live at once.
    CHECK(inference.peak_activations.count() >= 4096ULL * (3456 + 3328 + 128) * 2);
    CHECK(inference.peak_activations.count() < 200'000'000);
    const Footprint training = footprint(build_model(bundled("dlrm-dcnv2"), Mode::training, 4096));
    CHECK(training.tables == inference.tables);
    CHECK(training.parameters == inference.parameters);
    CHECK(training.state == Bytes(204184588ULL * 4 + 4 * (bottom + cross + top)));
    CHECK(training.peak_activations.count() > 2 * inference.peak_activations.count());
}

TEST_CASE("activations die with their last reader") {
    GraphBuilder builder;
    const auto add = [&](TensorIndex in, const char* name) {
        const TensorIndex out = builder.tensor(name, {1000}, DType::fp32);
        builder.add(name, OpKind::elementwise, Phase::forward, {in}, {out});
        return out;
    };
    const TensorIndex x = builder.tensor("x", {1000}, DType::fp32);
    const TensorIndex a = add(x, "a");
    const TensorIndex b = add(a, "b");
    const TensorIndex c = add(b, "c");
    CHECK(footprint(builder.graph()).peak_activations == Bytes(8000));
    CHECK(footprint(builder.graph()).parameters == Bytes(4000));
    // Reading a again at the end keeps it alive all the way.
    const TensorIndex d = builder.tensor("d", {1}, DType::fp32);
    builder.add("d", OpKind::reduction, Phase::forward, {a, c}, {d});
    CHECK(footprint(builder.graph()).peak_activations == Bytes(12000));
}

TEST_CASE("LRU hits follow the bytes of the distinct rows in between") {
    // Rows of 512 KiB: a cache of 1 MiB holds two of them.
    const std::uint32_t dim = 1 << 16;
    const auto hits = [&](const std::vector<std::uint64_t>& rows) {
        Graph graph = one_table(100, dim, rows.size());
        graph.tensors.clear();
        for (Operator& op : graph.operators) {
            for (EmbeddingTable& table : op.attrs.tables) {
                table.dim = dim * 4;
                table.bags = 1;
            }
        }
        const LookupProfile profile = profile_lookups(graph, FixedStreams(rows));
        CHECK(profile.lookups == rows.size());
        std::vector<std::uint64_t> result;
        for (const auto& point : profile.cache) result.push_back(point.hits);
        return std::vector<std::uint64_t>(result.begin(), result.begin() + 2);  // 1 and 4 MiB
    };
    using Hits = std::vector<std::uint64_t>;
    CHECK(hits({1, 1, 1}) == Hits{2, 2});
    CHECK(hits({1, 2, 1}) == Hits{1, 1});
    CHECK(hits({1, 2, 3, 1}) == Hits{0, 1});
    CHECK(hits({1, 2, 2, 2, 1}) == Hits{3, 3});
    CHECK(hits({1, 2, 3, 4, 5, 6, 7, 8, 1}) == Hits{0, 1});
    CHECK(hits({1, 2, 3, 4, 5, 6, 7, 8, 9, 1}) == Hits{0, 0});
}

TEST_CASE("the reuse of a batch is counted by powers of two") {
    const std::vector<std::uint64_t> rows = {1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5};
    const LookupProfile profile =
        profile_lookups(one_table(10, 4, rows.size()), FixedStreams(rows));
    CHECK(profile.unique_rows == 5);
    CHECK(profile.unique_bytes == Bytes(5 * 8));
    REQUIRE(profile.reuse.size() == 4);
    CHECK(profile.reuse[0].rows == 1);
    CHECK(profile.reuse[1].rows == 1);
    CHECK(profile.reuse[2].rows == 2);
    CHECK(profile.reuse[2].lookups == 7);
    CHECK(profile.reuse[3].low == 4);
    CHECK(profile.reuse[3].high == 8);
    CHECK(profile.reuse[3].lookups == 5);
}

TEST_CASE("no more lookups are looked at than the limit, but always some") {
    const std::vector<std::uint64_t> rows = {1, 2, 3};
    const Graph graph = one_table(10, 4, 1000);
    CHECK(profile_lookups(graph, FixedStreams(rows), 1000).lookups == 1000);
    CHECK(profile_lookups(graph, FixedStreams(rows), 1000).part_of_batch == 1);
    CHECK(profile_lookups(graph, FixedStreams(rows), 10).lookups == 10);
    CHECK(profile_lookups(graph, FixedStreams(rows), 10).part_of_batch < 1);
}

TEST_CASE("a workload's description names its figures and assumptions") {
    const Graph graph = load_workload("dlrm-dcnv2", std::nullopt, 64);
    const std::string text = workload_description(graph, 1);
    for (const char* part :
         {"dlrm-dcnv2: inference, batch 64", "52.3 GB", "32.1 MFLOP", "204,184,588 rows",
          "40,000,000 rows x 128  fp16", "zipf q=0 s=1.05", "13,696", "LRU", "assumed: indices"}) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(workload_description(graph, 1) == text);
    // Equal tables stand together.
    CHECK(workload_description(load_workload("rm2", Mode::training, 2), 1).find("32 x") !=
          std::string::npos);
}

TEST_CASE("workloads are found by name and by file, in any mode and batch") {
    CHECK(load_workload("rm1", std::nullopt, std::nullopt).batch == 256);
    CHECK(load_workload("rm1", Mode::training, 7).batch == 7);
    CHECK(load_workload("rm1", Mode::training, 7).mode == Mode::training);
    const std::string file = source_dir() + "/workloads/library/ncf.toml";
    CHECK(load_workload(file, std::nullopt, std::nullopt).name == "ncf");
    const auto names = workload_names();
    CHECK(std::count(names.begin(), names.end(), "wide-and-deep") == 1);
    for (const std::string& name : names) {
        CHECK_NOTHROW(load_workload(name, std::nullopt, std::nullopt));
    }
}

TEST_CASE("unknown workloads, wrong files and wrong batches are refused") {
    const auto refused = [](const std::string& name, std::optional<Mode> mode,
                            std::optional<std::uint64_t> batch, const std::string& message) {
        CHECK_THROWS_AS(load_workload(name, mode, batch), ConfigError);
        CHECK_THROWS_WITH(load_workload(name, mode, batch), Catch::Contains(message));
    };
    refused("dlrm-dcn2", {}, {}, "unknown workload 'dlrm-dcn2'; did you mean 'dlrm-dcnv2'?");
    refused("no/such.toml", {}, {}, "no/such.toml: no such file");
    refused("missing.jsonl", {}, {}, "no such file");
    refused(source_dir() + "/CMakeLists.txt", {}, {}, "diastole import");
    refused("rm1", {}, 0, "batch: expected 1 to");
    refused("rm1", {}, ~std::uint64_t{0}, "batch: expected 1 to");

    const auto path = std::filesystem::temp_directory_path() /
                      ("diastole_trace_" + std::to_string(::getpid()) + ".jsonl");
    const Graph graph = build_model(bundled("ncf"), Mode::training, 4);
    write_native_trace(graph, path.string());
    CHECK(load_workload(path.string(), Mode::training, 4).operators.size() ==
          graph.operators.size());
    refused(path.string(), Mode::inference, {}, "trace of training");
    refused(path.string(), {}, 8, "with batch 4; it cannot be replayed with batch 8");
    std::filesystem::remove(path);
}
