// Apart from the jobs: chip and lowering each have an Engine.
#include "gemm_lab.hpp"
#include "model/chip/chip.hpp"

namespace diastole::test {

std::vector<std::uint64_t> simulate_plans(const ChipParams& params,
                                          const std::vector<PlannedGemm>& gemms) {
    const std::unique_ptr<JobStream> jobs = planned_jobs(params, gemms);
    Chip chip("chip", params, MemoryMode::exact);
    std::vector<std::uint64_t> cycles(gemms.size(), 0);
    chip.run(*jobs,
             [&](const JobRecord& record) {
                 cycles[record.operator_index] = (record.ended - record.started).count();
             },
             {}, {});
    return cycles;
}

}  // namespace diastole::test
