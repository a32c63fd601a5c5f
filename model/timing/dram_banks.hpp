// The state of the banks and buses of one pseudo-channel: what is open, and from when on each kind
// of command is legal. Earliest times only grow.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "model/timing/dram_rules.hpp"

namespace diastole {

struct DramBank {
    static constexpr std::int64_t no_row = -1;
    std::int64_t row = no_row;
    bool fresh = false;  // activated, and no column access yet
    // Earliest next command of each kind, as far as this bank alone is concerned.
    Tick rd_ready = 0, wr_ready = 0, act_ready = 0, pre_ready = 0, ref_ready = 0;
};

class DramBanks {
  public:
    explicit DramBanks(const DramRules& rules)
        : rules_(rules), banks_(rules.banks), limits_(dram_op_count * rules.groups) {}

    [[nodiscard]] const DramBank& operator[](std::uint32_t bank) const { return banks_[bank]; }
    [[nodiscard]] bool all_closed() const {
        return std::all_of(banks_.begin(), banks_.end(),
                           [](const DramBank& b) { return b.row == DramBank::no_row; });
    }

    // Where the limit that bank groups, buses and the activation window set for `op` is kept.
    [[nodiscard]] std::uint32_t limit_index(DramOp op, std::uint32_t bank) const {
        return static_cast<std::uint32_t>(op) * rules_.groups + rules_.group_of(bank);
    }
    [[nodiscard]] Tick limit(std::uint32_t index) const { return limits_[index]; }

    void activate(std::uint32_t b, std::uint32_t row, Tick at) {
        DramBank& bank = banks_[b];
        bank.row = row;
        bank.fresh = true;
        bank.rd_ready = at + rules_.act_to_rd;
        bank.wr_ready = at + rules_.act_to_wr;
        bank.pre_ready = at + rules_.act_to_pre;
        bank.act_ready = bank.ref_ready = at + rules_.act_to_act;
        push_limits(DramOp::activate, b, at);
        window_[window_next_] = at + rules_.faw;
        window_next_ = (window_next_ + 1) % window_.size();
        for (std::uint32_t g = 0; g < rules_.groups; ++g) {
            Tick& limit = limits_[static_cast<std::size_t>(DramOp::activate) * rules_.groups + g];
            limit = std::max(limit, window_[window_next_]);
        }
    }
    void precharge(std::uint32_t b, Tick at) {
        close(b, at);
        push_limits(DramOp::precharge, b, at);
    }
    // A run of column accesses whose last one is at `last`; the earlier ones bind nothing more.
    // With `then_close` the bank precharges itself as soon as it may.
    void column(DramOp op, std::uint32_t b, Tick last, bool then_close) {
        DramBank& bank = banks_[b];
        bank.fresh = false;
        const bool is_write = op == DramOp::write;
        bank.pre_ready =
            std::max(bank.pre_ready, last + (is_write ? rules_.wr_to_pre : rules_.rd_to_pre));
        push_limits(op, b, last);
        if (then_close) close(b, bank.pre_ready);
    }
    void refresh_bank(std::uint32_t b, Tick at) {
        push_limits(DramOp::refresh_bank, b, at);
        banks_[b].act_ready = banks_[b].ref_ready = at + rules_.refresh_cycles;
    }

    // Closes every row and refreshes all banks as soon as that is legal, at or after `due`. Nothing
    // else can happen in between, so it is one step. Returns when; precharged: 0 if all were
    // closed.
    struct AllBankRefresh {
        Tick precharge_at = 0, refresh_at = 0;
        std::uint32_t rows_closed = 0;
    };
    AllBankRefresh refresh_all(Tick due) {
        AllBankRefresh done;
        done.precharge_at = std::max(due, limits_[limit_index(DramOp::precharge, 0)]);
        done.refresh_at = std::max(due, limits_[limit_index(DramOp::refresh_bank, 0)]);
        for (const DramBank& bank : banks_) {
            done.refresh_at = std::max(done.refresh_at, bank.ref_ready);
            if (bank.row == DramBank::no_row) continue;
            ++done.rows_closed;
            done.precharge_at = std::max(done.precharge_at, bank.pre_ready);
        }
        if (done.rows_closed > 0) {
            done.refresh_at = std::max(done.refresh_at, done.precharge_at + rules_.pre_to_ref);
        }
        for (DramBank& bank : banks_) {
            bank.row = DramBank::no_row;
            bank.act_ready = bank.ref_ready = done.refresh_at + rules_.refresh_cycles;
        }
        return done;
    }

  private:
    void close(std::uint32_t b, Tick at) {
        DramBank& bank = banks_[b];
        bank.row = DramBank::no_row;
        bank.act_ready = std::max(bank.act_ready, at + rules_.pre_to_act);
        bank.ref_ready = std::max(bank.ref_ready, at + rules_.pre_to_ref);
    }
    // Column commands bind column commands, row commands bind row commands: half of the limits.
    void push_limits(DramOp op, std::uint32_t b, Tick at) {
        const std::uint32_t* delays = rules_.delays(op, rules_.group_of(b));
        const bool column = op == DramOp::read || op == DramOp::write;
        const std::size_t half = std::size_t{2} * rules_.groups;
        const std::size_t end = column ? half : limits_.size();
        for (std::size_t i = column ? 0 : half; i < end; ++i) {
            limits_[i] = std::max(limits_[i], at + delays[i]);
        }
    }

    DramRules rules_;
    std::vector<DramBank> banks_;
    std::vector<Tick> limits_;
    std::array<Tick, 4> window_{};  // when each of the last four activates leaves tFAW
    std::size_t window_next_ = 0;
};

}  // namespace diastole
