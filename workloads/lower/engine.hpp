// Which engine of a PE does elementary operations of a type, and at what multiple when it has to be
// emulated with another type.
#pragma once

#include <cstdint>
#include <string>

#include "model/isa/command.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

struct Engine {
    Unit unit = Unit::simd;
    DType type = DType::fp32;    // what the engine computes in
    std::uint32_t multiple = 1;  // its operations for one of the wanted type
    std::uint32_t ops_per_cycle = 1;
    std::uint32_t transcendental_ops = 1;
    std::uint32_t accumulate_rows = 1;
    std::string note;  // how it differs from the plain case; empty if it does not
};

// SIMD engine, else vector cores, else another type on either: never refuses a type as long as the
// chip has any; ConfigError naming `user` if it has none.
Engine pick_engine(const ChipParams& chip, DType wanted, const std::string& user);

}  // namespace diastole
