#include "workloads/import/kineto.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "model/base/error.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/validate.hpp"
#include "workloads/graph/work.hpp"
#include "workloads/import/kineto_join.hpp"
#include "workloads/import/kineto_kernel.hpp"
#include "workloads/import/tensor_identity.hpp"

namespace diastole {
namespace {

using namespace kineto;

double seconds(Nanoseconds time) {
    return static_cast<double>(time) / 1e9;
}

// DMA requests that stand between two kernels, of one direction.
struct CopyRun {
    std::uint64_t requests = 0, bytes = 0;
    Nanoseconds duration = 0;
};
using CopyRuns = std::map<std::pair<std::size_t, Direction>, CopyRun>;  // before which kernel

class Importer {
  public:
    Importer(Events events, const KinetoOptions& options)
        : events_(std::move(events)), joined_(join(events_)), identity_(result_.graph) {
        Graph& graph = result_.graph;
        graph.name = options.name;
        graph.source = options.source;
        graph.licence = options.licence;
        graph.identity_inferred = true;
    }

    Imported run() {
        const CopyRuns copies = copy_runs();
        KernelDrafts drafts(events_, joined_);
        auto copy = copies.begin();
        auto lone = joined_.lone.begin();
        for (std::size_t i = 0; i <= joined_.kernels.size(); ++i) {
            const bool last = i == joined_.kernels.size();
            for (; copy != copies.end() && copy->first.first == i; ++copy) add_copies(*copy);
            for (; lone != joined_.lone.end(); ++lone) {
                if (!last && lone->launch > joined_.kernels[i].launch) break;
                add_collective(*lone);
            }
            if (!last) add_kernel(joined_.kernels[i], drafts.make(i));
        }
        describe_graph(drafts);
        count();
        return std::move(result_);
    }

  private:
    // A request has no correlation; it belongs in front of the first kernel that the device begins
    // after it.
    CopyRuns copy_runs() {
        std::vector<Nanoseconds> starts;
        for (const JoinedKernel& kernel : joined_.kernels) {
            starts.push_back(events_.device[kernel.device].start);
        }
        std::sort(starts.begin(), starts.end());
        CopyRuns runs;
        for (const DeviceEvent& event : events_.device) {
            if (event.kind == DeviceKind::marker) ++result_.coverage.markers;
            if (event.kind != DeviceKind::dma_request) continue;
            const auto before = std::upper_bound(starts.begin(), starts.end(), event.start);
            CopyRun& run =
                runs[{static_cast<std::size_t>(before - starts.begin()), event.direction}];
            ++run.requests;
            run.bytes += event.bytes;
            run.duration += event.duration;
            count_copy(event);
        }
        return runs;
    }

    void count_copy(const DeviceEvent& event) {
        Coverage& coverage = result_.coverage;
        CopyCount& copies = event.direction == Direction::to_device ? coverage.to_device
                            : event.direction == Direction::to_host ? coverage.to_host
                                                                    : coverage.on_device;
        ++copies.requests;
        copies.bytes += Bytes(event.bytes);
    }

    // Launch order is a chain: an operator waits for the one launched before it, which has waited
    // for the one before that on its own stream. Copies between two operators hang beside the
    // chain, so that it holds without them.
    void link(Operator& op, bool beside) {
        op.id = result_.graph.operators.size() + 1;
        if (last_) op.deps.push_back(*last_);
        const auto index = static_cast<OperatorIndex>(result_.graph.operators.size());
        if (beside) {
            beside_.push_back(index);
            return;
        }
        op.deps.insert(op.deps.end(), beside_.begin(), beside_.end());
        beside_.clear();
        last_ = index;
    }

    void add(Operator op, const Draft& draft, bool beside = false) {
        op.kind = draft.kind;
        op.attrs = draft.attrs;
        identity_.assign(draft, op);
        link(op, beside);
        validate_operator(result_.graph, op);
        result_.graph.operators.push_back(std::move(op));
    }

    void add_copies(const CopyRuns::value_type& item) {
        const auto& [key, run] = item;
        Operator op;
        op.name = "dma_request x" + std::to_string(run.requests);
        op.recorded_seconds = seconds(run.duration);
        add(std::move(op), host_copy(key.second, run.bytes), true);
    }

    void add_collective(const LoneCollective& lone) {
        Operator op;
        op.name = events_.names.text(events_.annotations[lone.annotation].name);
        op.phase = lone.phase;
        const Draft draft = draft_collective(events_, lone.annotation, lone.host_op);
        ++result_.coverage.collectives[draft.attrs.collective];
        add(std::move(op), draft);
    }

