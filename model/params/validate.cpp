#include "model/params/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "model/config/problems.hpp"

namespace diastole {
namespace {

class Findings {
  public:
    void require(bool good, const char* key, const std::string& message) {
        if (!good) list_.push_back({key, message});
    }
    void append(std::vector<Finding> more) { list_.insert(list_.end(), more.begin(), more.end()); }
    [[nodiscard]] std::vector<Finding> take() { return std::move(list_); }

  private:
    std::vector<Finding> list_;
};

void check_grid(Findings& out, const ChipParams& c) {
    const std::uint64_t pes = std::uint64_t{c.grid.rows} * c.grid.columns;
    // A packet names its PE in 16 bits; one number more is the host's.
    constexpr std::uint64_t most = std::numeric_limits<std::uint16_t>::max() - 1;
    out.require(pes >= 1, "grid.rows", "expected at least one PE, got 0");
    out.require(
        pes <= most, "grid.rows",
        fmt::format("expected at most {} PEs, got {} x {}", most, c.grid.rows, c.grid.columns));
}

void check_types(Findings& out, const ChipParams& c) {
    const auto any = [](const PerType<std::uint32_t>& table) {
        return std::any_of(table.values.begin(), table.values.end(),
                           [](std::uint32_t rate) { return rate > 0; });
    };
    out.require(any(c.vector.ops_per_cycle), "vector.ops_per_cycle",
                "expected a rate for at least one type: what no other unit has runs here");
}

// The LLC: what is left of the shared SRAM must be whole sets in every partition.
void check_cache(Findings& out, const SramParams& s) {
    out.require(s.lls_bytes < s.bytes, "sram.lls_bytes",
                fmt::format("expected below sram.bytes = {}, so that an LLC is left, got {}",
                            s.bytes, s.lls_bytes));
    out.require(
        s.lls_bytes % s.split_step == 0, "sram.lls_bytes",
        fmt::format("expected a multiple of split_step = {}, got {}", s.split_step, s.lls_bytes));
    const std::uint64_t one_set_each = std::uint64_t{s.partitions} * s.ways * s.line_bytes;
    if (s.lls_bytes < s.bytes) {
        const std::uint64_t cache = s.bytes - s.lls_bytes;
        out.require(cache % one_set_each == 0, "sram.bytes",
                    fmt::format("expected an LLC (bytes - lls_bytes = {}) divisible into sets: a "
                                "multiple of {} partitions x {} ways x {} bytes a line = {}",
                                cache, s.partitions, s.ways, s.line_bytes, one_set_each));
    }
    const std::uint64_t one_block_each = std::uint64_t{s.partitions} * s.interleave_bytes;
    out.require(s.lls_bytes % one_block_each == 0, "sram.lls_bytes",
                fmt::format("expected a multiple of {} partitions x interleave_bytes {} = {}, got "
                            "{}",
                            s.partitions, s.interleave_bytes, one_block_each, s.lls_bytes));
    out.require(s.interleave_bytes % s.line_bytes == 0, "sram.interleave_bytes",
                fmt::format("expected a multiple of line_bytes = {}, got {}", s.line_bytes,
                            s.interleave_bytes));
}

void check_memory(Findings& out, const ChipParams& c) {
    out.require(c.dram.channels % c.sram.partitions == 0, "dram.channels",
                fmt::format("expected a multiple of sram.partitions = {}, got {}",
                            c.sram.partitions, c.dram.channels));
    out.require(c.sram.line_bytes % c.dram.geometry.atom_bytes == 0, "sram.line_bytes",
                fmt::format("expected a multiple of dram.geometry.atom_bytes = {}, got {}",
                            c.dram.geometry.atom_bytes, c.sram.line_bytes));
}

void check_local_memory(Findings& out, const ChipParams& c) {
    const std::uint64_t need = smallest_tile_bytes(c.dpe);
    out.require(c.local_memory.bytes >= need, "local_memory.bytes",
                fmt::format("expected at least {} for one tile of the DPE (two A and two B tiles "
                            "and one of results, {} arrays of {} columns), got {}",
                            need, c.dpe.arrays, c.dpe.columns, c.local_memory.bytes));
}

void check_noc(Findings& out, const ChipParams& c) {
    const std::uint64_t packet = std::uint64_t{c.sram.interleave_bytes} + c.noc.header_bytes;
    out.require(c.noc.buffer_bytes >= packet, "noc.buffer_bytes",
                fmt::format("expected at least one packet, interleave_bytes + header_bytes = {}, "
                            "got {}",
                            packet, c.noc.buffer_bytes));
}

void throw_findings(const std::vector<Finding>& findings) {
    config::Problems problems;
    for (const Finding& finding : findings) problems.add({}, finding.key, finding.message);
    problems.throw_if_any();
}

}  // namespace

std::uint64_t smallest_tile_bytes(const DpeParams& dpe) {
    std::uint64_t most = 0;
    for (const DTypeInfo& type : dtype_table) {
        const std::uint64_t k = dpe.k_elements[type.type];
        if (k == 0) continue;
        // As many rows of A as the array has columns: fewer would leave it filling and draining.
        const std::uint64_t m = dpe.columns, n = std::uint64_t{dpe.columns} * dpe.arrays;
        constexpr std::uint64_t accumulator_bytes = 4;
        most = std::max(most, 2 * (m * k + k * n) * type.bytes + m * n * accumulator_bytes);
    }
    return most;
}

std::vector<Finding> check(const ChipParams& chip) {
    Findings findings;
    check_grid(findings, chip);
    check_types(findings, chip);
    check_local_memory(findings, chip);
    check_noc(findings, chip);
    check_cache(findings, chip.sram);
    check_memory(findings, chip);
    findings.append(check(chip.dram));
    return findings.take();
}

void validate(const ChipParams& chip) {
    throw_findings(check(chip));
}
void validate(const DramParams& dram) {
    throw_findings(check(dram));
}

}  // namespace diastole
