#include "workloads/lower/weight_prefetch.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "workloads/lower/weight_tiles.hpp"

namespace diastole {
namespace {

bool has_weights(const Operator& op) {
    return op.kind == OpKind::gemm || op.kind == OpKind::batched_gemm ||
           op.kind == OpKind::convolution;
}

bool is_written(const Graph& graph, TensorIndex tensor) {
    return std::any_of(graph.operators.begin(), graph.operators.end(), [&](const Operator& op) {
        return std::find(op.outputs.begin(), op.outputs.end(), tensor) != op.outputs.end();
    });
}

class PrefetchingSource final : public CommandSource {
  public:
    PrefetchingSource(std::unique_ptr<CommandSource> inner, const WeightRange& weights,
                      const ChipParams& chip)
        : inner_(std::move(inner)), weights_(weights), left_(pe_count(chip), 0) {
        std::vector<std::uint32_t> members;
        for (std::uint32_t pe = 0; pe < left_.size(); ++pe) {
            if (inner_->participates(pe)) members.push_back(pe);
        }
        first_.assign(left_.size(), 0);
        const std::uint64_t share =
            round_up(ceil_div(weights.bytes, members.size()), chip.sram.interleave_bytes);
        std::uint64_t at = 0;
        for (const std::uint32_t pe : members) {
            first_[pe] = at;
            left_[pe] = std::min(share, weights.bytes - at);
            at += left_[pe];
        }
    }

    [[nodiscard]] const std::vector<std::uint32_t>& circular_buffers() const override {
        return inner_->circular_buffers();
    }
    [[nodiscard]] bool participates(std::uint32_t pe) const override {
        return inner_->participates(pe);
    }
    bool next(std::uint32_t pe, Command& out) override {
        if (inner_->next(pe, out)) return true;
        if (left_[pe] == 0) return false;
        out = Command{};
        out.unit = Unit::dma_in;
        auto& transfer = out.payload.emplace<Transfer>();
        transfer.prefetch = true;
        transfer.space = weights_.at.space;
        transfer.address = weights_.at.address + first_[pe];
        transfer.row_bytes = static_cast<std::uint32_t>(left_[pe]);
        transfer.pitch = transfer.row_bytes;
        left_[pe] = 0;
        return true;
    }

  private:
    std::unique_ptr<CommandSource> inner_;
    WeightRange weights_;
    std::vector<std::uint64_t> first_, left_;  // by PE: where its part begins, and how long it is
};

}  // namespace

std::optional<WeightRange> next_weights(const Graph& graph, const MemoryMap& memory,
                                        const ChipParams& chip, OperatorIndex index, bool again,
                                        std::uint64_t most) {
    if (!has_weights(graph.operators[index])) return std::nullopt;
    const std::size_t count = graph.operators.size();
    for (std::size_t i = index + 1; i < (again ? count + index + 1 : count); ++i) {
        const Operator& op = graph.operators[i % count];
        if (!has_weights(op)) continue;
        const Placement at = memory.input(op, 1);
        if (at.space != Space::dram || is_written(graph, op.inputs[1])) return std::nullopt;
        return WeightRange{at, std::min(most, stored_weight_bytes(graph, op, chip))};
    }
    return std::nullopt;
}

std::unique_ptr<CommandSource> with_prefetch(std::unique_ptr<CommandSource> inner,
                                             const WeightRange& weights, const ChipParams& chip) {
    return std::make_unique<PrefetchingSource>(std::move(inner), weights, chip);
}

}  // namespace diastole
