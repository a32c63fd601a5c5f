// How much of a workload the model covers.
#pragma once

#include <cstdint>

namespace diastole {

struct RunResult;

struct Coverage {
    std::uint64_t operators = 0;
    std::uint64_t opaque = 0;               // costed by their bytes or a recorded duration only
    double flops_modelled = 1;              // of the matrix FLOPs that are known
    double bytes_modelled = 1;              // of the bytes that are known
    std::uint64_t skipped_host_copies = 0;  // recorded DMA requests that were not replayed
};
Coverage coverage_of(const RunResult& result);

}  // namespace diastole
