#include "model/compute/engines.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "model/timing/array.hpp"

namespace diastole {
namespace {

[[noreturn]] void refuse(const char* unit, const char* what) {
    throw ModelError(std::string("the ") + unit + " was given " + what);
}

Engine::Timing whole(std::uint64_t cycles, std::uint32_t startup) {
    const Cycles time(std::max<std::uint64_t>(cycles, 1) + startup);
    return {time, time};
}

}  // namespace

Dpe::Dpe(const sc_core::sc_module_name& name, const ChipParams& chip)
    : Engine(name, Unit::matrix, chip.issue.queue_depth), params_(chip.dpe) {}

Engine::Timing Dpe::execute(const Command& command) {
    const auto* tile = std::get_if<MatrixTile>(&command.payload);
    if (tile == nullptr) refuse("matrix engine", "something other than a matrix tile");
    if (params_.k_elements[tile->type] == 0) refuse("matrix engine", "a type that it lacks");
    macs_[tile->type] += std::uint64_t{tile->m} * tile->n * tile->k;
    const TileTime time =
        tile_time(params_, tile->type, tile->dataflow, {tile->m, tile->n, tile->k});
    return {time.occupied, std::max(time.occupied, time.latency)};
}

SimdEngine::SimdEngine(const sc_core::sc_module_name& name, const ChipParams& chip, Unit which,
                       const SimdParams& params)
    : Engine(name, which, chip.issue.queue_depth), params_(params) {}

Engine::Timing SimdEngine::execute(const Command& command) {
    if (const auto* ops = std::get_if<ElementOps>(&command.payload)) {
        const std::uint32_t rate = params_.ops_per_cycle[ops->type];
        if (rate == 0) refuse("SIMD engine", "a type that it lacks");
        flops_ += ops->flops;
        return whole(ceil_div(ops->operations, rate), params_.startup_cycles);
    }
    if (const auto* tile = std::get_if<MatrixTile>(&command.payload)) {
        const std::uint32_t rate = params_.ops_per_cycle[tile->type];
        if (rate == 0) refuse("SIMD engine", "a type that it lacks");
        const std::uint64_t macs = std::uint64_t{tile->m} * tile->n * tile->k;
        macs_[tile->type] += macs;
        return whole(ceil_div(2 * macs, rate), params_.startup_cycles);
    }
    if (const auto* sort = std::get_if<Sort>(&command.payload)) {
        // Radix sort, eight bits a pass, a histogram and a scatter of one key each cycle and pass.
        const std::uint64_t passes = ceil_div(sort->key_bits, 8);
        return whole(2 * passes * sort->keys, params_.startup_cycles);
    }
    refuse("SIMD engine", "something other than element operations");
}

ReductionEngine::ReductionEngine(const sc_core::sc_module_name& name, const ChipParams& chip)
    : Engine(name, Unit::reduction, chip.issue.queue_depth), params_(chip.reduction) {}

Engine::Timing ReductionEngine::execute(const Command& command) {
    if (const auto* ops = std::get_if<ElementOps>(&command.payload)) {
        flops_ += ops->flops;
        return whole(ceil_div(ops->operations, params_.elements_per_cycle), params_.startup_cycles);
    }
    if (const auto* step = std::get_if<NeighbourReduce>(&command.payload)) {
        // Receiving, adding and sending stream at the slower of adder and link.
        const std::uint64_t adds = ceil_div(step->elements, params_.elements_per_cycle);
        const std::uint64_t link = ceil_div(step->bytes, params_.neighbour_bytes_per_cycle);
        return whole(std::max(adds, link), params_.startup_cycles);
    }
    refuse("reduction engine", "something other than a reduction");
}

LayoutUnit::LayoutUnit(const sc_core::sc_module_name& name, const ChipParams& chip)
    : Engine(name, Unit::layout, chip.issue.queue_depth), params_(chip.layout) {}

Engine::Timing LayoutUnit::execute(const Command& command) {
    const auto* move = std::get_if<LayoutMove>(&command.payload);
    if (move == nullptr) refuse("layout unit", "something other than a layout move");
    return whole(ceil_div(move->bytes, params_.bytes_per_cycle), params_.startup_cycles);
}

}  // namespace diastole
