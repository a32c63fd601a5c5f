// A flat list of keys, each bound to a field of a struct: what a description may say, in which
// units and limits, and, after loading, what it did say and where.
//
//     LoweringParams lowering;
//     config::Schema schema;
//     schema.add("lowering.split_k", lowering.split_k, "", "parts of K; 0: automatic").at_most(64);
//     schema.add_enum("lowering.dataflow", lowering.dataflow, "which operand stays",
//                     {{"automatic", DataflowChoice::automatic}, ...});
//     config::Problems problems;
//     config::apply(schema, overrides, problems);            // --set only, or
//     config::load(schema, "chips/x.toml", options, overrides, problems);  // loader.hpp
//     problems.throw_if_any();
//
// The schema points into the structs: they must stay where they are while it is used.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/config/problems.hpp"
#include "model/config/value.hpp"

namespace diastole::config {

// Where a value comes from.
struct Provenance {
    bool given = false;   // false: the default of the program
    std::string source;   // as the file says
    std::string assumed;  // why this value, and what changes if it is wrong
    Location where;       // "--set", or the place in the file
};

class Field {
  public:
    // Limits of numbers, checked on every assignment.
    Field& at_least(double low);
    Field& at_most(double high);
    Field& power_of_two();  // 0 is none
    Field& multiple_of(std::uint64_t step);

    [[nodiscard]] const std::string& key() const { return key_; }
    [[nodiscard]] const std::string& unit() const { return unit_; }
    [[nodiscard]] const std::string& meaning() const { return meaning_; }
    [[nodiscard]] const Provenance& provenance() const { return provenance_; }
    [[nodiscard]] bool is_text() const;       // text or a name
    [[nodiscard]] std::string shown() const;  // its present value, as `--set` would take it

    // Assigns, or says in `problem` what was expected; then the field keeps its value.
    bool assign(const Value& value, Provenance provenance, std::string& problem);

  private:
    friend class Schema;
    struct Name {  // one of a few
        std::vector<std::string> names;
        std::function<void(std::size_t)> set;
        std::function<std::size_t()> get;
    };
    using Target = std::variant<bool*, std::uint32_t*, std::uint64_t*, double*, std::string*,
                                std::vector<std::uint64_t>*, std::vector<double>*, Name>;
    Field(std::string key, std::string unit, std::string meaning, Target target);
    template <class T>
    bool assign_to(T& target, const Value& value, std::string& problem);
    bool assign_name(const Name& target, const Value& value, std::string& problem);
    bool allows(const Value& value, double number, std::string& problem) const;

    std::string key_, unit_, meaning_;
    Target target_;
    double low_ = -std::numeric_limits<double>::infinity();
    double high_ = std::numeric_limits<double>::infinity();
    std::uint64_t multiple_ = 1;
    bool power_of_two_ = false;
    Provenance provenance_;
};

class Schema {
  public:
    // T: bool, uint32_t, uint64_t, double, std::string, std::vector<uint64_t>, std::vector<double>.
    template <class T>
    Field& add(std::string key, T& target, std::string unit, std::string meaning) {
        return insert(Field(std::move(key), std::move(unit), std::move(meaning), &target));
    }
    template <class E>
    Field& add_enum(std::string key, E& target, std::string meaning,
                    std::vector<std::pair<std::string, E>> choices) {
        Field::Name name;
        for (const auto& choice : choices) name.names.push_back(choice.first);
        name.set = [&target, choices](std::size_t i) { target = choices[i].second; };
        name.get = [&target, choices] {
            std::size_t i = 0;
            while (i + 1 < choices.size() && choices[i].second != target) ++i;
            return i;
        };
        return insert(Field(std::move(key), "", std::move(meaning), std::move(name)));
    }

    [[nodiscard]] Field* find(std::string_view key);
    [[nodiscard]] const Field* find(std::string_view key) const;
    [[nodiscard]] const std::deque<Field>& fields() const { return fields_; }
    [[nodiscard]] bool is_table(std::string_view key) const;  // a prefix of some key
    // "unknown key; did you mean 'x'?"
    [[nodiscard]] std::string unknown_key(const std::string& key) const;

  private:
    Field& insert(Field field);
    std::deque<Field> fields_;  // a deque: references stay valid
};

// A field as plain text, free of the structs: for reports.
struct Setting {
    std::string key, value, unit, meaning;
    Provenance provenance;
};
std::vector<Setting> settings_of(const Schema& schema);

}  // namespace diastole::config
