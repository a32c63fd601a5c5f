#include "model/tlm/memory_core.hpp"

#include <algorithm>
#include <string>

#include "model/base/error.hpp"
#include "model/params/validate.hpp"
#include "model/timing/address_map.hpp"
#include "model/timing/dram_rules.hpp"

namespace diastole {
namespace {

// Of one pseudo-channel, and valid.
DramParams channel_params(const TlmMemoryParams& params, const ChannelMap& map) {
    DramParams dram = params.dram;
    dram.map = map.inner;
    validate(dram);
    return dram;
}

}  // namespace

MemoryCore::MemoryCore(const TlmMemoryParams& params, const ChannelMap& map)
    : atom_bytes_(params.dram.geometry.atom_bytes),
      run_bytes_(AddressMap(map.inner, channel_params(params, map).geometry).run_bytes()),
      capacity_(dram_bytes(params.dram)),
      spread_(map, params.dram.channels, params.interleave_bytes, channel_data_bytes(params.dram),
              params.dram.geometry.atom_bytes),
      channels_(params.dram.channels),
      effects_(params.dram.channels, dram_never) {
    const DramParams dram = channel_params(params, map);
    atom_shift_ = __builtin_ctzll(atom_bytes_);
    const DramRules rules(dram.geometry, dram.timing, dram.policy);
    read_latency_ = std::uint64_t{rules.read_latency} + rules.burst;
    write_latency_ = std::uint64_t{rules.write_latency} + rules.burst;
    for (Channel& channel : channels_) channel.model = make_dram_model(dram, params.mode);
    while (run_bytes_ > channels_[0].model->max_run() * atom_bytes_) run_bytes_ /= 2;
}

MemoryCore::Ticket MemoryCore::take_ticket() {
    if (free_.empty()) {
        accesses_.emplace_back();
        return static_cast<Ticket>(accesses_.size() - 1);
    }
    const Ticket ticket = free_.back();
    free_.pop_back();
    accesses_[ticket] = Access{};
    return ticket;
}

MemoryCore::Ticket MemoryCore::submit(DramCycles now, std::uint64_t address, std::uint64_t bytes,
                                      bool is_write) {
    if (bytes == 0 || address >= capacity_ || bytes > capacity_ - address) {
        throw ModelError("an access of " + std::to_string(bytes) + " bytes at " +
                         std::to_string(address) + " lies outside the memory");
    }
    const Ticket ticket = take_ticket();
    accesses_[ticket].order = next_order_++;
    touched_.clear();
    for (const std::uint64_t end = address + bytes; address < end;) {
        const std::uint64_t left = spread_.granule() - spread_.offset(address);
        const std::uint64_t part = std::min(left, end - address);
        append(spread_.place(address), part, {0, 0, ticket, is_write}, now);
        address += part;
    }
    accesses_[ticket].shares = static_cast<std::uint32_t>(touched_.size());
    for (const std::uint32_t index : touched_) {
        feed(channels_[index], now);
        update_effect(index);
    }
    return ticket;
}

// Adds a part of the access to its share of the channel.
void MemoryCore::append(const ChannelSpread::Place& place, std::uint64_t bytes, const Share& share,
                        DramCycles now) {
    Channel& channel = channels_[place.channel];
    if (!channel.waiting.empty() && channel.waiting.back().ticket == share.ticket) {
        channel.waiting.back().end += bytes;
        return;
    }
    play(place.channel, now);  // who waits already goes first
    channel.waiting.push_back({place.local, place.local + bytes, share.ticket, share.is_write});
    touched_.push_back(place.channel);
}

void MemoryCore::advance(DramCycles now) {
    for (std::size_t i = 0; i < channels_.size(); ++i) {
        if (now < effects_[i] || effects_[i] == dram_never) continue;
        play(i, now);
        update_effect(i);
    }
}

void MemoryCore::play(std::size_t index, DramCycles now) {
    if (effects_[index] < now) throw ModelError("a memory channel was advanced too late");
    Channel& channel = channels_[index];
    channel.model->advance(now, completions_);
    for (const DramCompletion& completion : completions_) {
        Access& access = accesses_[completion.tag];
        access.done = std::max(access.done, completion.done);
        if (completion.is_write) --channel.writes;
        if (--access.runs == 0 && access.shares == 0) {
            finished_.push_back({access.done, access.order, completion.tag});
            std::push_heap(finished_.begin(), finished_.end(), later);
        }
    }
    completions_.clear();
    feed(channel, now);
}

// What of the share may go as one: it lies in one row, and a queue can hold it.
MemoryCore::Run MemoryCore::next_run(const Share& share) const {
    Run run;
    const std::uint64_t last_atom = (share.end - 1) & ~(atom_bytes_ - 1);
    run.begin = share.begin & ~(atom_bytes_ - 1);
    run.end = std::min(last_atom + atom_bytes_, (run.begin & ~(run_bytes_ - 1)) + run_bytes_);
    run.atoms = static_cast<std::uint32_t>((run.end - run.begin) >> atom_shift_);
    return run;
}

// Moves runs into the channel's queues as long as there is room for the next one.
void MemoryCore::feed(Channel& channel, DramCycles now) {
    while (!channel.waiting.empty()) {
        Share& share = channel.waiting.front();
        const Run run = next_run(share);
        if (!channel.model->can_accept(share.is_write, run.atoms)) return;
        channel.model->push({run.begin, run.atoms, share.ticket, share.is_write, now});
        if (share.is_write) ++channel.writes;
        Access& access = accesses_[share.ticket];
        ++access.runs;
        share.begin = run.end;
        if (share.begin < share.end) continue;
        if (--access.shares == 0) accepted_.push_back({now, access.order, share.ticket});
        channel.waiting.pop_front();
    }
}

// A run that is not issued yet is done no sooner than a latency after the next command.
void MemoryCore::update_effect(std::size_t index) {
    Channel& channel = channels_[index];
    DramCycles& effect = effects_[index];
    effect = channel.model->next_event();
    if (effect == dram_never) return;
    const bool writes = channel.writes > 0;
    effect += DramCycles(writes ? std::min(read_latency_, write_latency_) : read_latency_);
    if (channel.waiting.empty()) return;
    const Share& share = channel.waiting.front();
    const std::uint32_t atoms = next_run(share).atoms;
    const DramRoom wanted = share.is_write ? DramRoom{0, atoms} : DramRoom{atoms, 0};
    effect = std::min(effect, channel.model->room_bound(wanted));
}

DramCycles MemoryCore::next_event() const {
    DramCycles next = *std::min_element(effects_.begin(), effects_.end());
    if (!accepted_.empty()) next = std::min(next, accepted_.front().at);
    if (!finished_.empty()) next = std::min(next, finished_.front().at);
    return next;
}

bool MemoryCore::pop_accepted(DramCycles now, Ticket& ticket) {
    if (accepted_.empty() || now < accepted_.front().at) return false;
    ticket = accepted_.front().ticket;
    accepted_.pop_front();
    return true;
}

bool MemoryCore::pop_finished(DramCycles now, Ticket& ticket) {
    if (finished_.empty() || now < finished_.front().at) return false;
    std::pop_heap(finished_.begin(), finished_.end(), later);
    ticket = finished_.back().ticket;
    finished_.pop_back();
    free_.push_back(ticket);
    return true;
}

}  // namespace diastole
