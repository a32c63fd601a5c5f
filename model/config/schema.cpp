#include "model/config/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/base/names.hpp"
#include "model/config/document.hpp"

namespace diastole::config {
namespace {

template <class T>
std::string text_of(const T& value) {
    return fmt::format("{}", value);
}
template <class T>
std::string text_of(const std::vector<T>& list) {
    return fmt::format("[{}]", fmt::join(list, ", "));
}

// Numbers up to 2^53 are exact in a double; limits are far below.
std::string number_text(double number) {
    return fmt::format("{}", number);
}

}  // namespace

Field::Field(std::string key, std::string unit, std::string meaning, Target target)
    : key_(std::move(key)),
      unit_(std::move(unit)),
      meaning_(std::move(meaning)),
      target_(std::move(target)) {}

Field& Field::at_least(double low) {
    low_ = low;
    return *this;
}
Field& Field::at_most(double high) {
    high_ = high;
    return *this;
}
Field& Field::power_of_two() {
    power_of_two_ = true;
    return *this;
}
Field& Field::multiple_of(std::uint64_t step) {
    multiple_ = step;
    return *this;
}

bool Field::is_text() const {
    return std::holds_alternative<std::string*>(target_) || std::holds_alternative<Name>(target_);
}

std::string Field::shown() const {
    if (const Name* name = std::get_if<Name>(&target_)) return name->names[name->get()];
    return std::visit(
        [](const auto& target) -> std::string {
            if constexpr (std::is_pointer_v<std::decay_t<decltype(target)>>) {
                return text_of(*target);
            } else {
                return {};
            }
        },
        target_);
}

bool Field::allows(const Value& value, double number, std::string& problem) const {
    const auto whole = [&] { return static_cast<std::uint64_t>(number); };
    if (number < low_) {
        problem = "expected at least " + number_text(low_);
    } else if (number > high_) {
        problem = "expected at most " + number_text(high_);
    } else if (power_of_two_ && (whole() == 0 || (whole() & (whole() - 1)) != 0)) {
        problem = "expected a power of two";
    } else if (multiple_ != 1 && whole() % multiple_ != 0) {
        problem = "expected a multiple of " + std::to_string(multiple_);
    } else {
        return true;
    }
    problem += ", got " + show(value);
    return false;
}

template <class T>
bool Field::assign_to(T& target, const Value& value, std::string& problem) {
    T converted{};
    if (!convert(value, converted, problem)) return false;
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
        if (!allows(value, static_cast<double>(converted), problem)) return false;
    } else if constexpr (std::is_same_v<T, std::vector<double>> ||
                         std::is_same_v<T, std::vector<std::uint64_t>>) {
        for (std::size_t i = 0; i < converted.size(); ++i) {
            if (!allows(value.items[i], static_cast<double>(converted[i]), problem)) return false;
        }
    }
    target = std::move(converted);
    return true;
}

bool Field::assign_name(const Name& target, const Value& value, std::string& problem) {
    std::string text;
    if (!convert(value, text, problem)) return false;
    const auto it = std::find(target.names.begin(), target.names.end(), text);
    if (it == target.names.end()) {
        problem = unknown_choice(text, target.names);
        return false;
    }
    target.set(static_cast<std::size_t>(it - target.names.begin()));
    return true;
}

bool Field::assign(const Value& value, Provenance provenance, std::string& problem) {
    const bool ok = std::visit(
        [&](auto& target) {
            if constexpr (std::is_pointer_v<std::decay_t<decltype(target)>>) {
                return assign_to(*target, value, problem);
            } else {
                return assign_name(target, value, problem);
            }
        },
        target_);
    if (ok) provenance_ = std::move(provenance);
    return ok;
}

Field& Schema::insert(Field field) {
    fields_.push_back(std::move(field));
    return fields_.back();
}

Field* Schema::find(std::string_view key) {
    const auto it = std::find_if(fields_.begin(), fields_.end(),
                                 [&](const Field& field) { return field.key() == key; });
    return it == fields_.end() ? nullptr : &*it;
}
const Field* Schema::find(std::string_view key) const {
    return const_cast<Schema*>(this)->find(key);
}

bool Schema::is_table(std::string_view key) const {
    return std::any_of(fields_.begin(), fields_.end(), [&](const Field& field) {
        return field.key().size() > key.size() && field.key()[key.size()] == '.' &&
               std::string_view(field.key()).substr(0, key.size()) == key;
    });
}

std::string Schema::unknown_key(const std::string& key) const {
    const auto inside = std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) {
        return field.key().compare(0, key.size() + 1, key + '.') == 0;
    });
    if (inside != fields_.end()) return "expected a key of this table, such as " + inside->key();
    const std::size_t dot = key.rfind('.') + 1;  // 0 without a dot
    const std::string stem = key.substr(0, dot), leaf = key.substr(dot);
    std::vector<std::string> elsewhere, beside, all;
    for (const Field& field : fields_) {
        const std::string& known = field.key();
        if (known.substr(known.rfind('.') + 1) == leaf) elsewhere.push_back(known);
        if (known.compare(0, dot, stem) == 0) {
            beside.push_back(known.substr(0, known.find('.', dot)));
        }
        all.push_back(known);
    }
    // A right name in a wrong or missing table, else a wrong name in its table, else any near key.
    if (!elsewhere.empty()) {
        const std::string nearest = nearest_name(key, elsewhere);
        return "unknown key; did you mean '" + (nearest.empty() ? elsewhere[0] : nearest) + "'?";
    }
    const std::string nearest = nearest_name(key, beside);
    return "unknown key" + did_you_mean(key, nearest.empty() ? all : beside);
}

std::vector<Setting> settings_of(const Schema& schema) {
    std::vector<Setting> settings;
    for (const Field& field : schema.fields()) {
        settings.push_back(
            {field.key(), field.shown(), field.unit(), field.meaning(), field.provenance()});
    }
    return settings;
}

}  // namespace diastole::config
