// How long the other engines of a PE work on one command. Pure arithmetic: a start-up and a rate,
// rounded up to whole cycles. Left out: what the operands' way through local memory costs.
#pragma once

#include <cstdint>

#include "model/base/dtype.hpp"
#include "model/base/units.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

// Elementary operations on the SIMD engine or the vector cores. Precondition: the type is there
// (ops_per_cycle is not 0).
constexpr Cycles element_cycles(const SimdParams& engine, DType type, std::uint64_t operations) {
    return Cycles(engine.startup_cycles + ceil_div(operations, engine.ops_per_cycle[type]));
}

// A matrix tile without a matrix engine: a multiply and an add for each product.
constexpr Cycles vector_matrix_cycles(const SimdParams& engine, DType type, std::uint64_t m,
                                      std::uint64_t n, std::uint64_t k) {
    return element_cycles(engine, type, 2 * m * n * k);
}

constexpr Cycles reduction_cycles(const ReductionParams& reduction, std::uint64_t elements) {
    return Cycles(reduction.startup_cycles + ceil_div(elements, reduction.elements_per_cycle));
}

// One step on the reduction network: receiving, adding and sending stream at the slower of adder
// and link. The way to the next PE (neighbour_cycles of the description) comes on top.
constexpr Cycles neighbour_cycles(const ReductionParams& reduction, std::uint64_t elements,
                                  Bytes size) {
    const std::uint64_t moving = ceil_div(size.count(), reduction.neighbour_bytes_per_cycle);
    const std::uint64_t adding = ceil_div(elements, reduction.elements_per_cycle);
    return Cycles(reduction.startup_cycles + (moving > adding ? moving : adding));
}

constexpr Cycles layout_cycles(const LayoutParams& layout, Bytes size) {
    return Cycles(layout.startup_cycles + ceil_div(size.count(), layout.bytes_per_cycle));
}

// Least-significant-digit radix sort with 8-bit digits: each digit costs a counting pass and a
// moving pass over the keys, four 32-bit integer operations a key and pass (load, extract, address,
// store; assumed), at the engine's int32 rate or, without one, one operation a cycle.
inline constexpr std::uint32_t sort_digit_bits = 8;
inline constexpr std::uint32_t sort_operations_per_pass = 4;
constexpr std::uint64_t sort_operations(std::uint64_t keys, std::uint32_t key_bits) {
    return keys * 2 * ceil_div(key_bits, sort_digit_bits) * sort_operations_per_pass;
}
constexpr Cycles sort_cycles(const SimdParams& engine, std::uint64_t keys, std::uint32_t key_bits) {
    const std::uint64_t rate = engine.ops_per_cycle[DType::int32];
    return Cycles(engine.startup_cycles +
                  ceil_div(sort_operations(keys, key_bits), rate > 0 ? rate : 1));
}

}  // namespace diastole
