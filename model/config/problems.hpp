// What is wrong with a description, all of it, each with its place: one line a problem, as in
// `chips/x.toml:14:9: dram.channels: expected a power of two, got 12`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace diastole::config {

// Where a value was written. Without a line: the file as a whole, or "--set".
struct Location {
    std::string file;
    std::uint32_t line = 0, column = 0;  // from 1
};
std::string to_string(const Location& where);  // "chips/x.toml:14:9"; empty for no place at all

class Problems {
  public:
    // `key` is the dotted path ("dram.channels") and may be empty.
    void add(const Location& where, std::string_view key, std::string_view message);

    [[nodiscard]] bool empty() const { return lines_.empty(); }
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
    // Throws one ConfigError with one line per problem.
    void throw_if_any() const;

  private:
    std::vector<std::string> lines_;
};

}  // namespace diastole::config
