#include "gemm_lab.hpp"

#include <memory>

#include "workloads/lower/gemm_source.hpp"

namespace diastole::test {
namespace {

class PlannedJobs final : public JobStream {
  public:
    PlannedJobs(const ChipParams& chip, const std::vector<PlannedGemm>& gemms)
        : chip_(chip), gemms_(gemms) {}

    std::unique_ptr<Job> next() override {
        if (at_ == gemms_.size()) return nullptr;
        const PlannedGemm& gemm = gemms_[at_];
        const Gemm& g = gemm.problem.shape;
        in_lls_ = 0;
        GemmOperands operands;
        operands.a = place(gemm.problem.a_space, g.batch * g.m * g.k * size_of(gemm.problem.a));
        operands.b = place(gemm.problem.b_space, g.batch * g.k * g.n * size_of(gemm.problem.b));
        operands.out = place(gemm.problem.out_space, g.batch * g.m * g.n * 4);
        auto job = std::make_unique<Job>();
        job->id = at_;
        job->operator_index = static_cast<std::uint32_t>(at_);
        if (at_ > 0) job->deps = {at_ - 1};
        const Engine engine = pick_engine(chip_, DType::fp32, "test");
        job->commands = std::make_unique<GemmSource>(gemm.problem, gemm.plan, operands, engine,
                                                     chip_, static_cast<std::uint32_t>(at_ % 256));
        ++at_;
        return job;
    }

  private:
    Placement place(Space space, std::uint64_t bytes) {
        std::uint64_t& top = space == Space::dram ? dram_top_ : in_lls_;
        const Placement at{space, top};
        top += round_up(bytes, chip_.sram.interleave_bytes);
        return at;
    }

    const ChipParams& chip_;
    const std::vector<PlannedGemm>& gemms_;
    std::size_t at_ = 0;
    std::uint64_t dram_top_ = 0, in_lls_ = 0;
};

}  // namespace

std::unique_ptr<JobStream> planned_jobs(const ChipParams& chip,
                                        const std::vector<PlannedGemm>& gemms) {
    return std::make_unique<PlannedJobs>(chip, gemms);
}

}  // namespace diastole::test
