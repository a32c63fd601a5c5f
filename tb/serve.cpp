// diastole serve: queries with a latency target on a chip.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <thread>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"
#include "model/params/preset.hpp"
#include "tb/bench.hpp"
#include "tb/casts.hpp"
#include "tb/progress.hpp"
#include "tb/serve_cost.hpp"
#include "tb/serve_replay.hpp"
#include "tb/serve_report.hpp"
#include "workloads/generate/workload.hpp"
#include "workloads/graph/byte_source.hpp"

namespace diastole {
namespace {

struct Arguments {
    std::string chip, memory_mode = "exact", service = "model", service_time;
    std::vector<std::string> workloads, settings, casts;
    std::vector<std::uint64_t> batch_sizes;
    std::string samples_per_query = "1", window = "0ms", p99, json, curve;
    std::string replay;
    double qps = 0, scale = 1;
    bool find_max = false, offline = false;
    std::uint64_t queries = 1'000'000, seed = 1;
    std::uint32_t in_flight = 2;
    unsigned at_once = std::max(1U, std::thread::hardware_concurrency());
};

constexpr std::uint64_t most_queries = 100'000'000;  // 0.8 GB of latencies
constexpr double longest_seconds = 1e6;              // a ninth of what picoseconds can count

// "60ms", "250us", "1.5s", "800ns".
Picoseconds time_from(const char* option, const std::string& text, bool may_be_zero) {
    std::size_t end = 0;
    double value = -1;
    try {
        value = std::stod(text, &end);
    } catch (const std::exception&) {
        end = 0;
    }
    const std::string unit = text.substr(end);
    const double scale = unit == "s"    ? 1e12
                         : unit == "ms" ? 1e9
                         : unit == "us" ? 1e6
                         : unit == "ns" ? 1e3
                                        : 0;
    const double picoseconds = value * scale;
    const bool good = end > 0 && scale > 0 && picoseconds < 1e16 &&
                      (may_be_zero ? picoseconds >= 0 : picoseconds >= 1);
    if (good) return Picoseconds(static_cast<std::uint64_t>(std::llround(picoseconds)));
    throw ConfigError(std::string(option) + ": expected a time with its unit (s, ms, us, ns), " +
                      (may_be_zero ? "" : "above 0, ") + "such as 60ms; got '" + text + '\'');
}

// A model description does, a trace has the batch that was recorded.
bool takes_any_batch(const std::string& workload, std::uint64_t own) {
    try {
        load_workload(workload, Mode::inference, own + 1);
        return true;
    } catch (const ConfigError&) {
        return false;
    }
}

// The workload's own batch and its halves down to a sixteenth, unless --batch-sizes says which.
std::vector<std::uint64_t> sizes_of(const Arguments& a, const std::string& workload) {
    std::vector<std::uint64_t> sizes = a.batch_sizes;
    if (sizes.empty()) {
        const std::uint64_t own = load_workload(workload, Mode::inference, std::nullopt).batch;
        sizes.push_back(own);
        const bool any = takes_any_batch(workload, own);
        while (any && sizes.back() > 1 && sizes.back() > own / 16) {
            sizes.push_back(sizes.back() / 2);
        }
    }
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    if (sizes.front() == 0) throw ConfigError("--batch-sizes: expected at least 1, got 0");
    return sizes;
}

// NAME or NAME=SHARE.
ServedModel model_from(const std::string& text, const QuerySizes& sizes) {
    ServedModel model;
    const std::size_t equals = text.rfind('=');
    model.name = text.substr(0, equals);
    model.sizes = sizes;
    if (equals != std::string::npos) {
        const std::string share = text.substr(equals + 1);
        const bool digits = !share.empty() && share.size() <= 6 &&
                            share.find_first_not_of("0123456789") == std::string::npos;
        if (!digits || std::stoull(share) == 0) {
            throw ConfigError("--workload " + text +
                              ": expected NAME=SHARE with a whole share from 1 to 999999");
        }
        model.share = std::stoull(share);
    }
    return model;
}

void measured_models(const Arguments& a, ServeReport& report, const QuerySizes& sizes) {
    if (a.chip.empty() || a.workloads.empty()) {
        throw ConfigError(
            "serve: expected --chip and --workload, or --service constant|exponential with "
            "--service-time");
    }
    std::vector<config::Override> settings = config::parse_overrides(a.settings);
    config::take_table(settings, "lowering");
    report.chip = load_chip(a.chip, settings).params.name;  // before work that it would be lost to
    std::vector<RunSpec> specs;
    std::vector<std::vector<std::uint64_t>> samples;
    for (const std::string& text : a.workloads) {
        report.models.push_back(model_from(text, sizes));
        RunSpec spec;
        spec.chip = a.chip;
        spec.workload = report.models.back().name;
        spec.mode = Mode::inference;
        spec.casts = read_casts(a.casts, "--cast");
        spec.settings = a.settings;
        spec.seed = a.seed;
        spec.memory = a.memory_mode == "fast" ? MemoryMode::fast : MemoryMode::exact;
        specs.push_back(spec);
        samples.push_back(sizes_of(a, spec.workload));
    }
    Progress progress("measuring batches");
    const auto ladders =
        measure_batches(specs, samples, a.at_once, [&](double done) { progress.show(done); });
    for (std::size_t i = 0; i < ladders.size(); ++i) report.models[i].ladder = ladders[i];
    report.assumptions = {
        "a batch is padded to the next size that was measured; a smaller one costs the same",
        "caches are warm when the batch before was of the same model, else cold as at the start",
        "one program a batch, one on the device at a time; copies of other batches go on meanwhile",
        "the host takes no time to form a batch"};
}

void given_model(const Arguments& a, ServeReport& report, const QuerySizes& sizes) {
    if (!a.chip.empty() || !a.workloads.empty() || !a.settings.empty() || !a.casts.empty()) {
        throw ConfigError("--service " + a.service +
                          ": takes its time from --service-time, not from a chip and a workload");
    }
    const Picoseconds time = time_from("--service-time", a.service_time, false);
    ServedModel model;
    model.name = a.service + " service of " + a.service_time;
    model.sizes = sizes;
    const auto batches =
        a.batch_sizes.empty() ? std::vector<std::uint64_t>{sizes.largest()} : sizes_of(a, {});
    for (const std::uint64_t size : batches) {
        model.ladder.push_back({size, time, time, Picoseconds(0), Picoseconds(0)});
    }
    report.models.push_back(std::move(model));
    report.assumptions = {"service times are given, whatever the batch; there is no host link"};
}

void check_sizes(const ServeReport& report) {
    for (const ServedModel& model : report.models) {
        if (model.sizes.largest() <= model.ladder.back().samples) continue;
        throw ConfigError("--samples-per-query: a query of " +
                          std::to_string(model.sizes.largest()) + " samples does not fit " +
                          model.name + "'s largest batch of " +
                          std::to_string(model.ladder.back().samples) + "; see --batch-sizes");
    }
}

void tick(double) {
    if (interrupted()) throw Interrupted();
}

// The highest rate, within 0.1 %, whose p99 is within the bound; nothing if none is.
bool find_max(ServeReport& report) {
    const auto try_rate = [&](double qps) {
        report.scenario.qps = qps;
        report.result = serve_queries(report.models, report.scenario, tick);
        return report.result.p99 <= *report.bound;
    };
    const double capacity = capacity_qps(report.models);
    double good = capacity / 1000, bad = capacity * 2;
    if (!try_rate(good)) return false;
    while (bad / good > 1.001) {
        const double middle = (good + bad) / 2;
        (try_rate(middle) ? good : bad) = middle;
    }
    try_rate(good);
    return true;
}

void draw_curve(ServeReport& report) {
    const double capacity = capacity_qps(report.models);
    for (const double load : {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95}) {
        ServeScenario scenario = report.scenario;
        scenario.qps = capacity * load;
        report.curve.emplace_back(load, serve_queries(report.models, scenario, tick));
    }
}

void check(const Arguments& a) {
    const int chosen = (a.qps != 0 ? 1 : 0) + (a.find_max ? 1 : 0) + (a.offline ? 1 : 0);
    if (chosen != 1)
        throw ConfigError("serve: expected one of --qps, --find-max, --offline, --replay");
    if (a.qps != 0 && !(a.qps > 0 && a.qps <= 1e9)) {
        throw ConfigError("--qps: expected queries per second, above 0 and at most 1e9");
    }
    if (a.find_max && a.p99.empty()) throw ConfigError("--find-max: expected --p99 TIME beside it");
    if (a.queries == 0 || a.queries > most_queries) {
        throw ConfigError("--queries: expected 1 to " + std::to_string(most_queries) + ", got " +
                          std::to_string(a.queries));
    }
    if (a.qps > 0 && static_cast<double>(a.queries) / a.qps > longest_seconds) {
        throw ConfigError("--qps: " + std::to_string(a.queries) +
                          " queries at this rate take more than a million seconds");
    }
    if (a.in_flight == 0) throw ConfigError("--in-flight: expected at least 1, got 0");
}

// With recorded device times: the chip gives its host link and what starting a program costs.
int replay(const Arguments& a) {
    if (!a.workloads.empty() || a.qps != 0 || a.find_max || a.offline || a.service != "model") {
        throw ConfigError(
            "--replay: the trace says what runs and when; it goes with --chip, --set, --scale and "
            "--json only");
    }
    if (a.chip.empty()) throw ConfigError("--replay: expected --chip, whose host link is used");
    if (!(a.scale > 0 && a.scale <= 1000)) {
        throw ConfigError("--scale: expected a factor above 0 and at most 1000");
    }
    std::unique_ptr<AtomicFile> json;
    if (!a.json.empty() && a.json != "-") json = std::make_unique<AtomicFile>(a.json);
    const ChipParams chip = load_chip(a.chip, config::parse_overrides(a.settings)).params;
    const auto time = [](double nanoseconds) {
        return Picoseconds(static_cast<std::uint64_t>(std::llround(nanoseconds * 1000)));
    };
    const Replay result =
        replay_programs(read_programs(*open_file(a.replay)),
                        {chip.host.bytes_per_second, time(chip.host.latency_ns)},
                        {time(chip.control.launch_ns), time(chip.control.replace_ns)}, a.scale);
    const std::string text = replay_json(result, a.replay, chip.name, a.scale);
    if (json) {
        json->write(text);
        json->commit();
    }
    std::fputs((a.json == "-" ? text : replay_text(result, chip.name, a.scale)).c_str(), stdout);
    return 0;
}

int serve(const Arguments& a) {
    if (!a.replay.empty()) return replay(a);
    check(a);
    std::unique_ptr<AtomicFile> json, curve;
    if (!a.json.empty() && a.json != "-") json = std::make_unique<AtomicFile>(a.json);
    if (!a.curve.empty()) curve = std::make_unique<AtomicFile>(a.curve);

    ServeReport report;
    ServeScenario& scenario = report.scenario;
    scenario.qps = a.qps;
    scenario.queries = a.queries;
    scenario.window = time_from("--window", a.window, true);
    scenario.in_flight = a.in_flight;
    scenario.seed = a.seed;
    scenario.service = a.service == "model"      ? ServiceKind::model
                       : a.service == "constant" ? ServiceKind::constant
                                                 : ServiceKind::exponential;
    if (!a.p99.empty()) {
        report.bound = static_cast<double>(time_from("--p99", a.p99, false).count()) / 1e12;
    }
    const QuerySizes sizes = query_sizes_from("--samples-per-query", a.samples_per_query);
    if (scenario.service == ServiceKind::model) {
        measured_models(a, report, sizes);
    } else {
        given_model(a, report, sizes);
    }
    check_sizes(report);

    int code = 0;
    if (a.find_max) {
        report.found_max = find_max(report);
        if (!report.found_max) {
            std::fprintf(stderr,
                         "--p99 %s: no rate meets it; with hardly any load p99 is %.4g ms\n",
                         a.p99.c_str(), report.result.p99 * 1e3);
            return 1;
        }
    } else {
        report.result = serve_queries(report.models, scenario, tick);
        if (report.bound && report.result.p99 > *report.bound) code = 1;
    }
    if (curve) draw_curve(report);
    if (curve) {
        curve->write(serve_curve_svg(report));
        curve->commit();
    }
    if (json) {
        json->write(serve_json(report));
        json->commit();
    }
    std::fputs((a.json == "-" ? serve_json(report) : serve_text(report)).c_str(), stdout);
    return code;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    Arguments& a = *arguments;
    CLI::App* command = app.add_subcommand("serve", "Serve queries within a latency target");
    command->add_option("--chip", a.chip, "chip preset or TOML file");
    command
        ->add_option("--workload", a.workloads, "NAME or NAME=SHARE; more than one share the chip")
        ->allow_extra_args(false);
    command->add_option("--qps", a.qps, "server scenario: queries per second, Poisson");
    command->add_flag("--find-max", a.find_max, "the highest such rate that meets --p99");
    command->add_flag("--offline", a.offline, "offline scenario: all queries at once");
    command->add_option("--p99", a.p99, "bound of the 99th percentile of latency, such as 60ms");
    command
        ->add_option("--samples-per-query", a.samples_per_query,
                     "N, or sizes with weights: 100:2,200:12")
        ->capture_default_str();
    command->add_option("--queries", a.queries, "how many arrive")->capture_default_str();
    command
        ->add_option("--batch-sizes", a.batch_sizes,
                     "what a batch is padded to; the largest is the most that one takes")
        ->delimiter(',');
    command->add_option("--window", a.window, "how long the oldest query waits for others at most")
        ->capture_default_str();
    command->add_option("--in-flight", a.in_flight, "batches handed to the chip at a time")
        ->capture_default_str();
    command->add_option("--service", a.service, "model, or for checks constant or exponential")
        ->check(CLI::IsMember({"model", "constant", "exponential"}))
        ->capture_default_str();
    command->add_option("--service-time", a.service_time, "mean of a batch, with --service");
    command->add_option("--replay", a.replay,
                        "Kineto trace of a server: its submissions and device times");
    command->add_option("--scale", a.scale, "multiplies the device times of --replay");
    command->add_option("--cast", a.casts, "FROM=TO: store and compute one type as another")
        ->allow_extra_args(false);
    command->add_option("--set", a.settings, "KEY=VALUE: change a value of the chip or lowering.*")
        ->allow_extra_args(false);
    command->add_option("--memory-mode", a.memory_mode, "DRAM controller model")
        ->check(CLI::IsMember({"exact", "fast"}))
        ->capture_default_str();
    command->add_option("--seed", a.seed, "of arrivals and index streams")->capture_default_str();
    command->add_option("-j", a.at_once, "simulations at a time")->check(CLI::Range(1, 1024));
    command->add_option("--json", a.json, "write the result as JSON; - for standard output");
    command->add_option("--curve", a.curve, "write latency against load as SVG");
    command->footer(
        "Example:\n  diastole serve --chip mtia-2i --workload rm1 --batch-sizes 32,64 --find-max "
        "--p99 2ms\n  diastole serve --service constant --service-time 1ms --qps 800");
    command->callback([arguments, &action] { action = [arguments] { return serve(*arguments); }; });
}

}  // namespace diastole
