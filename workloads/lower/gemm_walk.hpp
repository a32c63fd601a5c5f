// What a plan takes, step by step: a walk through the steps of the busiest PE, with the rest of the
// chip doing the same. docs/lowering.md describes it.
#pragma once

#include "workloads/lower/gemm_plan.hpp"

namespace diastole {

// Cycles, estimated. Only good for comparing plans of one product on one chip. Stops early, with
// some larger number, when the plan takes longer than `limit`.
double gemm_walk(const GemmProblem& problem, const GemmPlan& plan, const ChipParams& chip,
                 double limit);

}  // namespace diastole
