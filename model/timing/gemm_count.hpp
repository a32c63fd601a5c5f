// What one matrix product costs an array and the SRAM around it: cycles, where they went, reads and
// writes. Closed forms, so that a layer of any size takes the same time to count.
//
// The convention of the bench: M x N x K; `ifmap` is the M x K operand, `filter` the K x N one.
#pragma once

#include <cstdint>

#include "model/timing/array.hpp"

namespace diastole {

// An array as the bench describes it: its shape, the pace of its multipliers at one type and the
// ports to the SRAM beside it.
struct GemmArray {
    ArrayShape shape;
    Dataflow dataflow = Dataflow::weight_stationary;
    std::uint32_t k_per_cell = 1;  // elements of K that a multiplier takes at once
    bool pruned_2_4 = false;       // two of four weights along K are kept, the others skipped
    std::uint32_t element_bytes = 2;
    std::uint64_t ifmap_bytes_per_cycle = 0;  // 0: never limits
    std::uint64_t filter_bytes_per_cycle = 0;
    std::uint64_t ofmap_bytes_per_cycle = 0;
    bool partial_sums_leave = false;  // K-folds are added up in SRAM, not at the array's foot
};

// Sums are kept and written as fp32 or int32.
inline constexpr std::uint64_t sum_bytes = 4;

struct GemmCount {
    std::uint64_t cycles = 0, folds = 0;
    std::uint64_t products = 0;  // that multipliers execute: M N K, half of it with 2:4 weights
    std::uint64_t ifmap_reads = 0, filter_reads = 0, partial_sum_reads = 0;  // elements
    std::uint64_t writes = 0;
    ArrayAccount account;  // sums to `cycles`
};

// K that remains when two of four weights are kept: 2 of every 4, and of a last group up to 2.
constexpr std::uint64_t kept_2_4(std::uint64_t k) {
    return k / 4 * 2 + (k % 4 < 2 ? k % 4 : 2);
}

// Products per cycle at the pace of the type, over all arrays.
double peak_products(const GemmArray& array);

// Preconditions: nothing is 0, m n k < 2^53, ports as ArrayPorts asks.
GemmCount count_gemm(const GemmArray& array, TileShape gemm);

// The same layer as SCALE-Sim v3 (commit 1d62b68) reports it, errors included; docs/array.md
// explains each. Its arrays have one cycle per multiplier and folds that never overlap.
GemmCount scalesim_count(std::uint32_t rows, std::uint32_t columns, Dataflow dataflow,
                         TileShape gemm);
// Its "Overall Util %", to the last bit.
double scalesim_utilization_percent(std::uint32_t rows, std::uint32_t columns, TileShape gemm,
                                    std::uint64_t cycles);

}  // namespace diastole
