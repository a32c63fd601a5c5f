#include "workloads/lower/lowering.hpp"

#include <algorithm>
#include <utility>

#include "model/base/error.hpp"
#include "workloads/lower/kernels.hpp"
#include "workloads/lower/weight_prefetch.hpp"

namespace diastole {
namespace {

DType cast(DType type, const Casts& casts) {
    for (const auto& [from, to] : casts) {
        if (type == from) return to;
    }
    return type;
}

Graph with_casts(Graph graph, const Casts& casts) {
    for (Tensor& tensor : graph.tensors) tensor.type = cast(tensor.type, casts);
    for (Operator& op : graph.operators) {
        for (EmbeddingTable& table : op.attrs.tables) table.type = cast(table.type, casts);
    }
    return graph;
}

bool has_bytes(const Operator& op) {
    return op.attrs.bytes || !op.inputs.empty() || !op.outputs.empty();
}

// Operators whose cost nothing in the workload tells. All of them at once, before anything runs.
void check_costs(const Graph& graph, const LoweringOptions& options) {
    std::string problems;
    for (const Operator& op : graph.operators) {
        if (options.recorded && op.recorded_seconds) continue;
        std::string problem;
        if (op.kind == OpKind::opaque && !has_bytes(op)) {
            problem = "is opaque and says neither tensors nor bytes";
        } else if (op.kind == OpKind::collective && op.attrs.world_size > 1) {
            problem = "is a collective of " + std::to_string(op.attrs.world_size) +
                      " chips, and this is one";
        } else if (op.kind == OpKind::attention || op.kind == OpKind::recurrent_cell) {
            problem = "has no kernel: " + std::string(name_of(op.kind));
        }
        if (problem.empty()) continue;
        if (!problems.empty()) problems += '\n';
        problems += describe_operator(op) + " " + problem;
        if (op.recorded_seconds) problems += "; --compute recorded uses its recorded duration";
    }
    if (!problems.empty()) throw ConfigError(problems);
}

class LoweredGraph final : public JobStream {
  public:
    LoweredGraph(const Graph& graph, const ChipParams& chip, const IndexStreams& streams,
                 const LoweringOptions& options, LoweringNotes& notes)
        : cast_(options.casts.empty() ? Graph{} : with_casts(graph, options.casts)),
          graph_(options.casts.empty() ? graph : cast_),
          chip_(chip),
          streams_(streams),
          options_(options),
          memory_(graph_, chip,
                  {options.params.activations_in_lls, options.infer_reuse,
                   options.params.inputs_in_lls}),
          notes_(notes) {
        notes_.assign(graph_.operators.size(), "");
        std::vector<bool> awaited(graph_.operators.size(), false);
        for (const Operator& op : graph_.operators) {
            for (const OperatorIndex dep : op.deps) awaited.at(dep) = true;
        }
        for (OperatorIndex i = 0; i < awaited.size(); ++i) {
            if (!awaited[i]) sinks_.push_back(i);
        }
    }

    std::unique_ptr<Job> next() override {
        const std::uint32_t repetitions = options_.warmup + options_.batches;
        if (graph_.operators.empty() || batch_ == repetitions) return nullptr;
        auto job = make(graph_.operators[operator_]);
        if (++operator_ == graph_.operators.size()) {
            operator_ = 0;
            ++batch_;
        }
        return job;
    }

  private:
    std::unique_ptr<Job> make(const Operator& op) {
        auto job = std::make_unique<Job>();
        job->id = job_id(batch_, operator_);
        job->operator_index = operator_;
        job->batch = batch_;
        add_dependencies(op, *job);
        job->drain_before = options_.warmup > 0 && batch_ == options_.warmup && operator_ == 0;
        fill(op, *job);
        // Of a batch that is one program, the first operator on the PEs is what the host launches.
        if (operator_ == 0) program_launched_ = false;
        if (job->commands) {
            job->launch = graph_.eager || !program_launched_;
            program_launched_ = true;
        }
        return job;
    }

