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

// The same moment is asked for again and again.
DramCycles DramPort::tick_of(Cycles now) {
    if (now != converted_) {
        converted_ = now;
        converted_tick_ = clock_.tick_of(now);
    }
    return converted_tick_;
}

void DramPort::sync(Cycles now) {
    const DramCycles tick = tick_of(now);
    if (tick <= played_) return;
    play(tick);
    if (played_ < tick) played_ = model_->advance(tick, completions_);
    collect();
}

// Plays until `until`, or until there is room that somebody waits for and has not been told of.
void DramPort::play(DramCycles until) {
    DramRoom room = room_at_ == never ? wanted() : DramRoom{};
    if (has_room(room)) room = {};  // it is there already, and being used right now
    played_ = model_->advance(until, completions_, room);
    if (has_room(room)) room_at_ = clock_.core_of(played_);
    effect_known_ = false;
}

void DramPort::collect() {
    for (const DramCompletion& c : completions_) {
        if (!c.is_write && --runs_[c.tag] == 0) done_.add() = {clock_.core_of(c.done), c.tag};
    }
    completions_.clear();
}

std::uint32_t DramPort::push(Cycles now, std::uint64_t address, std::uint64_t bytes,
                             std::uint32_t tag, bool is_write) {
    const DramCycles arrival = tick_of(now);
    std::uint32_t runs = 0;
    const std::uint64_t end = address + bytes;
    while (address < end) {
        const std::uint64_t stop =
            std::min(end, (run_bytes_.quotient(address) + 1) * run_bytes_.value());
        model_->push({address, atoms(stop - address), tag, is_write, arrival});
        address = stop;
        ++runs;
    }
    effect_known_ = false;
    return runs;
}

void DramPort::read(Cycles now, std::uint64_t address, std::uint64_t bytes, std::uint32_t tag) {
    if (tag >= runs_.size()) runs_.resize(tag + 1);
    runs_[tag] = push(now, address, bytes, tag, false);
}

void DramPort::write(Cycles now, std::uint64_t address, std::uint32_t bytes) {
    sync(now);  // before the wish for room changes: nobody must miss room that came until now
    writes_.add() = {address, bytes, atoms(bytes)};
    effect_known_ = false;
}

std::uint32_t DramPort::drain(Cycles now) {
    if (writes_.empty()) return 0;
    sync(now);
    std::uint32_t moved = 0;
    while (!writes_.empty() && model_->can_accept(true, writes_.front().atoms)) {
        push(now, writes_.front().address, writes_.front().bytes, 0, true);
        writes_.pop();
        ++moved;
    }
    return moved;
}

Cycles DramPort::effect() {
    if (effect_known_) return effect_;
    const DramCycles next = model_->next_event();
    effect_ = never;
    if (next != dram_never) {
        next_data_ = next + model_->read_latency();
        DramCycles bound = next_data_;
        const DramRoom room = wanted();
        if (room.read_atoms + room.write_atoms > 0 && room_at_ == never) {
            bound = std::min(bound, model_->room_bound(room));
        }
        effect_ = clock_.core_of(bound);
    }
    effect_known_ = true;
    return effect_;
}

void DramPort::step() {
    const Cycles effect_at = effect();
    play(std::min(next_data_, clock_.tick_of(effect_at)));
    collect();
}

std::string DramPort::describe_pending() const {
    return model_->describe_pending() + ", " + std::to_string(writes_.size()) +
           " lines in the write buffer";
}

}  // namespace diastole
