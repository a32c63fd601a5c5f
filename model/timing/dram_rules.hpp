// The intervals between commands, resolved from DramTiming once, in the form that the scheduler
// uses: "a command of this kind on that bank group pushes the other groups' next command to there".
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/params/dram_params.hpp"

namespace diastole {

using Tick = std::uint64_t;  // of the command clock, on the hot path
inline constexpr Tick tick_never = ~Tick{0};

enum class DramOp : std::uint8_t { read, write, activate, precharge, refresh_bank };
inline constexpr std::size_t dram_op_count = 5;

// Longest interval that may be described, in cycles; lets the scheduler pack times relative to now.
inline constexpr std::uint32_t longest_timing = 50'000;

struct DramRules {
    // Throws ConfigError that lists every impossible timing by its key.
    DramRules(const DramGeometry& geometry, const DramTiming& timing, const DramPolicy& policy);

    // From `from` on bank group a to each kind of command on each bank group: index to * stride()
    // + b. Groups are numbered over all stack IDs. Zero: no rule.
    [[nodiscard]] const std::int32_t* delays(DramOp from, std::uint32_t a) const {
        return delays_.data() + row_of(from, a);
    }
    // Bank groups, rounded up to what the processor handles at once.
    static constexpr std::uint32_t lanes = 4;
    [[nodiscard]] std::uint32_t stride() const { return (groups + lanes - 1) / lanes * lanes; }
    // Banks of equal class are bound alike by other banks' commands: those of a bank group, or all
    // where the bank group makes no difference.
    [[nodiscard]] std::uint32_t class_of(DramOp op, std::uint32_t bank) const {
        return class_[static_cast<std::size_t>(op)][bank];
    }
    [[nodiscard]] std::uint32_t group_of(std::uint32_t bank) const { return group_[bank]; }

    std::uint32_t groups = 0, banks_per_group = 0, banks = 0;      // of the pseudo-channel
    std::uint32_t burst = 0, read_latency = 0, write_latency = 0;  // to the first data beat
    std::uint32_t ccd_same = 0;                                    // within a bank
    std::uint32_t act_to_rd = 0, act_to_wr = 0, act_to_pre = 0, act_to_act = 0;
    std::uint32_t pre_to_act = 0, pre_to_ref = 0;
    std::uint32_t act_to_ref = 0, ref_to_act = 0;  // of the same bank
    std::uint32_t rd_to_pre = 0, wr_to_pre = 0;
    std::uint32_t faw = 0;
    std::uint32_t refresh_interval = 0, refresh_cycles = 0;  // of one refresh command

  private:
    [[nodiscard]] std::size_t row_of(DramOp from, std::uint32_t a) const {
        return (static_cast<std::size_t>(from) * groups + a) * row_length_;
    }
    void set(DramOp from, DramOp to, std::uint32_t same, std::uint32_t stack, std::uint32_t other,
             std::uint32_t groups_per_stack);
    void fill(const DramGeometry& geometry, const DramTiming& timing);

    std::vector<std::int32_t> delays_;
    std::size_t row_length_ = 0;  // dram_op_count * stride()
    std::array<bool, dram_op_count> uniform_{};
    // By bank: its group, and its class for each kind of command.
    std::array<std::uint8_t, 64> group_{};
    std::array<std::array<std::uint8_t, 64>, dram_op_count> class_{};
};

}  // namespace diastole
