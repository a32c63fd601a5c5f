#include "workloads/graph/native_fields.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/base/error.hpp"
#include "model/base/names.hpp"

namespace diastole::native {

std::string shown(const Json& value) {
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

std::uint64_t whole_number(const Json& value, const std::string& where, std::uint64_t low,
                           std::uint64_t high) {
    const bool whole = value.is_number_unsigned();
    const std::uint64_t number = whole ? value.get<std::uint64_t>() : 0;
    if (!whole || number < low || number > high) {
        throw TraceError(where + ": expected a whole number from " + std::to_string(low) + " to " +
                         std::to_string(high) + ", got " + shown(value));
    }
    return number;
}

DType dtype(const Json& value, const std::string& where) {
    if (!value.is_string()) {
        throw TraceError(where + ": expected the name of a type, got " + shown(value));
    }
    const auto& name = value.get_ref<const std::string&>();
    if (const std::optional<DType> type = dtype_from_name(name)) return *type;
    std::vector<std::string> names;
    for (const DTypeInfo& info : dtype_table) names.emplace_back(info.name);
    throw TraceError(where + ": unknown type '" + name + "'" + did_you_mean(name, names));
}

Fields::Fields(const Json& object, std::string where, const std::vector<std::string>& keys)
    : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail("expected an object {...}, got " + shown(object));
    for (const auto& item : object.items()) {
        if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) {
            fail("unknown key '" + item.key() + "'" + did_you_mean(item.key(), keys));
        }
    }
}

void Fields::fail(const std::string& what) const {
    throw TraceError(where_ + ": " + what);
}

const Json* Fields::find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
}

const Json& Fields::require(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) fail(std::string("the key '") + key + "' is missing");
    return *value;
}

std::uint64_t Fields::number(const char* key, std::uint64_t low, std::uint64_t high) const {
    return whole_number(require(key), where_ + ": " + key, low, high);
}

void Fields::read(const char* key, std::uint64_t& value, std::uint64_t low,
                  std::uint64_t high) const {
    if (const Json* found = find(key)) value = whole_number(*found, where_ + ": " + key, low, high);
}

void Fields::read(const char* key, std::uint32_t& value, std::uint32_t low,
                  std::uint32_t high) const {
    std::uint64_t wide = value;
    read(key, wide, std::uint64_t{low}, std::uint64_t{high});
    value = static_cast<std::uint32_t>(wide);
}

void Fields::read(const char* key, double& value, double low, double high) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    const double number = found->is_number() ? found->get<double>() : low - 1;
    if (!(number >= low && number <= high)) {
        fail(std::string(key) + ": expected a number from " + shown(low) + " to " + shown(high) +
             ", got " + shown(*found));
    }
    value = number;
}

void Fields::read(const char* key, bool& value) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_boolean())
        fail(std::string(key) + ": expected true or false, got " + shown(*found));
    value = found->get<bool>();
}

void Fields::read(const char* key, std::string& value) const {
    if (find(key) != nullptr) value = text(key);
}

std::string Fields::text(const char* key) const {
    const Json& value = require(key);
    if (!value.is_string()) fail(std::string(key) + ": expected a text, got " + shown(value));
    return value.get<std::string>();
}

const Json& Fields::array(const char* key) const {
    const Json& value = require(key);
    if (!value.is_array()) fail(std::string(key) + ": expected a list [...], got " + shown(value));
    return value;
}

}  // namespace diastole::native
