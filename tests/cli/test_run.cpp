// What `run` refuses, each with one clear line and exit code 2.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"

using namespace diastole;
using Catch::Contains;

namespace {

constexpr const char* header = R"({"trace":"diastole/1","name":"n","batch":8})";
constexpr const char* relu =
    R"({"id":1,"kind":"elementwise","inputs":[{"id":"a","shape":[8,8],"dtype":"fp16"}],"outputs":[{"id":"b","shape":[8,8],"dtype":"fp16"}])";

// `run` on a trace of one operator in a folder of its own.
class OneTrace {
  public:
    explicit OneTrace(const std::string& line = relu + std::string("}")) {
        folder_.write("w.jsonl", std::string(header) + '\n' + line + '\n');
    }
    [[nodiscard]] std::string path() const { return folder_.path("w.jsonl"); }
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    [[nodiscard]] ProgramResult run(const std::string& options) const {
        return run_program("run --workload " + path() + ' ' + options + " 2>&1");
    }
    // The only line; checks that it is one, and exit code 2.
    [[nodiscard]] std::string refusal(const std::string& options = "") const {
        const ProgramResult result = run("--chip mtia-2i " + options);
        CHECK(result.code == 2);
        CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 1);
        return result.out.substr(0, result.out.size() - 1);
    }

  private:
    TemporaryFolder folder_;
};

std::string with_shape(const std::string& shape) {
    std::string line = relu + std::string("}");
    for (std::size_t at = 0; (at = line.find("[8,8]")) != std::string::npos;) {
        line.replace(at, 5, shape);
    }
    return line;
}

}  // namespace

TEST_CASE("run names the nearest chip, workload and key when it does not know one") {
    const OneTrace trace;
    const ProgramResult chip = trace.run("--chip mtia-2j");
    CHECK(chip.code == 2);
    CHECK_THAT(chip.out, Contains("there is no chip 'mtia-2j'; did you mean 'mtia-2i'?"));
    const ProgramResult workload =
        run_program("run --chip mtia-2i --workload dlrm-dcnv3 2>&1 >/dev/null");
    CHECK(workload.code == 2);
    CHECK_THAT(workload.out, Contains("unknown workload 'dlrm-dcnv3'; did you mean 'dlrm-dcnv2'?"));
    CHECK(run_program("run --chip mtia-2i --workload none.jsonl 2>&1").out ==
          "none.jsonl: no such file (workload)\n");
    CHECK(trace.refusal("--set sram.way=3") ==
          "--set: sram.way: unknown key; did you mean 'sram.ways'?");
    CHECK(trace.refusal("--set lowering.tile_x=3") ==
          "--set: lowering.tile_x: unknown key; did you mean 'lowering.tile_m'?");
    CHECK(trace.refusal("--set sram.ways") == "--set: expected key=value, got \"sram.ways\"");
}

TEST_CASE("run refuses a chip that cannot be built") {
    const OneTrace trace;
    CHECK(trace.refusal("--set grid.rows=0") == "--set: grid.rows: expected at least 1, got 0");
    CHECK_THAT(trace.refusal("--set sram.ways=17"),
               Contains("sram.bytes: expected an LLC (bytes - lls_bytes = 134217728) divisible "
                        "into sets: a multiple of 16 partitions x 17 ways x 128 bytes a line"));
    CHECK_THAT(trace.refusal("--set local_memory.bytes=4096"),
               Contains("local_memory.bytes: expected at least 14336 for one tile of the DPE"));
    CHECK_THAT(trace.refusal("--set grid.rows=256 --set grid.columns=256"),
               Contains("expected at most 65534 PEs"));
}

TEST_CASE("run refuses a trace whose operators or shapes are impossible") {
    const auto refusal = [](const std::string& line) {
        const OneTrace trace(line);
        const std::string text = trace.refusal();
        const std::string place = trace.path() + ":2: ";
        CHECK(text.rfind(place, 0) == 0);
        return text.substr(std::min(text.size(), place.size()));
    };
    CHECK(refusal(relu + std::string(R"(,"deps":[7]})")) ==
          "operator 1 depends on operator 7, which the trace does not hold");
    CHECK_THAT(refusal(relu + std::string(R"(,"deps":[1]})")),
               Contains("operators depend on each other in a circle"));
    for (const char* size : {"-8", "0", "1000000000000000"}) {
        CHECK(refusal(with_shape('[' + std::string(size) + ",8]")) ==
              "operator 1: inputs[0]: shape: expected a whole number from 1 to 281474976710656, "
              "got " +
                  std::string(size));
    }
}

TEST_CASE("run refuses a model that does not fit, and says how many chips would hold it") {
    const OneTrace trace(with_shape("[1000000,80000000]"));
    CHECK(trace.refusal() ==
          "'n' needs 3.2e+05 GB of memory and chip 'mtia-2i' has 137 GB: 2329 such chips would "
          "hold it");
    const ProgramResult model = run_program(
        "run --chip mtia-2i --workload dlrm-dcnv2 --batch 1 --set dram.geometry.rows=16384 --set "
        "'dram.map=row:14 sid:1 col:4 ba:2 bg:2 col:2 byte:5' 2>&1");
    CHECK(model.code == 2);
    CHECK_THAT(model.out, Contains("52.3 GB of memory and chip 'mtia-2i' has 17.2 GB: 4 such"));
}

