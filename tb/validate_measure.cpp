// The quantities of a measurement, as a run has them and as the roofline would have them.
#include <algorithm>
#include <numeric>
#include <set>

#include "model/base/error.hpp"
#include "model/timing/dram_model.hpp"
#include "tb/validate_case.hpp"

namespace diastole {
namespace {

double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

// Everything that a run says which depends on how long it took.
double in_time(const Measure& measure, const RunResult& r, double time) {
    const double batches = r.spec.batches;
    const DramStats& dram = r.counted.memory.dram;
    const double moved = as_double(dram.bytes_read + dram.bytes_written);
    switch (measure.metric) {
        case Metric::time:
            return time / batches;
        case Metric::flop_rate:
            return as_double(r.counted.matrix_flops()) / time;
        case Metric::sample_rate:
            return as_double(r.graph.batch) * batches / time;
        case Metric::dram_rate:
            return moved / time;
        case Metric::peak_share:
            return r.roofline.matrix_seconds / time;
        case Metric::dram_share:
            return moved / time / dram_peak(r.chip.params.dram);
        case Metric::stall_share:
        case Metric::array_share:
            break;
    }
    throw ModelError("a stall share is no function of time alone");
}

double stall_share(const Measure& measure, const RunResult& r) {
    for (const EngineStalls& engine : r.counted.engine_stalls()) {
        if (engine.name != measure.engine) continue;
        double all = 0, part = 0;
        for (std::size_t i = 0; i < stall_count; ++i) {
            all += as_double(engine.cycles[i]);
            if (stall_names[i] == measure.stall) part = as_double(engine.cycles[i]);
        }
        return all > 0 ? part / all : 0;
    }
    throw ModelError("there is no engine '" + measure.engine + "'");
}

// The parts sum to 1. What the array does not do while it works or waits for DRAM is a stall for
// weights: activations are on the chip.
double array_share(ArrayPart part, const RunResult& r) {
    const StallCycles& cycles = r.counted.stalls[static_cast<std::size_t>(Unit::matrix)];
    const double all = as_double(std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0}));
    const double active = as_double(r.counted.array_streaming) / all;
    const double shift = as_double(r.counted.array_loading) / all;
    const double fed = as_double(cycles[static_cast<std::size_t>(Stall::busy)] +
                                 cycles[static_cast<std::size_t>(Stall::wait_dram)]) /
                       all;
    const double stall = std::max(0.0, fed - active - shift);
    switch (part) {
        case ArrayPart::active:
            return active;
        case ArrayPart::weight_shift:
            return shift;
        case ArrayPart::weight_stall:
            return stall;
        case ArrayPart::non_matrix:
            break;
    }
    return 1 - active - shift - stall;
}

// Mean over the counted batches of what passes between an operator's first start and last end.
double operator_time(const std::string& name, const RunResult& r) {
    std::uint64_t cycles = 0;
    for (const OperatorRun& run : r.operators) {
        if (r.graph.operators[run.record.operator_index].name != name) continue;
        cycles += (run.record.ended - run.record.started).count();
    }
    return seconds(Cycles(cycles), clock_of(r.chip.params)) / r.spec.batches;
}

// What an operator reads that no other one has written comes from DRAM; the rest is on the chip.
double operator_roofline(const std::string& name, const RunResult& r) {
    double sum = 0;
    std::set<TensorIndex> written;
    for (std::size_t i = 0; i < r.graph.operators.size(); ++i) {
        const Operator& op = r.graph.operators[i];
        double bytes = 0;
        for (const TensorIndex index : op.inputs) {
            const Tensor& tensor = r.graph.tensors[index];
            if (written.count(index) != 0) continue;
            bytes +=
                as_double(element_count(tensor) * size_of(cast_type(r.spec.casts, tensor.type)));
        }
        written.insert(op.outputs.begin(), op.outputs.end());
        if (op.name != name) continue;
        const DType type = cast_type(r.spec.casts, r.graph.tensors[op.inputs.front()].type);
        const double peak = peak_matrix_flops(r.chip.params, type);
        const double matrix = peak > 0 ? as_double(r.work[i].flops) / peak : 0;
        sum += std::max(bytes / dram_peak(r.chip.params.dram), matrix);
    }
    return sum;
}

}  // namespace

const char* unit_of(Metric metric) {
    switch (metric) {
        case Metric::time:
            return "seconds";
        case Metric::flop_rate:
            return "flop_per_second";
        case Metric::sample_rate:
            return "samples_per_second";
        case Metric::dram_rate:
            return "bytes_per_second";
        case Metric::peak_share:
        case Metric::dram_share:
        case Metric::stall_share:
        case Metric::array_share:
            break;
    }
    return "share";
}

std::string name_of(const Measure& measure) {
    switch (measure.metric) {
        case Metric::time:
            return measure.op.empty() ? "time" : "time of " + measure.op;
        case Metric::flop_rate:
            return "matrix rate";
        case Metric::sample_rate:
            return "samples";
        case Metric::dram_rate:
            return "DRAM bandwidth";
        case Metric::peak_share:
            return "share of peak";
        case Metric::dram_share:
            return "share of DRAM bandwidth";
        case Metric::array_share:
            return std::string("array ") + key_of(measure.part);
        case Metric::stall_share:
            break;
    }
    return measure.engine + ' ' + measure.stall;
}

double modelled(const Measure& measure, const RunResult& result) {
    if (measure.metric == Metric::array_share) return array_share(measure.part, result);
    if (measure.metric == Metric::stall_share) return stall_share(measure, result);
    if (!measure.op.empty()) return operator_time(measure.op, result);
    return in_time(measure, result, result.counted_seconds());
}

// Of stalls it knows what its own terms say: the matrix engines work at their peak or wait for the
// DRAM. Bytes are the compulsory ones.
std::optional<double> by_roofline(const Measure& measure, const RunResult& result) {
    const Roofline& roofline = result.roofline;
    if (roofline.seconds <= 0) return std::nullopt;
    if (!measure.op.empty()) return operator_roofline(measure.op, result);
    if (measure.metric == Metric::dram_share) return roofline.dram_seconds / roofline.seconds;
    if (measure.metric == Metric::dram_rate) {
        return as_double(roofline.compulsory_bytes) / roofline.seconds;
    }
    if (measure.metric != Metric::stall_share && measure.metric != Metric::array_share) {
        return in_time(measure, result, roofline.seconds);
    }
    const bool array = measure.metric == Metric::array_share;
    const double busy = roofline.matrix_seconds / roofline.seconds;
    const double starved = roofline.limited_by == "dram" ? 1 - busy : 0;
    if (array && measure.part == ArrayPart::active) return busy;
    if (array && measure.part == ArrayPart::weight_stall) return starved;
    if (measure.engine != "matrix") return std::nullopt;
    if (measure.stall == "busy") return busy;
    if (measure.stall == "wait_dram") return starved;
    return std::nullopt;
}

}  // namespace diastole
