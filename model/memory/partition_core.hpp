// One memory partition: an LLC slice and its share of the LLS, their banks, the MSHRs and write
// buffer, and the DRAM channels behind them, in one private event queue. Plain C++; the SystemC
// module around it delivers requests and takes responses. docs/memory.md has the timing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/base/divisor.hpp"
#include "model/base/sorted_queue.hpp"
#include "model/memory/dram_port.hpp"
#include "model/memory/flight_table.hpp"
#include "model/memory/partition_stats.hpp"
#include "model/memory/ring.hpp"
#include "model/memory/slab.hpp"
#include "model/params/chip_params.hpp"
#include "model/sim/messages.hpp"
#include "model/timing/cache.hpp"
#include "model/timing/interleave.hpp"

namespace diastole {

// Takes what leaves a partition: answers by `at`, the time at which each leaves, and credits (a
// slot of the input queue became free) by time.
class PartitionSink {
  public:
    virtual ~PartitionSink() = default;
    virtual void respond(const MemoryResponse& response) = 0;
    virtual void credit(Cycles at) = 0;
};

class PartitionCore {
  public:
    // Throws ConfigError for a chip whose partition cannot be built.
    PartitionCore(const ChipParams& chip, std::uint32_t index, MemoryMode mode);

    // A request that arrives at request.at; times never decrease, and lie at or after what
    // advance() has reached. A sender that overruns the queue (no credit) is a ModelError, found on
    // arrival.
    void accept(const MemoryRequest& request);
    // The earliest time at which something happens inside or leaves; `never` when all is done.
    [[nodiscard]] Cycles next_event();
    // Does everything that happens before `until`, in order of time, and hands over what leaves
    // before `until`. The result does not depend on how time is cut into calls.
    void advance(Cycles until, PartitionSink& out);

    [[nodiscard]] std::string describe_pending() const;
    // Counters up to the time reached; DRAM counters summed over the channels.
    [[nodiscard]] PartitionStats stats();
    [[nodiscard]] std::uint64_t dirty_bytes() const {
        return cache_.dirty_lines() * line_bytes_.value();
    }

  private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    enum class Block : std::uint8_t { nothing, mshrs, targets, dram_queue, write_buffer };

    // A request in the queue, or on its way there.
    struct Input {
        MemoryRequest request;
        std::uint64_t local = 0;           // address within the partition
        std::uint64_t blocked_before = 0;  // cycles the head had been blocked when it arrived
        Cache::Cursor cursor;              // of its first line
    };
    // How far the look-up of the head of the queue has come.
    struct Head {
        std::uint64_t line = 0;  // the next to look up, at `cursor` in the tags
        Cache::Cursor cursor;
        std::uint32_t offset = 0;  // in that line, of the next byte
        std::uint32_t left = 0;    // bytes, from there to the request's end
        std::uint32_t job = none;  // once it waits for DRAM
        Cycles data_end;           // its last bank access ends
        Cycles slot_free;          // its last bank access starts
    };
    // When and why a request is answered.
    struct Timing {
        Cycles looked_up = never;          // its last line passed the tags
        Cycles data_end;                   // its last bank access ends
        Cycles dram_end;                   // its last line came from DRAM
        std::uint64_t blocked_cycles = 0;  // of its time until looked_up
    };
    // A request that waits for DRAM.
    struct Job {
        MemoryRequest request;
        Timing timing;
        std::uint32_t fetches = 0;        // that it still waits for
        std::uint32_t last_fetch = none;  // that it has joined
    };
    // Contiguous lines read from DRAM together. Bit i of a mask: line first + i.
    struct Fetch {
        std::uint64_t first = 0;
        std::uint64_t dirty = 0, dead_dirty = 0;  // written meanwhile; and dead after use
        std::uint64_t dead = 0;                   // read for the last time: not kept
        Cache::Cursor cursor;                     // of the next line to fill
        std::uint32_t lines = 0, filled = 0;
        std::uint32_t targets = none;  // requests that wait for it: a list
        Cycles data_end;
    };
    struct Target {
        std::uint32_t job = none, next = none;
    };
    struct Channel {
        std::uint32_t port = 0;
        std::uint64_t address = 0;
    };

