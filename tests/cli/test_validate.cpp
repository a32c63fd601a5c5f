// `diastole validate` on case files of a user's own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"
#include "tests/paths.hpp"

using namespace diastole;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

constexpr const char* gemm_case = R"(
[[case]]
name = "small"
chip = "mtia-2i"
gemm = { m = 64, n = 256, k = 128, dtype = "fp16" }
warmup = 1
source = "a paper"
[[case.measure]]
quantity = "time"
measured = 10e-6
[[case.measure]]
quantity = "peak_share"
measured = "> 0.9"
source = "another paper"
fitted = "dpe.columns"
[[case.measure]]
quantity = "stall_share"
engine = "matrix"
stall = "busy"
measured = 0.5
)";

constexpr const char* trace =
    R"({"trace":"diastole/1","name":"mine","batch":8}
{"id":1,"name":"relu","kind":"elementwise","inputs":[{"id":"a","shape":[64,512],"dtype":"fp16"}],"outputs":[{"id":"b","shape":[64,512],"dtype":"fp16"}]}
{"id":2,"name":"fc","kind":"gemm","inputs":[{"id":"b","shape":[64,512],"dtype":"fp16"},{"id":"w","shape":[512,64],"dtype":"fp16"}],"outputs":[{"id":"c","shape":[64,64],"dtype":"fp16"}],"deps":[1]}
)";

struct CaseFile {
    explicit CaseFile(const std::string& text) { folder.write("c.toml", text); }
    [[nodiscard]] ProgramResult validate(const std::string& options = "") const {
        return run_program("validate " + folder.path("c.toml") + ' ' + options + " 2>&1");
    }
    [[nodiscard]] Json json(const std::string& options = "") const {
        const ProgramResult result = validate(options + " --json -");
        INFO(result.out);
        REQUIRE(result.code == 0);
        return Json::parse(result.out);
    }
    TemporaryFolder folder;
};

// A case of one measure with `line` in it, or instead of the line that begins alike.
std::string with_line(const std::string& line) {
    std::string text = gemm_case;
    text.resize(text.find("[[case.measure]]", text.find("[[case.measure]]") + 1));
    const std::string key = line.substr(0, line.find('='));
    const std::size_t old = text.find('\n' + key + '=');
    if (old == std::string::npos) return text + line + '\n';
    return text.replace(old + 1, text.find('\n', old + 1) - old - 1, line);
}

}  // namespace

TEST_CASE("validate says of a user's case what run says") {
    const CaseFile file(gemm_case);
    file.folder.write("w.jsonl", R"({"trace":"diastole/1","name":"w","batch":64}
{"id":1,"name":"gemm","kind":"gemm","phase":"forward","inputs":[{"id":"a","shape":[64,128],"dtype":"fp16"},{"id":"b","shape":[128,256],"dtype":"fp16"}],"outputs":[{"id":"c","shape":[64,256],"dtype":"fp16"}]}
)");
    const ProgramResult run = run_program("run --chip mtia-2i --warmup 1 --json - --workload " +
                                          file.folder.path("w.jsonl"));
    REQUIRE(run.code == 0);
    const Json expected = Json::parse(run.out);
    const Json json = file.json();
    CHECK(json["schema"] == "diastole.validate/1");
    const Json& c = json["cases"][0];
    CHECK(c["time_seconds"] == expected["time_seconds"]);
    CHECK(c["roofline_seconds"] == expected["bound"]["roofline_seconds"]);
    const double time = expected["time_seconds"];
    const Json& measures = c["measures"];
    REQUIRE(measures.size() == 3);
    CHECK(measures[0]["modelled"] == time);
    CHECK(measures[0]["error_relative"].get<double>() == Approx(time / 10e-6 - 1));
    CHECK(measures[0]["roofline"]["modelled"] == expected["bound"]["roofline_seconds"]);
    CHECK(measures[0]["source"] == "a paper");
    const double share = expected["utilization"]["matrix"];
    CHECK(measures[1]["modelled"].get<double>() == Approx(share));
    CHECK(measures[1]["error_points"].get<double>() == Approx(100 * (share - 0.9)));
    CHECK(measures[1]["source"] == "another paper");
    CHECK(measures[1]["fitted"] == "dpe.columns");
    double all = 0;
    for (const Json& cycles : expected["stalls"]["matrix"]) all += cycles.get<double>();
    CHECK(measures[2]["modelled"].get<double>() ==
          Approx(expected["stalls"]["matrix"]["busy"].get<double>() / all));
}

