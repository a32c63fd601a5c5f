#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"
#include "tests/import/kineto_text.hpp"

using namespace diastole;
using Catch::Contains;

namespace {

nlohmann::json measured(const std::string& arguments) {
    const ProgramResult result = run_program("gemm " + arguments + " --json -");
    REQUIRE(result.code == 0);
    return nlohmann::json::parse(result.out);
}

// The only line; checks that it is one, and exit code 2.
std::string refusal(const std::string& arguments) {
    const ProgramResult result = run_program("gemm " + arguments + " 2>&1");
    CHECK(result.code == 2);
    CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 1);
    return result.out.substr(0, result.out.size() - 1);
}

}  // namespace

TEST_CASE("gemm counts a product on an array") {
    const nlohmann::json json = measured("8 5 3 --array 16x16");
    CHECK(json["schema"] == "diastole.gemm/1");
    CHECK(json["cycles"] == 43);
    REQUIRE(json["layers"].size() == 1);
    const nlohmann::json& layer = json["layers"][0];
    CHECK(layer["name"] == "gemm");
    CHECK(layer["m"] == 8);
    CHECK(layer["n"] == 5);
    CHECK(layer["k"] == 3);
    CHECK(layer["cycles"] == 43);
    CHECK(layer["folds"] == 1);
    CHECK(layer["utilization"].get<double>() == Approx(8 * 5 * 3 / (43.0 * 256)));
    CHECK(layer["sram_reads"]["ifmap"] == 24);
    CHECK(layer["sram_reads"]["filter"] == 15);
    CHECK(layer["sram_writes"] == 40);
    CHECK(layer["busy"] == 8);
    CHECK(layer["stalls"] == nlohmann::json({{"load", 16}, {"fill_drain", 19}}));
    CHECK(measured("8 5 3 --array 16x16 --overlap stream")["cycles"] == 43);
    CHECK(measured("4 4 4 --array 4x4 --dataflow os")["cycles"] == 14);
    CHECK(measured("100 33 40 --array 16x8 --dataflow is")["cycles"] ==
          measured("33 100 40 --array 16x8 --dataflow ws")["cycles"]);
}

TEST_CASE("gemm takes the array of a chip with its rate per type") {
    const nlohmann::json half = measured("2048 2048 2048 --chip mtia-2i");
    CHECK(half["array"]["products_per_cycle"] == 2 * 32 * 16);
    CHECK(half["overlap"] == "shadow");
    const nlohmann::json whole = measured("2048 2048 2048 --chip mtia-2i --dtype int8");
    CHECK(whole["array"]["products_per_cycle"] == 2 * 32 * 32);
    CHECK(half["cycles"].get<double>() / whole["cycles"].get<double>() == Approx(2).epsilon(0.001));
    CHECK(refusal("8 8 8 --chip mtia-2i --dtype fp32") ==
          "--dtype: the matrix engine of 'mtia-2i' has bf16, fp16, int8, not fp32");
}

TEST_CASE("gemm names every stall of a port that limits") {
    const nlohmann::json layer =
        measured("256 64 64 --array 16x16 --overlap shadow --ifmap-bandwidth 16")["layers"][0];
    CHECK(layer["stalls"]["ifmap"] == 15 * 256 + 255);
    CHECK_FALSE(layer["stalls"].contains("filter"));
    std::uint64_t sum = layer["busy"];
    for (const auto& [name, cycles] : layer["stalls"].items()) sum += cycles.get<std::uint64_t>();
    CHECK(sum == layer["cycles"]);
}

TEST_CASE("gemm reads a topology and sums its layers") {
    TemporaryFolder folder;
    folder.write("t.csv", "Layer,M,N,K,\na,8,5,3,\nb,16,16,16,\n");
    const nlohmann::json json = measured("--topology " + folder.path("t.csv") + " --array 16x16");
    CHECK(json["layers"][1]["name"] == "b");
    CHECK(json["cycles"] == 43 + 62);
    const ProgramResult table =
        run_program("gemm --topology " + folder.path("t.csv") + " --array 16x16");
    CHECK(table.code == 0);
    CHECK_THAT(table.out, Contains("8 x 5 x 3") && Contains("total") && Contains("105"));
    folder.write("bad.csv", "Layer,M,N,K,\na,8,five,3,\n");
    CHECK(refusal("--array 4x4 --topology " + folder.path("bad.csv")) ==
          folder.path("bad.csv") +
              ":2:5: N: expected a whole number from 1 to 2147483647, got 'five'");
    CHECK_THAT(refusal("--array 4x4 --topology " + folder.path("none.csv")),
               Contains("none.csv: ") && Contains("No such file"));
}

TEST_CASE("gemm --accounting scalesim gives SCALE-Sim's numbers and only what it models") {
    const nlohmann::json layer =
        measured("128 512 512 --array 128x128 --accounting scalesim")["layers"][0];
    CHECK(layer["cycles"] == 8159);
    CHECK(layer["sram_writes"] == 262144);
    CHECK(layer["utilization_percent"].get<double>() == 25.101115332761367);
    CHECK(refusal("8 5 3 --array 16x16 --accounting scalesim --overlap shadow") ==
          "--accounting scalesim: SCALE-Sim has no --overlap");
    CHECK(refusal("8 5 3 --array 16x16 --accounting scale-sim") ==
          "--accounting: expected one of registers, scalesim, got \"scale-sim\"; did you mean "
          "'scalesim'?");
    TemporaryFolder folder;
    folder.write("conv.csv",
                 "L, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
                 "Strides,\nConv4_s,28,28,1,1,128,256,2,\n");
    const std::string file = "--topology " + folder.path("conv.csv") + " --array 128x128 ";
    CHECK(measured(file)["layers"][0]["m"] == 196);
    CHECK(measured(file + "--accounting scalesim")["layers"][0]["m"] == 225);
    CHECK(measured(file + "--accounting scalesim")["cycles"] == 1213);
}

