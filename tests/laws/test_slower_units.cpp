// A unit made ten times slower shows in the stall that bears its name, and nothing gets faster.
#include <catch2/catch.hpp>

#include "tests/config/temporary_folder.hpp"
#include "tests/laws/fixed_case.hpp"
#include "tests/laws/run_json.hpp"

using namespace diastole;
using namespace diastole::laws;

namespace {

constexpr std::uint64_t side = 512;
const Trace::Shape square = {side, side};

Trace gemm() {
    return Trace().add("gemm", {Trace::tensor("a", square), Trace::tensor("b", square)},
                       {Trace::tensor("c", square)});
}
Trace one(const char* kind, const Trace::Json& attrs = Trace::Json::object()) {
    return Trace().add(kind, {Trace::tensor("a", square)}, {Trace::tensor("c", square)}, attrs);
}
Trace lookups() {
    const Trace::Json table = {{"name", "t"},     {"rows", 1000}, {"dim", 64},
                               {"dtype", "fp16"}, {"bags", 64},   {"lookups", 1920}};
    return Trace().add("embedding_bag", {}, {Trace::tensor("y", {64, 64})}, {{"tables", {table}}});
}

struct Slowing {
    const char* name;
    Trace trace;
    const char* options;
    std::vector<const char*> settings;
    const char* engine;  // nullptr: all of them together
    const char* stall;
    double least_rise;  // of the stall
    // Of the whole. Below one by the tolerance of the other laws where the unit does not bind:
    // commands that start at other times meet refreshes and other banks.
    double least_time;
};

std::vector<Slowing> slowings() {
    const Trace::Json rows = {{"axes", {1}}}, transpose = {{"axes", {1, 0}}};
    return {
        {"matrix engine", gemm(), "", {"dpe.k_elements.fp16=2"}, "matrix", "busy", 8, 5},
        {"SIMD engine",
         one("elementwise"),
         "--warmup 1",
         {"simd.ops_per_cycle.fp16=6"},
         "simd",
         "busy",
         8,
         2},
        {"reduction engine",
         one("softmax", rows),
         "--warmup 1",
         {"reduction.elements_per_cycle=6"},
         "reduction",
         "busy",
         8,
         2},
        {"layout unit",
         one("layout", transpose),
         "--warmup 1",
         {"layout.bytes_per_cycle=6"},
         "layout",
         "busy",
         8,
         3},
        {"DMA issue", lookups(), "", {"dma.issue_interval=20"}, "dma", "busy", 8, 2},
        {"instruction issue",
         gemm(),
         "",
         {"issue.cycles_per_instruction=40"},
         nullptr,
         "wait_issue",
         8,
         0.98},
        {"NoC",
         one("elementwise"),
         "--warmup 1",
         {"noc.pe_link_bytes_per_cycle=6", "noc.partition_link_bytes_per_cycle=12"},
         nullptr,
         "wait_noc",
         8,
         5},
        {"SRAM banks",
         one("elementwise"),
         "--warmup 1",
         {"sram.bank_bytes_per_cycle=6"},
         nullptr,
         "wait_sram",
         8,
         4},
        {"SRAM latency", lookups(), "", {"sram.latency_cycles=240"}, nullptr, "wait_sram", 8, 1.1},
        {"DRAM", one("elementwise"), "", {"dram.timing.tck_ps=12500"}, nullptr, "wait_dram", 8, 7},
        {"local memory",
         gemm(),
         "",
         {"local_memory.bank_bytes_per_cycle=12"},
         nullptr,
         "wait_local_memory",
         4,
         1.5},
    };
}

std::uint64_t stall_of(const Json& result, const Slowing& slowing) {
    std::uint64_t sum = 0;
    for (const auto& [engine, waits] : result.at("stalls").items()) {
        if (slowing.engine == nullptr || engine == slowing.engine) {
            sum += number(waits, slowing.stall);
        }
    }
    return sum;
}

}  // namespace

TEST_CASE("a unit ten times slower raises the stall that bears its name, and the time") {
    for (const Slowing& slowing : slowings()) {
        INFO(slowing.name);
        const TemporaryFolder folder;
        folder.write("w.jsonl", slowing.trace.text());
        std::vector<std::string> settings = small_chip();
        const auto run = [&] {
            return run_json("--chip mtia-2i " + std::string(slowing.options) +
                            set_options(settings) + " --workload " + folder.path("w.jsonl"));
        };
        const Json before = run();
        settings.insert(settings.end(), slowing.settings.begin(), slowing.settings.end());
        const Json after = run();
        const auto was = static_cast<double>(stall_of(before, slowing));
        CHECK(was > 0);
        CHECK(static_cast<double>(stall_of(after, slowing)) >= slowing.least_rise * was);
        CHECK(time_of(after) >= slowing.least_time * time_of(before));
    }
}

TEST_CASE("a host link ten times slower holds up what it copies by its own name") {
    const TemporaryFolder folder;
    folder.write("w.jsonl",
                 Trace()
                     .add("copy", {}, {Trace::tensor("a", square)}, {{"from_host", true}})
                     .add("elementwise", {Trace::tensor("a", square)}, {Trace::tensor("c", square)})
                     .text());
    const std::string options =
        "--chip mtia-2i" + set_options(small_chip()) + " --workload " + folder.path("w.jsonl");
    const Json before = run_json(options);
    const Json after = run_json(options + " --set host.bytes_per_second=3200000000");
    const auto copy_time = [](const Json& result) {
        const Json& copy = result.at("operators").at(0);
        CHECK(copy.at("bound_by") == "host_link");
        return copy.at("end_seconds").get<double>() - copy.at("start_seconds").get<double>();
    };
    CHECK(copy_time(after) > 8 * copy_time(before));
    CHECK(time_of(after) - time_of(before) ==
          Approx(copy_time(after) - copy_time(before)).epsilon(0.01));
}
