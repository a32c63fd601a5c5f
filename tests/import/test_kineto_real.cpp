// Against the published traces themselves; passes with a warning where they are not at hand.
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "tests/graph/temporary_folder.hpp"
#include "tests/import/kineto_text.hpp"
#include "tests/paths.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/validate.hpp"
#include "workloads/graph/work.hpp"

using namespace diastole;

namespace {

// scripts/test.sh collects the lines that begin with "left out: ".
#define NEEDS_TRACES(folder)                                                     \
    const std::string folder = test::shared_traces();                            \
    if (folder.empty()) {                                                        \
        WARN("left out: " << Catch::getResultCapture().getCurrentTestName()      \
                          << " (DIASTOLE_SHARED names the folder of the data)"); \
        return;                                                                  \
    }

Imported import_file(const std::string& path) {
    KinetoOptions options;
    options.name = "test";
    return import_kineto(*open_file(path), options);
}

std::string unpacked(const std::string& path) {
    const auto source = open_file(path);
    std::string text;
    std::string piece(1 << 16, '\0');
    while (const std::size_t count = source->read(piece.data(), piece.size())) {
        text.append(piece, 0, count);
    }
    return text;
}

// A line of the expected join: start_us,dur_us,phase,kernel,aten_op,...; commas occur in no field
// before the quoted ones.
struct Expected {
    std::string phase, op;
    double microseconds = 0;
};
std::vector<Expected> expected_kernels(const std::string& folder) {
    std::istringstream lines(unpacked(folder + "derived/mtia_dhen_training_kernels.csv.gz"));
    std::string line;
    std::getline(lines, line);
    std::vector<Expected> rows;
    while (std::getline(lines, line)) {
        line.erase(std::remove(line.begin(), line.end(), '"'), line.end());
        std::istringstream fields(line);
        std::string start, duration, kernel;
        Expected row;
        std::getline(fields, start, ',');
        std::getline(fields, duration, ',');
        std::getline(fields, row.phase, ',');
        std::getline(fields, kernel, ',');
        std::getline(fields, row.op, ',');
        if (row.phase.empty()) row.phase = "other";
        row.microseconds = std::stod(duration);
        rows.push_back(row);
    }
    return rows;
}

const std::string dhen = "kineto/mtia_dhen_training_rank0.json.gz";

}  // namespace

