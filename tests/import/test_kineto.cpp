#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"
#include "model/base/random.hpp"
#include "tests/import/kineto_text.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/validate.hpp"
#include "workloads/graph/work.hpp"

using namespace diastole;
using Catch::Matchers::Contains;
using test::KinetoText;

namespace {

// The operator that one ATen call with one kernel becomes.
struct Single {
    Imported imported;
    Single(const std::string& name, const std::string& dims, const std::string& types,
           const std::string& concretes = "") {
        KinetoText trace;
        trace.op(name, 1, 10, dims, types, concretes).launch(1, 2).kernel(1, "k", 3, 1);
        imported = test::import_text(trace.text());
    }
    [[nodiscard]] const Operator& op() const { return imported.graph.operators.front(); }
    [[nodiscard]] std::string out(std::size_t i = 0) const {
        return describe(imported.graph.tensors[op().outputs.at(i)]);
    }
    [[nodiscard]] std::string in(std::size_t i) const {
        return describe(imported.graph.tensors[op().inputs.at(i)]);
    }
};

std::vector<std::string> names(const Graph& graph) {
    std::vector<std::string> list;
    for (const Operator& op : graph.operators) list.push_back(op.name);
    return list;
}

}  // namespace

TEST_CASE("kernels join the innermost host operator on the thread of their launch") {
    const Imported imported = test::import_text(test::training_step().text());
    const Graph& graph = imported.graph;
    CHECK(names(graph) ==
          std::vector<std::string>{"aten::addmm", "dma_request x2", "dma_request x1", "aten::relu",
                                   "aten::mm", "hccl:all_reduce",
                                   "aten::add/customized_fba_mul_const-dtype_Float", "aten::add"});
    CHECK(imported.coverage.kernels == 5);
    CHECK(imported.coverage.opaque.operators == 0);
    CHECK(imported.coverage.modelled.flops == 2 * (8 * 16 * 4 + 4 * 16 * 8));
    CHECK(graph.operators[0].phase == Phase::forward);
    CHECK(graph.operators[4].phase == Phase::backward);
    CHECK(graph.operators[7].phase == Phase::optimizer);
    CHECK(graph.mode == Mode::training);
    CHECK(graph.batch == 8);
    CHECK(graph.eager);
    CHECK(graph.operators[0].recorded_seconds == 5e-6);
}

TEST_CASE(
    "of host operators that begin together the shorter one is inside, then the later counted") {
    KinetoText trace;
    trace.op("aten::exp", 10, 30, "[[8]]", R"(["float"])");
    trace.op("aten::sqrt", 10, 10, "[[8]]", R"(["float"])");
    trace.op("aten::neg", 50, 10, "[[8]]", R"(["float"])");
    trace.op("aten::tanh", 50, 10, "[[8]]", R"(["float"])");
    trace.launch(1, 12).kernel(1, "k", 20, 1).launch(2, 30).kernel(2, "k", 35, 1);
    trace.launch(3, 55).kernel(3, "k", 60, 1).launch(4, 61).kernel(4, "k", 70, 1);
    const Imported imported = test::import_text(trace.text());
    CHECK(names(imported.graph) ==
          std::vector<std::string>{"aten::sqrt", "aten::exp", "aten::tanh", "k"});
    CHECK(imported.coverage.without_host == 1);  // one launch after the end of them all
}

TEST_CASE("imported operators depend on launch order, and host copies hang beside it") {
    const Graph graph = test::import_text(test::training_step().text()).graph;
    using List = std::vector<OperatorIndex>;
    CHECK(graph.operators[0].deps == List{});
    CHECK(graph.operators[1].deps == List{0});
    CHECK(graph.operators[2].deps == List{0});
    CHECK(graph.operators[3].deps == List{0, 1, 2});
    CHECK(graph.operators[4].deps == List{3});
    CHECK(graph.operators[5].deps == List{4});
    validate(graph);
}

