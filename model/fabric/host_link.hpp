// The link to the host (PCIe): copies between host memory and the chip, one at a time in each
// direction. To the device: data arrives at the link's rate and is written as it arrives. To the
// host: data is read ahead of the link, within the outstanding limit, and leaves at the link's
// rate.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <systemc>
#include <vector>

#include "model/base/time_wheel.hpp"
#include "model/params/chip_params.hpp"
#include "model/sim/ports.hpp"
#include "model/sim/windowed.hpp"
#include "model/timing/interleave.hpp"

namespace diastole {

struct HostLinkStats {
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

class HostLink : public sc_core::sc_module, public Windowed, public HostLinkIf {
  public:
    sc_core::sc_export<HostLinkIf> commands{"commands"};
    sc_core::sc_export<RequesterIf> to_device_answers{"to_device_answers"};
    sc_core::sc_export<RequesterIf> to_host_answers{"to_host_answers"};
    sc_core::sc_port<RequestIf> noc{"noc"};
    sc_core::sc_port<ControlIf> control{"control"};
    sc_core::sc_port<WakeIf> wake{"wake"};

    HostLink(const sc_core::sc_module_name& name, const ChipParams& chip);
    void set_number(std::size_t number) { number_ = number; }

    void copy(Cycles at, std::uint64_t job, const HostCopy& copy) override;
    [[nodiscard]] Cycles next_event() override;
    void advance(Cycles until) override;
    [[nodiscard]] std::string pending() const override;
    [[nodiscard]] const HostLinkStats& stats() const { return stats_; }

  private:
    struct Copy {
        Cycles arrived;
        std::uint64_t job = 0;
        HostCopy what;
    };
    // One direction.
    struct Lane : public RequesterIf {
        HostLink* owner = nullptr;
        bool to_host = false;
        std::deque<Copy> copies;  // bounded by the jobs that the control core holds
        bool active = false;
        Cycles started;
        Cycles next_issue = never;  // when the next request may leave
        Cycles link_free;           // when the link can carry the next block
        Cycles stream_start;        // blocks without a gap between them: since when
        std::uint64_t stream_bytes = 0;
        std::uint64_t issued = 0;  // bytes of the current copy
        std::uint64_t done = 0;
        std::uint32_t outstanding = 0;
        std::uint32_t credits = 0;
        bool starved = false;              // waits for an answer or an outbox place
        TimeWheel<std::uint32_t> answers;  // bytes; 0: an outbox place
        void response(const MemoryResponse& response) override;
        void outbox_credit(Cycles at) override;
        void grant(Cycles at, std::uint32_t transfer, std::uint32_t shared) override;
        void shared_response(const MemoryResponse& response, std::uint32_t transfer,
                             bool is_issuer) override;
    };

    void start(Lane& lane, Cycles at);
    void issue(Lane& lane, Cycles at);
    void answer(Lane& lane, Cycles at, std::uint32_t bytes);
    void plan_next(Lane& lane, Cycles at);
    void finish(Lane& lane, Cycles at);
    Cycles carry(Lane& lane, Cycles at, std::uint64_t bytes);

    std::size_t number_ = 0;
    Hertz clock_;
    BytesPerSecond rate_;
    Cycles latency_;
    Cycles port_cycles_;
    Cycles sync_cycles_;
    std::uint32_t outstanding_limit_;
    std::uint32_t pes_;
    Interleave interleave_;
    TimeWheel<Copy> inbox_;
    Lane lanes_[2];
    HostLinkStats stats_;
};

}  // namespace diastole
