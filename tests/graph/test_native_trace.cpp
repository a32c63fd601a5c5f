#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "tests/graph/random_graph.hpp"
#include "tests/graph/temporary_folder.hpp"
#include "tests/paths.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/validate.hpp"

using namespace diastole;
using Catch::Matchers::Contains;

namespace {

const std::string header =
    R"({"trace":"diastole/1","name":"n","batch":4,"mode":"inference","tensor_identity":"given"})";

Graph parse(const std::string& text) {
    return read_native_trace(*open_text(text, "t.jsonl"));
}

// The message of the TraceError that `text` gives; empty when it gives none.
std::string error_of(const std::string& text) {
    try {
        parse(text);
    } catch (const TraceError& error) {
        return error.what();
    }
    return {};
}

std::string relu(const std::string& id, const std::string& deps, const std::string& more = "") {
    return R"({"id":)" + id +
           R"(,"kind":"elementwise","inputs":[{"id":"a","shape":[4],"dtype":"fp16"}],)" +
           R"("outputs":[{"id":"b","shape":[4],"dtype":"fp16"}],"deps":)" + deps + more + "}";
}

std::string tensor_error(const std::string& tensor) {
    return error_of(header + "\n" + R"({"id":7,"kind":"layout","inputs":[)" + tensor + "]}");
}

}  // namespace

TEST_CASE("reading what was written gives the same native trace, byte for byte") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        Random random(seed);
        const Graph graph = test::random_graph(random, random.between(1, 40));
        validate(graph);
        const std::string text = native_trace_text(graph);
        CAPTURE(seed, text);
        const Graph again = parse(text);
        REQUIRE(native_trace_text(again) == text);
        REQUIRE(again.operators.size() == graph.operators.size());
        REQUIRE(again.tensors.size() == graph.tensors.size());
        for (std::size_t i = 0; i < graph.operators.size(); ++i) {
            REQUIRE(again.operators[i].deps == graph.operators[i].deps);
            REQUIRE(again.operators[i].inputs == graph.operators[i].inputs);
            REQUIRE(again.operators[i].recorded_seconds == graph.operators[i].recorded_seconds);
        }
    }
}

TEST_CASE("the example of the native format reads as its documentation says") {
    const Graph graph = parse(
        R"({"trace":"diastole/1","name":"two-layers","batch":1024,"mode":"inference","tensor_identity":"given"})"
        "\n"
        R"({"id":1,"name":"fc1","kind":"gemm","phase":"forward","inputs":[{"id":"x","shape":[1024,128],"dtype":"fp16"},{"id":"w1","shape":[128,512],"dtype":"fp16"}],"outputs":[{"id":"y1","shape":[1024,512],"dtype":"fp16"}],"deps":[]})"
        "\r\n\n"
        R"({"id":2,"name":"relu","kind":"elementwise","inputs":[{"id":"y1","shape":[1024,512],"dtype":"fp16"}],"outputs":[{"id":"y2","shape":[1024,512],"dtype":"fp16"}],"deps":[1],"attrs":{"ops_per_element":1}})");
    CHECK(graph.name == "two-layers");
    CHECK(graph.batch == 1024);
    REQUIRE(graph.operators.size() == 2);
    CHECK(graph.tensors.size() == 4);
    CHECK(graph.operators[0].outputs == graph.operators[1].inputs);
    CHECK(graph.operators[0].phase == Phase::forward);
    CHECK(graph.operators[1].phase == Phase::other);
    CHECK(graph.operators[1].deps == std::vector<OperatorIndex>{0});
}

TEST_CASE("forward references are allowed, and operators come out in a topological order") {
    const Graph graph =
        parse(header + "\n" + relu("1", "[3]") + "\n" + relu("2", "[]") + "\n" + relu("3", "[2]"));
    std::vector<std::uint64_t> ids;
    for (const Operator& op : graph.operators) ids.push_back(op.id);
    CHECK(ids == std::vector<std::uint64_t>{2, 3, 1});
    CHECK(graph.operators[2].deps == std::vector<OperatorIndex>{1});
    validate(graph);
}

TEST_CASE("a dependency that does not exist is named with its operator and line") {
    CHECK(error_of(header + "\n" + relu("1", "[9]")) ==
          "t.jsonl:2: operator 1 depends on operator 9, which the trace does not hold");
}

