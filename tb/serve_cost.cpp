#include "tb/serve_cost.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/base/error.hpp"
#include "tb/child_processes.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

Picoseconds picoseconds(Cycles cycles, const ChipParams& chip) {
    return Picoseconds(mul_div_ceil(cycles.count(), 1'000'000'000'000ULL, chip.clock_hz));
}

// In a child process: the cost of one batch, as text for the parent.
std::string simulate_batch(const RunSpec& spec) {
    const RunResult r = simulate(spec, [](double) {});
    Cycles run_start = r.start, run_end = r.end;
    std::uint64_t in = 0, out = 0, copies_in = 0, copies_out = 0;
    for (const OperatorRun& run : r.operators) {
        const Operator& op = r.graph.operators[run.record.operator_index];
        if (op.attrs.from_host) {
            run_start = std::max(run_start, run.record.ended);
            in += r.work[run.record.operator_index].written.count();
            ++copies_in;
        } else if (op.attrs.to_host) {
            run_end = std::min(run_end, run.record.started);
            out += r.work[run.record.operator_index].read.count();
            ++copies_out;
        }
    }
    if (run_end <= run_start) {
        throw ConfigError(spec.workload + ": its results leave before its last input is there");
    }
    const HostParams& host = r.chip.params.host;
    return Json{{"run", picoseconds(run_end - run_start, r.chip.params).count()},
                {"in", link_time(host, copies_in, in).count()},
                {"out", link_time(host, copies_out, out).count()}}
        .dump();
}

[[noreturn]] void fail(const RunSpec& spec, const ChildOutcome& outcome) {
    const std::string text = "batch " + std::to_string(*spec.batch) + ": " + outcome.text;
    if (outcome.kind == ChildOutcome::Kind::model_error) throw ModelError(text);
    if (outcome.kind == ChildOutcome::Kind::trace_error) throw TraceError(text);
    throw ConfigError(text);
}

}  // namespace

Picoseconds link_time(const HostParams& host, std::uint64_t copies, std::uint64_t bytes) {
    if (copies == 0) return Picoseconds(0);
    const auto latency = static_cast<std::uint64_t>(std::llround(host.latency_ns * 1000));
    return Picoseconds(copies * latency +
                       mul_div_ceil(bytes, 1'000'000'000'000ULL, host.bytes_per_second));
}

std::vector<std::vector<BatchCost>> measure_batches(
    const std::vector<RunSpec>& specs, const std::vector<std::vector<std::uint64_t>>& samples,
    unsigned at_once, const std::function<void(double)>& progress) {
    std::vector<RunSpec> work;  // of each batch size the cold run, then the warm one
    for (std::size_t model = 0; model < specs.size(); ++model) {
        for (const std::uint64_t size : samples[model]) {
            for (const std::uint32_t warmup : {0U, 1U}) {
                work.push_back(specs[model]);
                work.back().batch = size;
                work.back().warmup = warmup;
                work.back().batches = 1;
            }
        }
    }
    std::size_t done = 0;
    const auto outcomes = run_in_children(
        work.size(), at_once, [&](std::size_t i) { return simulate_batch(work[i]); },
        [&](std::size_t) {
            progress(static_cast<double>(++done) / static_cast<double>(work.size()));
        });
    std::vector<std::vector<BatchCost>> ladders(specs.size());
    std::size_t next = 0;
    for (std::size_t model = 0; model < specs.size(); ++model) {
        for (const std::uint64_t size : samples[model]) {
            Json runs[2];
            for (Json& run : runs) {
                if (outcomes[next].kind != ChildOutcome::Kind::done)
                    fail(work[next], outcomes[next]);
                run = Json::parse(outcomes[next++].text);
            }
            const auto time = [](const Json& run, const char* key) {
                return Picoseconds(run[key].get<std::uint64_t>());
            };
            ladders[model].push_back({size, time(runs[1], "run"), time(runs[0], "run"),
                                      time(runs[0], "in"), time(runs[0], "out")});
        }
    }
    return ladders;
}

}  // namespace diastole