TEST_CASE("validate's table and its JSON hold the same numbers, and a violated bound is named") {
    const CaseFile file(gemm_case);
    const Json measures = file.json()["cases"][0]["measures"];
    CHECK(measures[1]["holds"] == false);
    const ProgramResult table = file.validate();
    CHECK(table.code == 0);  // a deviation is a result
    const auto line_of = [&](const std::string& name) {
        const std::size_t start = table.out.find("\n  " + name);
        REQUIRE(start != std::string::npos);
        return table.out.substr(start + 1, table.out.find('\n', start + 1) - start - 1);
    };
    char text[64];
    const auto has = [&](const std::string& line, const char* format, double value) {
        std::snprintf(text, sizeof text, format, value);
        CHECK_THAT(line, Contains(text));
    };
    has(line_of("time"), "%+.1f %%", 100 * measures[0]["error_relative"].get<double>());
    has(line_of("time"), "%.2f us", 1e6 * measures[0]["modelled"].get<double>());
    has(line_of("share of peak"), " %.1f %%", 100 * measures[1]["modelled"].get<double>());
    has(line_of("share of peak"), "%+.1f points", measures[1]["error_points"].get<double>());
    CHECK_THAT(line_of("share of peak"), Contains("> 90.0 %") && Contains("violated"));
    CHECK_THAT(table.out, Contains("chosen with it in view: dpe.columns"));
    CHECK_THAT(table.out, Contains("Bounds: 0 hold, 1 violated."));

    const CaseFile holding(with_line("measured = \"< 10\""));
    const Json bound = holding.json()["cases"][0]["measures"][0];
    CHECK(bound["holds"] == true);
    CHECK(bound["error_relative"] == 0.0);
    CHECK_THAT(holding.validate().out, Contains("Bounds: 1 hold, 0 violated."));
}

TEST_CASE("a case may name a trace and a chip beside it, options, and one operator") {
    const CaseFile file(R"([[case]]
name = "mine"
chip = "wide.toml"
workload = "mine.jsonl"
cast = ["fp16=int8"]
set = ["dma.outbox=9", "lowering.tile_m=32"]
batches = 2
source = "me"
[[case.measure]]
quantity = "time"
operator = "fc"
measured = 1e-6
[[case.measure]]
quantity = "time"
measured = 1e-6
)");
    file.folder.write("mine.jsonl", trace);
    file.folder.write("wide.toml", "base = \"mtia-2i\"\n");
    const Json c = file.json()["cases"][0];
    CHECK(c["chip"] == "wide");
    CHECK(c["workload"] == "mine");
    CHECK(c["casts"]["fp16"] == "int8");
    CHECK(c["overrides"]["dma.outbox"] == "9");
    const double of_fc = c["measures"][0]["modelled"], of_all = c["measures"][1]["modelled"];
    CHECK(of_fc > 0);
    CHECK(of_fc < of_all);
    CHECK(of_all == Approx(c["time_seconds"].get<double>() / 2));
    // b comes from the operator before, so only the weights, of one byte each, come from DRAM.
    CHECK(c["measures"][0]["roofline"]["modelled"].get<double>() ==
          Approx(512 * 64 / 204.8e9).epsilon(0.01));
}

