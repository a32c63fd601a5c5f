#include "lowering_fixture.hpp"

#include <catch2/catch.hpp>

#include "model/base/random.hpp"

namespace diastole::test {
namespace {

class TestStream final : public IndexStream {
  public:
    TestStream(const EmbeddingTable& table, std::uint64_t seed)
        : rows_(table.rows), bags_(table.bags), left_(table.lookups), random_(seed) {}
    std::uint32_t next_bag() override {
        ++bag_;
        const std::uint64_t mean = left_ / (bags_ - bag_ + 1);
        const std::uint64_t length =
            bag_ == bags_ ? left_ : std::min(left_, random_.below(2 * mean + 2));
        left_ -= length;
        return static_cast<std::uint32_t>(length);
    }
    std::uint64_t next_row() override { return random_.below(rows_); }

  private:
    std::uint64_t rows_, bags_, left_, bag_ = 0;
    Random random_;
};

bool embeds(const Operator& op) {
    return op.kind == OpKind::embedding_bag || op.kind == OpKind::embedding_bag_backward;
}

// Tensors whose every byte must move.
bool moves_whole(const Graph& graph, const Operator& op, std::size_t input) {
    if (op.kind == OpKind::gather || op.kind == OpKind::scatter) return input > 0;
    if (op.kind == OpKind::layout) {  // a slice reads a part
        std::uint64_t in = 0, out = 0;
        for (const TensorIndex t : op.inputs) in += size_of(graph.tensors[t]).count();
        for (const TensorIndex t : op.outputs) out += size_of(graph.tensors[t]).count();
        return out >= in;
    }
    return !embeds(op);
}

}  // namespace

ChipParams test_chip(std::uint32_t rows, std::uint32_t columns, std::uint64_t local_bytes) {
    ChipParams chip;
    chip.name = "test-chip";
    chip.grid = {rows, columns};
    chip.local_memory.bytes = local_bytes;
    chip.dpe.k_elements[DType::fp16] = 16;
    chip.dpe.k_elements[DType::int8] = 32;
    for (const DType type : {DType::fp32, DType::fp16, DType::int32, DType::int8}) {
        chip.simd.ops_per_cycle[type] = 32;
        chip.vector.ops_per_cycle[type] = 16;
    }
    chip.dram.channels = 16;
    return chip;
}

TensorIndex GraphOf::tensor(std::vector<std::uint64_t> shape, DType type) {
    graph.tensors.push_back({"t" + std::to_string(graph.tensors.size()), std::move(shape), type});
    return static_cast<TensorIndex>(graph.tensors.size() - 1);
}

Operator& GraphOf::add(OpKind kind, std::vector<TensorIndex> inputs,
                       std::vector<TensorIndex> outputs) {
    Operator op;
    op.id = graph.operators.size() + 1;
    op.name = std::string(name_of(kind)) + std::to_string(op.id);
    op.kind = kind;
    op.inputs = std::move(inputs);
    op.outputs = std::move(outputs);
    if (!graph.operators.empty()) {
        op.deps.push_back(static_cast<OperatorIndex>(graph.operators.size() - 1));
    }
    graph.operators.push_back(std::move(op));
    return graph.operators.back();
}

std::unique_ptr<IndexStream> TestStreams::open(const EmbeddingTable& table, std::uint32_t number,
                                               std::uint32_t batch) const {
    return std::make_unique<TestStream>(table, 1000 * batch + number);
}

Checked run_and_check(const Graph& graph, const ChipParams& chip, const LoweringOptions& options) {
    const TestStreams streams;
    Checked checked;
    const MemoryMap memory(
        graph, chip,
        {options.params.activations_in_lls, options.infer_reuse, options.params.inputs_in_lls});
    auto jobs = lower(graph, chip, streams, options, checked.notes);
    while (auto job = jobs->next()) {
        const Operator& op = graph.operators.at(job->operator_index);
        CAPTURE(op.name, checked.notes[job->operator_index]);
        Totals totals;
        if (job->commands) {
            CommandInterpreter interpreter(*job->commands, chip);
            totals = interpreter.run();
            const Work work = work_of(graph, op);
            const bool on_simd = work.flops > 0 && totals.macs == 0;
            if (on_simd) {
                CHECK(totals.flops == work.flops);
            } else {
                CHECK(2 * totals.macs == work.flops);
                if (op.kind != OpKind::embedding_bag_backward) {
                    CHECK(totals.flops == work.flops_vector);
                }
            }
            if (op.kind != OpKind::embedding_bag_backward) CHECK(totals.lookups == work.lookups);
            if (!embeds(op) && op.kind != OpKind::scatter) {
                std::vector<Interval> written;
                REQUIRE_NOTHROW(written = united(totals.writes, true));
                for (std::size_t i = 0; i < op.outputs.size(); ++i) {
                    const Placement at = memory.output(op, i);
                    const std::uint64_t bytes = size_of(graph.tensors[op.outputs[i]]).count();
                    CHECK(covers(written, {at.space, at.address, at.address + bytes}));
                }
            }
            const std::vector<Interval> read = united(totals.reads, false);
            for (std::size_t i = 0; i < op.inputs.size(); ++i) {
                if (!moves_whole(graph, op, i)) continue;
                const Placement at = memory.input(op, i);
                const std::uint64_t bytes = size_of(graph.tensors[op.inputs[i]]).count();
                CHECK(covers(read, {at.space, at.address, at.address + bytes}));
            }
        }
        checked.totals.push_back(std::move(totals));
    }
    return checked;
}

}  // namespace diastole::test