TEST_CASE("the examples of gemm --help run") {
    const std::string help = run_program("gemm --help").out;
    CHECK_THAT(help, Contains("diastole gemm 128 512 512 --array 128x128 --overlap shadow\n"));
    CHECK(measured("128 512 512 --array 128x128 --overlap shadow")["cycles"] == 2430);
    CHECK_THAT(help, Contains("diastole gemm --topology resnet18.csv --array 32x32 --dataflow os"));
    TemporaryFolder folder;
    folder.write("resnet18.csv", "Layer,M,N,K,\nfc,1,1000,512,\n");
    const ProgramResult result = run_program_in(
        folder.path(""), "gemm --topology resnet18.csv --array 32x32 --dataflow os --json -");
    CHECK(result.code == 0);
    // 32 folds of one row, the last 8 columns wide.
    CHECK(nlohmann::json::parse(result.out)["cycles"] == 32 * (512 + 1 + 32 - 2 + 32) - 24);
}

TEST_CASE("gemm refuses what it does not know, with the nearest name") {
    const std::string array = " --array 16x16 ";
    CHECK(refusal("8 5 3 --dataflow wss" + array) ==
          "--dataflow: expected one of ws, is, os, weight_stationary, input_stationary, "
          "output_stationary, got \"wss\"; did you mean 'ws'?");
    CHECK(refusal("8 5 3 --overlap shadows" + array) ==
          "--overlap: expected one of none, shadow, stream, got \"shadows\"; did you mean "
          "'shadow'?");
    CHECK_THAT(refusal("8 5 3 --dtype fp15" + array), Contains("did you mean 'fp16'?"));
    CHECK_THAT(refusal("8 5 3 --sparsity 1:4" + array), Contains("did you mean '2:4'?"));
    CHECK_THAT(refusal("8 5 3 --accumulate sran" + array), Contains("did you mean 'sram'?"));
    CHECK_THAT(refusal("8 5 3 --chip mtia-2j"), Contains("did you mean 'mtia-2i'?"));
    for (const char* bad : {"0", "-3", "2.5", "x", "99999999999"}) {
        CHECK(refusal("8 " + std::string(bad) + " 3" + array) ==
              "N: expected a whole number from 1 to 2147483647, got '" + std::string(bad) + "'");
    }
    for (const char* bad : {"16", "16x", "x16", "0x16", "16x-1", "16x16x16", "70000x1"}) {
        CHECK(refusal("8 5 3 --array " + std::string(bad)) ==
              "--array: expected ROWSxCOLUMNS, each from 1 to 65536, such as 16x16; got '" +
                  std::string(bad) + "'");
    }
    for (const char* bad : {"0", "1/0", "3/2", "fast"}) {
        CHECK_THAT(refusal("8 5 3 --rate " + std::string(bad) + array), Contains("--rate: "));
    }
    CHECK_THAT(refusal("8 5 3 --mac-latency 0" + array), Contains("--mac-latency: expected"));
    CHECK_THAT(refusal("8 5 3 --ifmap-bandwidth 0" + array), Contains("from 1 to 1073741824"));
    CHECK(refusal("8 5 3") == "gemm: expected --array ROWSxCOLUMNS or --chip NAME");
    CHECK(refusal("8 5" + array) == "gemm: expected M N K or --topology FILE");
    CHECK(refusal("8 5 3 --topology t.csv" + array) == "gemm: expected M N K or --topology FILE");
    CHECK_THAT(refusal("8 5 3 --overlap stream --filter-bandwidth 4" + array),
               Contains("--overlap stream means that loading weights never limits"));
    CHECK_THAT(refusal("2000000000 2000000000 2000000000" + array), Contains("reaches 2^53"));
}

TEST_CASE("gemm runs the published topologies whole, in both accountings") {
    const std::string folder = test::shared_traces();
    if (folder.empty()) {
        WARN("left out: " << Catch::getResultCapture().getCurrentTestName()
                          << " (DIASTOLE_SHARED names the folder of the data)");
        return;
    }
    for (const char* name :
         {"GEMM_mnk_NCF", "GEMM_mnk_vit_l", "conv_nets_Resnet18", "conv_nets_alexnet", "dlrm_DLRM",
          "dlrm_dlrm_fwd", "dlrm_dlrm_inp_grad", "dlrm_dlrm_weight_grad", "llama_llama3b"}) {
        const std::string file =
            "--topology " + folder + "scalesim_csv/" + name + ".csv --array 128x128 ";
        const nlohmann::json none = measured(file);
        const nlohmann::json shadow = measured(file + "--overlap shadow");
        CAPTURE(name);
        CHECK(shadow["cycles"] < none["cycles"]);
        CHECK(measured(file + "--accounting scalesim")["cycles"] > shadow["cycles"]);
    }
}
