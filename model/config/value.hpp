// A TOML file as a tree of values that know where they were written, and their conversion to the
// types of the project. Only value.cpp sees the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/config/problems.hpp"

namespace diastole::config {

enum class Kind : std::uint8_t { boolean, integer, number, text, list, table, other };

struct Value {
    Kind kind = Kind::table;
    Location where;
    bool boolean = false;
    std::int64_t integer = 0;
    double number = 0;
    std::string text;
    std::vector<std::string> names;  // of a table's members, in the order of the file
    std::vector<Location> name_places;
    std::vector<Value> items;  // of a list, or of a table beside `names`

    [[nodiscard]] const Value* find(std::string_view name) const;  // a table's member, or null
};

// Reads a file; `shown` is what problems call it. Throws ConfigError: it cannot be read, or is not
// TOML (file:line:column).
Value parse_file(const std::string& path, const std::string& shown);
Value parse_text(std::string_view text, const std::string& shown);
// The text of `--set key=text`: a TOML value where it is one, else the text itself.
Value parse_override_value(std::string_view text);

std::string show(const Value& value);  // as it stands in a message: `12`, `"abc"`, `a table`

// Writes `out` and returns true, or says in `problem` what was expected and found. A number without
// a fraction is a whole number, however written (1.35e9).
bool convert(const Value& value, bool& out, std::string& problem);
bool convert(const Value& value, std::uint32_t& out, std::string& problem);
bool convert(const Value& value, std::uint64_t& out, std::string& problem);
bool convert(const Value& value, double& out, std::string& problem);
bool convert(const Value& value, std::string& out, std::string& problem);

template <class T>
bool convert(const Value& value, std::vector<T>& out, std::string& problem) {
    if (value.kind != Kind::list) {
        problem = "expected a list, got " + show(value);
        return false;
    }
    std::vector<T> result;
    for (const Value& item : value.items) {
        T element{};
        if (!convert(item, element, problem)) {
            problem = "element " + std::to_string(result.size() + 1) + ": " + problem;
            return false;
        }
        result.push_back(element);
    }
    out = std::move(result);
    return true;
}

}  // namespace diastole::config