TEST_CASE("the parts of an array's time sum to one, and follow what the array does") {
    std::string text = R"([[case]]
name = "parts"
chip = "tpu-v1"
gemm = { m = 200, n = 512, k = 512, dtype = "int8" }
set = ["lowering.tile_m=200", "lowering.tile_n=256", "lowering.tile_k=256"]
source = "me"
)";
    for (const char* part : {"active", "weight_shift", "weight_stall", "non_matrix"}) {
        text += "[[case.measure]]\nquantity = \"array_share\"\nmeasured = 0.1\npart = \"" +
                std::string(part) + "\"\n";
    }
    const Json c = CaseFile(text).json()["cases"][0];
    double sum = 0;
    for (const Json& measure : c["measures"]) sum += measure["modelled"].get<double>();
    CHECK(sum == Approx(1));
    // Four tiles of 256 x 256 for 200 rows, none of which hides behind another: DRAM is slower.
    const double cycles = c["time_seconds"].get<double>() * 700e6;
    CHECK(c["measures"][0]["part"] == "active");
    CHECK(c["measures"][0]["modelled"].get<double>() * cycles == Approx(4 * 200));
    CHECK(c["measures"][1]["modelled"].get<double>() * cycles == Approx(4 * 256));
    CHECK(c["measures"][2]["roofline"]["modelled"].get<double>() > 0.5);
    CHECK_FALSE(c["measures"][3].contains("roofline"));
}

TEST_CASE("every bundled measurement can be run, and each says its source", "[slow]") {
    const ProgramResult result = run_program("validate --json -");
    REQUIRE(result.code == 0);
    const Json json = Json::parse(result.out);
    CHECK(json["cases"].size() >= 7);
    for (const Json& c : json["cases"]) {
        INFO(c["name"]);
        CHECK(c["roofline_seconds"] <= c["time_seconds"]);
        for (const Json& measure : c["measures"]) CHECK(measure["source"] != "");
    }
}

TEST_CASE("a bad case file is refused with file, line, column, key and what was expected") {
    const auto refused = [](const std::string& text) {
        const CaseFile file(text);
        const ProgramResult result = file.validate();
        CHECK(result.code == 2);
        const std::string path = file.folder.path("c.toml");
        CHECK(result.out.rfind(path + ':', 0) == 0);
        return result.out.substr(std::min(path.size() + 1, result.out.size()));
    };
    CHECK(refused(with_line("mesured = 1")) ==
          "11:1: case[1].measure[1].mesured: unknown key; did you mean 'measured'?\n");
    CHECK_THAT(refused(with_line("chip = \"mtia-2j\"")),
               Contains("4:8: case[1].chip: there is no chip 'mtia-2j'; did you mean 'mtia-2i'?"));
    CHECK(refused(with_line("gemm = { m = 0, n = 4, k = 4 }")) ==
          "5:14: case[1].gemm.m: expected 1 to 16777216, got 0\n");
    CHECK(refused(with_line("gemm = { m = 4, n = 4 }")) == "5:8: case[1].gemm.k: missing\n");
    CHECK_THAT(
        refused(with_line("gemm = { m = 4, n = 4, k = 4, dtype = \"fp17\" }")),
        Contains("5:39: case[1].gemm.dtype: expected one of ") && Contains("did you mean 'fp16'?"));
    CHECK_THAT(refused(with_line("gemm = 4")), Contains("5:8: case[1].gemm: expected a table"));
    CHECK_THAT(refused(with_line("quantity = \"tme\"")),
               Contains("9:12: case[1].measure[1].quantity: expected one of time, ") &&
                   Contains("did you mean 'time'?"));
    CHECK(refused(with_line("measured = \"> x\"")) ==
          "10:12: case[1].measure[1].measured: expected a number, or a bound such as \"> 0.92\", "
          "got \"> x\"\n");
    CHECK(refused(with_line("measured = \"0.92\"")).find("or a bound such as") !=
          std::string::npos);
    CHECK(refused(with_line("measured = -1")) ==
          "10:12: case[1].measure[1].measured: expected a value above 0\n");
    CHECK(refused(with_line("engine = \"matrix\"")) ==
          "11:10: case[1].measure[1].engine: only a stall_share has one\n");
    CHECK(refused(with_line("part = \"active\"")) ==
          "11:8: case[1].measure[1].part: only an array_share has one\n");
    CHECK(refused(with_line("quantity = \"array_share\"")).find("part: missing") !=
          std::string::npos);
    CHECK_THAT(refused(with_line("operator = \"gem\"")),
               Contains("the workload has no operator 'gem'; did you mean 'gemm'?"));
    CHECK(refused(with_line("source = 7")).find("7:10: case[1].source: expected text") == 0);
    CHECK(refused(with_line("batches = 0")).find("case[1]") != std::string::npos);
    CHECK(refused("x = 1\n").find("expected at least one [[case]]") != std::string::npos);
    CHECK(refused("[[case\n").find("1:") == 0);
    const std::string empty = refused("[[case]]\nname = \"a\"\nchip = \"mtia-2i\"\n");
    CHECK_THAT(empty, Contains("1:1: case[1]: expected a workload or a gemm = {") &&
                          Contains("1:1: case[1]: expected at least one [[case.measure]]"));
}

