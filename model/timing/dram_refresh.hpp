// When refreshes fall due, and which are put off: a refresh waits while there is work for what it
// would close, as long as no more than `postpone` are owed; then it goes before all work.
#pragma once

#include <array>
#include <cstdint>

#include "model/timing/dram_rules.hpp"

namespace diastole {

class DramRefresh {
  public:
    DramRefresh(const DramPolicy& policy, const DramRules& rules)
        : per_bank_(policy.refresh == RefreshMode::per_bank),
          banks_(rules.banks),
          postpone_(policy.refresh_postpone),
          interval_(rules.refresh_interval) {
        if (policy.refresh != RefreshMode::none) due_ = interval_;
    }

    [[nodiscard]] bool per_bank() const { return per_bank_; }
    // When the next one falls due.
    [[nodiscard]] Tick due() const { return due_; }
    // One falls due: of this bank, or of all (bank 0). Returns the bank.
    std::uint32_t fall_due() {
        due_ += interval_;
        const std::uint32_t bank = next_;
        if (per_bank_) next_ = next_ + 1 == banks_ ? 0 : next_ + 1;
        ++owed_[bank];
        owing_ |= std::uint64_t{1} << bank;
        return bank;
    }
    [[nodiscard]] bool owes(std::uint32_t bank) const { return (owing_ >> bank & 1) != 0; }
    [[nodiscard]] bool owes_any() const { return owing_ != 0; }
    [[nodiscard]] bool must(std::uint32_t bank) const { return owed_[bank] > postpone_; }
    void done(std::uint32_t bank) {
        if (--owed_[bank] == 0) owing_ &= ~(std::uint64_t{1} << bank);
    }

    // Refreshes of one round, after which banks are as before, and its length.
    [[nodiscard]] std::uint64_t round() const { return per_bank_ ? banks_ : 1; }
    [[nodiscard]] Tick round_cycles() const { return round() * interval_; }
    void skip_rounds(std::uint64_t rounds) { due_ += rounds * round_cycles(); }

  private:
    bool per_bank_;
    std::uint32_t banks_, postpone_;
    Tick interval_;
    Tick due_ = tick_never;
    std::uint32_t next_ = 0;  // bank of the next per-bank refresh
    std::uint64_t owing_ = 0;
    std::array<std::uint32_t, 64> owed_{};
};

}  // namespace diastole
