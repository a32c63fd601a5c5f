// The ways to spread a matrix product over the PE grid and to cut it into tiles.
#pragma once

#include <functional>

#include "workloads/lower/gemm_plan.hpp"

namespace diastole {

// Calls `visit` for every plan that the chip can run and the user's choices allow: roles of the
// grid's axes x parts of K x tile edges x dataflows x the operand that stays, each with the deepest
// buffers that fit, with every broadcast that may be used and, where that is a choice, with none.
// Throws ConfigError when there is no such plan: a type that the chip lacks, a forced choice that
// is impossible, a tile that fits nowhere.
void visit_gemm_candidates(const GemmProblem& problem, const ChipParams& chip,
                           const LoweringParams& params,
                           const std::function<void(GemmPlan&)>& visit);

// The ways to share operands that the user's choices leave to a plan, the ones that read least
// first.
void visit_broadcasts(const GemmPlan& plan, const ChipParams& chip, const LoweringParams& params,
                      const std::function<void(GemmPlan&)>& visit);

}  // namespace diastole
