// The pseudo-channel as its policies are defined, tick by tick and atom by atom: in every tick the
// oldest legal column command, then the oldest legal row command. What is legal, the rule checker
// says. Slow and obvious: the event-driven channel must give the same times.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "tests/timing/dram_rule_checker.hpp"

namespace diastole::dram_test {

class SlowChannel {
  public:
    explicit SlowChannel(const DramParams& p)
        : p_(p),
          map_(p.map, p.geometry),
          rules_(p),
          fresh_(rules_.banks()),
          opened_for_write_(rules_.banks()),
          overtaken_(rules_.banks()),
          owed_(rules_.banks()) {}

    [[nodiscard]] bool can_accept(bool is_write, std::uint32_t atoms) const {
        const DramPolicy& policy = p_.policy;
        if (policy.queue == QueueKind::shared) {
            return count(false) + count(true) + atoms <= policy.read_queue;
        }
        return count(is_write) + atoms <= (is_write ? policy.write_queue : policy.read_queue);
    }

    void push(std::uint64_t address, std::uint32_t atoms, bool is_write, std::uint32_t tag) {
        for (std::uint32_t i = 0; i < atoms; ++i) {
            const DramLocation l = map_.decode(address + std::uint64_t{i} * p_.geometry.atom_bytes);
            const std::uint32_t bank =
                (l.sid * p_.geometry.bank_groups + l.bg) * p_.geometry.banks + l.bank;
            queue_.push_back({bank, l.row, l.column, is_write, tag, i + 1 == atoms, false});
        }
        turn();
    }

    // Everything that happens at this tick.
    void tick(std::uint64_t now) {
        if (start_refresh(now)) return;
        if (const auto column = oldest_legal(now, true)) issue_column(*column);
        if (const auto row = oldest_legal(now, false)) {
            rules_.apply(row->command);
            if (row->command.op == DramLogOp::activate) {
                queue_[row->atom].apart = p_.policy.opened == OpenedPlace::apart;
                overtaken_[row->command.bank] = 0;
                fresh_[row->command.bank] = true;
                opened_for_write_[row->command.bank] = queue_[row->atom].is_write;
            }
            if (row->command.op == DramLogOp::refresh_bank) --owed_[row->command.bank];
            turn();
        }
    }

    std::map<std::uint32_t, std::uint64_t> done;  // by tag

  private:
    struct Atom {
        std::uint32_t bank, row, column;
        bool is_write;
        std::uint32_t tag;
        bool last;
        bool apart;  // has left the queue; it stands here until its column access
    };
    struct Choice {
        DramCommand command;
        std::size_t atom = 0;
    };

    [[nodiscard]] std::size_t count(bool is_write) const {
        return static_cast<std::size_t>(
            std::count_if(queue_.begin(), queue_.end(),
                          [=](const Atom& a) { return a.is_write == is_write && !a.apart; }));
    }
    [[nodiscard]] bool eligible(const Atom& a) const {
        return p_.policy.queue == QueueKind::shared || a.is_write == writing_;
    }

    void turn() {
        const auto reads = count(false), writes = count(true);
        const DramPolicy& policy = p_.policy;
        const auto level = static_cast<double>(writes);
        if (writing_ &&
            (writes == 0 || (reads > 0 && level < policy.write_low * policy.write_queue))) {
            writing_ = false;
        } else if (!writing_ && writes > 0 &&
                   (reads == 0 || level > policy.write_high * policy.write_queue)) {
            writing_ = true;
        }
    }

    // True while an all-bank refresh keeps everything else out.
    bool start_refresh(std::uint64_t now) {
        if (p_.policy.refresh == RefreshMode::none) return false;
        const bool all = p_.policy.refresh == RefreshMode::all_bank;
        const std::uint64_t interval = all ? p_.timing.refi : p_.timing.refi / rules_.banks();
        if (now > 0 && now % interval == 0) {
            ++owed_[next_bank_];
            if (!all) next_bank_ = (next_bank_ + 1) % rules_.banks();
        }
        if (!all || owed_[0] == 0) return false;
        const bool must = refreshing_ || owed_[0] > p_.policy.refresh_postpone;
        if (!must && !queue_.empty()) return false;
        const auto held =
            std::find_if(queue_.begin(), queue_.end(), [](const Atom& a) { return a.apart; });
        if (held != queue_.end()) {
            // Rows that were opened serve what they were opened for; nothing else goes.
            must_refresh_ = true;
            if (const auto column = oldest_legal(now, true)) issue_column(*column);
            must_refresh_ = false;
            return true;
        }
        const DramCommand c{
            now, rules_.any_open() ? DramLogOp::precharge_all : DramLogOp::refresh_all, false, 0, 0,
            0};
        if (rules_.broken_by(c) == nullptr) {
            rules_.apply(c);
            refreshing_ = c.op != DramLogOp::refresh_all;  // what has begun is finished
            if (!refreshing_) --owed_[0];
        }
        return true;
    }
    [[nodiscard]] bool refreshes_now(std::uint32_t bank) const {
        if (p_.policy.refresh != RefreshMode::per_bank || owed_[bank] == 0) return false;
        if (holds(bank)) return false;
        return owed_[bank] > p_.policy.refresh_postpone ||
               std::none_of(queue_.begin(), queue_.end(),
                            [=](const Atom& a) { return a.bank == bank; });
    }

