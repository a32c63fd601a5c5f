// What crosses the ports of the fabric. Times are core cycles.
#pragma once

#include <cstdint>

#include "model/base/units.hpp"
#include "model/isa/command.hpp"

namespace diastole {

// Number of a broadcast read at the NoC; no_shared: an ordinary access.
inline constexpr std::uint32_t no_shared = ~std::uint32_t{0};

enum class AccessKind : std::uint8_t { read, write, prefetch };

// Contiguous bytes of one memory partition: never crosses an interleave boundary.
struct MemoryRequest {
    Cycles at;                  // leaves the sender; rewritten on arrival
    Cycles issued;              // by the sender
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
    std::uint32_t shared = no_shared;  // the broadcast read that it is part of
};

// A sender's wish to take part in a broadcast read: a whole transfer. When all members have asked,
// one of them is granted to issue its requests; the answers go to all.
struct BroadcastJoin {
    Cycles at;
    Broadcast broadcast;
    std::uint64_t address = 0;   // of the transfer; tells the group's transfers apart
    std::uint64_t bytes = 0;     // of the transfer
    std::uint32_t transfer = 0;  // the sender's number of it; comes back with every answer
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
    std::uint32_t shared = no_shared;  // of the request, as the next two
    std::uint32_t held = 0;
    Cycles issued;
    WaitParts parts;
};

}  // namespace diastole
