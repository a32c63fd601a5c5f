#include "tb/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace diastole {

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(2) == 1), start_(Clock::now()), last_(start_) {}

void Progress::show(double done) {
    using namespace std::chrono_literals;
    const Clock::time_point now = Clock::now();
    if (!terminal_ || now - last_ < 200ms) return;
    last_ = now;
    drawn_ = true;
    constexpr int width = 40;
    const double share = std::clamp(done, 0.0, 1.0);
    const int filled = static_cast<int>(share * width);
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    const std::string left =
        share > 0.02 ? fmt::format(", {:.0f} s left", elapsed / share * (1 - share)) : "";
    fmt::print(stderr, "\r\033[K{} [{:#>{}}{:.>{}}] {:3.0f} %, {:.0f} s{}", what_, "", filled, "",
               width - filled, 100 * share, elapsed, left);
    std::fflush(stderr);
}

void Progress::clear() {
    if (!drawn_) return;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    drawn_ = false;
}

}  // namespace diastole
