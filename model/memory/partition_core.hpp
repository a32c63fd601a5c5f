// One memory partition: an LLC slice and its share of the LLS, their banks, the MSHRs and write
// buffer, and the DRAM channels behind them, in one private event queue. Plain C++; the SystemC
// module around it delivers requests and takes responses. docs/memory.md has the timing.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "model/base/sorted_queue.hpp"
#include "model/memory/dram_port.hpp"
#include "model/memory/flight_table.hpp"
#include "model/memory/partition_stats.hpp"
#include "model/memory/slab.hpp"
#include "model/params/chip_params.hpp"
#include "model/sim/messages.hpp"
#include "model/timing/cache.hpp"
#include "model/timing/interleave.hpp"

namespace diastole {

struct PartitionOutput {
    std::vector<MemoryResponse> responses;  // by `at`, the time at which each leaves
    std::vector<Cycles> credits;            // by time: a slot of the input queue became free
    void clear() {
        responses.clear();
        credits.clear();
    }
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
    // Does everything that happens before `until`, in order of time, and appends what leaves before
    // `until`. The result does not depend on how time is cut into calls.
    void advance(Cycles until, PartitionOutput& out);

    [[nodiscard]] std::string describe_pending() const;
    // Counters up to the time reached; DRAM counters summed over the channels.
    [[nodiscard]] PartitionStats stats();
    [[nodiscard]] std::uint64_t dirty_bytes() const { return cache_.dirty_lines() * line_bytes_; }

  private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    enum class Block : std::uint8_t { nothing, mshrs, targets, dram_queue, write_buffer };

    // A request from its arrival to its response.
    struct Job {
        MemoryRequest request;
        std::uint64_t local = 0;           // address within the partition
        std::uint64_t position = 0;        // next byte to look up, from `local`
        std::uint64_t blocked_before = 0;  // cycles the head had been blocked when it arrived
        Cycles looked_up;                  // its last line passed the tags
        Cycles data_end;                   // its last bank access ends
        Cycles dram_end;                   // its last line came from DRAM
        Cycles slot_free;                  // its last bank access starts
        std::uint32_t blocked_cycles = 0;  // of its time until looked_up
        std::uint32_t fetches = 0;         // that it still waits for
        std::uint32_t last_fetch = none;   // that it has joined
    };
    // Contiguous lines read from DRAM together. Bit i of a mask: line first + i.
    struct Fetch {
        std::uint64_t first = 0;
        std::uint64_t dirty = 0, dead_dirty = 0;  // written meanwhile; and dead after use
        std::uint64_t dead = 0;                   // read for the last time: not kept
        std::uint32_t lines = 0, filled = 0;
        std::uint32_t runs = 0;        // DRAM reads not finished
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

    void check_geometry(const ChipParams& chip) const;
    [[nodiscard]] Channel channel_of(std::uint64_t local) const;
    [[nodiscard]] Cycles internal_event() const;
    bool step_port(Cycles limit);
    void handle(Cycles now);
    void arrive();
    void dispatch_head();
    void respond(std::uint32_t job);

    Block look_up(Job& job, std::uint32_t id);
    Block look_up_lls(Job& job);
    Block look_up_read(Job& job, std::uint32_t id, std::uint64_t line, std::uint32_t bytes);
    Block look_up_write(Job& job, std::uint64_t line, std::uint32_t offset, std::uint32_t bytes);
    Block fetch_lines(Job& job, std::uint32_t id, std::uint64_t line, std::uint32_t& lines);
    Block wait_for(Job& job, std::uint32_t id, std::uint32_t fetch);
    void use_bank(Job& job, std::uint64_t line, std::uint32_t bytes);
    Cycles reserve_bank(std::uint64_t line, std::uint32_t bytes, Cycles* start = nullptr);

    void finish_read(std::uint32_t fetch);
    void fill_waiting();
    bool fill(Fetch& fetch);
    [[nodiscard]] bool write_buffer_full() const { return buffered_ >= write_buffer_lines_; }
    void write_back(std::uint64_t line);
    void buffer_write(std::uint64_t local, std::uint32_t bytes);
    void drain(DramPort& port);
    ClassStats& counts(const Job& job) {
        return stats_.by_class[static_cast<std::size_t>(job.request.access)];
    }

    SramParams sram_;
    std::uint32_t index_;
    std::uint64_t line_bytes_, granule_, lls_bytes_, dram_bytes_;
    std::uint32_t atom_bytes_;
    std::uint32_t write_buffer_lines_;
    Interleave interleave_;
    Cache cache_;
    std::vector<DramPort> ports_;
    FlightTable flights_;
    std::vector<Cycles> bank_free_;

    Slab<Job> jobs_;
    Slab<Fetch> fetches_;
    Slab<Target> targets_;
    std::uint32_t max_targets_;

    std::deque<std::uint32_t> inputs_;  // jobs; the first `arrived_` of them wait, the rest come
    std::uint32_t arrived_ = 0, slots_used_ = 0;
    SortedQueue<bool> slots_;          // when used slots become free
    std::deque<std::uint32_t> fills_;  // fetches whose data is there and that wait for space
    std::uint32_t buffered_ = 0;       // lines in the write buffers

    Cycles now_;      // of the event being handled
    Cycles reached_;  // everything before is done
    Cycles last_arrival_;
    Cycles next_dispatch_;          // one request enters a cycle
    Block block_ = Block::nothing;  // what the head waits for
    Cycles blocked_since_;
    std::uint32_t block_port_ = 0;
    std::uint64_t blocked_cycles_ = 0;

    SortedQueue<MemoryResponse> responses_;
    SortedQueue<bool> credits_;
    PartitionStats stats_;
};

}  // namespace diastole
