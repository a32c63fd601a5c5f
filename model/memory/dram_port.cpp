#include "model/memory/dram_port.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "model/timing/address_map.hpp"

namespace diastole {

DramPort::DramPort(const ChipParams& chip, MemoryMode mode)
    : model_(make_dram_model(chip.dram, mode)),
      clock_(clock_of(chip), Picoseconds(chip.dram.timing.tck_ps)),
      atom_bytes_(chip.dram.geometry.atom_bytes),
      run_bytes_(AddressMap(chip.dram.map, chip.dram.geometry).run_bytes()) {
    if (max_read_bytes() < chip.sram.line_bytes) {
        throw ConfigError("dram.policy: read_queue and write_queue must hold a cache line of " +
                          std::to_string(chip.sram.line_bytes) + " bytes");
    }
}

void DramPort::sync(Cycles now) {
    play(clock_.tick_of(now));
    model_->advance(clock_.tick_of(now), completions_);
    collect();
}

// Plays until `until`, or until there is room that somebody waits for and has not been told of.
void DramPort::play(DramCycles until) {
    const auto has_room = [&] {
        const DramRoom room = wanted();
        return (room.read_atoms > 0 && model_->can_accept(false, room.read_atoms)) ||
               (room.write_atoms > 0 && model_->can_accept(true, room.write_atoms));
    };
    // Room that is there already is being used right now.
    const bool tell = room_at_ == never && !has_room();
    const DramCycles reached = model_->advance(until, completions_, tell ? wanted() : DramRoom{});
    if (tell && has_room()) room_at_ = clock_.core_of(reached);
}

void DramPort::collect() {
    for (const DramCompletion& c : completions_) {
        if (!c.is_write) done_.push_back({clock_.core_of(c.done), c.tag});
    }
    completions_.clear();
    effect_known_ = false;
}

std::uint32_t DramPort::push(Cycles now, std::uint64_t address, std::uint64_t bytes,
                             std::uint32_t tag, bool is_write) {
    const DramCycles arrival = clock_.tick_of(now);
    std::uint32_t runs = 0;
    const std::uint64_t end = address + bytes;
    while (address < end) {
        const std::uint64_t stop = std::min(end, (address / run_bytes_ + 1) * run_bytes_);
        model_->push({address, atoms(stop - address), tag, is_write, arrival});
        address = stop;
        ++runs;
    }
    effect_known_ = false;
    return runs;
}

std::uint32_t DramPort::read(Cycles now, std::uint64_t address, std::uint64_t bytes,
                             std::uint32_t tag) {
    return push(now, address, bytes, tag, false);
}

void DramPort::write(Cycles now, std::uint64_t address, std::uint32_t bytes) {
    sync(now);  // before the wish for room changes: nobody must miss room that came until now
    writes_.push_back({address, bytes});
    effect_known_ = false;
}

std::uint32_t DramPort::drain(Cycles now) {
    if (writes_.empty()) return 0;
    sync(now);
    std::uint32_t moved = 0;
    while (!writes_.empty() && model_->can_accept(true, atoms(writes_.front().bytes))) {
        push(now, writes_.front().address, writes_.front().bytes, 0, true);
        writes_.pop_front();
        ++moved;
    }
    return moved;
}

Cycles DramPort::effect() {
    if (effect_known_) return effect_;
    const DramCycles next = model_->next_event();
    effect_ = never;
    if (next != dram_never) {
        const DramRoom room = wanted();
        const bool waiting = room.read_atoms + room.write_atoms > 0 && room_at_ == never;
        const DramCycles data = next + model_->read_latency();
        effect_ = clock_.core_of(waiting ? std::min(data, model_->room_bound(room)) : data);
    }
    effect_known_ = true;
    return effect_;
}

void DramPort::step() {
    const DramCycles next = model_->next_event();
    play(std::min(next + model_->read_latency(), clock_.tick_of(effect())));
    collect();
}

std::string DramPort::describe_pending() const {
    return model_->describe_pending() + ", " + std::to_string(writes_.size()) +
           " lines in the write buffer";
}

}  // namespace diastole
