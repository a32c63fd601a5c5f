// The rules of the standards over a command log, pair by pair and from the parameters' own names:
// it shares nothing with the scheduler. A command is checked against every earlier one that is near
// enough to matter, against the state of its row, and against the data bus.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "model/timing/dram_channel.hpp"

namespace diastole::dram_test {

class RuleChecker {
    using Op = DramLogOp;

  public:
    explicit RuleChecker(const DramParams& p)
        : g_(p.geometry),
          t_(p.timing),
          open_(banks(), -1),
          closed_at_(banks()),
          activated_at_(banks()),
          recovered_at_(banks()) {
        horizon_ = std::max({t_.rfc, t_.rfc_pb, t_.rc, t_.faw, 200U});
    }

    [[nodiscard]] std::uint32_t banks() const { return g_.stack_ids * g_.bank_groups * g_.banks; }
    [[nodiscard]] bool any_open() const {
        return std::any_of(open_.begin(), open_.end(), [](std::int64_t r) { return r >= 0; });
    }
    [[nodiscard]] std::int64_t open_row(std::uint32_t bank) const { return open_[bank]; }

    // The rule that the command would break, or null.
    [[nodiscard]] const char* broken_by(const DramCommand& c) const {
        if (const char* rule = row_state(c)) return rule;
        std::uint32_t activates = 0;
        for (auto earlier = history_.rbegin(); earlier != history_.rend(); ++earlier) {
            if (c.at < earlier->at) return "order";
            if (c.at - earlier->at > horizon_) break;
            if (const char* rule = pair(*earlier, c)) return rule;
            if (c.op == DramLogOp::activate && earlier->op == DramLogOp::activate &&
                ++activates == 4 && c.at < earlier->at + t_.faw) {
                return "tFAW";
            }
        }
        return nullptr;
    }

    void apply(const DramCommand& c) {
        history_.push_back(c);
        while (history_.front().at + horizon_ < c.at) history_.pop_front();
        switch (c.op) {
            case DramLogOp::activate:
                open_[c.bank] = c.row;
                break;
            case DramLogOp::precharge:
                open_[c.bank] = -1;
                break;
            case DramLogOp::precharge_all:
                std::fill(open_.begin(), open_.end(), -1);
                break;
            default:
                break;
        }
        if (c.op == DramLogOp::activate) activated_at_[c.bank] = c.at;
        if (is_column(c.op)) {
            const std::uint64_t recovery =
                c.op == DramLogOp::read ? t_.rtp : t_.cwl + t_.burst + t_.wr;
            recovered_at_[c.bank] = std::max(recovered_at_[c.bank], c.at + recovery);
        }
        if (c.auto_precharge) {
            open_[c.bank] = -1;
            closed_at_[c.bank] =
                std::max(recovered_at_[c.bank], activated_at_[c.bank] + t_.ras + late());
        }
    }

    // The first broken rule of a whole log, in words; empty when there is none.
    static std::string check(const DramParams& p, const std::vector<DramCommand>& log) {
        RuleChecker checker(p);
        for (const DramCommand& c : log) {
            if (const char* rule = checker.broken_by(c)) {
                return std::string(rule) + " broken at " + std::to_string(c.at) + " by op " +
                       std::to_string(static_cast<int>(c.op)) + " on bank " +
                       std::to_string(c.bank);
            }
            checker.apply(c);
        }
        return late_refresh(p, log);
    }

