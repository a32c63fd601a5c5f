// One DRAM channel as its partition sees it: core cycles instead of ticks, lines instead of atoms,
// and a write buffer in front of it. The channel is advanced only as far as something can come of
// it: between its next command and that command's data lies the read latency, and nobody can tell
// whether the commands in between have been played yet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/base/divisor.hpp"
#include "model/memory/clock_ratio.hpp"
#include "model/memory/ring.hpp"
#include "model/params/chip_params.hpp"
#include "model/timing/dram_model.hpp"

namespace diastole {

class DramPort {
  public:
    DramPort(const ChipParams& chip, MemoryMode mode);

    // Plays every command before `now`. Must precede reads, writes and questions for room at `now`.
    void sync(Cycles now);
    [[nodiscard]] bool can_read(std::uint64_t bytes) const {
        return model_->can_accept(false, atoms(bytes));
    }
    [[nodiscard]] std::uint64_t max_read_bytes() const {
        return std::uint64_t{model_->max_run()} * atom_bytes_.value();
    }
    // Comes back once, with this tag, when the last byte is there. Tags in use differ and are
    // small.
    void read(Cycles now, std::uint64_t address, std::uint64_t bytes, std::uint32_t tag);
    // Takes bytes into the write buffer; they leave it in order, as the DRAM's queue takes them.
    void write(Cycles now, std::uint64_t address, std::uint32_t bytes);
    // Moves what fits from the write buffer to the DRAM; returns how many entries.
    std::uint32_t drain(Cycles now);
    // Asks for space for a read of so many bytes, which is not there now; zero: no longer.
    void want_read(std::uint64_t bytes) {
        wanted_read_ = atoms(bytes);
        effect_known_ = false;
    }

    // No command that is not played yet has an effect before this time.
    [[nodiscard]] Cycles effect();
    // Plays the next commands, none that comes after effect().
    void step();

    // The next finished read, and when space that was asked for is there.
    [[nodiscard]] Cycles next_read() const { return done_.empty() ? never : done_.front().at; }
    [[nodiscard]] Cycles room_at() const { return room_at_; }
    std::uint32_t pop_read() {
        const std::uint32_t tag = done_.front().tag;
        done_.pop();
        return tag;
    }
    void clear_room() { room_at_ = never; }

    [[nodiscard]] const DramStats& stats() const { return model_->stats(); }
    [[nodiscard]] std::string describe_pending() const;

  private:
    struct Done {
        Cycles at;
        std::uint32_t tag;
    };
    struct Write {
        std::uint64_t address;
        std::uint32_t bytes, atoms;
    };

    [[nodiscard]] std::uint32_t atoms(std::uint64_t bytes) const {
        return static_cast<std::uint32_t>(atom_bytes_.quotient(bytes + atom_bytes_.value() - 1));
    }
    [[nodiscard]] DramRoom wanted() const {
        return {wanted_read_, writes_.empty() ? 0 : writes_.front().atoms};
    }
    [[nodiscard]] bool has_room(DramRoom room) const {
        return (room.read_atoms > 0 && model_->can_accept(false, room.read_atoms)) ||
               (room.write_atoms > 0 && model_->can_accept(true, room.write_atoms));
    }
    [[nodiscard]] DramCycles tick_of(Cycles now);
    std::uint32_t push(Cycles now, std::uint64_t address, std::uint64_t bytes, std::uint32_t tag,
                       bool is_write);
    void play(DramCycles until);
    void collect();

    std::unique_ptr<DramModel> model_;
    DramCycles played_;  // every command before is issued
    Cycles room_at_ = never;
    Cycles effect_ = never;
    DramCycles next_data_ = dram_never;  // no command that is not played has data before
    bool effect_known_ = false;
    std::uint32_t wanted_read_ = 0;  // atoms
    Ring<Done> done_;
    Ring<Write> writes_;
    std::vector<std::uint32_t> runs_;  // of the read with each tag, still to come
    Cycles converted_;                 // the last time converted, and its tick
    DramCycles converted_tick_;
    ClockRatio clock_;
    Divisor atom_bytes_, run_bytes_;
    std::vector<DramCompletion> completions_;
};

}  // namespace diastole