    void add_kernel(const JoinedKernel& kernel, NamedDraft draft) {
        const DeviceEvent& event = events_.device[kernel.device];
        Operator op;
        op.name = std::move(draft.name);
        op.phase = kernel.phase;
        op.recorded_seconds = seconds(event.duration);
        const bool host_copy = draft.draft.attrs.host_copy_request;
        if (event.kind == DeviceKind::copy) count_copy(event);
        if (event.kind == DeviceKind::kernel) {
            kernel_operators_.push_back(result_.graph.operators.size());
            Coverage& coverage = result_.coverage;
            coverage.without_host += kernel.host_op ? 0 : 1;
            if (draft.draft.kind == OpKind::opaque) ++coverage.opaque_names[op.name];
            const OutputSource source = draft.draft.output_source;
            coverage.outputs_by_argument += source == OutputSource::argument ? 1 : 0;
            coverage.outputs_by_rule += source == OutputSource::rule ? 1 : 0;
            coverage.outputs_contradicted += source == OutputSource::contradicted ? 1 : 0;
        }
        add(std::move(op), draft.draft, host_copy);
    }

    void describe_graph(const KernelDrafts& drafts) {
        Graph& graph = result_.graph;
        const Coverage& coverage = result_.coverage;
        graph.eager = coverage.without_host * 2 < kernel_operators_.size();
        const bool trains =
            std::any_of(graph.operators.begin(), graph.operators.end(), [](const Operator& op) {
                return op.phase == Phase::backward || op.phase == Phase::optimizer ||
                       op.name.find("backward") != std::string::npos;
            });
        graph.mode = trains ? Mode::training : Mode::inference;
        graph.notes = {
            "tensor identities are inferred from shapes and types",
            "dependencies are the launch order: no two operators overlap",
        };
        if (coverage.to_device.requests + coverage.to_host.requests > 0) {
            graph.notes.emplace_back(
                "copies from and to the host are requests, put together per gap");
        }
        const std::uint64_t rows = batch();
        graph.batch = std::max<std::uint64_t>(1, rows);
        graph.notes.emplace_back(rows > 0 ? "batch is the commonest number of rows of the gemms"
                                          : "batch is not known and taken as 1");
        for (const std::string& note : drafts.notes()) graph.notes.push_back(note);
    }

    // The trace does not say it: the rows of most left operands, forward ones if any; else 0.
    [[nodiscard]] std::uint64_t batch() const {
        std::map<std::uint64_t, std::size_t> counts;
        for (const bool forward_only : {true, false}) {
            for (const Operator& op : result_.graph.operators) {
                if (op.kind != OpKind::gemm) continue;
                if (forward_only && op.phase != Phase::forward) continue;
                ++counts[gemm_of(result_.graph, op).m];
            }
            if (!counts.empty()) break;
        }
        const auto most =
            std::max_element(counts.begin(), counts.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        return most == counts.end() ? 0 : most->first;
    }

    void count() {
        Coverage& coverage = result_.coverage;
        coverage.events = events_.all;
        coverage.kernels = kernel_operators_.size();
        for (const std::size_t index : kernel_operators_) {
            const Operator& op = result_.graph.operators[index];
            const Work work = work_of(result_.graph, op);
            const bool embedding =
                op.kind == OpKind::embedding_bag || op.kind == OpKind::embedding_bag_backward;
            tally(op.kind == OpKind::opaque ? coverage.opaque : coverage.modelled, op, work);
            tally(coverage.by_kind.at(static_cast<std::size_t>(op.kind)), op, work);
            tally(coverage.by_phase.at(static_cast<std::size_t>(op.phase)), op, work);
            if (!embedding) tally(coverage.outside_embedding, op, work);
        }
    }

    static void tally(CoverageAmount& amount, const Operator& op, const Work& work) {
        ++amount.operators;
        amount.flops += work.flops;
        amount.flops_vector += work.flops_vector;
        amount.bytes += work.read + work.written;
        amount.recorded_seconds += op.recorded_seconds.value_or(0);
    }

    Events events_;
    Joined joined_;
    Imported result_;
    TensorIdentity identity_;
    std::optional<OperatorIndex> last_;
    std::vector<OperatorIndex> beside_;
    std::vector<std::size_t> kernel_operators_;
};

}  // namespace

Imported import_kineto(ByteSource& source, const KinetoOptions& options) {
    Events events = read_events(source, options.progress);
    const bool works =
        std::any_of(events.device.begin(), events.device.end(),
                    [](const DeviceEvent& event) { return event.kind == DeviceKind::kernel; });
    if (!works) {
        throw TraceError(source.name() + ": the trace holds no kernel of a device (" +
                         std::to_string(events.all) + " events)");
    }
    try {
        return Importer(std::move(events), options).run();
    } catch (const TraceError& error) {
        throw TraceError(source.name() + ": " + error.what());
    }
}

}  // namespace diastole
