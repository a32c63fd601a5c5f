// One pseudo-channel, exactly: every command at its earliest legal time under the chosen policies.
//
// A decision takes the earliest legal candidate over all banks; at equal times a column command
// goes before a row command (they have separate buses, so neither delays the other), then the older
// request goes first. Each bank has one candidate: the oldest row hit in FR-FCFS, else the command
// that brings its oldest request nearer. A candidate is recomputed only when its own bank, a push,
// a turn between reads and writes, or a refresh changes it. docs/memory.md has the policies.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/timing/address_map.hpp"
#include "model/timing/dram_banks.hpp"
#include "model/timing/dram_drain.hpp"
#include "model/timing/dram_model.hpp"
#include "model/timing/dram_queues.hpp"
#include "model/timing/dram_rules.hpp"

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
    [[nodiscard]] const DramStats& stats() const override { return stats_; }
    [[nodiscard]] std::string describe_pending() const override;

    // Every command from now on is appended to `log`; null: none. The caller keeps it alive.
    void log_to(std::vector<DramCommand>* log) { log_ = log; }

  private:
    static constexpr std::size_t max_banks = 64;
    struct Choice {
        Tick at = tick_never;
        Tick second = tick_never;  // when the next best could go
        std::uint32_t bank = 0;
    };
    struct Decision {
        Tick at = tick_never;
        Tick rival = tick_never;  // the earliest of all other candidates
        std::uint32_t bank = 0;
    };

    [[nodiscard]] bool idle() const { return reads_ + writes_ == 0; }
    [[nodiscard]] bool has_room(DramRoom wanted) const;
    [[nodiscard]] std::uint32_t room_missing(bool is_write, DramRoom wanted) const;
    [[nodiscard]] std::uint32_t list_of(bool is_write) const { return split_ && is_write ? 1 : 0; }
    const Decision& decide();
    [[nodiscard]] Choice best_of(std::uint64_t banks) const;
    void find_candidate(std::uint32_t bank);
    void set_candidate(std::uint32_t bank, DramOp op, Tick ready, std::uint64_t age,
                       std::uint32_t entry);
    void update_direction();
    void issue(Tick until, DramRoom wanted, std::vector<DramCompletion>& out);
    void issue_column(Tick until, DramRoom wanted, std::vector<DramCompletion>& out);
    [[nodiscard]] std::uint32_t run_length(const DramEntry& entry, Tick until,
                                           DramRoom wanted) const;
    void refresh();
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
    WriteDrain drain_;
    bool split_;
    std::uint32_t reads_ = 0, writes_ = 0;  // atoms queued
    std::uint64_t next_age_ = 1;            // 0: a refresh, older than any request

    Tick reached_ = 0;  // everything before is done
    Tick floor_ = 0;    // no command is issued before
    Tick refresh_due_ = tick_never;
    std::uint32_t refresh_next_ = 0;  // bank of the next per-bank refresh
    std::uint64_t refreshing_ = 0;    // banks that owe a per-bank refresh

    // Candidates, one per bank, by the bus they need. `rank_` orders those of equal time.
    std::uint64_t columns_ = 0, rows_ = 0, stale_ = 0, all_banks_;
    std::array<Tick, max_banks> ready_{};
    std::array<std::uint64_t, max_banks> rank_{};
    std::array<std::uint32_t, max_banks> limit_{}, entry_{};
    std::array<DramOp, max_banks> op_{};
    // The best and second-best row command: column commands don't move them.
    Choice row_choice_;
    bool rows_known_ = false;
    Decision decision_;
    bool decided_ = false;

    DramStats stats_;
    std::vector<DramCompletion> unexpected_;
    std::vector<DramCommand>* log_ = nullptr;
};

}  // namespace diastole
