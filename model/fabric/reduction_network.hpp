// The dedicated network that carries partial sums from PE to PE, one grid step at a time. A PE's
// reduction engine is busy while it sends; what it sends has arrived in full after the steps'
// latency.
#pragma once

#include <cstdint>
#include <systemc>

#include "model/params/chip_params.hpp"
#include "model/sim/ports.hpp"

namespace diastole {

class ReductionNetwork : public sc_core::sc_module, public ReductionNetworkIf {
  public:
    sc_core::sc_export<ReductionNetworkIf> senders{"senders"};
    sc_core::sc_vector<sc_core::sc_port<PeIf>> pes;

    ReductionNetwork(const sc_core::sc_module_name& name, const ChipParams& chip)
        : sc_module(name),
          pes("pe", pe_count(chip)),
          columns_(chip.grid.columns),
          step_(chip.reduction.neighbour_cycles) {
        senders.bind(*this);
    }

    void send_partial(std::uint32_t from, std::uint32_t to, std::uint32_t bytes,
                      Cycles at) override {
        bytes_ += bytes;
        const auto apart = [](std::uint32_t a, std::uint32_t b) { return a < b ? b - a : a - b; };
        const std::uint32_t steps =
            apart(from / columns_, to / columns_) + apart(from % columns_, to % columns_);
        pes[to]->partial(at + step_ * (steps == 0 ? 1 : steps), from, bytes);
    }

    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  private:
    std::uint32_t columns_;
    Cycles step_;
    std::uint64_t bytes_ = 0;
};

}  // namespace diastole
