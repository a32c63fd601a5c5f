// The whole chip: its modules and how they are wired, nothing else. A simulation runs once per
// process, because a SystemC kernel elaborates once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "model/compute/control_core.hpp"
#include "model/compute/pe.hpp"
#include "model/fabric/dma_engine.hpp"
#include "model/fabric/host_link.hpp"
#include "model/fabric/noc.hpp"
#include "model/fabric/reduction_network.hpp"
#include "model/memory/memory_partition.hpp"
#include "model/params/chip_params.hpp"
#include "model/sim/conductor.hpp"

namespace diastole {

// The longest window in which modules may run ahead of each other, credit returns included: twice
// the latency of a NoC port, since PEs, NoC and partitions are stages of a chain (conductor.hpp);
// less when PEs or the control core reach each other sooner.
Cycles window_of(const ChipParams& chip);
// How far each stage of that chain is ahead of the one before it.
Cycles lead_of(const ChipParams& chip);

class Chip : public sc_core::sc_module {
  public:
    Chip(const sc_core::sc_module_name& name, const ChipParams& params, MemoryMode mode);

    // Runs all jobs of the stream to their end. `on_record` gets every operator's record when it
    // ends, `on_drained` the time at which everything before a draining job is done, `monitor` the
    // current time now and then (it may throw Interrupted). Throws ModelError when the chip stands
    // still with work left.
    void run(JobStream& stream, std::function<void(const JobRecord&)> on_record,
             std::function<void(Cycles)> on_drained, std::function<void(Cycles)> monitor);

    // Closes the engines' accounts at `at`, when nothing is running.
    void close_accounts(Cycles at);

    [[nodiscard]] const ChipParams& params() const { return params_; }
    [[nodiscard]] const Conductor& conductor() const { return conductor_; }
    [[nodiscard]] const ControlCore& control() const { return control_; }
    [[nodiscard]] const Noc& noc() const { return noc_; }
    [[nodiscard]] const HostLink& host_link() const { return host_link_; }
    [[nodiscard]] std::uint32_t pes() const { return static_cast<std::uint32_t>(pes_.size()); }
    [[nodiscard]] const Pe& pe(std::uint32_t i) const { return *pes_[i]; }
    [[nodiscard]] const DmaEngine& dma_in(std::uint32_t i) const { return *dma_in_[i]; }
    [[nodiscard]] const DmaEngine& dma_out(std::uint32_t i) const { return *dma_out_[i]; }
    [[nodiscard]] std::uint32_t partitions() const {
        return static_cast<std::uint32_t>(partitions_.size());
    }
    [[nodiscard]] MemoryPartition& partition(std::uint32_t i) { return *partitions_[i]; }

  private:
    void make_pe(std::uint32_t index);
    void make_partition(std::uint32_t index, MemoryMode mode);

    ChipParams params_;
    Conductor conductor_;
    ControlCore control_;
    Noc noc_;
    HostLink host_link_;
    ReductionNetwork reduction_network_;
    std::vector<std::unique_ptr<Pe>> pes_;
    std::vector<std::unique_ptr<DmaEngine>> dma_in_, dma_out_;
    std::vector<std::unique_ptr<MemoryPartition>> partitions_;
};

}  // namespace diastole
