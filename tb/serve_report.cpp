#include "tb/serve_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tb/display.hpp"
#include "tb/line_chart.hpp"
#include "tb/text.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

double as_seconds(Picoseconds time) {
    return as_double(time.count()) / 1e12;
}

const char* name_of(ServiceKind kind) {
    switch (kind) {
        case ServiceKind::model:
            return "model";
        case ServiceKind::constant:
            return "constant";
        case ServiceKind::exponential:
            break;
    }
    return "exponential";
}

Json model_json(const ServedModel& model) {
    Json json = {{"workload", model.name},
                 {"share", model.share},
                 {"samples_per_query", model.sizes.mean()}};
    for (const BatchCost& cost : model.ladder) {
        json["service"].push_back({{"batch", cost.samples},
                                   {"warm_seconds", as_seconds(cost.warm)},
                                   {"cold_seconds", as_seconds(cost.cold)},
                                   {"host_in_seconds", as_seconds(cost.to_device)},
                                   {"host_out_seconds", as_seconds(cost.to_host)}});
    }
    return json;
}

double queueing_fraction(const ServeResult& r) {
    return r.mean_wait / r.mean_latency;
}

}  // namespace

std::string serve_json(const ServeReport& report) {
    const ServeScenario& s = report.scenario;
    const ServeResult& r = report.result;
    Json json;
    json["schema"] = "diastole.serve/1";
    json["version"] = DIASTOLE_VERSION;
    if (!report.chip.empty()) json["chip"] = report.chip;
    json["scenario"] = s.qps > 0 ? "server" : "offline";
    json["service"] = name_of(s.service);
    for (const ServedModel& model : report.models) json["models"].push_back(model_json(model));
    json["window_seconds"] = as_seconds(s.window);
    json["in_flight"] = s.in_flight;
    if (s.qps > 0) json["qps"] = s.qps;
    json["samples_per_second"] = r.samples_per_second();
    json["time_seconds"] = r.seconds;
    json["latency_seconds"] = {{"mean", r.mean_latency}, {"p50", r.p50},   {"p95", r.p95},
                               {"p99", r.p99},           {"p999", r.p999}, {"max", r.max}};
    json["queueing_delay_seconds"] = {{"mean", r.mean_wait}};
    if (r.mean_wait_ci95 > 0) json["queueing_delay_seconds"]["ci95"] = r.mean_wait_ci95;
    json["queueing_fraction"] = queueing_fraction(r);
    json["utilization"] = {{"device", r.device_busy}, {"host_link", r.link_busy}};
    json["batch"] = {{"mean", as_double(r.batch_samples) / as_double(r.batches)},
                     {"full_fraction", as_double(r.full_batches) / as_double(r.batches)}};
    if (report.bound) {
        json["p99_bound_seconds"] = *report.bound;
        json["valid"] = r.p99 <= *report.bound;
    }
    json["arrivals"] = r.arrivals;
    json["batches"] = r.batches;
    json["seed"] = s.seed;
    for (const auto& [load, at] : report.curve) {
        json["curve"].push_back({{"load", load},
                                 {"samples_per_second", at.samples_per_second()},
                                 {"mean_seconds", at.mean_latency},
                                 {"p99_seconds", at.p99}});
    }
    json["assumptions"] = report.assumptions;
    return json.dump(2) + '\n';
}

std::string serve_text(const ServeReport& report) {
    const ServeScenario& s = report.scenario;
    const ServeResult& r = report.result;
    Text out;
    std::string names;
    for (const ServedModel& model : report.models) {
        names += (names.empty() ? "" : " + ") + model.name;
    }
    line(out, "{}{}{}, {} scenario, seed {}", names, report.chip.empty() ? "" : " on ", report.chip,
         s.qps > 0 ? "server" : "offline", s.seed);
    if (s.qps > 0) {
        line(out, "  {:<16}{}queries/s{}", "rate", si(s.qps),
             report.found_max ? ", the highest that meets the bound" : "");
    }
    line(out, "  {:<16}{}samples/s", "throughput", si(r.samples_per_second()));
    line(out, "  {:<16}mean {}s   p50 {}s   p95 {}s   p99 {}s   p99.9 {}s   max {}s", "latency",
         si(r.mean_latency), si(r.p50), si(r.p95), si(r.p99), si(r.p999), si(r.max));
    if (report.bound) {
        line(out, "  {:<16}p99 within {}s: {}", "valid", si(*report.bound),
             r.p99 <= *report.bound ? "yes" : "NO");
    }
    line(out, "  {:<16}{:.1f} % of the mean latency: {}s{}", "waiting", 100 * queueing_fraction(r),
         si(r.mean_wait),
         r.mean_wait_ci95 > 0 ? fmt::format(" +- {}s (95 %)", si(r.mean_wait_ci95)) : "");
    line(out, "  {:<16}device {:.1f} %   host link {:.1f} %", "busy", 100 * r.device_busy,
         100 * r.link_busy);
    line(out, "  {:<16}{} of {:.4g} samples on average, {:.1f} % of them full", "batches",
         r.batches, as_double(r.batch_samples) / as_double(r.batches),
         100 * as_double(r.full_batches) / as_double(r.batches));
    if (s.service == ServiceKind::model) {
        line(out, "\n  {:<24}{:>8}{:>12}{:>12}{:>12}{:>12}", "service of a batch", "samples",
             "warm", "cold", "host in", "host out");
        for (const ServedModel& model : report.models) {
            for (const BatchCost& cost : model.ladder) {
                line(out, "  {:<24}{:>8}{:>12}{:>12}{:>12}{:>12}", model.name, cost.samples,
                     si(as_seconds(cost.warm)) + "s", si(as_seconds(cost.cold)) + "s",
                     si(as_seconds(cost.to_device)) + "s", si(as_seconds(cost.to_host)) + "s");
            }
        }
    }
    if (!report.curve.empty()) {
        line(out, "\n  {:<10}{:>14}{:>12}{:>12}", "load", "samples/s", "mean", "p99");
        for (const auto& [load, at] : report.curve) {
            line(out, "  {:<10}{:>14}{:>12}{:>12}", fmt::format("{:.0f} %", 100 * load),
                 si(at.samples_per_second()), si(at.mean_latency) + "s", si(at.p99) + "s");
        }
    }
    line(out, "\n  assumed and not modelled");
    for (const std::string& text : report.assumptions) line(out, "  - {}", text);
    return fmt::to_string(out);
}

std::string serve_curve_svg(const ServeReport& report) {
    LineChart chart;
    chart.title = "Latency against load";
    if (!report.chip.empty()) chart.title += ", " + report.chip;
    for (const ServedModel& model : report.models) chart.title += ", " + model.name;
    chart.x_title = "load: queries per second, of what full batches alone would allow";
    chart.y_title = "latency";
    chart.y_unit = "s";
    chart.lines = {{"mean", {}}, {"p99", {}}};
    for (const auto& [load, at] : report.curve) {
        chart.lines[0].points.emplace_back(load, at.mean_latency);
        chart.lines[1].points.emplace_back(load, at.p99);
    }
    return svg(chart);
}

}  // namespace diastole
