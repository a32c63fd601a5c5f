// `diastole.validate/1`. No part depends on the machine that ran it.
#include <nlohmann/json.hpp>

#include "tb/validation.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

const char* name_of(Relation relation) {
    switch (relation) {
        case Relation::more_than:
            return "more_than";
        case Relation::less_than:
            return "less_than";
        case Relation::equals:
            break;
    }
    return "equals";
}

// The error under the name of its unit.
void put_error(Json& json, const Measure& measure, double value) {
    const char* key = is_share(measure.metric) ? "error_points" : "error_relative";
    json[key] = error_of(measure, value) * (is_share(measure.metric) ? 100 : 1);
}

Json variant_json(const Measure& measure, std::size_t number, const Variant& variant) {
    Json json;
    json["value"] = variant.value;
    if (variant.modelled.empty()) {
        json["refused"] = variant.refused;
        return json;
    }
    json["modelled"] = variant.modelled[number];
    put_error(json, measure, variant.modelled[number]);
    return json;
}

Json measure_json(const ValidatedCase& c, std::size_t number) {
    const Measure& measure = c.what.measures[number];
    const MeasureResult& result = c.result.measures[number];
    Json json;
    json["quantity"] = key_of(measure.metric);
    if (!measure.engine.empty()) json["engine"] = measure.engine;
    if (!measure.stall.empty()) json["stall"] = measure.stall;
    if (measure.metric == Metric::array_share) json["part"] = key_of(measure.part);
    if (!measure.op.empty()) json["operator"] = measure.op;
    json["unit"] = unit_of(measure.metric);
    json["relation"] = name_of(measure.relation);
    json["measured"] = measure.measured;
    json["modelled"] = result.modelled;
    put_error(json, measure, result.modelled);
    if (measure.relation != Relation::equals) json["holds"] = holds(measure, result.modelled);
    if (result.roofline) json["roofline"]["modelled"] = *result.roofline;
    if (result.roofline) put_error(json["roofline"], measure, *result.roofline);
    json["source"] = measure.source;
    if (!measure.fitted.empty()) json["fitted"] = measure.fitted;
    for (const AssumedValue& value : c.assumed) {
        Json entry = {{"key", value.key}, {"value", value.value}};
        if (value.halved) entry["halved"] = variant_json(measure, number, *value.halved);
        if (value.doubled) entry["doubled"] = variant_json(measure, number, *value.doubled);
        json["sensitivity"].push_back(entry);
    }
    return json;
}

Json case_json(const ValidatedCase& c) {
    const RunSpec& spec = c.what.spec;
    Json json;
    json["name"] = c.what.name;
    json["chip"] = c.what.chip.params.name;
    json["workload"] = spec.graph->name;
    json["mode"] = diastole::name_of(spec.graph->mode);
    json["batch"] = spec.graph->batch;
    json["warmup"] = spec.warmup;
    json["batches"] = spec.batches;
    json["seed"] = spec.seed;
    json["memory_mode"] = spec.memory == MemoryMode::fast ? "fast" : "exact";
    json["overrides"] = Json::object();
    for (const config::Override& setting : config::parse_overrides(spec.settings)) {
        json["overrides"][setting.key] = setting.text;
    }
    json["casts"] = Json::object();
    for (const auto& [from, to] : spec.casts) {
        json["casts"][std::string(diastole::name_of(from))] = diastole::name_of(to);
    }
    if (!c.what.assumed.empty()) json["assumed"] = c.what.assumed;
    if (!c.what.missing.empty()) json["missing"] = c.what.missing;
    json["time_seconds"] = c.result.time_seconds;
    json["roofline_seconds"] = c.result.roofline_seconds;
    json["bound_by"] = c.result.bound_by;
    json["lowering"] = c.result.lowering;
    for (std::size_t i = 0; i < c.what.measures.size(); ++i) {
        json["measures"].push_back(measure_json(c, i));
    }
    if (!c.not_varied.empty()) json["not_varied"] = c.not_varied;
    return json;
}

}  // namespace

std::string validation_json(const Validation& validation) {
    Json json;
    json["schema"] = "diastole.validate/1";
    json["version"] = DIASTOLE_VERSION;
    json["sensitivity"] = validation.sensitivity;
    for (const ValidatedCase& c : validation.cases) json["cases"].push_back(case_json(c));
    return json.dump(2) + "\n";
}

}  // namespace diastole
