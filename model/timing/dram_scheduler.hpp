// The order of commands within a bank. Over banks it is always the earliest legal, then the oldest.
#pragma once

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
    explicit DramScheduler(SchedulerKind kind) : kind_(kind) {}

    // fr_fcfs: row hits as long as there are any. first_ready: the oldest row hit and the oldest
    // request that is none, whichever may go first, so rows close under waiting hits. fcfs: the
    // oldest request's command alone.
    [[nodiscard]] DramTurn turn(const DramQueues& queues, std::uint32_t list, std::uint32_t bank,
                                std::int64_t open_row) const {
        const std::uint32_t head = queues.head(list, bank);
        if (head == DramQueues::none) return {};
        if (open_row == DramBank::no_row) return {DramQueues::none, head};
        if (kind_ == SchedulerKind::first_ready) {
            return {queues.oldest_to(list, bank, open_row),
                    queues.oldest_beside(list, bank, open_row)};
        }
        if (queues[head].row == open_row) return {head, DramQueues::none};
        if (kind_ == SchedulerKind::fcfs) return {DramQueues::none, head};
        const std::uint32_t hit = queues.oldest_to(list, bank, open_row);
        return hit == DramQueues::none ? DramTurn{hit, head} : DramTurn{hit, DramQueues::none};
    }
    // Whether a row stays open while row hits wait for it.
    [[nodiscard]] bool keeps_rows() const { return kind_ != SchedulerKind::first_ready; }

  private:
    SchedulerKind kind_;
};

}  // namespace diastole
