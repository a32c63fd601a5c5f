// The state of the banks and buses of one pseudo-channel: what is open, and from when on each kind
// of command is legal. Earliest times only grow.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
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
        : rules_(rules),
          stride_(rules.stride()),
          banks_(rules.banks),
          limits_(dram_op_count * stride_) {}

    [[nodiscard]] const DramBank& operator[](std::uint32_t bank) const { return banks_[bank]; }
    [[nodiscard]] bool all_closed() const {
        return std::all_of(banks_.begin(), banks_.end(),
                           [](const DramBank& b) { return b.row == DramBank::no_row; });
    }

    // What bank groups, buses and the activation window allow for a kind of command on a bank
    // group.
    [[nodiscard]] Tick limit(std::uint32_t op, std::uint32_t group) const {
        return base_ + static_cast<Tick>(limits_[op * stride_ + group]);
    }

    void activate(std::uint32_t b, std::uint32_t row, Tick at) {
        DramBank& bank = banks_[b];
        bank.row = row;
        bank.fresh = true;
        bank.rd_ready = at + rules_.act_to_rd;
        bank.wr_ready = at + rules_.act_to_wr;
        bank.pre_ready = at + rules_.act_to_pre;
        bank.act_ready = at + rules_.act_to_act;
        bank.ref_ready = at + rules_.act_to_ref;
        push_limits(DramOp::activate, b, at);
        window_[window_next_] = at + rules_.faw;
        window_next_ = (window_next_ + 1) % window_.size();
        if (window_[window_next_] <= base_) return;
        const Lanes fourth = all_of(window_[window_next_]);
        std::int32_t* limits =
            limits_.data() + static_cast<std::size_t>(DramOp::activate) * stride_;
        for (std::uint32_t g = 0; g < stride_; g += DramRules::lanes) raise(limits + g, fourth);
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
        refresh(banks_[b], at);
    }

    struct AllBankRefresh {
        Tick precharge_at = 0, refresh_at = 0;
        std::uint32_t rows_closed = 0;
    };
    // When refresh_all() can issue its first command, at or after `from`.
    [[nodiscard]] Tick refresh_start(Tick from) const {
        const AllBankRefresh plan = plan_refresh(from);
        return plan.rows_closed > 0 ? plan.precharge_at : plan.refresh_at;
    }
    // Closes every row and refreshes all banks as soon as that is legal, at or after `due`. Nothing
    // else can happen in between, so it is one step. Returns when; precharged: 0 if all were
    // closed.
    AllBankRefresh refresh_all(Tick due) {
        const AllBankRefresh done = plan_refresh(due);
        for (DramBank& bank : banks_) {
            bank.row = DramBank::no_row;
            refresh(bank, done.refresh_at);
        }
        return done;
    }

  private:
    [[nodiscard]] AllBankRefresh plan_refresh(Tick from) const {
        AllBankRefresh plan;
        plan.precharge_at = std::max(from, limit(static_cast<std::uint32_t>(DramOp::precharge), 0));
        plan.refresh_at =
            std::max(from, limit(static_cast<std::uint32_t>(DramOp::refresh_bank), 0));
        for (const DramBank& bank : banks_) {
            plan.refresh_at = std::max(plan.refresh_at, bank.ref_ready);
            if (bank.row == DramBank::no_row) continue;
            ++plan.rows_closed;
            plan.precharge_at = std::max(plan.precharge_at, bank.pre_ready);
        }
        if (plan.rows_closed > 0) {
            plan.refresh_at = std::max(plan.refresh_at, plan.precharge_at + rules_.pre_to_ref);
        }
        return plan;
    }
    void refresh(DramBank& bank, Tick at) {
        bank.act_ready = at + rules_.ref_to_act;
        bank.ref_ready = at + rules_.refresh_cycles;
    }
    void close(std::uint32_t b, Tick at) {
        DramBank& bank = banks_[b];
        bank.row = DramBank::no_row;
        bank.act_ready = std::max(bank.act_ready, at + rules_.pre_to_act);
        bank.ref_ready = std::max(bank.ref_ready, at + rules_.pre_to_ref);
    }
    // Column commands bind column commands, row commands bind row commands: half of the limits.
    void push_limits(DramOp op, std::uint32_t b, Tick at) {
        if (at - base_ > horizon) rebase(at);
        const std::int32_t* delays = rules_.delays(op, rules_.group_of(b));
        const bool column = op == DramOp::read || op == DramOp::write;
        const std::uint32_t half = 2 * stride_;
        const std::uint32_t end = column ? half : dram_op_count * stride_;
        const Lanes now = all_of(at);
        for (std::uint32_t i = column ? 0 : half; i < end; i += DramRules::lanes) {
            Lanes delay;
            std::memcpy(&delay, delays + i, sizeof delay);
            raise(limits_.data() + i, now + delay);
        }
    }

    // As many limits as the processor handles at once.
    using Lanes = std::int32_t __attribute__((vector_size(4 * DramRules::lanes)));
    [[nodiscard]] Lanes all_of(Tick at) const {
        return Lanes{} + static_cast<std::int32_t>(at - base_);
    }
    static void raise(std::int32_t* limits, Lanes least) {
        Lanes old;
        std::memcpy(&old, limits, sizeof old);
        const Lanes smaller = old < least;
        const Lanes raised = (least & smaller) | (old & ~smaller);
        std::memcpy(limits, &raised, sizeof raised);
    }
    void rebase(Tick to) {
        const Tick shift = to - base_;
        for (std::int32_t& limit : limits_) {
            const Tick left =
                static_cast<Tick>(limit) > shift ? static_cast<Tick>(limit) - shift : 0;
            limit = static_cast<std::int32_t>(left);
        }
        base_ = to;
    }

    static constexpr Tick horizon = Tick{1} << 30;

    DramRules rules_;
    std::uint32_t stride_;
    std::vector<DramBank> banks_;
    // Ticks after `base_`, a row of `stride_` for each kind of command: 32 bits, so that four are
    // moved at once.
    Tick base_ = 0;
    std::vector<std::int32_t> limits_;
    std::array<Tick, 4> window_{};  // when each of the last four activates leaves tFAW
    std::size_t window_next_ = 0;
};

}  // namespace diastole
