// The analytic cost of a plan: what the busiest resource needs, and what nothing overlaps with.
#pragma once

#include "workloads/lower/gemm_plan.hpp"

namespace diastole {

// Cycles, estimated. Only good for comparing plans of one product on one chip.
double gemm_cost(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip);

}  // namespace diastole
