#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "tests/import/kineto_text.hpp"
#include "workloads/import/topology.hpp"

using namespace diastole;

namespace {

constexpr const char* conv_header =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,";

Topology read(const std::string& text) {
    return read_topology(*open_text(text, "t.csv"));
}

std::string refusal(const std::string& text) {
    try {
        read(text);
    } catch (const TraceError& error) {
        return error.what();
    }
    return {};
}

std::string row_refusal(const std::string& row) {
    const std::string text = refusal(std::string(conv_header) + '\n' + row + '\n');
    const std::string place = "t.csv:2:";
    return text.rfind(place, 0) == 0 ? text.substr(place.size()) : text;
}

}  // namespace

TEST_CASE("a topology is read through byte order marks, CRLF, blanks and a missing last newline") {
    const Topology gemms = read("\xEF\xBB\xBFLayer,M,N,K,\r\n\r\n a b , 1,\t2 ,3,\r\n4,5,6,7, #dw");
    REQUIRE(gemms.layers.size() == 2);
    CHECK_FALSE(gemms.convolutions);
    CHECK(gemms.layers[0].name == "a b");
    CHECK(gemms.layers[0].line == 3);
    CHECK(gemms.layers[0].m == 1);
    CHECK(gemms.layers[0].n == 2);
    CHECK(gemms.layers[0].k == 3);
    CHECK(gemms.layers[1].name == "4");
    CHECK(gemms.layers[1].k == 7);
    CHECK(row_refusal("a,9,9,3,3,2,4,#1") == "14: Strides: expected a whole number, the line ends");
}

TEST_CASE("a convolution becomes a product of windows, with whole windows only") {
    const Topology t = read(std::string(conv_header) + "\nConv1,224,224,7,7,3,64,2,\n" +
                            "s,28,28,1,1,128,256,2,\nfc,1,1,1,1,512,1000,1");
    REQUIRE(t.layers.size() == 3);
    CHECK(t.convolutions);
    CHECK(t.layers[0].m == 109 * 109);
    CHECK(t.layers[0].k == 7 * 7 * 3);
    CHECK(t.layers[0].n == 64);
    CHECK(t.layers[0].scalesim_m == 110 * 110);
    CHECK(t.layers[1].m == 14 * 14);
    CHECK(t.layers[1].scalesim_m == 225);  // SCALE-Sim rounds up
    CHECK(t.layers[2].m == 1);
    CHECK(t.layers[2].k == 512);
}

TEST_CASE("a ninth column is what its header says") {
    const std::string row = "\na,9,9,3,3,2,4,1,";
    const std::string header(conv_header);
    const Topology batch = read(header + " Batch Size,\na,9,9,3,3,2,4,1,5,");
    CHECK(batch.layers[0].m == 5 * 49);
    CHECK(batch.layers[0].scalesim_m == 49);
    const Topology width = read(header + " Stride Width\na,9,9,3,3,2,4,1,2");
    CHECK(width.layers[0].m == 7 * 4);
    const Topology sparse = read(header + " Sparsity,\na,9,9,3,3,2,4,1,2:4,\nb,9,9,3,3,2,4,1,");
    CHECK(sparse.layers[0].pruned_2_4);
    CHECK_FALSE(sparse.layers[1].pruned_2_4);
    CHECK(read("Layer,M,N,K,Sparsity\na,1,2,3,2:4").layers[0].pruned_2_4);
}

TEST_CASE("a depthwise convolution becomes a layer for each channel") {
    const Topology t =
        read(std::string(conv_header) + "\nConvDP2,9,9,3,3,3,1,1,\nb,9,9,3,3,3,1,1,");
    REQUIRE(t.layers.size() == 4);
    CHECK(t.layers[0].name == "ConvDP2Channel_0");
    CHECK(t.layers[2].name == "ConvDP2Channel_2");
    CHECK(t.layers[2].k == 9);
    CHECK(t.layers[3].k == 27);
}

