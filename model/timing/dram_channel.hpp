// One pseudo-channel, exactly: every command at its earliest legal time under the chosen policies.
//
// A decision takes the earliest legal candidate over all banks; at equal times a column command
// goes before a row command (they have separate buses, so neither delays the other), then the older
// request goes first. A bank has at most one candidate for each bus, recomputed only when its own
// bank, a push, a turn between reads and writes, or a refresh changes it. Column commands of runs
// that nothing can part are issued at once (dram_runs.cpp), ahead of row commands that cannot
// concern them yet. docs/memory.md has the policies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/timing/address_map.hpp"
#include "model/timing/dram_activity.hpp"
#include "model/timing/dram_banks.hpp"
#include "model/timing/dram_candidates.hpp"
#include "model/timing/dram_drain.hpp"
#include "model/timing/dram_model.hpp"
#include "model/timing/dram_queues.hpp"
#include "model/timing/dram_refresh.hpp"
#include "model/timing/dram_rules.hpp"
#include "model/timing/dram_scheduler.hpp"

namespace diastole {

enum class DramLogOp : std::uint8_t {
    read,
    write,
    activate,
    precharge,
    refresh_bank,
    precharge_all,
    refresh_all
};

struct DramCommand {
    Tick at = 0;
    DramLogOp op = DramLogOp::read;
    bool auto_precharge = false;
    std::uint32_t bank = 0, row = 0, column = 0;
};

class DramChannel final : public DramModel {
  public:
    explicit DramChannel(const DramParams& params);

    [[nodiscard]] bool can_accept(bool is_write, std::uint32_t atoms) const override;
    [[nodiscard]] std::uint32_t max_run() const override;
    void push(const DramRequest& request) override;
    [[nodiscard]] DramCycles next_event() override;
    [[nodiscard]] DramCycles room_bound(DramRoom wanted) override;
    DramCycles advance(DramCycles until, std::vector<DramCompletion>& out,
                       DramRoom wanted = {}) override;
    [[nodiscard]] DramCycles read_latency() const override {
        return DramCycles(rules_.read_latency + rules_.burst);
    }
    [[nodiscard]] const DramStats& stats() const override;
    [[nodiscard]] std::string describe_pending() const override;

    // Every command from now on is put into `log`, by time; null: none. The caller keeps it alive.
    void log_to(std::vector<DramCommand>* log) { log_ = log; }

  private:
    struct Decision {
        DramCandidates::Choice next;
        bool is_column = false;
        Tick row_at = tick_never;  // of the best row command
    };
    // Column commands to issue at once: `count` of the decided bank and, in turn with them,
    // `partner_count` of another.
    struct Plan {
        std::uint32_t count = 1;
        std::uint32_t partner = 0, partner_count = 0;
        Tick partner_at = 0;
    };

    [[nodiscard]] bool idle() const { return reads_ + writes_ + held_ == 0; }
    [[nodiscard]] bool has_room(DramRoom wanted) const;
    [[nodiscard]] std::uint32_t room_missing(bool is_write, DramRoom wanted) const;
    [[nodiscard]] std::uint32_t list_of(bool is_write) const { return split_ && is_write ? 1 : 0; }
    void play(Tick& until, std::vector<DramCompletion>& out, DramRoom wanted);
    const Decision& decide();
    void find_candidates(std::uint32_t bank);
    void put_column(std::uint32_t bank, std::uint32_t entry);
    void put_row(std::uint32_t bank, DramOp op, Tick ready, std::uint64_t age, std::uint32_t entry);
    void update_direction();
    void issue(Tick until, DramRoom wanted, std::vector<DramCompletion>& out);
    void issue_row();
    void issue_columns(Tick until, DramRoom wanted, std::vector<DramCompletion>& out);
    void transfer(std::uint32_t bank, Tick first, std::uint32_t count,
                  std::vector<DramCompletion>& out);
    [[nodiscard]] bool goes_with_direction(const DramEntry& entry) const {
        return !split_ || entry.is_write == drain_.writing();
    }
    [[nodiscard]] Plan plan_run(Tick until, DramRoom wanted) const;
    [[nodiscard]] std::uint32_t may_go(std::uint32_t bank) const;
    [[nodiscard]] Plan plan_alone(Tick horizon, std::uint32_t most) const;
    [[nodiscard]] bool find_partner(Plan& plan, Tick& rival) const;
    [[nodiscard]] Tick row_horizon(std::uint32_t atoms) const;
    [[nodiscard]] std::uint32_t most_columns(bool is_write, DramRoom wanted) const;
    [[nodiscard]] Tick next_refresh() const;
    void refresh_falls_due();
    void refresh_all(Tick from);
    void skip_idle_refreshes(Tick until);
    void mark(std::uint32_t bank) {
        stale_ |= std::uint64_t{1} << bank;
        decided_ = false;
    }
    void mark_all() {
        stale_ = all_banks_;
        decided_ = false;
    }
    void log(Tick at, DramLogOp op, std::uint32_t bank, std::uint32_t row, std::uint32_t column,
             bool auto_precharge = false);

    DramPolicy policy_;
    DramGeometry geometry_;
    AddressMap map_;
    DramRules rules_;
    DramBanks banks_;
    DramQueues queues_;
    DramScheduler scheduler_;
    WriteDrain drain_;
    DramRefresh refresh_;
    bool split_;
    bool apart_;                            // OpenedPlace::apart
    std::uint32_t reads_ = 0, writes_ = 0;  // atoms queued
    std::uint32_t held_ = 0;                // apart: atoms whose row was opened for them
    std::uint64_t next_age_ = 1;            // 0: a refresh, older than any request

    Tick reached_ = 0;                       // everything before is done
    Tick column_floor_ = 0, row_floor_ = 0;  // no command on that bus is issued before
    Tick room_from_ = 0;                     // what was issued last has made room by then
    Tick idle_from_ = 0;                     // while nothing is queued: since when

    DramCandidates columns_{DramOp::read}, rows_{DramOp::activate};
    std::vector<std::uint32_t> column_entry_, row_entry_;  // by bank: the candidate's request
    std::vector<std::uint32_t> opened_for_;                // by bank: what its row was opened for
    std::vector<std::uint32_t> overtaken_;  // by bank: see DramScheduler::turn, since the activate
    std::uint64_t stale_ = 0, all_banks_;   // banks whose candidates are out of date
    Decision decision_;
    bool decided_ = false;
    bool draining_ = false;  // apart: a refresh waits for what is held
    Tick quiet_until_ = 0;   // while decided: nothing happens before

    DramActivity activity_;
    mutable DramStats stats_;  // what follows from other counters is filled in when asked for
    std::vector<DramCompletion> unexpected_;
    std::vector<DramCommand>* log_ = nullptr;
};

}  // namespace diastole
