// What crosses the ports of the fabric. Times are core cycles.
#pragma once

#include <cstdint>

#include "model/base/units.hpp"
#include "model/isa/command.hpp"

namespace diastole {

enum class AccessKind : std::uint8_t { read, write, prefetch };

// Contiguous bytes of one memory partition: never crosses an interleave boundary.
struct MemoryRequest {
    Cycles at;                  // leaves the sender; rewritten on arrival
    std::uint64_t address = 0;  // in its space
    std::uint32_t bytes = 0;
    std::uint32_t token = 0;   // the sender's; comes back unchanged
    std::uint16_t source = 0;  // PE index, or pe_count for the host link
    std::uint16_t partition = 0;
    std::uint32_t held = 0;  // cycles that it waited because the partition took no more
    AccessKind kind = AccessKind::read;
    Space space = Space::dram;
    CacheHint hint = CacheHint::normal;
    AccessClass access = AccessClass::dense;
    Broadcast broadcast;
};

// Where the time of one access went; the parts add up to answer minus request.
struct WaitParts {
    std::uint32_t noc = 0, sram = 0, dram = 0;  // cycles
};

struct MemoryResponse {
    Cycles at;  // leaves the partition; rewritten on arrival at the PE
    std::uint32_t bytes = 0;
    std::uint32_t token = 0;
    std::uint16_t destination = 0;
    std::uint16_t partition = 0;
    AccessKind kind = AccessKind::read;
    Broadcast broadcast;
    std::uint64_t address = 0;  // of the request; identifies a broadcast
    std::uint32_t held = 0;     // of the request
    WaitParts parts;
};

}  // namespace diastole
