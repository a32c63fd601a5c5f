#include <algorithm>

#include "model/base/error.hpp"
#include "workloads/lower/stream_source.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t most_chunk_bytes = 32 * 1024;  // of the widest operand
constexpr std::uint64_t chunks_per_pe = 4;             // at least, where there is enough: overlap

std::uint64_t size_of_operand(const StreamOperand& operand) {
    return operand.elements * operand.element_bytes;
}

// Bytes of one operand that a chunk of `items` needs at most, cut into `pieces`.
std::uint64_t chunk_bytes(const StreamRecipe& recipe, const StreamOperand& operand,
                          std::uint64_t items, std::uint64_t pieces) {
    const std::uint64_t all = recipe.groups * recipe.items;
    std::uint64_t elements = operand.elements;
    switch (operand.follows) {
        case Follows::linear: {
            const bool even = operand.elements % all == 0;
            elements =
                even ? operand.elements / all * items
                     : std::min(operand.elements, mul_div_ceil(operand.elements, items, all) + 1);
            break;
        }
        case Follows::cyclic:
            elements = std::min(operand.elements, items);
            break;
        case Follows::whole:
            break;
        case Follows::strided:
            return ceil_div(operand.rows, pieces) * items * operand.element_bytes;
    }
    return ceil_div(elements, pieces) * operand.element_bytes;
}

void measure(const StreamRecipe& recipe, StreamPlan& plan) {
    plan.in_bytes = plan.out_bytes = 0;
    for (std::size_t i = 0; i < recipe.inputs.size(); ++i) {
        if (plan.resident[i]) continue;
        plan.in_bytes += chunk_bytes(recipe, recipe.inputs[i], plan.chunk, plan.pieces);
    }
    const std::uint64_t out_pieces = recipe.output_once_per_item ? 1 : plan.pieces;
    for (const StreamOperand& output : recipe.outputs) {
        plan.out_bytes += chunk_bytes(recipe, output, plan.chunk, out_pieces);
    }
}

std::uint64_t buffer_bytes(const StreamRecipe& recipe, const StreamPlan& plan) {
    const bool two = recipe.reduce.has_value();
    return plan.in_bytes * (two ? 4 : 2) + plan.out_bytes * 2 + plan.resident_bytes +
           (two ? 2 * recipe.statistics_bytes * plan.chunk : 0) + 2 * plan.sum_block;
}

// Small operands that every chunk needs are loaded once, up to a quarter of local memory.
void choose_residents(const StreamRecipe& recipe, std::uint64_t memory, StreamPlan& plan) {
    plan.resident.assign(recipe.inputs.size(), false);
    for (std::size_t i = 0; i < recipe.inputs.size(); ++i) {
        const StreamOperand& input = recipe.inputs[i];
        const bool repeats = input.follows == Follows::cyclic || input.follows == Follows::whole;
        const std::uint64_t bytes = size_of_operand(input);
        if (!repeats || plan.resident_bytes + bytes > memory / 4) continue;
        plan.resident[i] = true;
        plan.resident_bytes += bytes;
    }
}

std::uint64_t first_chunk_items(const StreamRecipe& recipe, const ChipParams& chip,
                                const LoweringParams& params) {
    std::uint64_t widest = 1;  // bytes of the widest operand
    for (const auto* list : {&recipe.inputs, &recipe.outputs}) {
        for (const StreamOperand& operand : *list) {
            if (operand.follows == Follows::whole) continue;
            const std::uint64_t bytes = operand.follows == Follows::strided
                                            ? size_of_operand(operand) / operand.rows
                                            : size_of_operand(operand);
            widest = std::max(widest, bytes);
        }
    }
    const std::uint64_t interleave = chip.sram.interleave_bytes;
    std::uint64_t bytes = params.chunk_bytes;
    if (bytes == 0) {
        const std::uint64_t even = widest / (pe_count(chip) * chunks_per_pe);
        bytes = std::clamp(even, interleave, std::max(interleave, most_chunk_bytes));
        bytes = bytes / interleave * interleave;
    }
    const std::uint64_t all = recipe.groups * recipe.items;
    return std::clamp<std::uint64_t>(mul_div_floor(bytes, all, widest), 1, recipe.items);
}

}  // namespace

StreamPlan plan_stream(const StreamRecipe& recipe, const ChipParams& chip,
                       const LoweringParams& params) {
    StreamPlan plan;
    if (recipe.items == 0) {
        plan.resident.assign(recipe.inputs.size(), false);
        return plan;
    }
    const std::uint64_t memory = chip.local_memory.bytes;
    choose_residents(recipe, memory, plan);
    std::uint64_t sums = 0;
    for (const StreamOperand& column : recipe.column_sums) sums += column.elements;
    // Longer rows of sums pass in blocks.
    if (sums > 0) plan.sum_block = std::max<std::uint64_t>(8, std::min(sums * 4, memory / 8));
    plan.sum_block = plan.sum_block / 8 * 8 + (plan.sum_block % 8 != 0 ? 8 : 0);
    plan.chunk = first_chunk_items(recipe, chip, params);
    measure(recipe, plan);
    while (plan.chunk > 1 && buffer_bytes(recipe, plan) > memory) {
        plan.chunk = ceil_div(plan.chunk, 2);
        measure(recipe, plan);
    }
    std::uint64_t most_pieces = 1;
    for (const auto* list : {&recipe.inputs, &recipe.outputs}) {
        for (const StreamOperand& operand : *list) {
            most_pieces = std::max(most_pieces, operand.elements);
        }
    }
    while (buffer_bytes(recipe, plan) > memory && plan.pieces < most_pieces) {
        plan.pieces *= 2;
        measure(recipe, plan);
    }
    if (buffer_bytes(recipe, plan) > memory) {
        throw ConfigError("local_memory.bytes: " + recipe.user + " needs at least " +
                          std::to_string(buffer_bytes(recipe, plan)) + " bytes per PE, got " +
                          std::to_string(memory));
    }
    return plan;
}

}  // namespace diastole
