// Text built up line by line, for the summaries at a terminal.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <utility>

namespace diastole {

using Text = fmt::memory_buffer;

template <class... Args>
void line(Text& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
    out.push_back('\n');
}

inline double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

}  // namespace diastole
