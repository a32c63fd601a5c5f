// Rules between the values of a description: what no single key can say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/params/chip_params.hpp"

namespace diastole {

struct Finding {
    std::string key;  // the one to change first
    std::string message;
};

// Everything that is impossible or contradictory; empty for a chip that can be built.
std::vector<Finding> check(const ChipParams& chip);
std::vector<Finding> check(const DramParams& dram);

// Throws one ConfigError with a line for each finding.
void validate(const ChipParams& chip);
void validate(const DramParams& dram);

// Local memory that a GEMM tile of the DPE's own geometry takes, double-buffered: the largest need
// of any type that the DPE has. 0 without a DPE.
std::uint64_t smallest_tile_bytes(const DpeParams& dpe);

}  // namespace diastole
