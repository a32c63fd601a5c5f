// A progress bar on a terminal's stderr; silent elsewhere.
#pragma once

#include <chrono>
#include <string>

namespace diastole {

class Progress {
  public:
    explicit Progress(std::string what);
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void show(double done);  // 0 to 1; redraws a few times a second at most
    void clear();

  private:
    using Clock = std::chrono::steady_clock;
    std::string what_;
    bool terminal_;
    bool drawn_ = false;
    Clock::time_point start_, last_;
};

}  // namespace diastole
