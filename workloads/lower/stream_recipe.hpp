// What a streaming kernel does, as data: everything that passes over tensors in chunks is one of
// these. docs/lowering.md lists the recipe of each kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/lower/command_buffer.hpp"
#include "workloads/lower/engine.hpp"

namespace diastole {

// How an operand follows the items of the iteration.
enum class Follows : std::uint8_t {
    linear,   // its elements divide evenly and in order among all items
    cyclic,   // element i mod `elements` belongs to item i: broadcast along leading dimensions
    whole,    // every item needs all of it: broadcast over rows
    strided,  // item i is column i of `rows` rows; each group has rows of its own
};

struct StreamOperand {
    Placement at;
    std::uint32_t element_bytes = 4;
    std::uint64_t elements = 0;
    Follows follows = Follows::linear;
    std::uint64_t rows = 1;  // strided only; elements = groups x rows x items
};

// Work of one engine over all items; shared out over chunks in proportion, without remainder.
struct StreamStage {
    Unit unit = Unit::simd;
    DType type = DType::fp32;
    std::uint64_t operations = 0, flops = 0;
};

// Chunks of items go round-robin over the PEs, neighbours to neighbours. Per chunk: load the
// inputs, let `reduce` make `statistics_bytes` per item out of them (if there), let `map` make the
// outputs, store them. An item too large for local memory goes in pieces; after a `reduce` the
// inputs of such an item are loaded a second time.
struct StreamRecipe {
    std::string user;
    std::uint64_t groups = 1;  // the iteration is done so many times, one after the other
    std::uint64_t items = 0;   // of one group
    std::vector<StreamOperand> inputs, outputs;
    std::optional<StreamStage> reduce;
    std::uint64_t statistics_bytes = 8;  // per item: two fp32
    StreamStage map;
    bool output_once_per_item = false;  // pieces of an item add up to one output
    // Sums over all items of a group, one per element: each PE keeps its own, a chain over the PEs
    // adds them up at the end of the group and stores them. Elements are per group.
    std::vector<StreamOperand> column_sums;
};

}  // namespace diastole