    // Whether the bank's row was opened for what waits apart for it.
    [[nodiscard]] bool holds(std::uint32_t bank) const {
        return std::any_of(queue_.begin(), queue_.end(),
                           [=](const Atom& a) { return a.bank == bank && a.apart; });
    }

    // What a bank may do on the column bus, or on the row bus.
    [[nodiscard]] std::optional<Choice> wish(std::uint32_t bank, bool column) const {
        const std::int64_t open = rules_.open_row(bank);
        if (must_refresh_ && !holds(bank)) return std::nullopt;
        if (refreshes_now(bank)) {
            if (column) return std::nullopt;
            const DramLogOp op = open >= 0 ? DramLogOp::precharge : DramLogOp::refresh_bank;
            return Choice{{0, op, false, bank, 0, 0}, 0};
        }
        std::size_t head = queue_.size(), hit = queue_.size(), other = queue_.size();
        for (std::size_t i = 0; i < queue_.size(); ++i) {
            if (queue_[i].bank != bank || !eligible(queue_[i])) continue;
            if (head == queue_.size()) head = i;
            if (hit == queue_.size() && queue_[i].row == open) hit = i;
            if (other == queue_.size() && queue_[i].row != open) other = i;
        }
        // What the row was opened for, whatever the direction is now.
        if (open >= 0 && fresh_[bank]) {
            if (!column) return std::nullopt;
            const auto opener = std::find_if(queue_.begin(), queue_.end(), [&](const Atom& a) {
                return a.bank == bank && a.row == open && a.is_write == opened_for_write_[bank];
            });
            const DramLogOp op = opener->is_write ? DramLogOp::write : DramLogOp::read;
            return Choice{{0, op, false, bank, opener->row, opener->column},
                          static_cast<std::size_t>(opener - queue_.begin())};
        }
        if (head == queue_.size()) return std::nullopt;
        const SchedulerKind kind = p_.policy.scheduler;
        const bool capped = p_.policy.row_hit_cap > 0 && overtaken_[bank] >= p_.policy.row_hit_cap;
        if ((kind == SchedulerKind::fcfs || capped) && hit != head) hit = queue_.size();
        if (column) {
            if (hit == queue_.size()) return std::nullopt;
            const Atom& a = queue_[hit];
            const DramLogOp op = a.is_write ? DramLogOp::write : DramLogOp::read;
            return Choice{{0, op, false, bank, a.row, a.column}, hit};
        }
        if (open < 0) {
            return Choice{{0, DramLogOp::activate, false, bank, queue_[head].row, 0}, head};
        }
        if (kind == SchedulerKind::first_ready || kind == SchedulerKind::older_hits) {
            if (other == queue_.size()) return std::nullopt;
            if (kind == SchedulerKind::older_hits && hit < other) return std::nullopt;
            return Choice{{0, DramLogOp::precharge, false, bank, 0, 0}, other};
        }
        const bool saved = hit == head || (kind == SchedulerKind::fr_fcfs && hit != queue_.size());
        if (saved) return std::nullopt;
        return Choice{{0, DramLogOp::precharge, false, bank, 0, 0}, head};
    }

    [[nodiscard]] std::optional<Choice> oldest_legal(std::uint64_t now, bool column) const {
        std::optional<Choice> best;
        bool best_owes = false;
        for (std::uint32_t bank = 0; bank < rules_.banks(); ++bank) {
            std::optional<Choice> choice = wish(bank, column);
            if (!choice) continue;
            choice->command.at = now;
            if (rules_.broken_by(choice->command) != nullptr) continue;
            const bool owes = refreshes_now(bank);
            const auto rank = [&](const Choice& c) {
                return std::make_pair(!queue_.empty() && !queue_[c.atom].apart, c.atom);
            };
            if (!best || (owes && !best_owes) ||
                (owes == best_owes && rank(*choice) < rank(*best))) {
                best = choice;
                best_owes = owes;
            }
        }
        return best;
    }

    void issue_column(Choice choice) {
        const Atom a = queue_[choice.atom];
        const auto oldest = std::find_if(queue_.begin(), queue_.end(), [&](const Atom& o) {
            return o.bank == a.bank &&
                   (p_.policy.queue == QueueKind::shared || o.is_write == a.is_write);
        });
        if (oldest->row != a.row) ++overtaken_[a.bank];
        queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(choice.atom));
        const bool more = std::any_of(queue_.begin(), queue_.end(), [&](const Atom& o) {
            return o.bank == a.bank && o.row == a.row &&
                   (p_.policy.queue == QueueKind::shared || o.is_write == a.is_write);
        });
        choice.command.auto_precharge = p_.policy.page == PagePolicy::closed && !more;
        rules_.apply(choice.command);
        fresh_[a.bank] = false;
        if (a.last) {
            done[a.tag] =
                choice.command.at + (a.is_write ? p_.timing.cwl : p_.timing.cl) + p_.timing.burst;
        }
        turn();
    }

    DramParams p_;
    AddressMap map_;
    RuleChecker rules_;
    std::deque<Atom> queue_;  // in order of arrival
    bool writing_ = false, refreshing_ = false, must_refresh_ = false;
    std::vector<bool> fresh_, opened_for_write_;  // by bank: activated, no column access since
    // By bank: column accesses since the activate that went before its oldest atom's.
    std::vector<std::uint32_t> overtaken_;
    std::vector<std::uint32_t> owed_;  // refreshes, by bank; of all banks together: bank 0's
    std::uint32_t next_bank_ = 0;
};

}  // namespace diastole::dram_test
