// The interfaces that modules are bound by. Every call passes a message with a time stamp that lies
// at or beyond the end of the caller's window.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <systemc>

#include "model/isa/job.hpp"
#include "model/sim/messages.hpp"
#include "model/stats/stalls.hpp"

namespace diastole {

// Into the NoC, from a PE's DMA engines or the host link. `port` is the sender's number.
class RequestIf : public virtual sc_core::sc_interface {
  public:
    virtual void request(std::uint32_t port, const MemoryRequest& request) = 0;
    virtual void join(std::uint32_t port, const BroadcastJoin& join) = 0;
};

// Back to a sender: an answer, and a free place in its outbox.
class RequesterIf : public virtual sc_core::sc_interface {
  public:
    virtual void response(const MemoryResponse& response) = 0;
    virtual void outbox_credit(Cycles at) = 0;
    // The sender is to issue the requests of a broadcast transfer, as part of `shared`.
    virtual void grant(Cycles at, std::uint32_t transfer, std::uint32_t shared) = 0;
    // Part of a broadcast transfer. Whoever issued the request gets its token back with it.
    virtual void shared_response(const MemoryResponse& response, std::uint32_t transfer,
                                 bool is_issuer) = 0;
};

// Into a memory partition.
class PartitionIf : public virtual sc_core::sc_interface {
  public:
    virtual void accept(const MemoryRequest& request) = 0;
};

// Out of a memory partition, into the NoC.
class PartitionReplyIf : public virtual sc_core::sc_interface {
  public:
    virtual void reply(const MemoryResponse& response) = 0;
    virtual void partition_credit(std::uint32_t partition, Cycles at) = 0;
};

// What the control core tells a PE.
struct Launch {
    Cycles at;
    std::uint64_t job = 0;
    CommandSource* commands = nullptr;  // owned by the control core until the job is done
};
class PeIf : public virtual sc_core::sc_interface {
  public:
    virtual void launch(const Launch& launch) = 0;
    virtual void release_barrier(Cycles at, std::uint64_t job) = 0;
    // Partial sums from a neighbour; they have arrived in full at `at`.
    virtual void partial(Cycles at, std::uint32_t from, std::uint32_t bytes) = 0;
};

// One PE's part in a job.
struct JobShare {
    std::uint64_t job = 0;
    Cycles started, finished;
    std::array<StallCycles, unit_count> stalls{};  // of each unit in between
};

// What the PEs and the host link tell the control core.
class ControlIf : public virtual sc_core::sc_interface {
  public:
    virtual void job_done(std::uint32_t pe, Cycles at, const JobShare& share) = 0;
    virtual void barrier_reached(std::uint32_t pe, std::uint64_t job, Cycles at) = 0;
    virtual void copy_done(std::uint64_t job, Cycles started, Cycles at) = 0;
};

class HostLinkIf : public virtual sc_core::sc_interface {
  public:
    virtual void copy(Cycles at, std::uint64_t job, const HostCopy& copy) = 0;
};

// The reduction network: a PE hands partial sums to another. They leave at `at`.
class ReductionNetworkIf : public virtual sc_core::sc_interface {
  public:
    virtual void send_partial(std::uint32_t from, std::uint32_t to, std::uint32_t bytes,
                              Cycles at) = 0;
};

// A PE's view of one of its DMA engines, which lives in the fabric. The PE drives it: it belongs to
// the PE's window, and its time advances only in run().
class DmaIf : public virtual sc_core::sc_interface {
  public:
    struct Completion {
        Cycles at;
        Stall cause = Stall::wait_dram;  // where the last answer spent most of its time
    };

    [[nodiscard]] virtual bool has_room() const = 0;
    // Takes over a transfer (the row addresses are swapped out of it), to be carried out after the
    // earlier ones. `gap` owns the engine's time since it ran out of work.
    virtual void submit(Cycles at, Transfer& transfer, Stall gap) = 0;
    [[nodiscard]] virtual Cycles next_event() = 0;
    // Handles events earlier than `limit`, in order, up to and including the first completion of a
    // transfer; transfers complete in the order of their submission. Empty: nothing completed.
    virtual std::optional<Completion> run(Cycles limit) = 0;
    [[nodiscard]] virtual bool idle() const = 0;
    virtual void account(Cycles until, Stall stall) = 0;
    [[nodiscard]] virtual const StallCycles& stalls() const = 0;
};

}  // namespace diastole