TEST_CASE("run refuses casts, batches and modes that mean nothing") {
    const OneTrace trace;
    CHECK(trace.refusal("--cast fp32") == "--cast fp32: expected FROM=TO, such as fp32=fp16");
    CHECK(trace.refusal("--cast fp33=fp16") ==
          "--cast fp33=fp16: unknown type 'fp33'; did you mean 'fp32'?");
    CHECK(trace.refusal("--cast fp32=fp16 --cast fp32=bf16") ==
          "--cast fp32=bf16: fp32 is cast twice");
    CHECK(trace.refusal("--batches 0") == "--batches: expected at least 1, got 0");
    CHECK(trace.refusal("--batch 16") ==
          trace.path() + ": is a trace with batch 8; it cannot be replayed with batch 16");
    CHECK(trace.refusal("--mode training") ==
          trace.path() + ": is a trace of inference; its mode cannot be changed to training");
    CHECK(trace.run("--chip mtia-2i --batch 8").code == 0);
    for (const char* batch : {"0", "1000000000000"}) {
        const ProgramResult result = run_program("run --chip mtia-2i --workload rm1 --batch " +
                                                 std::string(batch) + " 2>&1");
        CHECK(result.code == 2);
        CHECK(result.out == "batch: expected 1 to 2147483648, got " + std::string(batch) + '\n');
    }
    for (const char* option : {"--batch -1", "--batches -1", "--warmup -1", "--seed -1"}) {
        const ProgramResult result = trace.run("--chip mtia-2i " + std::string(option));
        CHECK(result.code == 2);
        CHECK_THAT(result.out, Contains("expected a whole number from 0, got -1"));
    }
    for (const char* option : {"--seed x", "--mode traning", "--compute no", "--memory-mode quick",
                               "--warmup 4294967296"}) {
        const ProgramResult result = trace.run("--chip mtia-2i " + std::string(option));
        INFO(option);
        CHECK(result.code == 2);
        CHECK_THAT(result.out, Contains(std::string(option).substr(0, 6)));
    }
}

TEST_CASE("run asks for recorded durations when an opaque operator does not say its bytes") {
    const OneTrace nothing(R"({"id":1,"name":"x","kind":"opaque"})");
    CHECK(nothing.refusal() == "operator 1 (x) is opaque and says neither tensors nor bytes");
    const OneTrace timed(R"({"id":1,"name":"x","kind":"opaque","recorded_seconds":1e-6})");
    CHECK(timed.refusal() ==
          "operator 1 (x) is opaque and says neither tensors nor bytes; --compute recorded uses "
          "its recorded duration");
    CHECK(timed.run("--chip mtia-2i --compute recorded").code == 0);
}

TEST_CASE("run refuses an index beyond its table, with file and place") {
    const OneTrace trace(
        R"({"id":1,"name":"bag","kind":"embedding_bag","outputs":[{"id":"y","shape":[2,8],"dtype":"fp16"}],"attrs":{"tables":[{"name":"t","rows":10,"dim":8,"dtype":"fp16","bags":2,"lookups":4,"indices":{"distribution":"npy","indices":"i.npy","offsets":"o.npy"}}]}})");
    // NumPy's format 1.0: magic, version, length of the header, header, values of 8 bytes.
    const auto write = [&](const char* name, const std::vector<std::int64_t>& values) {
        std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (" +
                             std::to_string(values.size()) + ",), }";
        header.resize(117, ' ');
        header += '\n';
        std::string text =
            std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
        for (const std::int64_t value : values) {
            for (int i = 0; i < 8; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
        }
        trace.folder().write(name, text);
    };
    write("o.npy", {0, 2, 4});
    write("i.npy", {1, 2, 3, 9});
    CHECK(trace.run("--chip mtia-2i").code == 0);
    write("i.npy", {1, 2, 3, 10});
    CHECK_THAT(trace.refusal(), Contains("i.npy") && Contains("10"));
    write("i.npy", {1, -2, 3, 9});
    CHECK_THAT(trace.refusal(), Contains("i.npy") && Contains("-2"));
}

TEST_CASE(
    "an output that cannot be written is found out before the work, and none is left behind") {
    const OneTrace trace;
    CHECK(trace.refusal("--json /nonexistent/x.json") ==
          "/nonexistent/x.json: cannot write: No such file or directory");
    const std::string folder = trace.folder().path(".");
    CHECK(trace.refusal("--json " + folder) == folder + ": cannot write: Is a directory");
    // The trace is bad too: only one that asks for the output first says so.
    const OneTrace bad("nonsense");
    CHECK(bad.refusal("--json /nonexistent/x.json") ==
          "/nonexistent/x.json: cannot write: No such file or directory");
    CHECK_THAT(bad.refusal("--json " + bad.folder().path("x.json")), Contains("w.jsonl:2"));
    const auto files = std::filesystem::directory_iterator(bad.folder().path("."));
    CHECK(std::distance(begin(files), end(files)) == 1);
}