    [[nodiscard]] std::uint64_t job_id(std::uint32_t batch, OperatorIndex op) const {
        return std::uint64_t{batch} * graph_.operators.size() + op;
    }

    // Batches share their tensors. In inference an operator follows itself, so that batches can
    // move through the chip behind each other; in training a batch needs all updates of the last.
    void add_dependencies(const Operator& op, Job& job) const {
        for (const OperatorIndex dep : op.deps) job.deps.push_back(job_id(batch_, dep));
        if (batch_ == 0) return;
        if (graph_.mode == Mode::inference) {
            job.deps.push_back(job_id(batch_ - 1, operator_));
        } else if (op.deps.empty()) {
            for (const OperatorIndex sink : sinks_) job.deps.push_back(job_id(batch_ - 1, sink));
        }
    }

    void fill(const Operator& op, Job& job) {
        std::string note;
        if (options_.recorded && op.recorded_seconds) {
            job.fixed_cycles =
                cycles_from_nanoseconds(*op.recorded_seconds * 1e9, clock_of(chip_)).count();
            note = "recorded duration";
        } else if (op.attrs.host_copy_request && !options_.host_copies) {
            note = "recorded request, not replayed";
        } else if (op.attrs.from_host || op.attrs.to_host) {
            job.host_copy = host_copy(op);
            note = "over the host link";
        } else {
            const LowerContext context{graph_,  chip_,  options_.params, streams_,
                                       memory_, plans_, batch_,          job.id};
            job.commands = lower_operator(context, op, note);
            if (job.commands) prefetch_weights(job);
        }
        if (memory_.spilled(op)) note += ", output spilled from LLS to DRAM";
        if (notes_[operator_].empty()) notes_[operator_] = note;
    }

    void prefetch_weights(Job& job) const {
        const std::uint32_t most = options_.params.prefetch_weights;
        if (most == 0) return;
        const bool again = batch_ + 1 < options_.warmup + options_.batches;
        const auto weights = next_weights(graph_, memory_, chip_, operator_, again, most);
        if (weights) job.commands = with_prefetch(std::move(job.commands), *weights, chip_);
    }

    [[nodiscard]] HostCopy host_copy(const Operator& op) const {
        HostCopy copy;
        const bool down = op.attrs.from_host;
        copy.direction = down ? HostDirection::to_device : HostDirection::to_host;
        const auto& device = down ? op.outputs : op.inputs;
        const auto& other = down ? op.inputs : op.outputs;
        Placement at = memory_.scratch();
        if (!device.empty()) {
            at = down ? memory_.output(op, 0) : memory_.input(op, 0);
            copy.bytes = size_of(graph_.tensors[device[0]]).count();
        } else if (!other.empty()) {
            at = down ? memory_.input(op, 0) : memory_.output(op, 0);
            copy.bytes = size_of(graph_.tensors[other[0]]).count();
        }
        if (op.attrs.bytes) copy.bytes = *op.attrs.bytes;
        copy.space = at.space;
        copy.address = at.address;
        return copy;
    }

    Graph cast_;
    const Graph& graph_;
    const ChipParams& chip_;
    const IndexStreams& streams_;
    LoweringOptions options_;
    MemoryMap memory_;
    GemmPlanCache plans_;
    LoweringNotes& notes_;
    std::vector<OperatorIndex> sinks_;
    std::uint32_t batch_ = 0;
    OperatorIndex operator_ = 0;
    bool program_launched_ = false;  // in this batch
};

}  // namespace

std::unique_ptr<JobStream> lower(const Graph& graph, const ChipParams& chip,
                                 const IndexStreams& streams, const LoweringOptions& options,
                                 LoweringNotes& notes) {
    check_costs(graph, options);
    return std::make_unique<LoweredGraph>(graph, chip, streams, options, notes);
}

}  // namespace diastole
