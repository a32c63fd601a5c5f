// Plans already made: a model repeats its shapes, layer by layer and batch by batch.
#pragma once

#include <map>
#include <tuple>

#include "workloads/lower/gemm_plan.hpp"

namespace diastole {

class GemmPlanCache {
  public:
    const GemmPlan& plan(const GemmProblem& problem, const ChipParams& chip,
                         const LoweringParams& params) {
        const Gemm& g = problem.shape;
        const Key key{g.batch,
                      g.m,
                      g.n,
                      g.k,
                      problem.a,
                      problem.b,
                      problem.out,
                      problem.bias_type,
                      problem.bias,
                      problem.transpose_a,
                      problem.transpose_b,
                      problem.b_tiles.on(),
                      problem.a_space,
                      problem.b_space,
                      problem.out_space};
        const auto found = plans_.find(key);
        if (found != plans_.end()) return found->second;
        return plans_.emplace(key, plan_gemm(problem, chip, params)).first->second;
    }

  private:
    using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, DType, DType,
                           DType, DType, Bias, bool, bool, bool, Space, Space, Space>;
    std::map<Key, GemmPlan> plans_;
};

}  // namespace diastole
