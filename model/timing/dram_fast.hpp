// An O(1) estimate of one pseudo-channel behind the same interface: every run is placed when it
// arrives, by "free at" times, and nothing is reordered later. What it leaves out is in
// docs/memory.md together with its measured error.
//
//   column time of a run = max(arrival, its bank's path, activation rate)   then   data time =
//   max(column time + CL, what the data bus has been promised so far).
//
// The data bus and the activation window are rates (leaky buckets): they keep the sum right without
// forcing arrival order on banks that are ready at different times. A row counts as hit if it is
// the bank's open row, or if a run to it is still waiting (FR-FCFS would serve them together).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/timing/address_map.hpp"
#include "model/timing/dram_model.hpp"
#include "model/timing/dram_rules.hpp"

namespace diastole {

class DramFast final : public DramModel {
  public:
    explicit DramFast(const DramParams& params);

    [[nodiscard]] bool can_accept(bool is_write, std::uint32_t atoms) const override;
    [[nodiscard]] std::uint32_t max_run() const override;
    void push(const DramRequest& request) override;
    [[nodiscard]] DramCycles next_event() override;
    DramCycles advance(DramCycles until, std::vector<DramCompletion>& out,
                       DramRoom wanted = {}) override;
    [[nodiscard]] DramCycles read_latency() const override {
        return DramCycles(rules_.read_latency + rules_.burst);
    }
    [[nodiscard]] const DramStats& stats() const override { return stats_; }
    [[nodiscard]] std::string describe_pending() const override;

  private:
    static constexpr std::size_t recent_rows = 4;
    struct Row {
        std::int64_t row = -1;
        Tick ready = 0;         // column access possible
        Tick last = 0;          // last column access so far
        std::uint64_t era = 0;  // refresh interval in which it was opened
    };
    struct Bank {
        std::array<Row, recent_rows> rows;  // rows[newest] is the open one
        std::uint32_t newest = 0;
        Tick act_ready = 0, pre_ready = 0;
    };
    struct Flight {
        Tick issue = 0;  // of its last atom; completions leave in this order
        std::uint64_t order = 0;
        std::uint32_t atoms = 0, tag = 0;
        bool is_write = false;
    };
    static bool later(const Flight& a, const Flight& b) {
        return a.issue != b.issue ? a.issue > b.issue : a.order > b.order;
    }

    [[nodiscard]] Tick after_refresh(Tick at) const;
    [[nodiscard]] std::uint64_t era_of(Tick at) const;
    Row& open(Bank& bank, std::uint32_t row, Tick arrival);
    Tick reserve_bus(Tick arrival, std::uint32_t atoms, bool is_write);
    void count_refreshes(Tick until);

    DramPolicy policy_;
    DramGeometry geometry_;
    AddressMap map_;
    DramRules rules_;
    std::uint32_t activate_interval_;  // the tighter of tRRD_S and tFAW / 4
    double turn_cycles_;    // of the data bus, per write: its share of a drain's two turns
    double turn_debt_ = 0;  // of those, less than a cycle not yet taken
    std::vector<Bank> banks_;
    Tick bus_free_ = 0, activate_free_ = 0, reached_ = 0;
    std::uint32_t reads_ = 0, writes_ = 0;  // atoms not issued
    std::uint64_t order_ = 0;
    std::vector<Flight> flights_;  // a heap by `later`
    DramStats stats_;
};

}  // namespace diastole
