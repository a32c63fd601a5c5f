#include "tb/roofline.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "workloads/graph/convolution.hpp"
#include "workloads/graph/work.hpp"

namespace diastole {
namespace {

double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

// Time of matrix work by engine: the matrix engine where it has the type, else the vector units,
// else the SIMD engine. A type that none of them has is emulated, at no rate that is known here.
class MatrixTime {
  public:
    explicit MatrixTime(const ChipParams& chip) : chip_(chip) {}
    void add(DType type, std::uint64_t flops) {
        const std::array<double, 3> peaks = {peak_matrix_flops(chip_, type),
                                             peak_ops(chip_, chip_.vector, type),
                                             peak_ops(chip_, chip_.simd, type)};
        for (std::size_t engine = 0; engine < peaks.size(); ++engine) {
            if (peaks[engine] == 0) continue;
            seconds_[engine] += as_double(flops) / peaks[engine];
            return;
        }
    }
    // The engines may work side by side.
    [[nodiscard]] double longest() const {
        return *std::max_element(seconds_.begin(), seconds_.end());
    }

  private:
    const ChipParams& chip_;
    std::array<double, 3> seconds_{};
};

double vector_peak(const ChipParams& chip) {
    double per_pe = chip.reduction.elements_per_cycle;
    for (const SimdParams* engine : {&chip.simd, &chip.vector}) {
        per_pe += *std::max_element(engine->ops_per_cycle.values.begin(),
                                    engine->ops_per_cycle.values.end());
    }
    return per_pe * pe_count(chip) * as_double(chip.clock_hz);
}

bool reads_by_index(OpKind kind) {
    return kind == OpKind::embedding_bag || kind == OpKind::embedding_bag_backward ||
           kind == OpKind::gather || kind == OpKind::scatter;
}

// Bytes of tensors that are read before any operator wrote them.
std::uint64_t external_bytes(const Graph& graph, const Casts& casts) {
    std::set<TensorIndex> known;
    std::uint64_t bytes = 0;
    for (const Operator& op : graph.operators) {
        const bool free = op.kind == OpKind::copy || op.kind == OpKind::collective ||
                          op.kind == OpKind::opaque || op.kind == OpKind::layout ||
                          reads_by_index(op.kind);
        for (const TensorIndex index : op.inputs) {
            if (free || !known.insert(index).second) continue;
            const Tensor& tensor = graph.tensors[index];
            std::uint64_t elements = element_count(tensor);
            if (op.kind == OpKind::convolution && index == op.inputs.front()) {
                elements = convolution_of(graph, op).touched_elements();
            }
            bytes += elements * size_of(cast_type(casts, tensor.type));
        }
        known.insert(op.outputs.begin(), op.outputs.end());
    }
    return bytes;
}

std::uint64_t distinct_row_bytes(const Graph& graph, const Casts& casts,
                                 const IndexStreams& streams, std::uint32_t warmup,
                                 std::uint32_t batches) {
    std::uint64_t bytes = 0;
    for (const Operator& op : graph.operators) {
        if (op.kind != OpKind::embedding_bag) continue;
        for (std::size_t t = 0; t < op.attrs.tables.size(); ++t) {
            const EmbeddingTable& table = op.attrs.tables[t];
            std::vector<bool> seen(table.rows, false);
            std::uint64_t distinct = 0;
            for (std::uint32_t batch = warmup; batch < warmup + batches; ++batch) {
                const auto stream = streams.open(table, static_cast<std::uint32_t>(t), batch);
                for (std::uint32_t bag = 0; bag < table.bags; ++bag) {
                    for (std::uint32_t n = stream->next_bag(); n > 0; --n) {
                        const std::uint64_t row = stream->next_row();
                        if (!seen[row]) {
                            seen[row] = true;
                            ++distinct;
                        }
                    }
                }
            }
            bytes += distinct * table.dim * size_of(cast_type(casts, table.type));
        }
    }
    return bytes;
}

}  // namespace

DType cast_type(const Casts& casts, DType type) {
    for (const auto& [from, to] : casts) {
        if (from == type) return to;
    }
    return type;
}

Roofline roofline_of(const Graph& graph, const ChipParams& chip, const Casts& casts,
                     const IndexStreams& streams, std::uint32_t warmup, std::uint32_t batches,
                     bool host_copies, bool inputs_on_chip) {
    Roofline result;
    MatrixTime matrix(chip);
    std::uint64_t flops_vector = 0, host_in = 0, host_out = 0;
    for (const Operator& op : graph.operators) {
        const Work work = work_of(graph, op);
        if (work.flops > 0) {
            const DType type = cast_type(casts, graph.tensors[op.inputs.front()].type);
            matrix.add(type, work.flops);
        }
        if (!reads_by_index(op.kind)) flops_vector += work.flops_vector;
        if (op.attrs.host_copy_request && !host_copies) continue;
        if (op.attrs.from_host) host_in += work.written.count();
        if (op.attrs.to_host) host_out += work.read.count();
    }
    result.matrix_seconds = batches * matrix.longest();
    result.vector_seconds = batches * as_double(flops_vector) / vector_peak(chip);
    result.host_seconds =
        batches * as_double(std::max(host_in, host_out)) / as_double(chip.host.bytes_per_second);

    const std::uint64_t needed =
        external_bytes(graph, casts) + distinct_row_bytes(graph, casts, streams, warmup, batches);
    const std::uint64_t held = warmup > 0 || inputs_on_chip ? chip.sram.bytes : 0;
    result.compulsory_bytes = needed > held ? needed - held : 0;
    result.dram_seconds = as_double(result.compulsory_bytes) / dram_peak(chip.dram);

    const std::array<std::pair<double, const char*>, 4> terms = {{{result.matrix_seconds, "matrix"},
                                                                  {result.vector_seconds, "vector"},
                                                                  {result.dram_seconds, "dram"},
                                                                  {result.host_seconds, "host"}}};
    for (const auto& [seconds, name] : terms) {
        if (seconds >= result.seconds) {
            result.seconds = seconds;
            result.limited_by = name;
        }
    }
    return result;
}

}  // namespace diastole