TEST_CASE("a malformed row is refused with its line, column and what was expected") {
    CHECK(row_refusal("a,9,x,3,3,2,4,1,") ==
          "5: IFMAP Width: expected a whole number from 1 to 2147483647, got 'x'");
    CHECK(row_refusal("a,9,9,3,3,0,4,1,") ==
          "11: Channels: expected a whole number from 1 to 2147483647, got '0'");
    CHECK(row_refusal("a,9,9,3,3,-2,4,1,") ==
          "11: Channels: expected a whole number from 1 to 2147483647, got '-2'");
    CHECK(row_refusal("a,9,9,3,3,2.5,4,1,") ==
          "11: Channels: expected a whole number from 1 to 2147483647, got '2.5'");
    CHECK(row_refusal("a,99999999999999999999,9,3,3,2,4,1,") ==
          "3: IFMAP Height: expected a whole number from 1 to 2147483647, got "
          "'99999999999999999999'");
    CHECK(row_refusal("a,9,,3,3,2,4,1,") ==
          "5: IFMAP Width: expected a whole number from 1 to 2147483647, got ''");
    CHECK(row_refusal("a,9,9,3,3,2,4") == "14: Strides: expected a whole number, the line ends");
    CHECK(row_refusal("a") == "2: IFMAP Height: expected a whole number, the line ends");
    CHECK(row_refusal("a,9,9,3,3,2,4,1,1,") == "17: the header has no column for '1'");
    CHECK(row_refusal(",9,9,3,3,2,4,1,") == "1: expected the name of a layer");
    CHECK(row_refusal("a,9,9,10,3,2,4,1,") ==
          "7: Filter Height: expected at most the IFMAP Height, 9, got 10");
    CHECK(row_refusal("a,2147483647,2147483647,1,1,2,4,1,") == "1: the layer is too large");
    CHECK(row_refusal("a,65536,65536,1,1,65536,65536,1,") ==
          "1: the layer is too large: M N K reaches 2^53");
    CHECK(row_refusal("aDP,9,9,3,3,2000000,1,1,") == "1: more than 1000000 layers");
    CHECK(refusal("Layer,M,N,K,Sparsity\na,1,2,3,1:4") ==
          "t.csv:2:9: Sparsity: expected 1:1 or 2:4, got '1:4'");
    // The byte order mark counts, as it does in an editor that shows it.
    CHECK(refusal("\xEF\xBB\xBFLayer,M,N,X") == "t.csv:1:14: expected column 'K', got 'X'");
}

TEST_CASE("a topology without a header that is known is refused") {
    CHECK(refusal("a,1,2,3\n").find("found a layer (SCALE-Sim would skip it)") !=
          std::string::npos);
    CHECK(refusal("Layer\n").rfind("t.csv:1:1: expected the header 'Layer, M, N, K' or", 0) == 0);
    CHECK(refusal("Layer,,N,K\n").rfind("t.csv:1:1: expected the header", 0) == 0);
    CHECK(refusal("Layer,Rows,N,K\n").rfind("t.csv:1:7: expected the header", 0) == 0);
    CHECK(refusal("Layer,M,K,N\n") == "t.csv:1:9: expected column 'N', got 'K'");
    CHECK(refusal("Layer,M,N\n") == "t.csv:1:10: expected column 'K', the header ends");
    CHECK(refusal("Layer,M,N,K,Sparsty\n") ==
          "t.csv:1:13: unknown column 'Sparsty'; did you mean 'Sparsity'?");
    CHECK(refusal("Layer,M,N,K,Sparsity,more\n") == "t.csv:1:22: unknown column 'more'");
    CHECK(refusal("Layer,M,N,K,\n\n") == "t.csv: no layers");
}

TEST_CASE("the published topologies of SCALE-Sim are read") {
    const std::string folder = test::shared_traces();
    if (folder.empty()) {
        WARN("left out: " << Catch::getResultCapture().getCurrentTestName()
                          << " (DIASTOLE_SHARED names the folder of the data)");
        return;
    }
    const auto layers = [&](const std::string& name) {
        return read_topology(*open_file(folder + "scalesim_csv/" + name)).layers;
    };
    CHECK(layers("GEMM_mnk_NCF.csv").size() == 12);
    CHECK(layers("GEMM_mnk_NCF.csv").back().m == 2048);  // the last line has no end
    CHECK(layers("GEMM_mnk_vit_l.csv").size() == 5);
    CHECK(layers("conv_nets_Resnet18.csv").size() == 21);
    CHECK(layers("conv_nets_alexnet.csv").size() == 5);
    CHECK(layers("conv_nets_alexnet.csv")[0].scalesim_m == 55 * 55);
    CHECK(layers("dlrm_DLRM.csv").size() == 10);
    CHECK(layers("dlrm_DLRM.csv")[3].k == 13);
    CHECK(layers("dlrm_dlrm_fwd.csv").size() == 8);
    CHECK(layers("dlrm_dlrm_inp_grad.csv").size() == 8);
    CHECK(layers("dlrm_dlrm_weight_grad.csv")[0].m == 16);
    CHECK(layers("llama_llama3b.csv").size() > 50);
    CHECK(layers("llama_llama3b.csv")[1].m == 512 * 512);
}
