// When split queues turn from reads to writes and back: writes are held until the queue passes the
// high watermark or no read waits, then drained until it falls below the low one while reads wait.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "model/params/dram_params.hpp"

namespace diastole {

class WriteDrain {
  public:
    explicit WriteDrain(const DramPolicy& policy)
        : high_(static_cast<std::uint32_t>(std::floor(policy.write_high * policy.write_queue))),
          low_(static_cast<std::uint32_t>(std::ceil(policy.write_low * policy.write_queue))) {}

    [[nodiscard]] bool writing() const { return writing_; }

    // Looks at the queued atoms anew; true when the direction changed.
    bool update(std::uint32_t reads, std::uint32_t writes) {
        const bool before = writing_;
        if (writing_) {
            writing_ = writes > 0 && (reads == 0 || writes >= low_);
        } else {
            writing_ = writes > 0 && (reads == 0 || writes > high_);
        }
        return writing_ != before;
    }

    // How many writes can go before the direction may change; at least one.
    [[nodiscard]] std::uint32_t writes_before_turn(std::uint32_t reads,
                                                   std::uint32_t writes) const {
        if (reads == 0) return writes;
        return writes >= low_ ? std::max(1U, writes - std::max(low_, 1U) + 1) : 1;
    }

  private:
    std::uint32_t high_, low_;
    bool writing_ = false;
};

}  // namespace diastole
