#include "model/compute/engines.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "model/timing/array.hpp"
#include "model/timing/engines.hpp"

namespace diastole {
namespace {

[[noreturn]] void refuse(const char* unit, const char* what) {
    throw ModelError(std::string("the ") + unit + " was given " + what);
}

// A command that the next one cannot overlap; at least a cycle.
Engine::Timing whole(Cycles time) {
    const Cycles least = std::max(time, Cycles(1));
    return {least, least};
}

}  // namespace

Dpe::Dpe(const sc_core::sc_module_name& name, const ChipParams& chip)
    : Engine(name, Unit::matrix, chip.issue.queue_depth), params_(chip.dpe) {}

Engine::Timing Dpe::execute(const Command& command) {
    const auto* tile = std::get_if<MatrixTile>(&command.payload);
    if (tile == nullptr) refuse("matrix engine", "something other than a matrix tile");
    if (params_.k_elements[tile->type] == 0) refuse("matrix engine", "a type that it lacks");
    macs_[tile->type] += std::uint64_t{tile->m} * tile->n * tile->k;
    // A command starts where the account of its engine stands.
    phases_.tile(array_of(params_, tile->type), tile->dataflow, {tile->m, tile->n, tile->k},
                 clock.cursor() + Cycles(params_.startup_cycles));
    const TileTime time =
        tile_time(params_, tile->type, tile->dataflow, {tile->m, tile->n, tile->k});
    return {time.occupied, std::max(time.occupied, time.latency)};
}

SimdEngine::SimdEngine(const sc_core::sc_module_name& name, const ChipParams& chip, Unit which,
                       const SimdParams& params)
    : Engine(name, which, chip.issue.queue_depth), params_(params) {}

Engine::Timing SimdEngine::execute(const Command& command) {
    if (const auto* ops = std::get_if<ElementOps>(&command.payload)) {
        if (params_.ops_per_cycle[ops->type] == 0) refuse("SIMD engine", "a type that it lacks");
        flops_ += ops->flops;
        return whole(element_cycles(params_, ops->type, ops->operations));
    }
    if (const auto* tile = std::get_if<MatrixTile>(&command.payload)) {
        if (params_.ops_per_cycle[tile->type] == 0) refuse("SIMD engine", "a type that it lacks");
        macs_[tile->type] += std::uint64_t{tile->m} * tile->n * tile->k;
        return whole(vector_matrix_cycles(params_, tile->type, tile->m, tile->n, tile->k));
    }
    if (const auto* sort = std::get_if<Sort>(&command.payload)) {
        return whole(sort_cycles(params_, sort->keys, sort->key_bits));
    }
    refuse("SIMD engine", "something other than element operations");
}

ReductionEngine::ReductionEngine(const sc_core::sc_module_name& name, const ChipParams& chip)
    : Engine(name, Unit::reduction, chip.issue.queue_depth), params_(chip.reduction) {}

Engine::Timing ReductionEngine::execute(const Command& command) {
    if (const auto* ops = std::get_if<ElementOps>(&command.payload)) {
        flops_ += ops->flops;
        return whole(reduction_cycles(params_, ops->operations));
    }
    if (const auto* step = std::get_if<NeighbourReduce>(&command.payload)) {
        return whole(neighbour_cycles(params_, step->elements, Bytes(step->bytes)));
    }
    refuse("reduction engine", "something other than a reduction");
}

LayoutUnit::LayoutUnit(const sc_core::sc_module_name& name, const ChipParams& chip)
    : Engine(name, Unit::layout, chip.issue.queue_depth), params_(chip.layout) {}

Engine::Timing LayoutUnit::execute(const Command& command) {
    const auto* move = std::get_if<LayoutMove>(&command.payload);
    if (move == nullptr) refuse("layout unit", "something other than a layout move");
    return whole(layout_cycles(params_, Bytes(move->bytes)));
}

}  // namespace diastole
