// What `run` writes: where, with which keys, and nothing when it was interrupted.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"
#include "tests/paths.hpp"

using namespace diastole;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

Json run_json(const std::string& options) {
    const ProgramResult result = run_program("run " + options + " --json -");
    REQUIRE(result.code == 0);
    return Json::parse(result.out);  // throws when anything else is on stdout
}

std::set<std::string> keys(const Json& json) {
    std::set<std::string> result;
    for (const auto& [key, value] : json.items()) result.insert(key);
    return result;
}

std::string gemm_trace() {
    return R"({"trace":"diastole/1","name":"n","batch":8}
{"id":1,"name":"fc","kind":"gemm","phase":"forward","inputs":[{"id":"a","shape":[8,16],"dtype":"fp32"},{"id":"b","shape":[16,32],"dtype":"fp32"}],"outputs":[{"id":"c","shape":[8,32],"dtype":"fp32"}]}
)";
}

}  // namespace

TEST_CASE("the result has exactly the documented keys") {
    const Json r = run_json("--chip mtia-2i --workload rm1 --batch 16");
    using Keys = std::set<std::string>;
    CHECK(keys(r) == Keys{"schema",
                          "version",
                          "chip",
                          "workload",
                          "mode",
                          "batch",
                          "warmup",
                          "batches",
                          "seed",
                          "compute",
                          "memory_mode",
                          "overrides",
                          "casts",
                          "tensor_identity",
                          "time_seconds",
                          "cycles",
                          "samples_per_second",
                          "lookups",
                          "flops",
                          "flops_vector",
                          "utilization",
                          "bytes",
                          "dram",
                          "llc",
                          "stalls",
                          "counters",
                          "phases",
                          "operators",
                          "bound",
                          "coverage",
                          "notes",
                          "host"});
    CHECK(r.at("schema") == "diastole.result/1");
    CHECK(keys(r.at("utilization")) == Keys{"matrix", "simd", "sram", "noc", "dram"});
    CHECK(keys(r.at("bytes")) ==
          Keys{"dram_read", "dram_write", "sram_read", "sram_write", "host_in", "host_out"});
    CHECK(keys(r.at("dram")) == Keys{"standard", "map", "peak_bytes_per_second",
                                     "achieved_bytes_per_second", "row_hit_rate",
                                     "refresh_fraction", "bursts", "activates", "precharges",
                                     "refreshes"});
    CHECK(keys(r.at("llc")) ==
          Keys{"accesses", "hits", "hit_rate", "merged_misses", "allocations", "by_kind"});
    CHECK(keys(r.at("llc").at("by_kind")) == Keys{"dense", "sparse"});
    CHECK(keys(r.at("stalls")) == Keys{"matrix", "simd", "vector", "reduction", "layout", "dma"});
    for (const Json& engine : r.at("stalls")) {
        CHECK(keys(engine) == Keys{"busy", "wait_dram", "wait_sram", "wait_noc",
                                   "wait_local_memory", "wait_dependency", "wait_issue", "idle"});
    }
    CHECK(keys(r.at("bound")) ==
          Keys{"roofline_seconds", "limited_by", "bound_by", "terms_seconds"});
    CHECK(keys(r.at("coverage")) == Keys{"operators", "opaque", "by_kind",
                                         "flops_modelled_fraction", "bytes_modelled_fraction"});
    for (const Json& op : r.at("operators")) {
        Keys found = keys(op);
        found.erase("lowering");
        CHECK(found == Keys{"id", "name", "kind", "phase", "start_seconds", "end_seconds", "flops",
                            "bytes", "bound_by"});
    }
    CHECK(r.at("phases").at("forward").at("operators") == r.at("operators").size());
}

TEST_CASE("what does not apply to a run is absent from its result") {
    const TemporaryFolder folder;
    folder.write("w.jsonl", gemm_trace());
    const Json r = run_json("--chip mtia-2i --workload " + folder.path("w.jsonl"));
    CHECK_FALSE(r.contains("lookups"));
    CHECK_FALSE(r.at("bytes").contains("host_in"));
    CHECK_FALSE(r.at("bytes").contains("host_out"));
    CHECK_FALSE(r.at("llc").at("by_kind").contains("sparse"));
    CHECK_FALSE(r.at("host").contains("activations_per_lookup"));
    CHECK_FALSE(r.at("operators").at(0).contains("batch"));
}

