// The memory bench's result as JSON, schema `diastole.dram/1`: stable keys, units in names.
#include <charconv>
#include <nlohmann/json.hpp>

#include "tb/dram_result.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

double tck_ns(const DramRun& r) {
    return as_double(r.memory.params.timing.tck_ps) / 1000;
}

Json traffic(const DramRun& r) {
    const DramSpec& spec = r.spec;
    const DramPattern& p = spec.pattern;
    Json json;
    if (!spec.trace.empty()) {
        json["trace"] = spec.trace;
        return json;
    }
    json["pattern"] = name_of(p.kind);
    json["reads"] = p.reads;
    json["writes"] = p.writes;
    json["block_bytes"] = p.block_bytes;
    json["offer"] = p.offer == DramOffer::block ? "block" : "atom";
    if (p.kind == DramPatternKind::stride) json["stride_bytes"] = p.stride_bytes;
    if (p.kind == DramPatternKind::streams) json["streams"] = p.streams;
    if (p.kind == DramPatternKind::embedding) {
        json["rows"] = p.rows;
        json["zipf"] = p.zipf;
    }
    const bool drawn = p.kind == DramPatternKind::embedding || p.kind == DramPatternKind::random;
    if (drawn) json["seed"] = p.seed;
    return json;
}

// Null where there was none. Kind 0: reads, 1: writes.
Json latency(const DramRun& r, std::size_t kind) {
    if (r.latency[kind].count == 0) return nullptr;
    Json json;
    json["mean"] = r.latency[kind].mean() * tck_ns(r);
    json["p50"] = r.percentile(kind, 0.50) * tck_ns(r);
    json["p99"] = r.percentile(kind, 0.99) * tck_ns(r);
    json["max"] = r.latency[kind].max * tck_ns(r);
    return json;
}

Json latency(const DramLatency& cycles, double ns) {
    if (cycles.count == 0) return nullptr;
    Json json;
    json["mean"] = cycles.mean() * ns;
    json["max"] = cycles.max * ns;
    return json;
}

Json commands(const DramStats& s) {
    Json json;
    json["act"] = s.activates;
    json["pre"] = s.precharges;
    json["rd"] = s.reads;
    json["wr"] = s.writes;
    json["ref"] = s.refreshes;
    return json;
}

// In which state the time was spent.
Json states(const DramStats& s) {
    Json json;
    json["active"] = s.active_cycles;
    json["refreshing"] = s.refreshing_cycles;
    json["precharged"] = s.idle_cycles;
    return json;
}

Json channel(const DramRun& r, std::size_t index) {
    const DramChannelRun& c = r.channels[index];
    const std::uint64_t bytes = c.lane.atoms * r.memory.params.geometry.atom_bytes;
    const double achieved = as_double(bytes) / r.seconds();
    Json json;
    json["channel"] = index;
    json["requests"] = c.lane.atoms;
    json["bytes"] = bytes;
    json["achieved_bytes_per_second"] = achieved;
    json["utilization"] = achieved / channel_peak(r.memory.params);
    json["row_hit_rate"] = row_hit_rate(c.dram);
    json["read_latency_ns"] = latency(c.lane.latency[0], tck_ns(r));
    json["write_latency_ns"] = latency(c.lane.latency[1], tck_ns(r));
    json["commands"] = commands(c.dram);
    if (r.spec.mode == MemoryMode::exact) json["state_cycles"] = states(c.dram);
    json["bus_cycles"] = c.dram.bus_cycles;
    json["turns"] = c.lane.turns;
    json["refresh_cycles"] = c.dram.refresh_cycles;
    json["idle_cycles"] = c.lane.idle_cycles;
    return json;
}

// A number where the text is one.
Json value_of(const std::string& text) {
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || stop != text.data() + text.size()) return text;
    return Json::parse(text);
}

Json policies(const DramRun& r) {
    const std::string table = "dram.policy.";
    Json json;
    for (const config::Setting& setting : r.memory.settings) {
        if (setting.key.rfind(table, 0) != 0) continue;
        json[setting.key.substr(table.size())] = value_of(setting.value);
    }
    json["memory_mode"] = r.spec.mode == MemoryMode::fast ? "fast" : "exact";
    json["spread"] = r.spread;
    return json;
}

}  // namespace

std::string dram_json(const DramRun& r) {
    const DramParams& params = r.memory.params;
    const double peak = dram_peak(params);
    Json json;
    json["schema"] = "diastole.dram/1";
    json["version"] = DIASTOLE_VERSION;
    json["memory"] = params.standard;
    json["map"] = r.memory.map;
    json["overrides"] = Json::object();
    for (const config::Override& setting : config::parse_overrides(r.spec.settings)) {
        json["overrides"][setting.key] = setting.text;
    }
    json["traffic"] = traffic(r);
    json["requests"] = r.requests;
    json["bytes"] = r.bytes();
    json["cycles"] = r.cycles;
    json["time_seconds"] = r.seconds();
    json["peak_bytes_per_second"] = peak;
    json["achieved_bytes_per_second"] = as_double(r.bytes()) / r.seconds();
    json["utilization"] = as_double(r.bytes()) / r.seconds() / peak;
    json["row_hit_rate"] = row_hit_rate(r.total);
    json["read_latency_ns"] = latency(r, 0);
    json["write_latency_ns"] = latency(r, 1);
    json["commands"] = commands(r.total);
    if (r.spec.mode == MemoryMode::exact) json["state_cycles"] = states(r.total);
    json["per_channel"] = Json::array();
    for (std::size_t i = 0; i < r.channels.size(); ++i)
        json["per_channel"].push_back(channel(r, i));
    json["policies"] = policies(r);
    json["host"]["wall_seconds"] = r.wall_seconds;
    json["host"]["requests_per_second"] =
        r.wall_seconds > 0 ? as_double(r.requests) / r.wall_seconds : 0;
    json["host"]["activations"] = r.activations;
    json["host"]["peak_memory_bytes"] = r.peak_memory_bytes;
    return json.dump(2) + "\n";
}

}  // namespace diastole