TEST_CASE("validate refuses what cannot be run, and names the case") {
    const auto line = [](const std::string& text) { return CaseFile(text).validate(); };
    CHECK_THAT(line(with_line("chip = \"mtia-2i\"\nset = [\"sram.way=3\"]")).out,
               Contains("sram.way: unknown key; did you mean 'sram.ways'?"));
    CHECK_THAT(line(with_line("chip = \"mtia-2i\"\nset = [\"lowering.tile_x=3\"]")).out,
               Contains("case 'small': --set: lowering.tile_x: unknown key"));
    const ProgramResult refused = line(with_line("chip = \"mtia-2i\"\ncast = [\"fp16=tf32\"]"));
    CHECK(refused.code == 2);
    CHECK_THAT(refused.out, Contains("c.toml:2:1: case 'small': ") && Contains("multiplies tf32"));
    CHECK_THAT(run_program("validate mtia-2j 2>&1").out,
               Contains("there are no measurements 'mtia-2j'; did you mean 'mtia-2i'?"));
    CHECK(run_program("validate nowhere.toml 2>&1").out == "there is no file 'nowhere.toml'\n");
    CHECK_THAT(run_program("validate --case mtia-2i-gemm-2049 2>&1").out,
               Contains("did you mean 'mtia-2i-gemm-2048'?"));
    CHECK(run_program("validate -j 0 2>&1").code == 2);
    const CaseFile twice(std::string(gemm_case) + gemm_case);
    CHECK_THAT(twice.validate().out, Contains("name: there is another case 'small'"));
}

TEST_CASE("validate gives the same result byte for byte, with any number of processes") {
    std::string text = gemm_case;
    for (const char* name : {"second", "third"}) {
        std::string more = gemm_case;
        more.replace(more.find("small"), 5, name);
        text += more.replace(more.find("m = 64"), 6, "m = 96");
    }
    const CaseFile file(text);
    const std::string once = file.validate("-j 1 --json -").out;
    CHECK(file.validate("-j 3 --json -").out == once);
    CHECK(file.validate("-j 1").out == file.validate("-j 2").out);
    CHECK(Json::parse(once)["cases"].size() == 3);
    CHECK(file.validate("--case third --list").out == "third\n");
}