    // Of every bank the n-th refresh comes within tREFI of the n-th multiple of tREFI (per bank:
    // each bank's multiples start with its turn), later by no more than may be postponed, by the
    // time that closing its row takes, and, where many banks make up for postponed ones, by their
    // turns, tRREFD apart; and never before it is due.
    static std::string late_refresh(const DramParams& p, const std::vector<DramCommand>& log) {
        const DramTiming& t = p.timing;
        if (p.policy.refresh == RefreshMode::none || log.empty()) return {};
        const bool all = p.policy.refresh == RefreshMode::all_bank;
        const std::uint64_t banks =
            std::uint64_t{p.geometry.stack_ids} * p.geometry.bank_groups * p.geometry.banks;
        const std::uint64_t turn = all ? 0 : t.refi / banks;
        const std::uint64_t period = all ? t.refi : turn * banks;
        const std::uint64_t closing =
            t.rc + t.cwl + t.burst + t.wr + t.rp + (all ? t.rfc : t.rfc_pb);
        const std::uint32_t postpone = p.policy.refresh_postpone;
        const std::uint64_t turns = all || postpone == 0 ? 0 : banks * t.rrefd;
        // What waits apart for its open row goes first: a column access at worst behind all others.
        const std::uint64_t held =
            p.policy.opened == OpenedPlace::queue
                ? 0
                : (banks + p.policy.read_queue + p.policy.write_queue) * t.ccd_l;
        const std::uint64_t most = postpone * period + closing + turns + held;
        std::vector<std::uint64_t> done(banks);
        const auto due = [&](std::uint64_t bank) {
            return all ? (done[bank] + 1) * period : (bank + 1) * turn + done[bank] * period;
        };
        for (const DramCommand& c : log) {
            if (c.op != (all ? Op::refresh_all : Op::refresh_bank)) continue;
            const std::uint64_t bank = all ? 0 : c.bank;
            const std::string which = " refresh of bank " + std::to_string(bank) + ", due at " +
                                      std::to_string(due(bank)) + ", at " + std::to_string(c.at);
            if (c.at < due(bank)) return "early" + which;
            if (c.at > due(bank) + most) return "late" + which;
            ++done[bank];
        }
        for (std::uint64_t bank = 0; bank < (all ? 1 : banks); ++bank) {
            if (log.back().at > due(bank) + most) {
                return "no refresh of bank " + std::to_string(bank) + ", due at " +
                       std::to_string(due(bank));
            }
        }
        return {};
    }

  private:
    static bool is_column(Op op) { return op == Op::read || op == Op::write; }
    [[nodiscard]] std::uint32_t late() const { return t_.act_cycles - 1; }
    [[nodiscard]] std::uint32_t group(std::uint32_t bank) const { return bank / g_.banks; }
    [[nodiscard]] std::uint32_t stack(std::uint32_t bank) const {
        return group(bank) / g_.bank_groups;
    }
    [[nodiscard]] const char* row_state(const DramCommand& c) const {
        switch (c.op) {
            case Op::read:
            case Op::write:
                return open_[c.bank] == c.row ? nullptr : "column access to a row that is not open";
            case Op::activate:
                if (open_[c.bank] >= 0) return "activate of an open bank";
                return c.at < closed_at_[c.bank] + t_.rp - late() && closed_at_[c.bank] > 0
                           ? "auto-precharge to activate"
                           : nullptr;
            case Op::precharge:
                return open_[c.bank] >= 0 ? nullptr : "precharge of a closed bank";
            case Op::refresh_bank:
                if (open_[c.bank] >= 0) return "refresh of an open bank";
                return closed_at_[c.bank] > 0 && c.at < closed_at_[c.bank] + t_.rp
                           ? "auto-precharge to refresh"
                           : nullptr;
            case Op::refresh_all:
                if (any_open()) return "refresh with an open bank";
                for (const std::uint64_t closed : closed_at_) {
                    if (closed > 0 && c.at < closed + t_.rp) return "auto-precharge to refresh";
                }
                return nullptr;
            case Op::precharge_all:
                return nullptr;
        }
        return nullptr;
    }

    [[nodiscard]] const char* pair(const DramCommand& a, const DramCommand& b) const {
        const std::uint64_t gap = b.at - a.at;
        if (is_column(a.op) && is_column(b.op)) return columns(a, b, gap);
        if (is_column(a.op)) return after_column(a, b, gap);
        if (is_column(b.op)) return before_column(a, b, gap);
        return rows(a, b, gap);
    }

    [[nodiscard]] const char* columns(const DramCommand& a, const DramCommand& b,
                                      std::uint64_t gap) const {
        const bool same_group = group(a.bank) == group(b.bank);
        const bool same_stack = stack(a.bank) == stack(b.bank);
        const std::uint64_t first = a.op == Op::read ? t_.cl : t_.cwl;
        const std::uint64_t second = b.op == Op::read ? t_.cl : t_.cwl;
        const std::uint64_t data_a = a.at + first, data_b = b.at + second;
        if (data_b < data_a + t_.burst && data_a < data_b + t_.burst) return "data bus";
        if (a.op == b.op) {
            const std::uint32_t ccd = same_group ? t_.ccd_l : same_stack ? t_.ccd_s : t_.ccd_r;
            return gap < ccd ? "tCCD" : nullptr;
        }
        if (a.op == Op::read) return gap < t_.rtw ? "tRTW" : nullptr;
        const std::uint32_t wtr = same_group ? t_.wtr_l : t_.wtr_s;
        return gap < std::uint64_t{t_.cwl} + t_.burst + wtr ? "tWTR" : nullptr;
    }

