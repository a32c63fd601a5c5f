// Where the time of an engine goes: busy, or one named wait. Whole cycles, each with one owner,
// that sum to the engine's time.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "model/base/units.hpp"

namespace diastole {

enum class Stall : std::uint8_t {
    busy,
    wait_dram,
    wait_sram,
    wait_noc,
    wait_local_memory,  // no space in a circular buffer, or bank bandwidth
    wait_dependency,    // another engine's result, another operator, a barrier
    wait_issue,         // the scalar core had not issued the command yet
    idle,               // nothing for this engine in the current operator
};
inline constexpr std::size_t stall_count = 8;
inline constexpr std::array<std::string_view, stall_count> stall_names = {
    "busy",       "wait_dram", "wait_sram", "wait_noc", "wait_local_memory", "wait_dependency",
    "wait_issue", "idle"};

using StallCycles = std::array<std::uint64_t, stall_count>;

// Accounts an engine's time from left to right; nothing is counted twice or left out.
class StallClock {
  public:
    // The time from where the account stands up to `until` belongs to `stall`; no effect when the
    // account is already there.
    void account(Cycles until, Stall stall) {
        if (until <= cursor_) return;
        cycles_[static_cast<std::size_t>(stall)] += (until - cursor_).count();
        cursor_ = until;
    }
    [[nodiscard]] Cycles cursor() const { return cursor_; }
    [[nodiscard]] const StallCycles& cycles() const { return cycles_; }

  private:
    Cycles cursor_;
    StallCycles cycles_{};
};

inline void add(StallCycles& sum, const StallCycles& term) {
    for (std::size_t i = 0; i < stall_count; ++i) sum[i] += term[i];
}
inline StallCycles difference(const StallCycles& later, const StallCycles& earlier) {
    StallCycles result{};
    for (std::size_t i = 0; i < stall_count; ++i) result[i] = later[i] - earlier[i];
    return result;
}

}  // namespace diastole