TEST_CASE("validate halves and doubles each assumed number and shows those that move an error") {
    const CaseFile file(with_line("chip = \"c1.toml\""));
    file.folder.write("c1.toml", R"(vector.ops_per_cycle.fp32 = 16
dram.channels = 4
simd.ops_per_cycle.fp32 = 16
dpe.k_elements.fp16 = { value = 8, assumed = "x" }
dma.startup_cycles = { value = 16, assumed = "x" }
dpe.startup_cycles = { value = 0, assumed = "x" }
sram.ways = { value = 16, assumed = "x" }
sram.banks = { value = 1, assumed = "x" }
sram.slice_hash = { value = true, assumed = "x" }
issue.queue_depth = 8
)");
    const Json c = file.json("--sensitivity")["cases"][0];
    CHECK(c["not_varied"] == Json::array({"dpe.startup_cycles", "sram.slice_hash"}));
    std::map<std::string, Json> by_key;
    for (const Json& entry : c["measures"][0]["sensitivity"]) by_key[entry["key"]] = entry;
    CHECK(by_key.size() == 4);
    const double base = c["measures"][0]["modelled"];
    CHECK(by_key["dpe.k_elements.fp16"]["halved"]["value"] == "4");
    CHECK(by_key["dpe.k_elements.fp16"]["halved"]["modelled"] > base);
    CHECK(by_key["dpe.k_elements.fp16"]["doubled"]["value"] == "16");
    CHECK(by_key["dma.startup_cycles"]["doubled"]["modelled"] > base);
    CHECK_FALSE(by_key["sram.banks"].contains("halved"));  // there is no half bank
    CHECK(by_key["sram.banks"].contains("doubled"));
    // The same as a case that sets the value.
    CaseFile again(with_line("chip = \"c1.toml\"\nset = [\"dpe.k_elements.fp16=4\"]"));
    std::filesystem::copy(file.folder.path("c1.toml"), again.folder.path("c1.toml"));
    CHECK(again.json()["cases"][0]["measures"][0]["modelled"] ==
          by_key["dpe.k_elements.fp16"]["halved"]["modelled"]);
    const ProgramResult table = file.validate("--sensitivity");
    CHECK_THAT(table.out, Contains("one of 4 assumed numbers halved or doubled"));
    CHECK(table.out.find("dpe.k_elements.fp16") < table.out.find("sram.banks"));
}

TEST_CASE("a halved value that the chip's rules refuse is a result with its reason") {
    const CaseFile file(with_line("chip = \"c2.toml\""));
    file.folder.write("c2.toml", R"(vector.ops_per_cycle.fp32 = 16
dram.channels = 4
simd.ops_per_cycle.fp32 = 16
dpe.k_elements.fp16 = 8
noc.buffer_bytes = { value = 600, assumed = "x" }
)");
    const Json entry = file.json("--sensitivity")["cases"][0]["measures"][0]["sensitivity"][0];
    CHECK_THAT(entry["halved"]["refused"].get<std::string>(),
               Contains("noc.buffer_bytes: expected at least one packet"));
    CHECK(entry["doubled"]["modelled"] > 0);
    CHECK_THAT(file.validate("--sensitivity").out, Contains("of 1 assumed numbers"));
}

TEST_CASE("Ctrl-C and a killed parent leave no simulation behind") {
    const CaseFile file(R"([[case]]
name = "long"
chip = "mtia-2i"
gemm = { m = 60000, n = 60000, k = 60000 }
source = "none"
[[case.measure]]
quantity = "time"
measured = 1
)");
    // Two processes, long enough to be seen, then a signal to the first; 0: nobody is left.
    const auto after = [&](const std::string& signal) {
        return run_shell(program() + " validate -j 2 " + file.folder.path("c.toml") +
                         R"( >/dev/null 2>&1 & p=$!
for i in $(seq 100); do c=$(cat /proc/$p/task/$p/children 2>/dev/null); [ -n "$c" ] && break; sleep 0.1; done
[ -n "$c" ] || echo "no child"
sleep 0.3; kill -)" + signal +
                         R"( $p; wait $p 2>/dev/null; echo "code $?"
for i in $(seq 50); do kill -0 $c 2>/dev/null || break; sleep 0.1; done
kill -0 $c 2>/dev/null && echo "left behind"; true)")
            .out;
    };
    CHECK(after("INT") == "code 130\n");
    CHECK(after("KILL") == "code 137\n");
}
