#include "workloads/lower/memory_map.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "model/base/error.hpp"
#include "workloads/lower/embedding_operands.hpp"
#include "workloads/lower/weight_tiles.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t moment_bytes = 4;  // fp32

std::string gigabytes(std::uint64_t bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g GB", static_cast<double>(bytes) / 1e9);
    return text.data();
}

std::uint64_t table_bytes(const EmbeddingTable& table) {
    return table.rows * table.dim * size_of(table.type);
}

// Tables are known by name and size across operators; a nameless one belongs to its operator.
std::string table_key(const Operator& op, std::size_t i) {
    const EmbeddingTable& table = op.attrs.tables[i];
    if (!table.name.empty()) {
        return table.name + " " + std::to_string(table.rows) + "x" + std::to_string(table.dim);
    }
    return "#" + std::to_string(op.id) + "." + std::to_string(i);
}

// First and last operator that touches each tensor, and whether it is written before it is read.
struct Lifetime {
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    std::size_t last_read = never;
    bool produced = false;
    bool seen = false;
};

std::vector<Lifetime> lifetimes(const Graph& graph) {
    std::vector<Lifetime> result(graph.tensors.size());
    for (std::size_t i = 0; i < graph.operators.size(); ++i) {
        const Operator& op = graph.operators[i];
        for (const TensorIndex t : op.inputs) {
            result.at(t).last_read = i;
            result[t].seen = true;
        }
        for (const TensorIndex t : op.outputs) {
            if (!result.at(t).seen) result[t].produced = true;
            result[t].seen = true;
        }
    }
    return result;
}

// Bytes of the weights that lie in whole tiles, by tensor; 0: as any tensor.
std::vector<std::uint64_t> tiled_weights(const Graph& graph, const ChipParams& chip) {
    std::vector<std::uint64_t> bytes(graph.tensors.size(), 0);
    if (!chip.dpe.weight_tiles) return bytes;
    for (const Operator& op : graph.operators) {
        const bool has_weights = op.kind == OpKind::gemm || op.kind == OpKind::batched_gemm ||
                                 op.kind == OpKind::convolution;
        if (!has_weights) continue;
        std::uint64_t& of_tensor = bytes.at(op.inputs.at(1));
        of_tensor = std::max(of_tensor, stored_weight_bytes(graph, op, chip));
    }
    return bytes;
}

}  // namespace

bool AddressRanges::take(std::uint64_t bytes, std::uint64_t& address) {
    const std::uint64_t size = round_up(std::max<std::uint64_t>(bytes, 1), alignment_);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
        if (it->second >= size && (best == free_.end() || it->second < best->second)) best = it;
    }
    if (best == free_.end()) return false;
    address = best->first;
    const std::uint64_t rest = best->second - size;
    free_.erase(best);
    if (rest > 0) free_.emplace(address + size, rest);
    extent_ = std::max(extent_, address + size);
    return true;
}

void AddressRanges::give_back(std::uint64_t address, std::uint64_t bytes) {
    std::uint64_t size = round_up(std::max<std::uint64_t>(bytes, 1), alignment_);
    auto next = free_.lower_bound(address);
    if (next != free_.end() && address + size == next->first) {
        size += next->second;
        next = free_.erase(next);
    }
    if (next != free_.begin()) {
        const auto before = std::prev(next);
        if (before->first + before->second == address) {
            before->second += size;
            return;
        }
    }
    free_.emplace(address, size);
}

std::uint64_t scratch_bytes(const Graph& graph, const Operator& op) {
    if (op.kind == OpKind::embedding_bag || op.kind == OpKind::embedding_bag_backward) {
        // Indices and weights that no tensor holds, sorted (row, bag, weight) of the backward pass,
        // offsets: each as wide as it gets.
        return total_lookups(op) * (8 + 8 + 12) + (total_bags(op) + op.attrs.tables.size()) * 8;
    }
    if (op.attrs.bytes) return *op.attrs.bytes;
    if (op.kind == OpKind::gather || op.kind == OpKind::scatter) {
        std::uint64_t most = 0;
        for (const TensorIndex t : op.inputs) {
            most = std::max(most, element_count(graph.tensors[t]));
        }
        return most * 8;
    }
    return 0;
}

MemoryMap::MemoryMap(const Graph& graph, const ChipParams& chip, const MemoryOptions& options)
    : graph_(&graph), tensors_(graph.tensors.size()), spilled_(graph.operators.size(), false) {
    place_all(chip, options);
    const std::uint64_t capacity = diastole::dram_bytes(chip.dram);
    if (dram_bytes_ > capacity) {
        throw ConfigError("'" + graph.name + "' needs " + gigabytes(dram_bytes_) +
                          " of memory and chip '" + chip.name + "' has " + gigabytes(capacity) +
                          ": " + std::to_string(ceil_div(dram_bytes_, capacity)) +
                          " such chips would hold it");
    }
}

