// Reading typed values out of a JSON object of a native trace. Every function throws TraceError
// that names the key and what was expected; the reader puts file and line before it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/graph/operator.hpp"

namespace diastole::native {

using Json = nlohmann::json;

// `where` says in front of a message which object it is: "operator 3" or "header".
class Fields {
  public:
    // Checks that `object` is one and has no key but these.
    Fields(const Json& object, std::string where, const std::vector<std::string>& keys);

    [[nodiscard]] const Json* find(const char* key) const;  // null when absent
    [[nodiscard]] const Json& require(const char* key) const;

    std::uint64_t number(const char* key, std::uint64_t low, std::uint64_t high) const;  // required
    void read(const char* key, std::uint64_t& value, std::uint64_t low, std::uint64_t high) const;
    void read(const char* key, std::uint32_t& value, std::uint32_t low, std::uint32_t high) const;
    void read(const char* key, double& value, double low, double high) const;
    void read(const char* key, bool& value) const;
    void read(const char* key, std::string& value) const;
    [[nodiscard]] std::string text(const char* key) const;   // required
    [[nodiscard]] const Json& array(const char* key) const;  // required

    [[noreturn]] void fail(const std::string& what) const;
    [[nodiscard]] const std::string& where() const { return where_; }

  private:
    const Json& object_;
    std::string where_;
};

// A whole number in [low, high], or TraceError with `where`.
std::uint64_t whole_number(const Json& value, const std::string& where, std::uint64_t low,
                           std::uint64_t high);
DType dtype(const Json& value, const std::string& where);
std::string shown(const Json& value);  // for messages: dumped, cut when long

Attributes attributes_from(const Json& object, const std::string& where);

// Appends `"attrs":{...}` keys that differ from their defaults; an empty object when none does.
nlohmann::ordered_json attributes_to_json(const Attributes& attributes);

}  // namespace diastole::native
