// A systolic array as registers that step once a cycle: the oracle of model/timing/array.hpp,
// written from what the registers do, without its formulas. It multiplies real numbers, starts
// every fold as soon as its own handshakes allow, counts cycles and the elements that cross its
// ports, and says so when one value runs into another.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/params/chip_params.hpp"

namespace diastole::test {

struct IntMatrix {
    std::size_t rows = 0, columns = 0;
    std::vector<std::int64_t> values;
    IntMatrix() = default;
    IntMatrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c, 0) {}
    std::int64_t& at(std::size_t r, std::size_t c) { return values[r * columns + c]; }
    [[nodiscard]] std::int64_t at(std::size_t r, std::size_t c) const {
        return values[r * columns + c];
    }
    bool operator==(const IntMatrix& o) const {
        return rows == o.rows && columns == o.columns && values == o.values;
    }
};

// Multipliers that take several elements of K at once: what moves through the registers are then
// indices of these. A kept weight selects its input by its place among those that pass beside it.
struct Bundles {
    struct Kept {
        std::array<std::int64_t, 4> weight{};
        std::array<std::uint8_t, 4> from{};
    };
    std::vector<std::array<std::int64_t, 8>> inputs = {{}};  // 0: nothing
    std::vector<Kept> weights = {{}};
    [[nodiscard]] std::int64_t product(std::int64_t input, std::int64_t weight) const;
};

struct RegisterArray {
    std::uint32_t rows = 1, columns = 1;
    Dataflow dataflow = Dataflow::weight_stationary;
    FoldOverlap overlap = FoldOverlap::none;
    std::uint32_t mac_latency = 1, mac_interval = 1;
    std::uint32_t which = 0, of = 1;  // folds which, which + of, ...: this array's part of several
    // Elements a cycle through each port; 0: as many as there are.
    std::uint64_t ifmap_port = 0, filter_port = 0, ofmap_port = 0;
    bool partial_sums_leave = false;
    const Bundles* bundles = nullptr;  // then a holds indices of inputs, b of weights
    std::uint32_t hurry = 0;  // start folds this many cycles before the array is ready for them
};

struct RegisterRun {
    IntMatrix product;  // what left the array, summed over its folds
    std::uint64_t cycles = 0;
    std::uint64_t ifmap_reads = 0, filter_reads = 0, results = 0;
    bool collision = false;
};

RegisterRun run_registers(const RegisterArray& array, const IntMatrix& a, const IntMatrix& b);

}  // namespace diastole::test