void MemoryMap::place_all(const ChipParams& chip, const MemoryOptions& options) {
    const Graph& graph = *graph_;
    const std::uint64_t alignment =
        std::max<std::uint64_t>(chip.sram.interleave_bytes, chip.sram.line_bytes);
    const std::vector<Lifetime> lives = lifetimes(graph);
    // Planned without a limit, so that the message can say how much is missing.
    AddressRanges dram(std::uint64_t{1} << 62, alignment);
    AddressRanges lls(chip.sram.lls_bytes, alignment);
    const auto in_dram = [&](std::uint64_t bytes) {
        Placement at;
        dram.take(bytes, at.address);
        return at;
    };
    const bool reuse = options.infer_reuse || !graph.identity_inferred;
    const bool inputs_in_lls = options.inputs_in_lls && graph.mode == Mode::inference;

    const std::vector<std::uint64_t> tiled = tiled_weights(graph, chip);
    weights_.assign(tiled.size(), false);
    for (std::size_t t = 0; t < tiled.size(); ++t) {
        weights_[t] = reuse && tiled[t] > 0 && !lives[t].produced;
    }
    if (reuse) {
        for (std::size_t t = 0; t < lives.size(); ++t) {
            if (!lives[t].seen || lives[t].produced) continue;
            const std::uint64_t bytes = std::max(size_of(graph.tensors[t]).count(), tiled[t]);
            std::uint64_t address = 0;
            if (inputs_in_lls && lls.take(bytes, address)) {
                tensors_[t] = {Space::lls, address};
            } else {
                tensors_[t] = in_dram(bytes);
            }
        }
    }
    std::uint64_t scratch = 0;
    for (const Operator& op : graph.operators) {
        scratch = std::max(scratch, scratch_bytes(graph, op));
        if (op.attrs.tables.empty()) continue;
        const EmbeddingOperands operands = embedding_operands(graph, op);
        for (std::size_t i = 0; i < op.attrs.tables.size(); ++i) {
            const EmbeddingTable& table = op.attrs.tables[i];
            const std::string key = table_key(op, i);
            if (!operands.tables[i].found() && tables_.count(key) == 0) {
                tables_[key] = in_dram(table_bytes(table));
            }
            if (op.kind == OpKind::embedding_bag_backward && !operands.moments[i].found() &&
                moments_.count(key) == 0) {
                moments_[key] = in_dram(table.rows * moment_bytes);
            }
        }
    }
    if (scratch > 0) scratch_ = in_dram(scratch).address;

    if (!reuse) {
        // No identity: every operand is a tensor of its own. They follow each other through all of
        // the memory and begin again at its end.
        const std::uint64_t base = dram.extent();
        const std::uint64_t capacity = diastole::dram_bytes(chip.dram);
        std::uint64_t at = base, extent = base;
        const auto next = [&](TensorIndex t) {
            const std::uint64_t bytes =
                round_up(std::max<std::uint64_t>(size_of(graph.tensors[t]).count(), 1), alignment);
            if (at + bytes > capacity) at = base;
            const Placement placement{Space::dram, at};
            at += bytes;
            extent = std::max(extent, at);
            return placement;
        };
        for (const Operator& op : graph.operators) {
            auto& operands = fresh_.emplace_back();
            for (const TensorIndex t : op.inputs) operands.push_back(next(t));
            for (const TensorIndex t : op.outputs) operands.push_back(next(t));
        }
        dram_bytes_ = extent;
        return;
    }

    const bool use_lls = options.activations_in_lls && graph.mode == Mode::inference;
    std::vector<bool> placed(lives.size(), false);
    for (std::size_t t = 0; t < lives.size(); ++t) placed[t] = !lives[t].produced;
    for (std::size_t i = 0; i < graph.operators.size(); ++i) {
        const Operator& op = graph.operators[i];
        for (const TensorIndex t : op.outputs) {
            if (placed[t]) continue;
            placed[t] = true;
            const std::uint64_t bytes = size_of(graph.tensors[t]).count();
            std::uint64_t address = 0;
            if (use_lls && lls.take(bytes, address)) {
                tensors_[t] = {Space::lls, address};
            } else {
                if (use_lls && chip.sram.lls_bytes > 0) spilled_[i] = true;
                tensors_[t] = in_dram(bytes);
            }
        }
        // What nothing reads any more makes room; results that nothing ever reads stay.
        std::vector<TensorIndex> read = op.inputs;
        std::sort(read.begin(), read.end());
        read.erase(std::unique(read.begin(), read.end()), read.end());
        for (const TensorIndex t : read) {
            if (!lives[t].produced || lives[t].last_read != i) continue;
            const bool rewritten =
                std::find(op.outputs.begin(), op.outputs.end(), t) != op.outputs.end();
            if (rewritten) continue;
            const std::uint64_t bytes = size_of(graph.tensors[t]).count();
            AddressRanges& ranges = tensors_[t].space == Space::lls ? lls : dram;
            ranges.give_back(tensors_[t].address, bytes);
        }
    }
    dram_bytes_ = dram.extent();
    lls_bytes_ = lls.extent();
}

Placement MemoryMap::input(const Operator& op, std::size_t i) const {
    if (fresh_.empty()) return tensors_.at(op.inputs.at(i));
    return fresh_.at(static_cast<std::size_t>(&op - graph_->operators.data())).at(i);
}

Placement MemoryMap::output(const Operator& op, std::size_t i) const {
    if (fresh_.empty()) return tensors_.at(op.outputs.at(i));
    return fresh_.at(static_cast<std::size_t>(&op - graph_->operators.data()))
        .at(op.inputs.size() + i);
}

Placement MemoryMap::table(const Operator& op, std::size_t i) const {
    const OperandRef ref = embedding_operands(*graph_, op).tables.at(i);
    if (!ref.found()) return tables_.at(table_key(op, i));
    Placement at = input(op, static_cast<std::size_t>(ref.input));
    at.address += ref.offset;
    return at;
}

Placement MemoryMap::moment(const Operator& op, std::size_t i) const {
    const OperandRef ref = embedding_operands(*graph_, op).moments.at(i);
    if (!ref.found()) return moments_.at(table_key(op, i));
    Placement at = input(op, static_cast<std::size_t>(ref.input));
    at.address += ref.offset;
    return at;
}

bool MemoryMap::is_weight(const Operator& op, std::size_t i) const {
    return weights_.at(op.inputs.at(i));
}

bool MemoryMap::spilled(const Operator& op) const {
    return spilled_.at(static_cast<std::size_t>(&op - graph_->operators.data()));
}

}  // namespace diastole
