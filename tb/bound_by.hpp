// What limited an operator, from where the time of the PEs' units went.
#pragma once

#include <string>

#include "model/compute/job_record.hpp"

namespace diastole {

// The name of the unit that was busy most of the time (above half of it), else of the wait that
// took the most of the units that had work: dram, sram, noc, local_memory, dependency, issue.
std::string bound_by(const JobRecord& record);

// The same over many operators' stall cycles.
std::string bound_by(const std::array<StallCycles, unit_count>& stalls);

}  // namespace diastole
