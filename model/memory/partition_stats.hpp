// What one memory partition counts.
#pragma once

#include <array>
#include <cstdint>

#include "model/timing/dram_model.hpp"

namespace diastole {

// Line accesses of the LLC: accesses = hits + misses + merged + allocations.
struct ClassStats {
    std::uint64_t accesses = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;       // fetched the line from DRAM
    std::uint64_t merged = 0;       // the line was already on its way
    std::uint64_t allocations = 0;  // whole lines written without being fetched
};

struct PartitionStats {
    std::array<ClassStats, 2> by_class;  // by AccessClass: dense, sparse
    std::uint64_t requests = 0;
    std::uint64_t llc_bytes_read = 0, llc_bytes_written = 0;  // by requests
    std::uint64_t lls_bytes_read = 0, lls_bytes_written = 0;
    std::uint64_t bank_cycles = 0;           // banks occupied, summed over banks
    std::uint64_t write_backs = 0;           // dirty lines sent to DRAM
    std::uint64_t dropped_write_backs = 0;   // dirty lines that were dead
    std::uint64_t bypassed_write_bytes = 0;  // written to DRAM directly: there is no LLC
    std::uint64_t blocked_cycles = 0;        // the head of the queue waited for DRAM
    std::uint32_t peak_queue = 0, peak_mshrs = 0, peak_write_buffer = 0;
    DramStats dram;
};

}  // namespace diastole
