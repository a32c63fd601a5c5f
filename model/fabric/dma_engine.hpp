// One DMA engine of a PE: it cuts transfers into requests that lie in one memory partition each,
// issues them at its rate while it has outstanding ones to spare and room in its outbox, and
// completes transfers in order.
#pragma once

#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "model/base/bounded_queue.hpp"
#include "model/base/sorted_queue.hpp"
#include "model/params/chip_params.hpp"
#include "model/sim/ports.hpp"
#include "model/sim/windowed.hpp"
#include "model/timing/interleave.hpp"

namespace diastole {

struct DmaStats {
    std::uint64_t requests = 0;         // of a broadcast read: those of the one that issues them
    std::uint64_t bytes = 0;            // answered (reads) or acknowledged (writes)
    std::uint64_t lookups = 0;          // rows of transfers that are embedding lookups
    std::uint64_t broadcast_bytes = 0;  // of `bytes`, those that came by a shared read
};

class DmaEngine : public sc_core::sc_module, public DmaIf, public RequesterIf {
  public:
    sc_core::sc_port<RequestIf> noc{"noc"};
    sc_core::sc_port<WakeIf> wake{"wake"};
    sc_core::sc_export<DmaIf> control{"control"};
    sc_core::sc_export<RequesterIf> answers{"answers"};

    // `port` is this engine's number at the NoC, `owner` the module to wake.
    DmaEngine(const sc_core::sc_module_name& name, const ChipParams& chip, AccessKind kind,
              std::uint16_t source, std::uint32_t port);
    void set_owner(std::size_t owner) { owner_ = owner; }

    [[nodiscard]] bool has_room() const override { return !transfers_.full(); }
    void submit(Cycles at, Transfer& transfer, Stall gap) override;
    [[nodiscard]] Cycles next_event() override {
        if (!next_event_known_) next_event_ = find_next_event();
        next_event_known_ = true;
        return next_event_;
    }
    std::optional<Completion> run(Cycles limit) override;
    [[nodiscard]] bool idle() const override { return transfers_.empty(); }
    void account(Cycles until, Stall stall) override { clock_.account(until, stall); }
    [[nodiscard]] const StallCycles& stalls() const override { return clock_.cycles(); }

    void response(const MemoryResponse& response) override;
    void outbox_credit(Cycles at) override;
    void grant(Cycles at, std::uint32_t transfer, std::uint32_t shared) override;
    void shared_response(const MemoryResponse& response, std::uint32_t transfer,
                         bool is_issuer) override;

    [[nodiscard]] const DmaStats& stats() const { return stats_; }
    [[nodiscard]] std::string pending() const;
    void end_of_elaboration() override;

  private:
    // A transfer under way. Its first cache line is what an answer touches, the second what a
    // request does: those of all engines together are more than the processor's caches hold.
    struct alignas(64) Active {
        std::uint64_t left = 0;      // bytes not answered
        std::uint64_t arriving = 0;  // of those, in answers that wait in the inbox
        Cycles last_arrival;
        Cycles finished;
        Cycles ready;  // start-up done
        Stall cause = Stall::wait_noc;
        bool is_broadcast = false;

        bool started = false;
        Stall gap = Stall::idle;
        std::uint64_t address = 0;   // of the next request
        std::uint64_t row_left = 0;  // bytes of its row that are not issued
        std::uint64_t row = 0, rows = 0;
        std::uint64_t row_bytes = 0;
        Cycles submitted;
        Transfer transfer;
        [[nodiscard]] bool issued() const { return row == rows; }
        [[nodiscard]] bool all_arriving() const { return arriving == left; }
    };
    // Small: hundreds of them lie in wait all over a chip, and fetching them is what they cost.
    struct Answer {
        Cycles at;
        std::uint32_t bytes = 0;
        std::uint16_t transfer = 0;  // lower bits of its sequence number
        Stall cause = Stall::wait_noc;
        bool is_issuers = true;  // else another member of the broadcast issued the request
    };
    struct Grant {
        std::uint64_t transfer = 0;
        std::uint32_t shared = no_shared;
    };

    void push_answer(std::uint64_t sequence, bool is_issuers, const MemoryResponse& response);
    // The transfer that the next request belongs to, and when it could be issued.
    struct Next {
        Cycles at = never;
        std::uint64_t sequence = 0;
        bool granted = false;
    };
    [[nodiscard]] Next next_request() const;
    [[nodiscard]] Cycles find_next_event() const;
    [[nodiscard]] bool none_to_spare() const { return outstanding_ == params_.outstanding; }
    void skip_issued();
    [[nodiscard]] bool front_is_done() const {
        return !transfers_.empty() && transfers_.front().left == 0;
    }
    Completion complete_front();
    void issue(const Next& next);
    void shape(Cycles at, std::uint64_t bytes);
    void next_row(Active& active);
    void take_answer();
    Active& by_sequence(std::uint64_t sequence) { return transfers_[sequence - first_sequence_]; }
    // From the lower bits of a sequence number: few transfers are under way.
    template <class Lower>
    [[nodiscard]] std::uint64_t full_sequence(Lower lower) const {
        return first_sequence_ + static_cast<Lower>(lower - static_cast<Lower>(first_sequence_));
    }

    // What every event needs lies together.
    BoundedQueue<Active> transfers_;
    std::uint64_t first_sequence_ = 0;  // of transfers_.front()
    std::size_t issuing_ = 0;           // index of the first transfer not fully issued
    SortedRing<Answer> answers_;
    SortedTimes returned_;  // outbox places on their way back
    std::uint32_t credits_;
    std::uint32_t outstanding_ = 0;   // requests without an answer
    Cycles next_slot_;                // when the issue port is free
    std::uint64_t shaped_bytes_ = 0;  // the leaky bucket is empty at this byte of the link's time
    Cycles last_completion_;
    Cycles next_event_ = never;
    bool next_event_known_ = true;
    Stall unblocked_by_ = Stall::wait_noc;
    Stall last_cause_ = Stall::wait_noc;
    SortedQueue<Grant> grants_;  // broadcast transfers to issue, by the time of the grant
    DmaStats stats_;
    StallClock clock_;

    DmaParams params_;
    std::uint64_t link_rate_, header_;
    Interleave interleave_;
    AccessKind kind_;
    std::uint16_t source_;
    std::uint32_t port_;
    Cycles port_cycles_;
    std::size_t owner_ = 0;
    RequestIf* noc_ = nullptr;  // what the ports are bound to
    WakeIf* conductor_ = nullptr;
};

}  // namespace diastole