    [[nodiscard]] const char* after_column(const DramCommand& a, const DramCommand& b,
                                           std::uint64_t gap) const {
        if (a.auto_precharge) return nullptr;  // row_state() knows when the row closes
        if (!closes(b, a.bank)) return nullptr;
        if (a.op == Op::read) return gap < t_.rtp ? "tRTP" : nullptr;
        return gap < std::uint64_t{t_.cwl} + t_.burst + t_.wr ? "tWR" : nullptr;
    }

    // Whether the command precharges that bank. Precharge-all leaves alone what is closed already,
    // or closes by itself.
    [[nodiscard]] bool closes(const DramCommand& c, std::uint32_t bank) const {
        return (c.op == Op::precharge_all && open_[bank] >= 0) ||
               (c.op == Op::precharge && c.bank == bank);
    }

    [[nodiscard]] const char* before_column(const DramCommand& a, const DramCommand& b,
                                            std::uint64_t gap) const {
        if (a.op != Op::activate || a.bank != b.bank) return nullptr;
        const std::uint32_t rcd = b.op == Op::read ? t_.rcd_rd : t_.rcd_wr;
        return gap < std::uint64_t{rcd} + late() ? "tRCD" : nullptr;
    }

    [[nodiscard]] const char* rows(const DramCommand& a, const DramCommand& b,
                                   std::uint64_t gap) const {
        const bool same = a.bank == b.bank;
        if (gap < (a.op == Op::activate ? t_.act_cycles : 1)) return "row bus";
        switch (a.op) {
            case Op::activate:
                if (b.op == Op::refresh_all) return gap < t_.rc + late() ? "tRC" : nullptr;
                if (closes(b, a.bank)) {
                    return gap < std::uint64_t{t_.ras} + late() ? "tRAS" : nullptr;
                }
                if (b.op == Op::precharge || b.op == Op::precharge_all) return nullptr;
                return after_activate(a, b, gap);
            case Op::precharge:
                if (b.op == Op::precharge) return gap < t_.ppd ? "tPPD" : nullptr;
                if (b.op == Op::activate && same) return gap < t_.rp - late() ? "tRP" : nullptr;
                if (b.op == Op::refresh_all || (b.op == Op::refresh_bank && same)) {
                    return gap < t_.rp ? "tRP" : nullptr;
                }
                return nullptr;
            case Op::precharge_all:
                return b.op == Op::refresh_all && gap < t_.rp ? "tRP" : nullptr;
            case Op::refresh_all:
                return gap + activates_late(b) < t_.rfc ? "tRFC" : nullptr;
            case Op::refresh_bank:
                if (same) return gap + activates_late(b) < t_.rfc_pb ? "tRFCpb" : nullptr;
                if (b.op == Op::precharge) return nullptr;
                return gap < t_.rrefd ? "tRREFD" : nullptr;
            default:
                return nullptr;
        }
    }

    // Before and after commands of its own bank, and refreshes of all, an activate counts from the
    // last of its row-bus cycles; from one activate to the next that makes no difference.
    [[nodiscard]] std::uint64_t activates_late(const DramCommand& c) const {
        return c.op == Op::activate ? late() : 0;
    }
    // From an activate to the next one, or to a refresh of a bank.
    [[nodiscard]] const char* after_activate(const DramCommand& a, const DramCommand& b,
                                             std::uint64_t gap) const {
        if (a.bank == b.bank) return gap + activates_late(b) < t_.rc + late() ? "tRC" : nullptr;
        return gap < (group(a.bank) == group(b.bank) ? t_.rrd_l : t_.rrd_s) ? "tRRD" : nullptr;
    }

    DramGeometry g_;
    DramTiming t_;
    std::uint64_t horizon_;
    std::vector<std::int64_t> open_;
    // By auto-precharge; by the last activate; when tRTP and tWR of the last accesses are over.
    std::vector<std::uint64_t> closed_at_, activated_at_, recovered_at_;
    std::deque<DramCommand> history_;
};

}  // namespace diastole::dram_test
