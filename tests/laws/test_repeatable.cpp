// The same inputs give the same result; only what is an input changes it.
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/config/temporary_folder.hpp"
#include "tests/laws/fixed_case.hpp"
#include "tests/laws/random_case.hpp"
#include "tests/laws/run_json.hpp"

using namespace diastole;
using namespace diastole::laws;

namespace {

// The program's stdout without the part about the host that ran it, byte for byte.
std::string output_without_host(const std::string& in_folder, const std::string& options) {
    const ProgramResult result = run_program_in(in_folder, "run " + options + " --json -");
    CHECK(result.code == 0);
    const std::size_t host = result.out.find("\n  \"host\": {");
    REQUIRE(host != std::string::npos);
    CHECK(result.out.find("}\n}\n", host) == result.out.size() - 4);  // it is the last part
    return result.out.substr(0, host);
}

Trace::Json table(std::uint64_t lookups) {
    return {{"name", "t"},     {"rows", 100000}, {"dim", 32},
            {"dtype", "fp16"}, {"bags", 16},     {"lookups", lookups}};
}

Trace recorded(double scale) {
    const Trace::Shape shape = {64, 64};
    return Trace()
        .add("elementwise", {Trace::tensor("a", shape)}, {Trace::tensor("b", shape)},
             Trace::Json::object(), 3e-6 * scale)
        .add("softmax", {Trace::tensor("b", shape)}, {Trace::tensor("c", shape)}, {{"axes", {1}}},
             5e-6 * scale)
        .add("gemm", {Trace::tensor("c", shape), Trace::tensor("w", shape)},
             {Trace::tensor("d", shape)});
}

}  // namespace

TEST_CASE("the same inputs and seed give the same result byte for byte, in any folder") {
    std::uint32_t refused = 0;
    for (std::uint64_t seed = 200; seed < 208; ++seed) {
        INFO("seed " << seed);
        Random random(seed);
        const ChipCase chip = random_chip(random, refused);
        const TemporaryFolder one, other;
        const std::string trace = random_workload(random, 8).trace;
        one.write("w.jsonl", trace);
        other.write("w.jsonl", trace);
        const std::string options = "--chip " + chip.preset + set_options(chip.settings) +
                                    " --seed 7 --batches 2 --workload ";
        const std::string first = output_without_host(one.path("."), options + "w.jsonl");
        CHECK(first == output_without_host(one.path("."), options + "w.jsonl"));
        CHECK(first == output_without_host(other.path("."), options + "./w.jsonl"));
        CHECK(first == output_without_host("/", options + other.path("w.jsonl")));
    }
}

TEST_CASE("another seed changes where lookups go, and not how many there are") {
    const TemporaryFolder folder;
    folder.write("w.jsonl", Trace()
                                .add("embedding_bag", {}, {Trace::tensor("y", {16, 32})},
                                     {{"tables", {table(500)}}})
                                .text());
    const std::string options = "--chip mtia-2i --workload " + folder.path("w.jsonl");
    const Json first = run_json(options + " --seed 1"), other = run_json(options + " --seed 2");
    CHECK(first.at("lookups") == other.at("lookups"));
    CHECK(first.at("dram") != other.at("dram"));
    CHECK(first.at("cycles") != other.at("cycles"));
}

TEST_CASE("recorded durations change nothing, unless they are asked for") {
    const TemporaryFolder folder;
    folder.write("recorded.jsonl", recorded(1).text());
    folder.write("slower.jsonl", recorded(10).text());
    const auto run = [&](const char* name, const char* options) {
        Json result =
            run_json("--chip mtia-2i --workload " + folder.path(name) + std::string(options));
        result.erase("host");
        return result;
    };
    CHECK(run("recorded.jsonl", "") == run("slower.jsonl", ""));
    const Json as_recorded = run("recorded.jsonl", " --compute recorded");
    const Json slower = run("slower.jsonl", " --compute recorded");
    const auto duration = [](const Json& result, std::size_t i) {
        const Json& op = result.at("operators").at(i);
        return op.at("end_seconds").get<double>() - op.at("start_seconds").get<double>();
    };
    CHECK(duration(as_recorded, 0) == Approx(3e-6).epsilon(1e-3));
    CHECK(duration(slower, 0) == Approx(3e-5).epsilon(1e-3));
    CHECK(duration(slower, 1) == Approx(5e-5).epsilon(1e-3));
    CHECK(time_of(slower) > time_of(as_recorded) + 7e-5);
    CHECK(as_recorded.at("operators").at(0).at("bound_by") == "recorded");
    // The product has no recorded duration and is modelled.
    CHECK(number(as_recorded, "flops") == 2 * 64 * 64 * 64);
}

TEST_CASE("an empty trace is an error of its file") {
    const TemporaryFolder folder;
    folder.write("w.jsonl", Trace().text());
    folder.write("nothing.jsonl", "");
    for (const char* name : {"w.jsonl", "nothing.jsonl"}) {
        const ProgramResult result =
            run_program("run --chip mtia-2i --workload " + folder.path(name) + " 2>&1");
        CHECK(result.code == 2);
        CHECK(result.out.rfind(folder.path(name), 0) == 0);
    }
}
