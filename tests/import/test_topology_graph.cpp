#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/work.hpp"
#include "workloads/import/topology_graph.hpp"

using namespace diastole;

namespace {

constexpr const char* header =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides, Batch Size\n";

Graph graph_of(const std::string& text, const TopologyOptions& options = {}) {
    return graph_of_topology(read_topology(*open_text(text, "t.csv")), options);
}

std::string refusal(const std::string& text, const TopologyOptions& options = {}) {
    try {
        graph_of(text, options);
    } catch (const TraceError& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("each line of a topology becomes an operator with the multiplies that the file says") {
    const std::string text = std::string(header) +
                             "Conv1,224,224,7,7,3,64,2,4\n"
                             "s,28,28,1,1,128,256,2,4\n"
                             "dw_DP,10,10,3,3,32,1,1,4\n";
    const Topology topology = read_topology(*open_text(text, "t.csv"));
    const Graph graph = graph_of(text);
    REQUIRE(graph.operators.size() == 3);
    CHECK(graph.batch == 4);
    CHECK(graph.operators[2].name == "dw_DP");
    CHECK(graph.operators[2].deps == std::vector<OperatorIndex>{1});
    CHECK(graph.tensors[graph.operators[2].inputs[1]].shape ==
          std::vector<std::uint64_t>{32, 1, 3, 3});
    std::uint64_t expected = 0, flops = 0;
    for (const TopologyLayer& layer : topology.layers) expected += 2 * layer.m * layer.n * layer.k;
    for (const Operator& op : graph.operators) flops += work_of(graph, op).flops;
    CHECK(flops == expected);

    const Graph gemms = graph_of("Layer,M,N,K\nL0,196,192,1024\nL1,5,6,7\n");
    CHECK(gemms.operators[1].kind == OpKind::gemm);
    CHECK(work_of(gemms, gemms.operators[0]).flops == 2 * 196 * 192 * 1024);
    // What is written is read again as the same graph.
    CHECK(native_trace_text(read_native_trace(*open_text(native_trace_text(graph), "n"))) ==
          native_trace_text(graph));
}

TEST_CASE("a layer of a topology reads the latest result of its shape, else an input of its own") {
    const Graph g = graph_of(std::string(header) +
                             "a,8,8,1,1,4,16,1,1\n"
                             "b,8,8,1,1,16,4,1,1\n"   // reads a's
                             "c,8,8,1,1,4,9,1,1\n"    // reads b's
                             "d,8,8,1,1,4,9,1,1\n"    // reads b's; nobody reads c's and d's
                             "e,9,9,1,1,4,9,1,1\n");  // an input of its own
    const auto& ops = g.operators;
    CHECK(ops[1].inputs[0] == ops[0].outputs[0]);
    CHECK(ops[2].inputs[0] == ops[1].outputs[0]);
    CHECK(ops[3].inputs[0] == ops[1].outputs[0]);
    CHECK(ops[2].outputs[0] == ops[3].outputs[0]);
    CHECK(ops[4].inputs[0] != ops[0].inputs[0]);
    CHECK(g.identity_inferred);
}

TEST_CASE("what a topology cannot be run with is refused with file and line") {
    using Catch::Contains;
    CHECK_THAT(refusal("Layer,M,N,K,Sparsity\na,4,4,4,1:1\nb,4,4,4,2:4\n"),
               Contains("t.csv:3: layer 'b' has 2:4 weights"));
    CHECK_THAT(refusal("Layer,M,N,K\na,0,4,4\n"), Contains("t.csv:2:3: M: expected"));
    CHECK_THAT(refusal(std::string(header) + "a,4,4,5,1,1,1,1,1\n"),
               Contains("t.csv:2:7: Filter Height: expected at most the IFMAP Height, 4, got 5"));
    CHECK_THAT(refusal(std::string(header) + "a,4,-4,1,1,1,1,1,1\n"),
               Contains("t.csv:2:5: IFMAP Width: expected a whole number from 1"));
    TopologyOptions eight;
    eight.batch = 8;
    CHECK_THAT(refusal("Layer,M,N,K\na,4,4,4\n", eight), Contains("says its own batch, 1"));
    CHECK_THAT(refusal(std::string(header) + "a,4,4,1,1,1,1,1,2\n", eight),
               Contains("says its own batch, 2; it cannot be run with 8"));
}

TEST_CASE("convolutions without a column of batch sizes run with any batch") {
    TopologyOptions eight;
    eight.batch = 8;
    eight.type = DType::int8;
    std::string text = header;
    text.erase(text.find(", Batch Size"), 12);
    const Graph g = graph_of(text + "a,9,9,3,3,4,16,2\n", eight);
    CHECK(g.batch == 8);
    CHECK(g.tensors[g.operators[0].outputs[0]].shape == std::vector<std::uint64_t>{8, 16, 4, 4});
    CHECK(g.tensors[g.operators[0].outputs[0]].type == DType::int8);
}