TEST_CASE("casts and settings are in the result, and change it") {
    const TemporaryFolder folder;
    folder.write("w.jsonl", gemm_trace());
    const std::string options = "--chip mtia-2i --workload " + folder.path("w.jsonl");
    const Json plain = run_json(options);
    const Json cast = run_json(options + " --cast fp32=fp16 --set sram.ways=32 --seed 9");
    CHECK(plain.at("casts") == Json::object());
    CHECK(plain.at("overrides") == Json::object());
    CHECK(cast.at("casts") == Json({{"fp32", "fp16"}}));
    CHECK(cast.at("overrides") == Json({{"sram.ways", "32"}}));
    CHECK(cast.at("seed") == 9);
    // The chip has no fp32 multipliers: the choice is named.
    CHECK_THAT(plain.at("operators").at(0).at("lowering").get<std::string>(),
               Contains("on simd fp32") || Contains("on vector fp32"));
    CHECK_THAT(cast.at("operators").at(0).at("lowering").get<std::string>(),
               Contains("on dpe fp16"));
    CHECK(2 * cast.at("bytes").at("dram_read").get<int>() ==
          plain.at("bytes").at("dram_read").get<int>());
    const ProgramResult shown = run_program("run " + options + " --cast fp32=fp16");
    CHECK_THAT(shown.out, Contains("cast: every fp32 tensor is stored and computed as fp16"));
}

TEST_CASE("a result goes to its file, and the summary to stdout; with - only JSON goes there") {
    const TemporaryFolder folder;
    folder.write("w.jsonl", gemm_trace() + R"({"id":2,"kind":"opaque","attrs":{"bytes":64}})");
    const std::string run = "run --chip mtia-2i --workload " + folder.path("w.jsonl");
    const ProgramResult to_file = run_program(run + " --json " + folder.path("r.json"));
    CHECK_THAT(to_file.out, Contains("throughput") && Contains("By phase"));
    std::ifstream file(folder.path("r.json"));
    CHECK(Json::parse(file).at("workload") == "n");
    CHECK(run_program(run + " --json - 2>&1 >/dev/null").out.empty());
}

TEST_CASE("the example in run's help runs") {
    std::istringstream help(run_program("run --help").out);
    const std::string marker = "  diastole ";
    int examples = 0;
    for (std::string line; std::getline(help, line);) {
        if (line.rfind(marker, 0) != 0) continue;
        ++examples;
        CHECK(run_program(line.substr(marker.size()) + " >/dev/null").code == 0);
    }
    CHECK(examples >= 1);
}

TEST_CASE("an interrupted run exits with 130 and leaves no file behind") {
    const TemporaryFolder folder, other;
    // Takes many seconds on any machine.
    const ProgramResult result =
        interrupt_program("run --chip mtia-2i --workload dlrm-dcnv2 --batch 16384 --json " +
                              folder.path("r.json") + " >" + other.path("out") + " 2>&1",
                          folder.path("."));
    CHECK(result.code == 130);
    CHECK(run_shell("cat " + other.path("out")).out == "interrupted\n");
    CHECK(std::filesystem::is_empty(folder.path(".")));
}

TEST_CASE("DLRM-DCNv2 has its published work: 32.06 MFLOP and 214 lookups a sample", "[slow]") {
    const Json r = run_json("--chip mtia-2i --workload dlrm-dcnv2 --batch 64");
    CHECK(r.at("flops").get<double>() / 64 == Approx(32.06e6).epsilon(0.005));
    CHECK(r.at("lookups") == 64 * 214);
}

TEST_CASE("the bundled DHEN training step is replayed whole", "[slow]") {
    const Json r = run_json("--chip mtia-2i --workload dhen-training --memory-mode fast");
    CHECK(r.at("flops").get<double>() == Approx(96.524e9).epsilon(0.001));
    CHECK(r.at("coverage").at("flops_modelled_fraction").get<double>() >= 0.99);
    CHECK(r.at("coverage").at("bytes_modelled_fraction").get<double>() >= 0.95);
    std::map<std::string, int> kernels;
    for (const Json& op : r.at("operators")) {
        if (op.at("kind") != "copy" && op.at("kind") != "collective") ++kernels[op.at("phase")];
    }
    CHECK(kernels["forward"] == 263);
    CHECK(kernels["backward"] == 417);
    CHECK(kernels["optimizer"] == 2301);
    CHECK(r.at("phases").at("optimizer").at("time_seconds").get<double>() > 0);
}
