// The network on chip: requests from PEs and the host to the memory partitions, answers back.
// Source flow control: a sender has a bounded outbox, a partition a bounded queue, and the NoC a
// bounded queue in front of each partition; what finds one full waits behind it, up to the sender.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <systemc>
#include <unordered_map>
#include <vector>

#include "model/base/bounded_queue.hpp"
#include "model/base/random.hpp"
#include "model/base/sorted_queue.hpp"
#include "model/base/time_wheel.hpp"
#include "model/fabric/links.hpp"
#include "model/sim/ports.hpp"
#include "model/sim/windowed.hpp"

namespace diastole {

struct NocStats {
    std::uint64_t requests = 0;      // taken from senders
    std::uint64_t merged_bytes = 0;  // of broadcast reads that another one answered
    std::uint64_t read_bytes = 0,
                  write_bytes = 0;  // payload delivered to PEs and host; to partitions
};

// Ports: two for each PE (reads, writes), then two for the host.
class Noc : public sc_core::sc_module, public Windowed, public RequestIf, public PartitionReplyIf {
  public:
    sc_core::sc_export<RequestIf> requests{"requests"};
    sc_core::sc_export<PartitionReplyIf> replies{"replies"};
    sc_core::sc_vector<sc_core::sc_port<RequesterIf>> requesters;
    sc_core::sc_vector<sc_core::sc_port<PartitionIf>> partitions;
    sc_core::sc_port<WakeIf> wake{"wake"};

    Noc(const sc_core::sc_module_name& name, const ChipParams& chip);
    void set_number(std::size_t number) { number_ = number; }

    void request(std::uint32_t port, const MemoryRequest& request) override;
    void join(std::uint32_t port, const BroadcastJoin& join) override;
    void reply(const MemoryResponse& response) override;
    void partition_credit(std::uint32_t partition, Cycles at) override;

    [[nodiscard]] Cycles next_event() override;
    void advance(Cycles until) override;
    [[nodiscard]] std::string pending() const override;

    [[nodiscard]] const NocStats& stats() const { return stats_; }
    [[nodiscard]] const Links& links() const { return links_; }

  private:
    struct Arrival {
        std::uint32_t port = 0;
        MemoryRequest request;
    };
    struct Waiting {
        MemoryRequest request;
        Cycles ready;  // has crossed the fabric
    };
    // Everything in front of one partition.
    struct Gate {
        explicit Gate(const ChipParams& chip)
            : credits(chip.sram.queue_depth), queue(chip.noc.queue_depth) {}
        std::uint32_t credits;       // at hand
        SortedTimes returned;        // credits that have come, or are on their way
        bool awaits_credit = false;  // there is an event for the first of them
        Cycles last_ready;           // of the packet routed here last
        BoundedQueue<Waiting> queue;
        std::deque<std::uint32_t> blocked;  // ports whose head waits for room; bounded by the ports
    };
    struct Joining {
        std::uint32_t port = 0;
        BroadcastJoin join;
    };
    struct Member {
        std::uint32_t port = 0;
        std::uint32_t transfer = 0;
    };
    // A broadcast transfer being joined or under way.
    struct Shared {
        std::vector<Member> members;
        std::uint64_t bytes_left = 0;
        std::uint32_t next = no_shared;  // the same transfer, wanted once more
    };
    struct SharedKey {
        std::uint64_t address = 0;
        std::uint32_t group = 0;
        bool operator==(const SharedKey& other) const {
            return address == other.address && group == other.group;
        }
    };
    struct SharedKeyHash {
        std::size_t operator()(const SharedKey& key) const {
            return Random::mix(key.address * 0x9e3779b97f4a7c15ULL + key.group);
        }
    };

    void end_of_elaboration() override;
    void take(Cycles at, Arrival& arrival);
    bool forward(Cycles at, std::uint32_t port, MemoryRequest& request);
    void take_join(Cycles at, const Joining& joining);
    std::uint32_t new_shared();
    void return_credits(Cycles at);
    bool take_credit(Gate& gate, std::uint32_t partition, Cycles at);
    void await_credit(Gate& gate, std::uint32_t partition);
    void hand_over(Gate& gate, std::uint32_t partition, MemoryRequest& request, Cycles ready,
                   Cycles at);
    void drain(Gate& gate, std::uint32_t partition, Cycles at);
    void resume_blocked(Cycles at);
    void deliver(Cycles at, MemoryResponse& response);
    void deliver_shared(Cycles at, MemoryResponse& response);

    static constexpr std::uint32_t no_turn = ~std::uint32_t{0};

    Cycles port_cycles_;
    std::uint32_t pes_;
    std::size_t number_ = 0;
    // What the ports are bound to: asking a port costs a check, and there are many calls.
    std::vector<RequesterIf*> requester_;
    std::vector<PartitionIf*> partition_;
    WakeIf* conductor_ = nullptr;
    Links links_;
    TimeWheel<Arrival, 1024> arrivals_;
    TimeWheel<Joining> joins_;
    TimeWheel<MemoryResponse, 1024> replies_;
    // Partitions whose gates wait for a credit, by its time; and those of now, not handled yet.
    TimeWheel<std::uint32_t> credits_;
    std::vector<std::uint32_t> credited_;
    std::uint32_t turn_ = no_turn;  // the partition whose credit is being handled
    std::vector<BoundedQueue<MemoryRequest>> outboxes_;
    std::vector<bool> is_blocked_;
    std::vector<Gate> gates_;
    std::vector<std::uint32_t> roomy_;  // gates with room for senders that are blocked there
    std::unordered_map<SharedKey, std::uint32_t, SharedKeyHash> merging_;
    std::vector<Shared> shared_;
    std::vector<std::uint32_t> free_shared_;
    NocStats stats_;
};

}  // namespace diastole
