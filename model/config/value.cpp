#include "model/config/value.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <system_error>

#include "model/base/error.hpp"

namespace diastole::config {
namespace {

Location place(const toml::source_region& region, const std::string& shown) {
    return {shown, region.begin.line, region.begin.column};
}

Value copy(const toml::node& node, const std::string& shown);

Value copy_table(const toml::table& table, const std::string& shown) {
    struct Member {
        const toml::key* key;
        const toml::node* node;
    };
    std::vector<Member> members;
    for (auto&& [key, node] : table) members.push_back({&key, &node});
    // The library sorts by name; problems are reported in the order of the file.
    std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
        const toml::source_position &x = a.key->source().begin, &y = b.key->source().begin;
        return x.line != y.line ? x.line < y.line : x.column < y.column;
    });
    Value value;
    value.kind = Kind::table;
    for (const Member& member : members) {
        value.names.emplace_back(member.key->str());
        value.name_places.push_back(place(member.key->source(), shown));
        value.items.push_back(copy(*member.node, shown));
    }
    return value;
}

Value copy(const toml::node& node, const std::string& shown) {
    Value value;
    if (const toml::table* table = node.as_table()) {
        value = copy_table(*table, shown);
    } else if (const toml::array* list = node.as_array()) {
        value.kind = Kind::list;
        for (const toml::node& item : *list) value.items.push_back(copy(item, shown));
    } else if (const auto* boolean = node.as_boolean()) {
        value.kind = Kind::boolean;
        value.boolean = boolean->get();
    } else if (const auto* integer = node.as_integer()) {
        value.kind = Kind::integer;
        value.integer = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
        value.kind = Kind::number;
        value.number = number->get();
    } else if (const auto* text = node.as_string()) {
        value.kind = Kind::text;
        value.text = text->get();
    } else {
        value.kind = Kind::other;
    }
    value.where = place(node.source(), shown);
    return value;
}

std::string one_line(std::string_view text) {
    std::string line(text);
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return line;
}

// Whole numbers that are written with a fraction or an exponent.
bool whole(const Value& value, std::int64_t& out) {
    if (value.kind == Kind::integer) {
        out = value.integer;
        return true;
    }
    constexpr double exact = 9007199254740992.0;  // 2^53: beyond it a double skips integers
    if (value.kind != Kind::number || !(std::abs(value.number) <= exact)) return false;
    out = static_cast<std::int64_t>(value.number);
    return static_cast<double>(out) == value.number;
}

bool convert_unsigned(const Value& value, std::uint64_t limit, std::uint64_t& out,
                      std::string& problem) {
    std::int64_t number = 0;
    if (!whole(value, number) || number < 0 || static_cast<std::uint64_t>(number) > limit) {
        problem =
            "expected a whole number from 0 to " + std::to_string(limit) + ", got " + show(value);
        return false;
    }
    out = static_cast<std::uint64_t>(number);
    return true;
}

}  // namespace

const Value* Value::find(std::string_view name) const {
    const auto it = std::find(names.begin(), names.end(), name);
    return it == names.end() ? nullptr : &items[static_cast<std::size_t>(it - names.begin())];
}

Value parse_text(std::string_view text, const std::string& shown) {
    try {
        return copy(toml::parse(text, shown), shown);
    } catch (const toml::parse_error& error) {
        throw ConfigError(to_string(place(error.source(), shown)) +
                          ": not valid TOML: " + one_line(error.description()));
    }
}

Value parse_file(const std::string& path, const std::string& shown) {
    std::error_code error;
    std::ifstream file(path, std::ios::binary);
    // A folder opens like a file.
    if (!file.is_open() || std::filesystem::is_directory(path, error)) {
        throw ConfigError(shown + ": cannot be read");
    }
    std::ostringstream text;
    text << file.rdbuf();
    return parse_text(text.str(), shown);
}

Value parse_override_value(std::string_view text) {
    Value value;
    try {
        const toml::table table = toml::parse("v = " + std::string(text));
        if (table.size() == 1) value = copy(*table.get("v"), "--set");
    } catch (const toml::parse_error&) {
        // Not a TOML value: bare text.
    }
    if (value.kind == Kind::table || value.kind == Kind::other) {
        value = Value{};
        value.kind = Kind::text;
        value.text = std::string(text);
    }
    value.where = {"--set", 0, 0};
    return value;
}

std::string show(const Value& value) {
    switch (value.kind) {
        case Kind::boolean:
            return value.boolean ? "true" : "false";
        case Kind::integer:
            return std::to_string(value.integer);
        case Kind::number: {
            std::ostringstream out;
            out << value.number;
            return out.str();
        }
        case Kind::text:
            return '"' + one_line(value.text) + '"';
        case Kind::list:
            return "a list";
        case Kind::table:
            return "a table";
        case Kind::other:
            break;
    }
    return "a date or time";
}

bool convert(const Value& value, bool& out, std::string& problem) {
    if (value.kind != Kind::boolean) {
        problem = "expected true or false, got " + show(value);
        return false;
    }
    out = value.boolean;
    return true;
}

bool convert(const Value& value, std::uint32_t& out, std::string& problem) {
    std::uint64_t wide = 0;
    if (!convert_unsigned(value, std::numeric_limits<std::uint32_t>::max(), wide, problem)) {
        return false;
    }
    out = static_cast<std::uint32_t>(wide);
    return true;
}

bool convert(const Value& value, std::uint64_t& out, std::string& problem) {
    constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
    return convert_unsigned(value, limit, out, problem);
}

bool convert(const Value& value, double& out, std::string& problem) {
    const double number =
        value.kind == Kind::integer ? static_cast<double>(value.integer) : value.number;
    if ((value.kind != Kind::integer && value.kind != Kind::number) || !std::isfinite(number)) {
        problem = "expected a number, got " + show(value);
        return false;
    }
    out = number;
    return true;
}

bool convert(const Value& value, std::string& out, std::string& problem) {
    if (value.kind != Kind::text) {
        problem = "expected text in quotes, got " + show(value);
        return false;
    }
    out = value.text;
    return true;
}

}  // namespace diastole::config
