// A memory partition at the NoC: a shared-SRAM slice and the DRAM channels behind it. All of its
// timing is in PartitionCore; this is its SystemC boundary.
#pragma once

#include <cstdint>
#include <string>
#include <systemc>

#include "model/memory/partition_core.hpp"
#include "model/sim/ports.hpp"
#include "model/sim/windowed.hpp"

namespace diastole {

class MemoryPartition : public sc_core::sc_module,
                        public Windowed,
                        public PartitionIf,
                        private PartitionSink {
  public:
    sc_core::sc_export<PartitionIf> requests{"requests"};
    sc_core::sc_port<PartitionReplyIf> replies{"replies"};
    sc_core::sc_port<WakeIf> wake{"wake"};

    MemoryPartition(const sc_core::sc_module_name& name, const ChipParams& chip,
                    std::uint32_t index, MemoryMode mode)
        : sc_module(name),
          index_(index),
          port_cycles_(chip.noc.port_cycles),
          core_(chip, index, mode) {
        requests.bind(*this);
    }
    void set_number(std::size_t number) { number_ = number; }

    void accept(const MemoryRequest& request) override {
        core_.accept(request);
        wake->wake(number_, request.at);
    }
    [[nodiscard]] Cycles next_event() override { return core_.next_event(); }
    void advance(Cycles until) override { core_.advance(until, *this); }
    [[nodiscard]] std::string pending() const override { return core_.describe_pending(); }

    [[nodiscard]] PartitionStats stats() { return core_.stats(); }

  private:
    void respond(const MemoryResponse& response) override {
        MemoryResponse leaving = response;
        leaving.at += port_cycles_;
        replies->reply(leaving);
    }
    void credit(Cycles at) override { replies->partition_credit(index_, at + port_cycles_); }

    std::uint32_t index_;
    std::size_t number_ = 0;
    Cycles port_cycles_;
    PartitionCore core_;
};

}  // namespace diastole
