// One run of a workload on a chip, from names to numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/base/units.hpp"
#include "model/chip/snapshot.hpp"
#include "model/compute/job_record.hpp"
#include "model/params/preset.hpp"
#include "model/timing/dram_model.hpp"
#include "tb/coverage.hpp"
#include "tb/roofline.hpp"
#include "workloads/graph/operator.hpp"
#include "workloads/graph/work.hpp"
#include "workloads/lower/lowering.hpp"

namespace diastole {

struct RunSpec {
    std::string chip, workload;
    std::shared_ptr<const Graph> graph;  // where there is one: what `workload` names, read already
    std::optional<Mode> mode;            // absent: the workload's own
    std::optional<std::uint64_t> batch;  // likewise
    std::uint32_t warmup = 0, batches = 1;
    Casts casts;
    bool recorded = false, host_copies = false;
    bool fresh_tensors = false;  // do without the inferred reuse of tensors
    MemoryMode memory = MemoryMode::exact;
    std::vector<std::string> settings;  // key=value, of the chip or below `lowering.`
    std::uint64_t seed = 1;
};

// One operator of one counted batch.
struct OperatorRun {
    JobRecord record;
    std::string bound_by;
};

// How long the operators of one kind or phase had the chip; what overlaps counts for the one that
// ended first.
struct Share {
    std::string name;
    Cycles time;
    std::uint64_t operators = 0;
};

struct RunResult {
    RunSpec spec;
    ResolvedChip chip;
    Graph graph;
    std::vector<Work> work;  // by operator
    LoweringNotes notes;     // by operator
    Cycles start, end;       // of the counted batches
    Snapshot counted;        // what happened between them
    std::vector<OperatorRun> operators;
    std::string bound_by;  // the whole run
    std::vector<Share> by_kind, by_phase;
    [[nodiscard]] double counted_seconds() const {
        return seconds(end - start, clock_of(chip.params));
    }
    Cycles between_operators;  // launch and synchronisation
    Roofline roofline;
    std::uint64_t window_cycles = 0;
    // About the host that ran the model.
    double wall_seconds = 0;
    std::uint64_t activations = 0, module_steps = 0;
    std::uint64_t peak_memory_bytes = 0;
    std::uint64_t total_lookups = 0;  // with the warm-up
    std::uint64_t total_bursts = 0;
};

// Throws ConfigError, TraceError, ModelError or Interrupted. `progress` is called now and then with
// the share of the operators that are done, 0 to 1. Only one simulation per process.
RunResult simulate(const RunSpec& spec, const std::function<void(double)>& progress);

// FLOPs and lookups that the counted batches must have executed, and did; throws ModelError if not.
void check_work_done(const RunResult& result);

}  // namespace diastole
