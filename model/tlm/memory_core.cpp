#include "model/tlm/memory_core.hpp"

#include <algorithm>
#include <string>

#include "model/base/error.hpp"
#include "model/params/validate.hpp"
#include "model/timing/address_map.hpp"
#include "model/timing/dram_rules.hpp"

namespace diastole {
namespace {

const TlmMemoryParams& checked(const TlmMemoryParams& params) {
    validate(params.dram);
    const std::uint64_t channel = channel_bytes(params.dram.geometry);
    const std::uint64_t block = params.interleave_bytes;
    if (params.dram.channels > 1 &&
        (block == 0 || block % params.dram.geometry.atom_bytes != 0 || channel % block != 0)) {
        throw ConfigError("interleave_bytes: expected a multiple of dram.geometry.atom_bytes = " +
                          std::to_string(params.dram.geometry.atom_bytes) +
                          " that divides a pseudo-channel's " + std::to_string(channel) +
                          " bytes, got " + std::to_string(block));
    }
    return params;
}

}  // namespace

MemoryCore::MemoryCore(const TlmMemoryParams& params)
    : interleave_(checked(params).dram.channels == 1 ? dram_bytes(params.dram)
                                                     : params.interleave_bytes),
      atom_bytes_(params.dram.geometry.atom_bytes),
      run_bytes_(AddressMap(params.dram.map, params.dram.geometry).run_bytes()),
      capacity_(dram_bytes(params.dram)),
      channels_(params.dram.channels),
      effects_(params.dram.channels, dram_never) {
    const DramRules rules(params.dram.geometry, params.dram.timing, params.dram.policy);
    read_latency_ = std::uint64_t{rules.read_latency} + rules.burst;
    write_latency_ = std::uint64_t{rules.write_latency} + rules.burst;
    for (Channel& channel : channels_) channel.model = make_dram_model(params.dram, params.mode);
    while (run_bytes_ > channels_[0].model->max_run() * atom_bytes_) run_bytes_ /= 2;
}

// How many of the bytes below `address` lie in the channel.
std::uint64_t MemoryCore::local(std::uint64_t address, std::uint64_t channel) const {
    const std::uint64_t round = interleave_ * channels_.size();
    const std::uint64_t rounds = address / round;
    const std::uint64_t within = address - rounds * round;
    const std::uint64_t before = channel * interleave_;
    const std::uint64_t part = within < before ? 0 : std::min(within - before, interleave_);
    return rounds * interleave_ + part;
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
    const std::uint64_t first = address / interleave_;
    const std::uint64_t blocks = (address + bytes - 1) / interleave_ - first + 1;
    const std::uint64_t touched = std::min<std::uint64_t>(blocks, channels_.size());
    accesses_[ticket].order = next_order_++;
    accesses_[ticket].shares = static_cast<std::uint32_t>(touched);
    for (std::uint64_t i = 0; i < touched; ++i) {
        const std::uint64_t index = (first + i) % channels_.size();
        play(index, now);  // who waits already goes first
        Channel& channel = channels_[index];
        channel.waiting.push_back(
            {local(address, index), local(address + bytes, index), ticket, is_write});
        if (channel.waiting.size() == 1) feed(channel, now);
        update_effect(index);
    }
    return ticket;
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
    run.begin = share.begin / atom_bytes_ * atom_bytes_;
    run.end = std::min(round_up(share.end, atom_bytes_), (run.begin / run_bytes_ + 1) * run_bytes_);
    run.atoms = static_cast<std::uint32_t>((run.end - run.begin) / atom_bytes_);
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
