#include <catch2/catch.hpp>
#include <chrono>

#include "lowering_fixture.hpp"
#include "model/config/schema.hpp"
#include "model/config/value.hpp"
#include "model/params/preset.hpp"
#include "workloads/generate/index_streams.hpp"
#include "workloads/generate/workload.hpp"
#include "workloads/lower/describe_lowering.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

struct Produced {
    std::uint64_t jobs = 0, commands = 0, rows = 0, macs = 0;
    double seconds = 0;
};

// Asks every PE in turn for its commands, as a chip does, and throws them away.
Produced produce(const Graph& graph, const ChipParams& chip, const LoweringOptions& options = {}) {
    const GeneratedIndexStreams streams(1);
    LoweringNotes notes;
    Produced result;
    const auto start = std::chrono::steady_clock::now();
    auto jobs = lower(graph, chip, streams, options, notes);
    Command command;
    while (auto job = jobs->next()) {
        ++result.jobs;
        if (!job->commands) continue;
        std::vector<std::uint32_t> left;
        for (std::uint32_t pe = 0; pe < pe_count(chip); ++pe) {
            if (job->commands->participates(pe)) left.push_back(pe);
        }
        while (!left.empty()) {
            std::size_t kept = 0;
            for (const std::uint32_t pe : left) {
                if (!job->commands->next(pe, command)) continue;
                left[kept++] = pe;
                ++result.commands;
                if (const auto* t = std::get_if<Transfer>(&command.payload)) {
                    result.rows += t->row_addresses.size();
                } else if (const auto* tile = std::get_if<MatrixTile>(&command.payload)) {
                    result.macs += std::uint64_t{tile->m} * tile->n * tile->k;
                }
            }
            left.resize(kept);
        }
    }
    const auto stop = std::chrono::steady_clock::now();
    result.seconds = std::chrono::duration<double>(stop - start).count();
    return result;
}

}  // namespace

TEST_CASE("the cost of producing commands", "[.][bench]") {
    for (const char* chip : {"mtia-2i", "mtia-300", "h100-sxm", "mtia-1"}) {
        const ChipParams params = load_chip(chip).params;
        for (const char* name : {"dhen-training", "dlrm-dcnv2", "rm2"}) {
            for (const Mode mode : {Mode::inference, Mode::training}) {
                const bool trace = std::string(name) == "dhen-training";
                if (trace && mode == Mode::inference) continue;
                try {
                    const Graph graph = trace ? load_workload(name, std::nullopt, std::nullopt)
                                              : load_workload(name, mode, 4096);
                    const Produced p = produce(graph, params);
                    WARN(chip << " " << name << " " << name_of(mode) << ": " << p.jobs << " jobs, "
                              << p.commands << " commands, " << p.rows << " rows, " << p.seconds
                              << " s, " << static_cast<double>(p.macs) / 1e9 << " GMAC");
                } catch (const std::exception& error) {
                    WARN(chip << " " << name << " " << name_of(mode) << ": " << error.what());
                }
            }
        }
    }
}

TEST_CASE("the lowering's keys are set by name and limited") {
    LoweringParams params;
    config::Schema schema;
    describe(schema, params);
    std::string problem;
    REQUIRE(schema.find("lowering.dataflow") != nullptr);
    CHECK(schema.find("lowering.dataflow")
              ->assign(config::parse_override_value("input_stationary"), {}, problem));
    CHECK(params.dataflow == DataflowChoice::input_stationary);
    CHECK_FALSE(schema.find("lowering.gather_rows")
                    ->assign(config::parse_override_value("0"), {}, problem));
    CHECK(params.gather_rows == 64);
}

TEST_CASE("every operator of the DHEN training step obeys the laws on MTIA 2i", "[slow]") {
    const Graph graph = load_workload("dhen-training", std::nullopt, std::nullopt);
    const Checked checked = run_and_check(graph, load_chip("mtia-2i").params);
    std::uint64_t macs = 0;
    for (const Totals& totals : checked.totals) macs += totals.macs;
    CHECK(static_cast<double>(2 * macs) == Approx(96.524e9).epsilon(1e-4));
}

TEST_CASE("every operator of DLRM-DCNv2 obeys the laws, in inference and in training", "[slow]") {
    for (const Mode mode : {Mode::inference, Mode::training}) {
        const Graph graph = load_workload("dlrm-dcnv2", mode, 256);
        const Checked checked = run_and_check(graph, load_chip("mtia-300").params);
        std::uint64_t lookups = 0;
        for (const Totals& totals : checked.totals) lookups += totals.lookups;
        CHECK(lookups == 214 * 256);
    }
}