TEST_CASE("the MTIA training step has the figures that were counted from the raw file", "[slow]") {
    NEEDS_TRACES(folder)
    const Imported imported = import_file(folder + dhen);
    const Coverage& coverage = imported.coverage;
    CHECK(coverage.kernels == 3453);
    CHECK(coverage.without_host == 0);
    CHECK(coverage.opaque.operators == 0);
    CHECK(static_cast<double>(coverage.modelled.flops) == Approx(96.524e9).epsilon(1e-5));
    CHECK(static_cast<double>(coverage.outside_embedding.bytes.count()) ==
          Approx(5.56e9).epsilon(1e-3));
    CHECK(coverage.by_phase[0].operators == 263);
    CHECK(coverage.by_phase[1].operators == 417);
    CHECK(coverage.by_phase[2].operators == 2301);
    CHECK(coverage.by_phase[3].operators == 472);
    CHECK(coverage.to_device.requests == 15'001);
    CHECK(coverage.to_device.bytes == Bytes(2'282'766'336));
    CHECK(coverage.to_host.requests == 7'360);
    CHECK(coverage.to_host.bytes == Bytes(4'272'997'120));
    CHECK(coverage.collectives == std::map<std::string, std::uint64_t>{
                                      {"all_gather", 96}, {"all_reduce", 1}, {"all_to_all", 1}});
    CHECK(coverage.outputs_contradicted == 0);
    CHECK(imported.graph.batch == 1024);
    CHECK(imported.graph.mode == Mode::training);
    validate(imported.graph);
}

TEST_CASE("importing 87 MB of trace takes at most six seconds and 400 MB", "[slow]") {
    NEEDS_TRACES(folder)
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    import_file(folder + dhen);
    getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_utime.tv_sec - before.ru_utime.tv_sec < 6);
#ifndef __SANITIZE_ADDRESS__  // whose shadow and quarantine are several times the program
    CHECK(after.ru_maxrss < 400 * 1024);  // kB, of the whole process
#endif
}

TEST_CASE("every kernel of the MTIA training step joins the operator that it should", "[slow]") {
    NEEDS_TRACES(folder)
    const std::vector<Expected> rows = expected_kernels(folder);
    const Graph graph = import_file(folder + dhen).graph;
    std::size_t row = 0;
    for (const Operator& op : graph.operators) {
        if (op.kind == OpKind::copy || op.kind == OpKind::collective) continue;
        REQUIRE(row < rows.size());
        CAPTURE(row, op.name);
        REQUIRE(op.name.substr(0, op.name.find('/')) == rows[row].op);
        REQUIRE(name_of(op.phase) == rows[row].phase);
        REQUIRE(op.recorded_seconds.value() * 1e6 == Approx(rows[row].microseconds).margin(1e-3));
        ++row;
    }
    CHECK(row == rows.size());
}

TEST_CASE("the bundled training step is what importing its trace gives", "[slow]") {
    NEEDS_TRACES(folder)
    Graph imported = import_file(folder + dhen).graph;
    const Graph bundled =
        read_native_trace(source_dir() + "/workloads/library/dhen-training.jsonl.gz");
    CHECK(!bundled.source.empty());
    CHECK(bundled.licence == "MIT");
    imported.name = bundled.name;
    imported.source = bundled.source;
    imported.licence = bundled.licence;
    CHECK(native_trace_text(imported) == native_trace_text(bundled));
}

TEST_CASE("no host or user name of the published traces gets into what is written", "[slow]") {
    NEEDS_TRACES(folder)
    for (const char* name : {"mtia_dhen_training_rank0", "mtia_ranking_inference_rank0"}) {
        const std::string path = folder + "kineto/" + name + ".json.gz";
        const std::string raw = unpacked(path).substr(0, 20'000);
        const Imported imported = import_file(path);
        const std::string written =
            native_trace_text(imported.graph) + coverage_text(imported.coverage);
        for (const char* key : {"\"host_name\": \"", "\"username\": \"", "\"tw_job\": \""}) {
            const std::size_t at = raw.find(key);
            if (at == std::string::npos) continue;
            const std::size_t begin = at + std::string(key).size();
            const std::string secret = raw.substr(begin, raw.find('"', begin) - begin);
            INFO(key);
            CHECK((secret.size() < 3 || written.find(secret) == std::string::npos));
        }
    }
}

TEST_CASE("the DLRM traces of eight V100 import with all their kernels", "[slow]") {
    NEEDS_TRACES(folder)
    for (int rank = 0; rank < 8; ++rank) {
        CAPTURE(rank);
        const Imported imported = import_file(folder + "kineto/dlrm_8xv100_rank" +
                                              std::to_string(rank) + "_kineto.json.gz");
        CHECK(imported.coverage.kernels >= 245);
        CHECK(imported.coverage.kernels <= 315);
        // Ranks 1 and 3 hold 64 kernels of launches from before the profiler began.
        CHECK(imported.coverage.without_host == (rank == 1 || rank == 3 ? 64U : 0U));
        CHECK(imported.coverage.by_kind[static_cast<std::size_t>(OpKind::gemm)].operators +
                  imported.coverage.by_kind[static_cast<std::size_t>(OpKind::batched_gemm)]
                      .operators ==
              23);
        CHECK(imported.coverage.by_kind[static_cast<std::size_t>(OpKind::collective)].operators ==
              8);
        CHECK(imported.graph.batch == 16);
        validate(imported.graph);
        for (const Operator& op : imported.graph.operators) {
            if (op.kind == OpKind::collective) CHECK(op.attrs.world_size == 8);
        }
    }
}

TEST_CASE("programs without shapes import as opaque operators with recorded durations", "[slow]") {
    NEEDS_TRACES(folder)
    const Imported ranking = import_file(folder + "kineto/mtia_ranking_inference_rank0.json.gz");
    CHECK(ranking.coverage.kernels == 97);
    CHECK(ranking.coverage.opaque_names ==
          std::map<std::string, std::uint64_t>{{"merge", 36}, {"pe_exe", 24}, {"remote", 37}});
    CHECK(ranking.coverage.to_device.requests + ranking.coverage.to_host.requests == 877);
    CHECK(ranking.coverage.markers == 339);
    CHECK(ranking.graph.mode == Mode::inference);
    for (const Operator& op : ranking.graph.operators) {
        if (op.kind != OpKind::opaque) continue;
        CHECK(op.recorded_seconds.value() > 0);
        CHECK((op.inputs.empty() && !op.attrs.bytes));
    }
    const Imported adds = import_file(folder + "kineto/a100_simple_add_kineto.json.gz");
    CHECK(adds.coverage.kernels == 4);
    CHECK(adds.coverage.opaque_names ==
          std::map<std::string, std::uint64_t>{{"aten::add", 2}, {"aten::uniform_", 2}});
}
