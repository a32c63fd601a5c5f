// Corners that the random laws found.
#include <catch2/catch.hpp>

#include "tests/config/temporary_folder.hpp"
#include "tests/laws/run_json.hpp"

using namespace diastole;
using namespace diastole::laws;

namespace {

constexpr const char* header = R"({"trace":"diastole/1","name":"n","batch":1,"mode":"training"})"
                               "\n";

}  // namespace

TEST_CASE("bytes without arithmetic also stream on a chip whose SIMD engine lacks fp32") {
    const TemporaryFolder folder;
    folder.write("w.jsonl",
                 header + std::string(R"({"id":1,"kind":"opaque","attrs":{"bytes":1000}})"));
    const Json result = run_json("--chip mtia-2i --set simd.ops_per_cycle.fp32=0 --workload " +
                                 folder.path("w.jsonl"));
    CHECK(number(result.at("bytes"), "sram_read") == 1000);
}

TEST_CASE("the backward of embedding bags without a lookup costs nothing") {
    const TemporaryFolder folder;
    folder.write("w.jsonl", header + std::string(R"({"id":1,"kind":"opaque","attrs":{"bytes":1000}}
{"id":2,"kind":"embedding_bag_backward","deps":[1],"inputs":[{"id":"g","shape":[4,8],"dtype":"fp32"}],"attrs":{"tables":[{"name":"t","rows":10,"dim":8,"dtype":"fp16","bags":4,"lookups":0}]}}
)"));
    const Json result = run_json("--chip mtia-2i --workload " + folder.path("w.jsonl"));
    const Json& op = result.at("operators").at(1);
    CHECK(op.at("start_seconds") == op.at("end_seconds"));
    CHECK(op.at("lowering") == "no lookups: nothing to do");
}

TEST_CASE("the fraction of time in refresh is that of a bank, whatever is refreshed at once") {
    const TemporaryFolder folder;
    folder.write("w.jsonl",
                 header + std::string(R"({"id":1,"kind":"opaque","attrs":{"bytes":20000000}})"));
    // JESD209-5, 32 Gb: tRFCpb 190 ns, tRFCab 380 ns, each bank once per tREFI of 3.9 us.
    for (const auto& [mode, fraction] :
         {std::pair{"per_bank", 190.0 / 3900}, {"all_bank", 380.0 / 3900}}) {
        const Json result =
            run_json("--chip mtia-2i --set dram.policy.refresh=" + std::string(mode) +
                     " --workload " + folder.path("w.jsonl"));
        CHECK(result.at("dram").at("refresh_fraction").get<double>() ==
              Approx(fraction).epsilon(0.05));
    }
}
