// In which state a pseudo-channel spends its time, for an energy model.
#pragma once

#include <algorithm>

#include "model/timing/dram_rules.hpp"

namespace diastole {

// Length of a union of intervals that start in order; their ends may be told early or late.
class CoveredTime {
  public:
    void start(Tick at) {
        if (open_++ > 0 || at <= until_) return;
        covered_ += until_ - since_;
        since_ = at;
    }
    void end(Tick at) {
        --open_;
        until_ = std::max(until_, at);
    }
    [[nodiscard]] Tick length(Tick now) const {
        const Tick until = open_ > 0 ? now : std::min(now, until_);
        return covered_ + (until > since_ ? until - since_ : 0);
    }
    // As much time passes, of which so much is covered; what is pending moves with it.
    void skip(Tick time, Tick covered) {
        covered_ += covered;
        since_ += time;
        until_ += time;
    }

  private:
    std::uint32_t open_ = 0;
    Tick since_ = 0, until_ = 0, covered_ = 0;
};

// Any row open; else a refresh runs; else idle. Row commands come in order of time.
class DramActivity {
  public:
    void activate(Tick at) {
        active_.start(at);
        busy_.start(at);
    }
    void close(Tick at) {
        active_.end(at);
        busy_.end(at);
    }
    void refresh(Tick from, Tick until) {
        busy_.start(from);
        busy_.end(until);
    }
    void skip_refreshes(Tick time, Tick covered) { busy_.skip(time, covered); }

    [[nodiscard]] Tick active(Tick now) const { return active_.length(now); }
    [[nodiscard]] Tick refreshing(Tick now) const { return busy_.length(now) - active(now); }

  private:
    CoveredTime active_, busy_;
};

}  // namespace diastole
