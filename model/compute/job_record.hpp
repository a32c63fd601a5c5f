// What the control core remembers of one operator's run.
#pragma once

#include <array>
#include <cstdint>

#include "model/base/units.hpp"
#include "model/isa/command.hpp"
#include "model/stats/stalls.hpp"

namespace diastole {

struct JobRecord {
    std::uint32_t operator_index = 0;
    std::uint32_t batch = 0;
    Cycles launched, started, ended;
    std::array<StallCycles, unit_count> stalls{};  // summed over the PEs that took part
    std::uint32_t pes = 0;
    bool host_copy = false;
};

}  // namespace diastole
