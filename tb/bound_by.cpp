#include "tb/bound_by.hpp"

#include <numeric>

namespace diastole {
namespace {

constexpr std::array<std::string_view, unit_count> unit_names = {
    "dma_issue", "dma_issue", "matrix", "reduction", "simd", "vector", "layout", "sync"};

std::uint64_t of(const StallCycles& cycles, Stall stall) {
    return cycles[static_cast<std::size_t>(stall)];
}

}  // namespace

std::string bound_by(const std::array<StallCycles, unit_count>& stalls) {
    std::size_t busiest = 0;
    for (std::size_t unit = 0; unit < unit_count; ++unit) {
        if (of(stalls[unit], Stall::busy) > of(stalls[busiest], Stall::busy)) busiest = unit;
    }
    const StallCycles& main = stalls[busiest];
    const std::uint64_t total = std::accumulate(main.begin(), main.end(), std::uint64_t{0});
    if (of(main, Stall::busy) == 0) return "launch";
    if (2 * of(main, Stall::busy) >= total) return std::string(unit_names[busiest]);
    // Waits of the units that had work; a unit that only idles says nothing.
    StallCycles waits{};
    for (const StallCycles& cycles : stalls) {
        if (of(cycles, Stall::busy) > 0) add(waits, cycles);
    }
    std::size_t longest = static_cast<std::size_t>(Stall::wait_dram);
    for (std::size_t i = longest; i < static_cast<std::size_t>(Stall::idle); ++i) {
        // A unit that waits for another unit's result waits for whatever that one waits for.
        if (i == static_cast<std::size_t>(Stall::wait_dependency)) continue;
        if (waits[i] > waits[longest]) longest = i;
    }
    if (waits[longest] < of(main, Stall::busy)) return std::string(unit_names[busiest]);
    constexpr std::size_t prefix = 5;  // "wait_"
    return std::string(stall_names[longest].substr(prefix));
}

std::string bound_by(const JobRecord& record) {
    if (record.host_copy) return "host_link";
    if (record.pes == 0) return record.ended > record.started ? "recorded" : "nothing";
    return bound_by(record.stalls);
}

}  // namespace diastole
