// The commands that a PE executes. The scalar cores issue them in program order; the command
// processor hands each to its unit; a unit executes its own commands in order, each as soon as its
// circular-buffer operands and its space are there. Units run independently of each other.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "model/base/dtype.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

enum class Unit : std::uint8_t { dma_in, dma_out, matrix, reduction, simd, vector, layout, sync };
inline constexpr std::size_t unit_count = 8;

enum class Space : std::uint8_t { dram, lls };                  // dram: through the LLC
enum class CacheHint : std::uint8_t { normal, no_write_back };  // no_write_back: dead after use
enum class AccessClass : std::uint8_t { dense, sparse };

// An operand in a circular buffer. The command waits until `available` bytes lie between the
// buffer's read pointer and its write pointer, moves `touched` bytes over the local memory's ports,
// and on completion advances the read pointer by `released`.
struct CbRead {
    std::uint8_t cb = 0;
    std::uint32_t available = 0;
    std::uint32_t touched = 0;
    std::uint32_t released = 0;
};

// A result in a circular buffer: space for `bytes` is reserved when the command starts and becomes
// readable when it completes. `touched` is what crosses the local memory's ports.
struct CbWrite {
    std::uint8_t cb = 0;
    std::uint32_t bytes = 0;
    std::uint32_t touched = 0;
};

// One read that answers several PEs. All members issue the same transfer; the NoC
// merges them. Members of a group issue their broadcast transfers in the same order.
struct Broadcast {
    std::uint32_t members = 1;  // 1: an ordinary read
    std::uint32_t group = 0;    // any number that the members share and no other group has
};

// A transfer between memory and local memory (units dma_in and dma_out). Either strided: `rows`
// rows of `row_bytes`, `pitch` apart, from `address`; or indexed: one row of `row_bytes` at each of
// `row_addresses`. The bytes enter or leave a circular buffer densely, without the pitch.
struct Transfer {
    Space space = Space::dram;
    CacheHint hint = CacheHint::normal;
    AccessClass access = AccessClass::dense;
    bool prefetch = false;  // into the LLC only; no circular buffer
    bool lookups = false;   // its rows count as embedding lookups
    std::uint64_t address = 0;
    std::uint32_t rows = 1;
    std::uint32_t row_bytes = 0;
    std::uint64_t pitch = 0;
    std::vector<std::uint64_t> row_addresses;
    Broadcast broadcast;
};

// [m x k] times [k x n], accumulated into m x n partial sums (units matrix and vector).
struct MatrixTile {
    std::uint32_t m = 0, n = 0, k = 0;
    DType type = DType::fp16;
    Dataflow dataflow = Dataflow::weight_stationary;
};

// Elementary operations (units simd, vector and reduction); `flops` of them count as work of the
// operator, the rest is overhead of the kernel (conversions, address arithmetic).
struct ElementOps {
    std::uint64_t operations = 0;
    std::uint64_t flops = 0;
    DType type = DType::fp16;
};

// A transposition, concatenation or slice inside local memory (unit layout).
struct LayoutMove {
    std::uint64_t bytes = 0;
};

// Sorts keys held in local memory (unit vector).
struct Sort {
    std::uint64_t keys = 0;
    std::uint32_t key_bits = 32;
};

// One step on the reduction network (unit reduction): receives partial sums from PE `from`, adds
// the own ones, and sends them to PE `to` or, at the end of the chain, writes them.
struct NeighbourReduce {
    static constexpr std::int32_t nobody = -1;
    std::int32_t from = nobody;
    std::int32_t to = nobody;
    std::uint32_t elements = 0;
    std::uint32_t bytes = 0;
    DType type = DType::fp32;
};

// Blocks issue until every participating PE of the operator has arrived and its units are idle
// (unit sync).
struct Barrier {};

using Payload =
    std::variant<Transfer, MatrixTile, ElementOps, LayoutMove, Sort, NeighbourReduce, Barrier>;

struct Command {
    Unit unit = Unit::sync;
    std::uint32_t instructions = 1;  // custom instructions that the scalar core issues for it
    std::uint8_t read_count = 0;
    bool writes = false;
    std::array<CbRead, 4> reads{};
    CbWrite write;
    Payload payload = Barrier{};
};

}  // namespace diastole