TEST_CASE("a circle of dependencies is found without recursion and its operators are named") {
    CHECK(error_of(header + "\n" + relu("1", "[]") + "\n" + relu("2", "[1,4]") + "\n" +
                   relu("3", "[2]") + "\n" + relu("4", "[3]")) ==
          "t.jsonl:3: operators depend on each other in a circle: 2 -> 4 -> 3 -> 2 (3 operators)");
    CHECK_THAT(error_of(header + "\n" + relu("5", "[5]")), Contains("circle: 5 -> 5"));

    std::string text = header + "\n" + relu("0", "[50000]") + "\n";
    for (int i = 1; i <= 50'000; ++i) {
        text += relu(std::to_string(i), "[" + std::to_string(i - 1) + "]") + "\n";
    }
    CHECK_THAT(error_of(text), Contains("(50001 operators)"));
}

TEST_CASE("each malformed native trace gives one line that says where and what") {
    CHECK(error_of("") == "t.jsonl: the file is empty");
    CHECK_THAT(error_of("\n\n"), Contains("no header line"));
    CHECK_THAT(error_of("{\"traceEvents\":[]}"), Contains("t.jsonl:1: not a Diastole trace"));
    CHECK_THAT(error_of("[1]"), Contains("not a Diastole trace"));
    CHECK_THAT(error_of(header), Contains("holds no operator"));
    CHECK_THAT(error_of(R"({"trace":"diastole/2","batch":1})"), Contains("expected 'diastole/1'"));
    CHECK_THAT(error_of(R"({"trace":"diastole/1","batch":1,"licens":"x"})"),
               Contains("unknown key 'licens'; did you mean 'licence'?"));
    CHECK_THAT(error_of(R"({"trace":"diastole/1","batch":0})"),
               Contains("batch: expected a whole number from 1"));
    CHECK_THAT(error_of(R"({"trace":"diastole/1","batch":1,"mode":"train"})"),
               Contains("mode: expected 'inference' or 'training', got 'train'"));
    CHECK(error_of(header + "\n{\"id\":1,}") == "t.jsonl:2: malformed JSON at byte 9 of the line");
    CHECK_THAT(error_of(header + "\n{\"id\":1e999}"), Contains("t.jsonl:2: malformed JSON"));
    CHECK_THAT(error_of(header + "\n" + relu("1", "[]") + "\n" + relu("1", "[]")),
               Contains("t.jsonl:3: operator 1: the id is already that of the operator on line 2"));
    CHECK_THAT(error_of(header + "\n" + relu("1", "[]", R"(,"id":2)")),
               Contains("t.jsonl:2: the key 'id' stands twice"));
    CHECK_THAT(error_of(header + "\n" + relu("-1", "[]")), Contains("id: expected a whole number"));
    CHECK_THAT(error_of(header + "\n" + R"({"id":1,"kind":"gem"})"),
               Contains("operator 1: unknown kind 'gem'; did you mean 'gemm'?"));
    CHECK_THAT(error_of(header + "\n" + relu("1", "[]", R"(,"phase":"forwards")")),
               Contains("unknown phase 'forwards'; did you mean 'forward'?"));
    CHECK_THAT(error_of(header + "\n" + relu("1", "[]", R"(,"attrs":{"ops_per_elment":2})")),
               Contains("attrs: unknown key 'ops_per_elment'; did you mean 'ops_per_element'?"));
    CHECK_THAT(error_of(header + "\n" + relu("1", "[]", R"(,"recorded_seconds":-1)")),
               Contains("recorded_seconds: expected a number from 0"));
}