TEST_CASE("DMA requests between two kernels are put together by direction") {
    const Imported imported = test::import_text(test::training_step().text());
    const Operator& to_device = imported.graph.operators[1];
    CHECK(to_device.kind == OpKind::copy);
    CHECK(to_device.attrs.bytes == 128);
    CHECK((to_device.attrs.from_host && to_device.attrs.host_copy_request));
    CHECK(imported.graph.operators[2].attrs.to_host);
    CHECK(imported.coverage.to_device.requests == 2);
    CHECK(imported.coverage.to_host.bytes == Bytes(4));
}

TEST_CASE("a collective without a kernel is an operator of its own, not a kernel") {
    const Imported imported = test::import_text(test::training_step().text());
    CHECK(imported.coverage.collectives == std::map<std::string, std::uint64_t>{{"all_reduce", 1}});
    const Operator& op = imported.graph.operators[5];
    CHECK(op.kind == OpKind::collective);
    CHECK(op.attrs.world_size == 1);
    CHECK(work_of(imported.graph, op).read == Bytes(0));
}

TEST_CASE("an input is the latest output of its shape and type, else a fresh tensor") {
    const Graph graph = test::import_text(test::training_step().text()).graph;
    CHECK(graph.identity_inferred);
    CHECK(graph.operators[3].inputs[0] == graph.operators[0].outputs[0]);  // relu of the gemm
    // mm reads [8,16]: the gradient is taken for relu's output, which superseded the gemm's.
    CHECK(graph.operators[4].inputs[1] == graph.operators[3].outputs[0]);
    // add takes the gradient as one operand; the other, of the same shape, is a fresh tensor.
    CHECK(graph.operators[6].inputs[0] == graph.operators[4].outputs[0]);
    CHECK(graph.operators[6].inputs[1] != graph.operators[6].inputs[0]);
}

TEST_CASE("outputs come from the last argument, or from the shape rule where there is none") {
    const Single with("aten::mul", "[[8, 1], [4], [8, 4]]", R"(["float", "float", "float"])");
    CHECK(with.out() == "fp32[8x4]");
    CHECK(with.op().inputs.size() == 2);
    CHECK(with.imported.coverage.outputs_by_argument == 1);
    const Single without("aten::mul", "[[8, 1], [4]]", R"(["float", "float"])");
    CHECK(without.out() == "fp32[8x4]");
    CHECK(without.imported.coverage.outputs_by_rule == 1);
    const Single wrong("aten::mul", "[[8, 1], [4], [9, 9]]", R"(["float", "float", "float"])");
    CHECK(wrong.out() == "fp32[8x4]");
    CHECK(wrong.imported.coverage.outputs_contradicted == 1);
}

TEST_CASE("shape rules of ATen operators") {
    const std::string f1 = R"(["float"])", f2 = R"(["float", "float"])";
    CHECK(Single("aten::bmm", "[[2, 3, 4], [2, 4, 5]]", f2).out() == "fp32[2x3x5]");
    CHECK(Single("aten::gt", "[[8], [8]]", f2).out() == "bool[8]");
    CHECK(Single("aten::where", "[[8], [8], [8]]", R"(["bool", "float", "float"])").out() ==
          "fp32[8]");
    CHECK(Single("aten::sum", "[[8, 4], [], [], []]", R"(["float", "", "Scalar", ""])",
                 R"(["", "[0]", "False", ""])")
              .out() == "fp32[4]");
    CHECK(Single("aten::sum", "[[8, 4], [], [], []]", R"(["float", "", "Scalar", ""])",
                 R"(["", "[-1]", "True", ""])")
              .out() == "fp32[8x1]");
    const Single unnamed("aten::sum", "[[8, 4], [], [], [], [4]]",
                         R"(["float", "", "Scalar", "", "float"])");
    CHECK(unnamed.out() == "fp32[4]");
    CHECK(unnamed.op().attrs.axes == std::vector<std::uint32_t>{0});
    CHECK(Single("aten::index_select", "[[90, 4], [], [7]]", R"(["float", "Scalar", "long"])",
                 R"(["", "0", ""])")
              .out() == "fp32[7x4]");
    const Single norm("aten::native_layer_norm", "[[8, 4], [], [4], [4], []]",
                      R"(["float", "", "float", "float", "Scalar"])");
    CHECK(norm.op().outputs.size() == 3);
    CHECK(norm.out(1) == "fp32[8x1]");
    CHECK(Single("aten::copy_", "[[8], [8], []]", R"(["float", "int", "Scalar"])").op().kind ==
          OpKind::elementwise);
    CHECK(Single("aten::bucketize", "[[8], [1205], [], []]",
                 R"(["float", "float", "Scalar", "Scalar"])", R"(["", "", "False", "False"])")
              .op()
              .attrs.ops_per_element == 11);
    const Single in_place("aten::sqrt_", "[[8]]", f1);
    CHECK(in_place.op().outputs == in_place.op().inputs);
    const Single cat("aten::cat", "[[[2, 4], [6, 4]], [], [8, 4]]",
                     R"(["TensorList", "Scalar", "float"])", R"(["", "0", ""])");
    CHECK(cat.op().inputs.size() == 2);
    CHECK(cat.in(1) == "fp32[6x4]");
}

