#include "tb/validation.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "model/base/error.hpp"
#include "tb/child_processes.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

// In a child process: the simulation, as text for the parent.
std::string simulate_case(const ValidationCase& c, const RunSpec& spec) {
    const RunResult result = simulate(spec, [](double) {});
    Json json;
    json["measures"] = Json::array();
    for (const Measure& measure : c.measures) {
        Json values = {{"modelled", modelled(measure, result)}};
        if (const auto roofline = by_roofline(measure, result)) values["roofline"] = *roofline;
        json["measures"].push_back(values);
    }
    json["time_seconds"] = result.counted_seconds();
    json["roofline_seconds"] = result.roofline.seconds;
    json["bound_by"] = result.bound_by;
    json["lowering"] = Json::array();
    std::set<std::string> said;  // layers of one shape are mapped alike
    for (const std::string& note : result.notes) {
        if (!note.empty() && said.insert(note).second) json["lowering"].push_back(note);
    }
    return json.dump();
}

CaseResult read_result(const std::string& text) {
    const Json json = Json::parse(text);
    CaseResult result;
    for (const Json& values : json["measures"]) {
        MeasureResult measure;
        measure.modelled = values["modelled"];
        if (values.contains("roofline")) measure.roofline = values["roofline"].get<double>();
        result.measures.push_back(measure);
    }
    result.time_seconds = json["time_seconds"];
    result.roofline_seconds = json["roofline_seconds"];
    result.bound_by = json["bound_by"];
    result.lowering = json["lowering"].get<std::vector<std::string>>();
    return result;
}

[[noreturn]] void fail(const ValidationCase& c, const ChildOutcome& outcome) {
    const std::string text =
        config::to_string(c.where) + ": case '" + c.name + "': " + outcome.text;
    if (outcome.kind == ChildOutcome::Kind::model_error) throw ModelError(text);
    throw ConfigError(text);
}

// The text of a number's half or double; nothing when it is no number, or there is none.
std::optional<std::string> scaled(const std::string& value, bool doubled) {
    if (value.empty() || value.find_first_not_of("0123456789.e+-") != std::string::npos) {
        return std::nullopt;
    }
    if (value.find_first_not_of("0123456789") != std::string::npos) {
        const double number = std::stod(value);
        return number == 0 ? std::nullopt
                           : std::optional(fmt::format("{}", doubled ? number * 2 : number / 2));
    }
    const std::uint64_t number = std::stoull(value);
    const std::uint64_t changed = doubled ? number * 2 : number / 2;
    return changed == number || changed == 0 ? std::nullopt
                                             : std::optional(std::to_string(changed));
}

struct Job {
    std::size_t number;  // of the case
    RunSpec spec;
    std::optional<Variant>* target;
};

// What a case varies: each assumed number of its chip, up and down.
void add_variants(ValidatedCase& c, std::size_t number, std::vector<Job>& jobs) {
    for (const config::Setting& setting : c.what.chip.settings) {
        if (setting.provenance.assumed.empty()) continue;
        const auto half = scaled(setting.value, false), twice = scaled(setting.value, true);
        if (!half && !twice) {
            c.not_varied.push_back(setting.key);
            continue;
        }
        AssumedValue value{setting.key, setting.value, std::nullopt, std::nullopt};
        if (half) value.halved = Variant{*half, {}, {}};
        if (twice) value.doubled = Variant{*twice, {}, {}};
        c.assumed.push_back(value);
    }
    for (AssumedValue& value : c.assumed) {
        for (std::optional<Variant>* variant : {&value.halved, &value.doubled}) {
            if (!*variant) continue;
            RunSpec spec = c.what.spec;
            spec.settings.push_back(value.key + '=' + (*variant)->value);
            jobs.push_back({number, spec, variant});
        }
    }
}

void vary(Validation& validation, unsigned at_once, Progress& progress) {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < validation.cases.size(); ++i) {
        add_variants(validation.cases[i], i, jobs);
    }
    std::size_t done = 0;
    const auto outcomes = run_in_children(
        jobs.size(), at_once,
        [&](std::size_t i) {
            return simulate_case(validation.cases[jobs[i].number].what, jobs[i].spec);
        },
        [&](std::size_t) {
            progress.show(static_cast<double>(++done) / static_cast<double>(jobs.size()));
        });
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        Variant& variant = **jobs[i].target;
        if (outcomes[i].kind != ChildOutcome::Kind::done) {
            variant.refused = outcomes[i].text;
            continue;
        }
        for (const MeasureResult& measure : read_result(outcomes[i].text).measures) {
            variant.modelled.push_back(measure.modelled);
        }
    }
}

}  // namespace

bool holds(const Measure& measure, double value) {
    return measure.relation == Relation::more_than ? value > measure.measured
                                                   : value < measure.measured;
}

double error_of(const Measure& measure, double value) {
    if (measure.relation != Relation::equals && holds(measure, value)) return 0;
    return is_share(measure.metric) ? value - measure.measured : value / measure.measured - 1;
}

Validation validate_cases(std::vector<ValidationCase> cases, bool sensitivity, unsigned at_once,
                          Progress& progress) {
    Validation validation;
    validation.sensitivity = sensitivity;
    std::size_t done = 0;
    const auto outcomes = run_in_children(
        cases.size(), at_once,
        [&](std::size_t i) { return simulate_case(cases[i], cases[i].spec); },
        [&](std::size_t) {
            progress.show(static_cast<double>(++done) / static_cast<double>(cases.size()));
        });
    for (std::size_t i = 0; i < cases.size(); ++i) {
        if (outcomes[i].kind != ChildOutcome::Kind::done) fail(cases[i], outcomes[i]);
        validation.cases.push_back({std::move(cases[i]), read_result(outcomes[i].text), {}, {}});
    }
    if (sensitivity) vary(validation, at_once, progress);
    return validation;
}

}  // namespace diastole
