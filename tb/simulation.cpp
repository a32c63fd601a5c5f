#include "tb/simulation.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"
#include "model/chip/chip.hpp"
#include "model/config/problems.hpp"
#include "tb/bound_by.hpp"
#include "workloads/generate/index_streams.hpp"
#include "workloads/generate/workload.hpp"
#include "workloads/lower/describe_lowering.hpp"

namespace diastole {
namespace {

// The run while it is under way.
struct Recorder {
    explicit Recorder(const RunSpec& run) : spec(run) {}

    void record(const JobRecord& job) {
        ++jobs_done;
        if (job.batch >= spec.warmup) records.push_back(job);
    }

    const RunSpec& spec;
    std::vector<JobRecord> records;
    std::uint64_t jobs_done = 0;
};

// Gives every cycle between the first start and the last end to the operator that ends first of
// those that run, or to nobody.
void share_time(RunResult& result) {
    std::vector<const JobRecord*> order;
    for (const OperatorRun& run : result.operators) order.push_back(&run.record);
    std::stable_sort(order.begin(), order.end(),
                     [](const auto* a, const auto* b) { return a->ended < b->ended; });
    const auto share_of = [](std::vector<Share>& shares, std::string_view name) -> Share& {
        for (Share& share : shares) {
            if (share.name == name) return share;
        }
        shares.push_back({std::string(name), Cycles(0), 0});
        return shares.back();
    };
    Cycles cursor = result.start;
    for (const JobRecord* record : order) {
        const Operator& op = result.graph.operators[record->operator_index];
        Share& kind = share_of(result.by_kind, name_of(op.kind));
        // Communication is counted apart from the operators of a phase.
        const bool apart = op.kind == OpKind::collective;
        Share& phase = share_of(result.by_phase, apart ? "collective" : name_of(op.phase));
        ++kind.operators;
        ++phase.operators;
        if (record->ended <= cursor) continue;
        const Cycles from = std::max(cursor, record->started);
        result.between_operators += from - cursor;
        kind.time += record->ended - from;
        phase.time += record->ended - from;
        cursor = record->ended;
    }
    if (result.end > cursor) result.between_operators += result.end - cursor;
    const auto longer = [](const Share& a, const Share& b) { return b.time < a.time; };
    std::stable_sort(result.by_kind.begin(), result.by_kind.end(), longer);
}

// Of the whole run: the host link or recorded durations where they had the chip most of the time.
std::string limit_of(const RunResult& result) {
    Cycles host, recorded, all;
    for (const OperatorRun& run : result.operators) {
        const Cycles time = run.record.ended - run.record.started;
        if (run.record.host_copy) host += time;
        if (run.bound_by == "recorded") recorded += time;
        all += time;
    }
    if (recorded * 2 > all) return "recorded durations";
    if (host * 2 > all) return "host_link";
    return bound_by(result.counted.stalls);
}

std::uint64_t peak_memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

LoweringOptions lowering_options(const RunSpec& spec,
                                 const std::vector<config::Override>& settings) {
    LoweringOptions options;
    options.casts = spec.casts;
    options.warmup = spec.warmup;
    options.batches = spec.batches;
    options.recorded = spec.recorded;
    options.host_copies = spec.host_copies;
    options.infer_reuse = !spec.fresh_tensors;
    config::Schema schema;
    describe(schema, options.params);
    config::Problems problems;
    config::apply(schema, settings, problems);
    problems.throw_if_any();
    return options;
}

}  // namespace

RunResult simulate(const RunSpec& spec, const std::function<void(double)>& progress) {
    const auto began = std::chrono::steady_clock::now();
    RunResult result;
    result.spec = spec;
    std::vector<config::Override> chip_settings = config::parse_overrides(spec.settings);
    const LoweringOptions options =
        lowering_options(spec, config::take_table(chip_settings, "lowering"));
    result.chip = load_chip(spec.chip, chip_settings);
    result.graph = spec.graph ? *spec.graph : load_workload(spec.workload, spec.mode, spec.batch);
    for (const Operator& op : result.graph.operators) {
        result.work.push_back(work_of(result.graph, op));
    }
    const GeneratedIndexStreams streams(spec.seed);
    const std::unique_ptr<JobStream> jobs =
        lower(result.graph, result.chip.params, streams, options, result.notes);

    Chip chip("chip", result.chip.params, spec.memory);
    Recorder recorder(spec);
    Snapshot before;
    const auto total_jobs =
        static_cast<double>(result.graph.operators.size()) * (spec.warmup + spec.batches);
    chip.run(
        *jobs, [&](const JobRecord& job) { recorder.record(job); },
        [&](Cycles at) {
            chip.close_accounts(at);
            before = take_snapshot(chip, at);
        },
        [&](Cycles) {
            if (interrupted()) throw Interrupted();
            progress(static_cast<double>(recorder.jobs_done) / total_jobs);
        });
    result.end = chip.control().last_end();
    chip.close_accounts(result.end);
    const Snapshot after = take_snapshot(chip, result.end);
    result.start = before.at;
    result.counted = difference(after, before);
    if (result.end <= result.start) {
        throw ConfigError(spec.workload + ": nothing in it takes any time");
    }
    for (const JobRecord& record : recorder.records) {
        const Operator& op = result.graph.operators[record.operator_index];
        if (op.attrs.host_copy_request && !spec.host_copies) continue;  // it was left out
        result.operators.push_back({record, bound_by(record)});
    }
    result.bound_by = limit_of(result);
    share_time(result);
    result.roofline =
        roofline_of(result.graph, result.chip.params, spec.casts, streams, spec.warmup,
                    spec.batches, spec.host_copies, options.params.inputs_in_lls);
    result.window_cycles = chip.conductor().window().count();
    result.activations = chip.conductor().activations();
    result.module_steps = chip.conductor().module_steps();
    result.total_lookups = after.lookups;
    result.total_bursts = after.memory.dram.reads + after.memory.dram.writes;
    result.peak_memory_bytes = peak_memory();
    result.wall_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    check_work_done(result);
    return result;
}

void check_work_done(const RunResult& result) {
    if (result.spec.recorded) return;  // operators with a recorded duration execute nothing
    std::uint64_t flops = 0, lookups = 0;
    for (std::size_t i = 0; i < result.work.size(); ++i) {
        flops += result.work[i].flops;
        // The backward pass goes over distinct rows; only the forward one looks every index up.
        const bool looks_up = result.graph.operators[i].kind == OpKind::embedding_bag;
        if (looks_up) lookups += result.work[i].lookups;
    }
    flops *= result.spec.batches;
    lookups *= result.spec.batches;
    if (result.counted.matrix_flops() != flops) {
        throw ModelError("the workload has " + std::to_string(flops) +
                         " FLOP of matrix work, the chip executed " +
                         std::to_string(result.counted.matrix_flops()));
    }
    if (result.counted.lookups != lookups) {
        throw ModelError("the workload has " + std::to_string(lookups) +
                         " lookups, the chip executed " + std::to_string(result.counted.lookups));
    }
}

}  // namespace diastole