TEST_CASE("a number that Python wrapped into a tensor is not read from memory") {
    const Single scaled("aten::mul", "[[8], [], [8]]", R"(["float", "double", "float"])");
    CHECK(scaled.op().inputs.size() == 1);
    const Single tensor("aten::mul", "[[8], [], [8]]", R"(["float", "float", "float"])");
    CHECK(tensor.op().inputs.size() == 2);
}

TEST_CASE("a lookup of FBGEMM becomes an embedding bag with its tables") {
    const Single it(
        "fbgemm::split_embedding_codegen_forward_cpu",
        "[[6480], [6], [7], [], [7], [73087], [6145], [], [], []]",
        R"(["c10::Half","long","int","Scalar","long","long","long","Scalar","","Scalar"])",
        R"(["", "", "", "648", "", "", "", "0", "", "0"])");
    const Operator& op = it.op();
    REQUIRE(op.kind == OpKind::embedding_bag);
    REQUIRE(op.attrs.tables.size() == 6);
    CHECK(op.attrs.tables[0].rows == 10);
    CHECK(op.attrs.tables[0].dim == 108);
    CHECK(op.attrs.tables[0].bags == 1024);
    CHECK(op.attrs.tables[0].type == DType::fp16);
    CHECK_FALSE(op.attrs.weighted);
    CHECK(work_of(it.imported.graph, op).lookups == 73087);
    CHECK(it.out() == "fp32[1024x648]");
    CHECK(it.in(0) == "int64[73087]");
    CHECK(it.in(2) == "fp16[6480]");  // the tables, of which only rows move
    CHECK(work_of(it.imported.graph, op).read == Bytes((73087 * 108 * 2) + (73087 + 6145) * 8));
}

TEST_CASE("an unknown operator is opaque with the bytes of its tensors, and never dropped") {
    const Single it("custom::thing", "[[8, 4], [3], []]", R"(["float", "short int", "Scalar"])");
    CHECK(it.op().kind == OpKind::opaque);
    CHECK(it.op().attrs.bytes == 8 * 4 * 4 + 3 * 2);
    CHECK(it.imported.coverage.opaque_names.count("custom::thing") == 1);

    KinetoText trace;
    trace.launch(1, 2).kernel(1, "merge", 3, 7000);
    const Imported program = test::import_text(trace.text());
    CHECK(program.graph.operators[0].kind == OpKind::opaque);
    CHECK_FALSE(program.graph.operators[0].attrs.bytes);
    CHECK(program.graph.operators[0].recorded_seconds == 7e-3);
    CHECK_FALSE(program.graph.eager);
    CHECK(program.coverage.without_host == 1);
}

TEST_CASE("the order of a trace's events and the names of its threads change nothing") {
    const KinetoText trace = test::training_step();
    const std::string expected = native_trace_text(test::import_text(trace.text()).graph);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Random random(seed);
        KinetoText shuffled = trace;
        for (std::size_t i = shuffled.events.size(); i > 1; --i) {
            std::swap(shuffled.events[i - 1], shuffled.events[random.below(i)]);
        }
        for (std::string& event : shuffled.events) {
            const std::size_t at = event.find("\"tid\": \"1\"");
            if (at != std::string::npos) event.replace(at, 10, "\"tid\": \"zz main\"");
        }
        REQUIRE(native_trace_text(test::import_text(shuffled.text()).graph) == expected);
    }
}

