#include "tb/coverage.hpp"

#include "tb/simulation.hpp"

namespace diastole {

Coverage coverage_of(const RunResult& result) {
    Coverage coverage;
    std::uint64_t flops = 0, flops_opaque = 0, bytes = 0, bytes_opaque = 0;
    for (std::size_t i = 0; i < result.graph.operators.size(); ++i) {
        const Operator& op = result.graph.operators[i];
        if (op.attrs.host_copy_request && !result.spec.host_copies) {
            ++coverage.skipped_host_copies;
            continue;
        }
        ++coverage.operators;
        const Work& work = result.work[i];
        const std::uint64_t moved = (work.read + work.written).count();
        // With recorded times, what the trace timed is not modelled either.
        const bool opaque =
            op.kind == OpKind::opaque || (result.spec.recorded && op.recorded_seconds.has_value());
        coverage.opaque += opaque;
        flops += work.flops;
        bytes += moved;
        if (opaque) {
            flops_opaque += work.flops;
            bytes_opaque += moved;
        }
    }
    const auto modelled = [](std::uint64_t part, std::uint64_t all) {
        return all == 0 ? 1.0 : 1.0 - static_cast<double>(part) / static_cast<double>(all);
    };
    coverage.flops_modelled = modelled(flops_opaque, flops);
    coverage.bytes_modelled = modelled(bytes_opaque, bytes);
    return coverage;
}

}  // namespace diastole
