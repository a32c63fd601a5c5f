#include "model/config/problems.hpp"

#include "model/base/error.hpp"

namespace diastole::config {

std::string to_string(const Location& where) {
    if (where.line == 0) return where.file;
    return where.file + ':' + std::to_string(where.line) + ':' + std::to_string(where.column);
}

void Problems::add(const Location& where, std::string_view key, std::string_view message) {
    std::string line = to_string(where);
    if (!line.empty()) line += ": ";
    if (!key.empty()) line.append(key).append(": ");
    lines_.push_back(line.append(message));
}

void Problems::throw_if_any() const {
    if (lines_.empty()) return;
    std::string text = lines_.front();
    for (std::size_t i = 1; i < lines_.size(); ++i) text.append(1, '\n').append(lines_[i]);
    throw ConfigError(text);
}

}  // namespace diastole::config