    [[nodiscard]] Channel channel_of(std::uint64_t local) const;
    // Every use of a port may change when the ports act next.
    DramPort& use(DramPort& port) {
        ports_used_ = true;
        return port;
    }
    void survey_ports();
    [[nodiscard]] Cycles queue_event() const;
    void handle(Cycles now, PartitionSink& out);
    bool handle_dram();
    void free_slot(PartitionSink& out);
    void arrive(PartitionSink& out);
    void dispatch_head();
    void begin_head();
    void finish_head();
    void respond(const MemoryRequest& request, const Timing& timing);

    Block look_up(const MemoryRequest& request);
    void read_hits(const MemoryRequest& request);
    Block look_up_read(const MemoryRequest& request, std::uint32_t& lines);
    Block look_up_write(const MemoryRequest& request);
    Block fetch_lines(std::uint32_t most, std::uint32_t& lines, std::uint32_t& fetch);
    Block wait_for(const MemoryRequest& request, std::uint32_t fetch);
    [[nodiscard]] std::uint32_t head_bytes() const;
    [[nodiscard]] std::uint32_t lines_left() const;
    [[nodiscard]] std::uint64_t last_uses(std::uint32_t lines) const;
    void pass(std::uint32_t lines);
    void take_line();
    void use_bank();
    Cycles reserve_bank(std::uint64_t line, Cycles taken, Cycles& start);
    Cycles reserve_bank(std::uint64_t line) {
        Cycles start;
        return reserve_bank(line, line_cycles_, start);
    }

    void fill_waiting();
    bool fill(Fetch& fetch);
    void wake_targets(const Fetch& fetch, std::uint32_t id);
    bool put_line(const Cache::Cursor& cursor, bool dirty, bool dead);
    [[nodiscard]] bool write_buffer_full() const { return buffered_ >= write_buffer_lines_; }
    void write_back(std::uint64_t line);
    void buffer_write(std::uint64_t local, std::uint32_t bytes);
    void drain(DramPort& port) { buffered_ -= use(port).drain(now_); }
    ClassStats& counts(const MemoryRequest& request) {
        return stats_.by_class[static_cast<std::size_t>(request.access)];
    }

    // Members that every event needs stand together.
    Cycles now_;      // of the event being handled
    Cycles reached_;  // everything before is done
    Cycles next_arrival_ = never;
    Cycles next_dispatch_;          // one request enters a cycle
    Cycles ports_event_ = never;    // a port has data or room
    Cycles ports_effect_ = never;   // commands that a port has not played can have an effect
    std::uint32_t first_port_ = 0;  // whose commands those are
    bool ports_used_ = false;       // the three are out of date
    Block block_ = Block::nothing;  // what the head waits for
    std::uint32_t block_port_ = 0;
    std::uint32_t arrived_ = 0;  // of the inputs; the others come
    std::uint32_t slots_used_ = 0;
    Ring<Input> inputs_;
    Head head_;
    SortedTimes credits_;  // when used slots become free
    SortedQueue<MemoryResponse> responses_;
    Cache cache_;
    std::vector<Cycles> bank_free_;
    FlightTable flights_;
    std::vector<DramPort> ports_;
    PartitionStats stats_;

    Slab<Job> jobs_;
    Slab<Fetch> fetches_;
    Slab<Target> targets_;
    Ring<std::uint32_t> fills_;   // fetches whose data is there and that wait for space
    std::uint32_t buffered_ = 0;  // lines in the write buffers
    Cycles blocked_since_;
    std::uint64_t blocked_cycles_ = 0;
    Cycles last_arrival_;

    std::uint32_t index_;
    Interleave interleave_;
    Divisor line_bytes_, granule_, banks_;
    std::uint64_t lls_bytes_, dram_bytes_;
    std::uint32_t atom_bytes_;
    BytesPerCycle bank_width_;
    Cycles line_cycles_, latency_;
    std::uint32_t queue_depth_, write_buffer_lines_, max_targets_;
    std::uint32_t longest_fetch_ = 0;  // lines
};

}  // namespace diastole
