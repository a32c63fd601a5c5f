// Laws of one result: what the workload asks for is done exactly once, bytes are conserved, and
// time is never below what peaks allow.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/config/temporary_folder.hpp"
#include "tests/laws/random_case.hpp"
#include "tests/laws/run_json.hpp"

using namespace diastole;
using namespace diastole::laws;

namespace {

// From the definition, not from tb/roofline: the matrix engines at their peak for the types they
// have, and every operand once at the DRAM's peak.
double least_seconds(const ChipParams& chip, const WorkloadCase& work) {
    double matrix = 0;
    for (const auto& [type, flops] : work.by_type) {
        const double pes = chip.grid.rows * chip.grid.columns;
        const DType dtype = dtype_from_name(type).value();
        double per_pe = 2.0 * chip.dpe.arrays * chip.dpe.columns * chip.dpe.k_elements[dtype];
        // Without such an engine: both vector units and no instruction in between.
        if (per_pe == 0) {
            for (const SimdParams* unit : {&chip.simd, &chip.vector}) {
                per_pe += 2.0 * *std::max_element(unit->ops_per_cycle.values.begin(),
                                                  unit->ops_per_cycle.values.end());
            }
        }
        matrix += static_cast<double>(flops) / (per_pe * pes * static_cast<double>(chip.clock_hz));
    }
    const DramParams& d = chip.dram;
    const double peak = d.channels * d.geometry.atom_bytes /
                        (static_cast<double>(d.timing.tck_ps) * d.timing.burst * 1e-12);
    const double host = static_cast<double>(std::max(work.host_in, work.host_out)) /
                        static_cast<double>(chip.host.bytes_per_second);
    return std::max({matrix, static_cast<double>(work.compulsory_bytes) / peak, host});
}

void check_stalls(const Json& result, const ChipParams& chip) {
    const std::uint64_t pes = std::uint64_t{chip.grid.rows} * chip.grid.columns;
    for (const auto& [engine, waits] : result.at("stalls").items()) {
        std::uint64_t sum = 0;
        for (const Json& cycles : waits) sum += cycles.get<std::uint64_t>();
        INFO(engine);
        CHECK(sum == number(result, "cycles") * pes * (engine == "dma" ? 2 : 1));
    }
}

// Every missing line is one line from DRAM, and nothing else is read there.
void check_cache(const Json& result, const ChipParams& chip) {
    if (!result.contains("llc")) {
        CHECK(number(result.at("bytes"), "dram_read") == 0);
        return;
    }
    const Json& llc = result.at("llc");
    const std::uint64_t other =
        number(llc, "hits") + number(llc, "merged_misses") + number(llc, "allocations");
    CHECK((number(llc, "accesses") - other) * chip.sram.line_bytes ==
          number(result.at("bytes"), "dram_read"));
    for (const char* key : {"accesses", "hits", "merged_misses", "allocations"}) {
        std::uint64_t sum = 0;
        for (const Json& part : llc.at("by_kind")) sum += number(part, key);
        CHECK(sum == number(llc, key));
    }
    CHECK(number(result.at("dram"), "bursts") * chip.dram.geometry.atom_bytes ==
          number(result.at("bytes"), "dram_read") + number(result.at("bytes"), "dram_write"));
}

// What leaves one module arrives at the next.
void check_bytes(const Json& result, const ChipParams& chip) {
    const Json &bytes = result.at("bytes"), &counters = result.at("counters");
    const std::uint64_t read = number(counters, "noc_read_bytes");
    const std::uint64_t written = number(counters, "noc_write_bytes");
    CHECK(read == number(counters, "dma_read_bytes") + bytes.value("host_out", std::uint64_t{0}));
    CHECK(written ==
          number(counters, "dma_write_bytes") + bytes.value("host_in", std::uint64_t{0}));
    CHECK(number(bytes, "sram_read") + number(counters, "noc_merged_bytes") == read);
    CHECK(number(bytes, "sram_write") == written);
    CHECK(number(counters, "llc_write_backs") * chip.sram.line_bytes ==
          number(bytes, "dram_write"));
}

void check_multiplies(const Json& result) {
    std::uint64_t macs = 0;
    for (const char* engines : {"macs_matrix", "macs_vector"}) {
        if (!result.at("counters").contains(engines)) continue;
        for (const Json& count : result.at("counters").at(engines))
            macs += count.get<std::uint64_t>();
    }
    CHECK(2 * macs == number(result, "flops"));
}

void check_operators(const Json& result, const WorkloadCase& work) {
    const Json& operators = result.at("operators");
    REQUIRE(operators.size() == work.operators);
    std::vector<double> start(work.operators + 1), end(work.operators + 1);
    for (const Json& op : operators) {
        start[number(op, "id")] = op.at("start_seconds").get<double>();
        end[number(op, "id")] = op.at("end_seconds").get<double>();
    }
    for (std::size_t i = 1; i <= work.operators; ++i) {
        CHECK(start[i] <= end[i]);
        CHECK(end[i] <= time_of(result));
        for (const std::uint64_t dep : work.deps[i - 1]) CHECK(end[dep] <= start[i]);
    }
}

void check_fractions(const Json& result) {
    for (const auto& [name, value] : result.at("utilization").items()) {
        INFO(name);
        CHECK(value.get<double>() >= 0);
        CHECK(value.get<double>() <= 1);
    }
    CHECK(result.at("dram").at("refresh_fraction").get<double>() <= 1);
    CHECK(result.at("coverage").at("flops_modelled_fraction").get<double>() == 1);
}

void check_case(std::uint64_t seed, std::uint32_t operators, std::uint32_t& refused) {
    INFO("seed " << seed);
    Random random(seed);
    const ChipCase chip = random_chip(random, refused);
    const WorkloadCase work = random_workload(random, operators);
    const TemporaryFolder folder;
    folder.write("w.jsonl", work.trace);
    const Json result = run_json("--chip " + chip.preset + set_options(chip.settings) +
                                 " --workload " + folder.path("w.jsonl"));
    if (result.is_null()) return;
    CHECK(number(result, "flops") == work.flops);
    CHECK(result.value("lookups", std::uint64_t{0}) == work.lookups);
    if (work.flops_vector) CHECK(number(result, "flops_vector") == *work.flops_vector);
    CHECK(time_of(result) >= result.at("bound").at("roofline_seconds").get<double>());
    CHECK(time_of(result) >= least_seconds(chip.params, work));
    CHECK(result.at("bytes").value("host_in", std::uint64_t{0}) == work.host_in);
    CHECK(result.at("bytes").value("host_out", std::uint64_t{0}) == work.host_out);
    check_stalls(result, chip.params);
    check_cache(result, chip.params);
    check_bytes(result, chip.params);
    check_multiplies(result);
    check_operators(result, work);
    check_fractions(result);
}

// Several batches, the first of them perhaps not counted.
void check_batches(std::uint64_t seed, std::uint32_t& refused) {
    INFO("seed " << seed);
    Random random(seed);
    const ChipCase chip = random_chip(random, refused);
    const WorkloadCase work = random_workload(random, 1 + static_cast<std::uint32_t>(seed % 6));
    const std::uint64_t warmup = random.below(3), batches = random.between(1, 4);
    const TemporaryFolder folder;
    folder.write("w.jsonl", work.trace);
    const Json result = run_json("--chip " + chip.preset + set_options(chip.settings) +
                                 (random.below(2) == 0 ? " --memory-mode fast" : "") +
                                 " --warmup " + std::to_string(warmup) + " --batches " +
                                 std::to_string(batches) + " --workload " + folder.path("w.jsonl"));
    if (result.is_null()) return;
    CHECK(number(result, "flops") == batches * work.flops);
    CHECK(result.value("lookups", std::uint64_t{0}) == batches * work.lookups);
    CHECK(result.at("bytes").value("host_in", std::uint64_t{0}) == batches * work.host_in);
    CHECK(result.at("operators").size() == batches * work.operators);
    CHECK(time_of(result) >= result.at("bound").at("roofline_seconds").get<double>());
    check_stalls(result, chip.params);
    check_bytes(result, chip.params);
    check_multiplies(result);
    check_fractions(result);
}

}  // namespace

TEST_CASE(
    "random workloads on random chips are done exactly once, in no less than their roofline") {
    std::uint32_t refused = 0;
    constexpr std::uint32_t cases = 24;
    for (std::uint32_t i = 0; i < cases; ++i) check_case(1000 + i, 1 + i % 7, refused);
    CHECK(refused < cases);
}

TEST_CASE("many random workloads on random chips obey the laws of a result", "[slow]") {
    std::uint32_t refused = 0;
    constexpr std::uint32_t cases = 300;
    for (std::uint32_t i = 0; i < cases; ++i) check_case(50000 + i, 1 + i % 12, refused);
    CHECK(refused < cases);
}

TEST_CASE("the laws hold for counted batches after a warm-up, in both memory modes") {
    std::uint32_t refused = 0;
    for (std::uint32_t i = 0; i < 20; ++i) check_batches(4000 + i, refused);
    CHECK(refused < 20);
}

TEST_CASE("the laws hold for many counted batches after a warm-up", "[slow]") {
    std::uint32_t refused = 0;
    for (std::uint32_t i = 0; i < 200; ++i) check_batches(90000 + i, refused);
    CHECK(refused < 200);
}
