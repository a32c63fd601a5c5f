// Plans of matrix products, simulated one after the other on one chip.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/isa/job.hpp"
#include "workloads/lower/gemm_plan.hpp"

namespace diastole::test {

struct PlannedGemm {
    GemmProblem problem;
    GemmPlan plan;
};

// One operator a plan, each after the one before. `chip` and `gemms` are borrowed.
std::unique_ptr<JobStream> planned_jobs(const ChipParams& chip,
                                        const std::vector<PlannedGemm>& gemms);

// Cycles from start to end of each. Operands in DRAM are cold; each plan has its own. Only once per
// process.
std::vector<std::uint64_t> simulate_plans(const ChipParams& chip,
                                          const std::vector<PlannedGemm>& gemms);

}  // namespace diastole::test
