// The memory behind a TLM socket without the socket: accesses of any length, split over
// pseudo-channels and into runs, and told of in two steps, when the queues have taken all of an
// access and when its last data beat has passed. Plain C++; times are ticks of the memory clock.
//
// However addresses spread over channels, a contiguous range is contiguous within each channel.
// What a channel has no room for waits in front of it, in order of arrival, and enters run by run
// at the tick in which room appears.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "model/params/channel_spread.hpp"
#include "model/params/dram_params.hpp"
#include "model/timing/dram_model.hpp"

namespace diastole {

struct TlmMemoryParams {
    // dram.channels pseudo-channels. Addresses choose among them by the `ch` and `pc` fields of
    // dram.map; if it has none, it is the map of one, and they take turns.
    DramParams dram;
    std::uint64_t interleave_bytes = 256;  // from turn to turn
    MemoryMode mode = MemoryMode::exact;
    bool store_data = true;  // else reads leave their payload's data as it is
};

class MemoryCore {
  public:
    using Ticket = std::uint32_t;  // names an access until it has finished

    // Throws ConfigError for parameters that cannot be simulated.
    explicit MemoryCore(const TlmMemoryParams& params)
        : MemoryCore(params, read_channel_map(params.dram.map)) {}

    [[nodiscard]] std::uint64_t capacity() const { return capacity_; }

    // Preconditions: bytes > 0, address + bytes <= capacity(), `now` neither before an earlier call
    // of submit() or advance() nor after next_event().
    Ticket submit(DramCycles now, std::uint64_t address, std::uint64_t bytes, bool is_write);
    // Plays what happens before `now`; the same preconditions.
    void advance(DramCycles now);
    // The earliest tick at which there may be something to tell; dram_never: nothing is under way.
    [[nodiscard]] DramCycles next_event() const;

    // Takes the next access of which this is true at `now`, in order of the tick at which it became
    // so; false: there is none. An access is told of as accepted first.
    bool pop_accepted(DramCycles now, Ticket& ticket);
    bool pop_finished(DramCycles now, Ticket& ticket);

    [[nodiscard]] std::size_t channels() const { return channels_.size(); }
    [[nodiscard]] const DramStats& stats(std::size_t channel) const {
        return channels_[channel].model->stats();
    }

  private:
    struct Share {  // what of an access has not entered a channel yet; the channel's addresses
        std::uint64_t begin = 0, end = 0;
        Ticket ticket = 0;
        bool is_write = false;
    };
    struct Channel {
        std::unique_ptr<DramModel> model;
        std::deque<Share> waiting;
        std::uint32_t writes = 0;  // runs under way
    };
    struct Access {
        std::uint64_t order = 0;
        std::uint32_t shares = 0;  // channels that have not taken all of it
        std::uint32_t runs = 0;    // under way
        DramCycles done;
    };
    struct Told {
        DramCycles at;
        std::uint64_t order = 0;
        Ticket ticket = 0;
    };
    static bool later(const Told& a, const Told& b) {
        return a.at != b.at ? b.at < a.at : b.order < a.order;
    }

    MemoryCore(const TlmMemoryParams& params, const ChannelMap& map);
    struct Run {
        std::uint64_t begin = 0, end = 0;  // of whole atoms
        std::uint32_t atoms = 0;
    };

    Ticket take_ticket();
    [[nodiscard]] Run next_run(const Share& share) const;
    void append(const ChannelSpread::Place& place, std::uint64_t bytes, const Share& share,
                DramCycles now);
    void play(std::size_t channel, DramCycles now);
    void feed(Channel& channel, DramCycles now);
    void update_effect(std::size_t channel);

    std::uint64_t atom_bytes_, run_bytes_, capacity_;  // atom and run: powers of two
    int atom_shift_ = 0;
    ChannelSpread spread_;
    std::uint64_t read_latency_ = 0, write_latency_ = 0;  // ticks from column command to last beat
    std::vector<Channel> channels_;
    std::vector<DramCycles> effects_;  // of each channel: nothing to tell before this tick
    std::vector<Access> accesses_;
    std::vector<Ticket> free_;
    std::uint64_t next_order_ = 0;
    std::deque<Told> accepted_;
    std::vector<Told> finished_;  // a heap by `later`
    std::vector<DramCompletion> completions_;
    std::vector<std::uint32_t> touched_;  // channels, by the access that is being submitted
};

}  // namespace diastole