TEST_CASE("negative, zero, fractional and absurd shapes are refused with the operator's id") {
    const std::string shape_error = "operator 7: inputs[0]: shape: expected a whole number from 1";
    CHECK_THAT(tensor_error(R"({"id":"a","shape":[-4],"dtype":"fp16"})"), Contains(shape_error));
    CHECK_THAT(tensor_error(R"({"id":"a","shape":[0],"dtype":"fp16"})"), Contains(shape_error));
    CHECK_THAT(tensor_error(R"({"id":"a","shape":[1.5],"dtype":"fp16"})"), Contains(shape_error));
    CHECK_THAT(tensor_error(R"({"id":"a","shape":[99999999999999999999],"dtype":"fp16"})"),
               Contains(shape_error));
    CHECK_THAT(tensor_error(R"({"id":"a","shape":[16777216,16777217],"dtype":"fp16"})"),
               Contains("more than 2^48 elements"));
    CHECK(tensor_error(R"({"id":"a","shape":[16777216,16777216],"dtype":"fp16"})").empty());
    CHECK_THAT(tensor_error(R"({"id":"a","shape":[4],"dtype":"fp61"})"),
               Contains("unknown type 'fp61'; did you mean"));
    CHECK_THAT(
        tensor_error(
            R"({"id":"a","shape":[4],"dtype":"fp16"},{"id":"a","shape":[5],"dtype":"fp16"})"),
        Contains("tensor 'a' is fp16[5] here and fp16[4] before"));
}

TEST_CASE("missing, truncated and wrongly named trace files are told apart") {
    const test::TemporaryFolder folder;
    const auto error = [](const std::string& path) -> std::string {
        try {
            read_native_trace(path);
        } catch (const TraceError& thrown) {
            return thrown.what();
        }
        return {};
    };
    CHECK_THAT(error(folder / "none.jsonl"), Contains("cannot read: No such file"));
    CHECK_THAT(error(folder.path()), Contains("is a directory"));
    CHECK_THAT(error(folder.write("empty.jsonl", "")), Contains("the file is empty"));
    CHECK_THAT(error(folder.write("plain.jsonl.gz", header)), Contains("does not hold gzip data"));

    const std::string packed = gzip(header + "\n" + relu("1", "[]"));
    CHECK(error(folder.write("whole.jsonl.gz", packed)).empty());
    CHECK(error(folder.write("gzip-by-content.jsonl", packed)).empty());
    CHECK_THAT(error(folder.write("cut.jsonl.gz", packed.substr(0, packed.size() - 9))),
               Contains("(truncated)"));
    std::string damaged = packed;
    damaged[30] = static_cast<char>(damaged[30] ^ 0x55);
    CHECK_THAT(error(folder.write("damaged.jsonl.gz", damaged)), Contains("gzip stream"));
}

TEST_CASE("a native trace is written whole or not at all") {
    const test::TemporaryFolder folder;
    Random random(3);
    const Graph graph = test::random_graph(random, 5);
    write_native_trace(graph, folder / "a.jsonl");
    write_native_trace(graph, folder / "a.jsonl.gz");
    CHECK(folder.files() == 2);
    CHECK(test::text_of(folder / "a.jsonl") == native_trace_text(graph));
    CHECK(test::text_of(folder / "a.jsonl.gz").substr(0, 2) == "\x1f\x8b");
    CHECK(native_trace_text(read_native_trace(folder / "a.jsonl.gz")) == native_trace_text(graph));
    CHECK_THROWS_WITH(write_native_trace(graph, folder / "none/a.jsonl"),
                      Contains("none/a.jsonl: cannot write: No such file"));
    CHECK_THROWS_WITH(write_native_trace(graph, folder.path()), Contains("Is a directory"));
}

TEST_CASE("index files are taken from the folder of their trace") {
    const test::TemporaryFolder folder;
    const std::string bag =
        R"({"id":1,"kind":"embedding_bag","outputs":[{"id":"y","shape":[4,8],"dtype":"fp32"}],"attrs":{)"
        R"("tables":[{"rows":9,"dim":8,"bags":4,"lookups":7,"indices":{"distribution":"npy","indices":"i.npy"}}]}})";
    const Graph graph = read_native_trace(folder.write("bag.jsonl", header + "\n" + bag));
    CHECK(graph.operators[0].attrs.tables[0].indices.indices_path == folder / "i.npy");
}

TEST_CASE("the documentation of the native format has every kind and its example reads") {
    const std::string text = test::text_of(source_dir() + "/docs/formats.md");
    for (const std::string& kind : op_kind_names()) {
        CAPTURE(kind);
        CHECK(text.find("\n| `" + kind + "` |") != std::string::npos);
    }
    for (const DTypeInfo& type : dtype_table) CHECK_THAT(text, Contains(std::string(type.name)));
    const std::size_t begin = text.find("```\n{\"trace\"") + 4;
    const Graph graph = parse(text.substr(begin, text.find("```", begin) - begin));
    CHECK(graph.operators.size() == 2);
}
