// The order of commands within a bank. Over banks it is always the earliest legal, then the oldest.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/params/dram_params.hpp"
#include "model/timing/dram_banks.hpp"
#include "model/timing/dram_queues.hpp"

namespace diastole {

// What a bank wants on the two buses: entries of the queue, or none.
struct DramTurn {
    std::uint32_t column = DramQueues::none;  // a row hit
    std::uint32_t row = DramQueues::none;     // precharge or activate for this one
};

class DramScheduler {
  public:
    explicit DramScheduler(const DramPolicy& policy)
        : kind_(policy.scheduler),
          cap_(policy.row_hit_cap == 0 || kind_ != SchedulerKind::fr_fcfs ? ~std::uint32_t{0}
                                                                          : policy.row_hit_cap) {}

    // fr_fcfs: row hits as long as there are any, up to the cap. first_ready: the oldest row hit
    // and the oldest request that is none, whichever may go first, so rows close under waiting
    // hits. older_hits: the same, but hits older than that request keep the row open. fcfs: the
    // oldest request's command alone. `overtaken`: column accesses of the open row so far that went
    // before the bank's oldest request.
    [[nodiscard]] DramTurn turn(const DramQueues& queues, std::uint32_t list, std::uint32_t bank,
                                std::int64_t open_row, std::uint32_t overtaken) const {
        const std::uint32_t head = queues.head(list, bank);
        if (head == DramQueues::none) return {};
        if (open_row == DramBank::no_row) return {DramQueues::none, head};
        if (!keeps_rows()) {
            DramTurn both{queues.oldest_to(list, bank, open_row),
                          queues.oldest_beside(list, bank, open_row)};
            const bool held = kind_ == SchedulerKind::older_hits &&
                              both.column != DramQueues::none && both.row != DramQueues::none &&
                              queues[both.column].age < queues[both.row].age;
            if (held) both.row = DramQueues::none;
            return both;
        }
        if (queues[head].row == open_row) return {head, DramQueues::none};
        if (kind_ == SchedulerKind::fcfs || overtaken >= cap_) return {DramQueues::none, head};
        const std::uint32_t hit = queues.oldest_to(list, bank, open_row);
        return hit == DramQueues::none ? DramTurn{hit, head} : DramTurn{hit, DramQueues::none};
    }
    // After how many more such accesses it is the oldest request's turn.
    [[nodiscard]] std::uint32_t may_overtake(std::uint32_t overtaken) const {
        return cap_ - std::min(cap_, overtaken);
    }
    // Whether a row stays open while row hits wait for it.
    [[nodiscard]] bool keeps_rows() const {
        return kind_ != SchedulerKind::first_ready && kind_ != SchedulerKind::older_hits;
    }

  private:
    SchedulerKind kind_;
    std::uint32_t cap_;
};

}  // namespace diastole