TEST_CASE("longer recorded durations change recorded_seconds and nothing else") {
    KinetoText slow = test::training_step();
    for (std::string& event : slow.events) {
        const std::size_t at = event.find("\"dur\": ");
        if (event.find("mtia_ccp_events") != std::string::npos) event.insert(at + 7, "100");
    }
    Graph expected = test::import_text(test::training_step().text()).graph;
    Graph got = test::import_text(slow.text()).graph;
    CHECK(got.operators[0].recorded_seconds > expected.operators[0].recorded_seconds);
    for (Graph* graph : {&expected, &got}) {
        for (Operator& op : graph->operators) op.recorded_seconds.reset();
    }
    CHECK(native_trace_text(got) == native_trace_text(expected));
}

TEST_CASE("an imported trace never holds the host and user names of its source") {
    const std::string text =
        native_trace_text(test::import_text(test::training_step().text()).graph);
    CHECK(text.find("secret") == std::string::npos);
    CHECK(coverage_text(test::import_text(test::training_step().text()).coverage).find("secret") ==
          std::string::npos);
}

TEST_CASE("damaged Kineto traces give one line with the byte where they are damaged") {
    const std::string good = test::training_step().text();
    const auto broken = [&](const std::string& what, const std::string& by) {
        std::string text = good;
        text.replace(text.find(what), what.size(), by);
        return test::import_error(text);
    };
    CHECK(test::import_error("") == "t.json: the file is empty");
    CHECK(test::import_error("hello") == "t.json: byte 0: not JSON: expected '{' or '['");
    CHECK_THAT(test::import_error("{\"a\": 1}"), Contains("not a Kineto trace"));
    CHECK_THAT(test::import_error("{\"traceEvents\": []}"), Contains("'traceEvents' is empty"));
    CHECK_THAT(test::import_error("{\"traceEvents\": 3}"), Contains("byte 16: expected a list"));
    CHECK_THAT(test::import_error("{\"trace\":\"diastole/1\"}\n{}"),
               Contains("native Diastole trace"));
    CHECK_THAT(test::import_error(R"({"traceEvents": [{"ph": "M"}]})"), Contains("no kernel"));
    CHECK_THAT(test::import_error(good.substr(0, good.size() / 2)), Contains("(truncated)"));
    CHECK_THAT(test::import_error(good + "x"), Contains("text behind the last"));
    CHECK_THAT(broken("\"ts\": 15.000000", "\"ts\": \"x\""),
               Contains("'ts': expected microseconds"));
    CHECK_THAT(broken("[8, 16]", "[-8, 16]"), Contains("expected sizes from 0"));
    CHECK_THAT(broken("[8, 16]", "[999999999, 999999999]"), Contains("more than 2^48 elements"));
    CHECK_THAT(broken("\"size\": 28", "\"size\": -28"), Contains("expected a number of bytes"));

    const std::size_t at = good.find("\"args\"");
    std::string malformed = good;
    malformed[at + 6] = '!';
    CHECK(test::import_error(malformed) ==
          "t.json: byte " + std::to_string(at + 6) + ": malformed JSON");
}

TEST_CASE("an output that no memory could hold is refused") {
    KinetoText trace;
    trace.op("aten::mul", 1, 10, "[[1099511627776, 1], [1, 1099511627776]]",
             R"(["float", "float"])");
    trace.launch(1, 2).kernel(1, "k", 3, 1);
    CHECK_THAT(test::import_error(trace.text()), Contains("more than 2^48 elements"));
}

TEST_CASE("an import stops when the user interrupts it") {
    KinetoText trace;
    for (int i = 0; i < 5000; ++i) trace.launch(i, i).kernel(i, "k", i, 1);
    request_interrupt();
    CHECK_THROWS_AS(test::import_text(trace.text()), Interrupted);
    clear_interrupt();
}
