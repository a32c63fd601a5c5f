// The execution engines of a PE.
#pragma once

#include <cstdint>

#include "model/base/dtype.hpp"
#include "model/compute/engine.hpp"
#include "model/params/chip_params.hpp"
#include "model/timing/array_phases.hpp"

namespace diastole {

// Matrix engine: systolic arrays fed from circular buffers.
class Dpe : public Engine {
  public:
    Dpe(const sc_core::sc_module_name& name, const ChipParams& chip);
    Timing execute(const Command& command) override;
    [[nodiscard]] const PerType<std::uint64_t>& macs() const { return macs_; }
    [[nodiscard]] const ArrayPhases& phases() const { return phases_; }

  private:
    DpeParams params_;
    PerType<std::uint64_t> macs_;
    ArrayPhases phases_;
};

// SIMD engine, and with other rates the vector units of the scalar cores.
class SimdEngine : public Engine {
  public:
    SimdEngine(const sc_core::sc_module_name& name, const ChipParams& chip, Unit unit,
               const SimdParams& params);
    Timing execute(const Command& command) override;
    [[nodiscard]] const PerType<std::uint64_t>& macs() const { return macs_; }
    [[nodiscard]] std::uint64_t flops() const { return flops_; }

  private:
    SimdParams params_;
    PerType<std::uint64_t> macs_;  // of matrix tiles that run here for want of a type in the DPE
    std::uint64_t flops_ = 0;
};

// Reduction engine with its link to the neighbour PEs.
class ReductionEngine : public Engine {
  public:
    ReductionEngine(const sc_core::sc_module_name& name, const ChipParams& chip);
    Timing execute(const Command& command) override;
    [[nodiscard]] std::uint64_t flops() const { return flops_; }

  private:
    ReductionParams params_;
    std::uint64_t flops_ = 0;
};

// Memory layout unit: transpose, concatenate, slice.
class LayoutUnit : public Engine {
  public:
    LayoutUnit(const sc_core::sc_module_name& name, const ChipParams& chip);
    Timing execute(const Command& command) override;

  private:
    LayoutParams params_;
};

}  // namespace diastole
