// An execution engine of a PE: its queue of commands, those it executes, and its account of time.
// Engines differ in how long a command takes; that is all a subclass says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <systemc>

#include "model/base/bounded_queue.hpp"
#include "model/isa/command.hpp"
#include "model/stats/stalls.hpp"

namespace diastole {

// A command in front of a unit.
struct IssuedCommand {
    static constexpr std::uint8_t no_buffer = 255;

    Command command;
    Cycles issued;
    // The time before `issued`, for a unit that was out of work: up to `core_resumed` it belongs to
    // `gap`, from there on the scalar core was issuing.
    Cycles core_resumed;
    Stall gap = Stall::idle;
    bool was_blocked = false;             // it has waited for an operand or for space
    std::uint8_t blocked_cb = no_buffer;  // the operand that was missing
    Stall blocked_by = Stall::wait_dependency;
};

// What a command does to the circular buffers when it completes.
struct Effects {
    Cycles at;
    std::uint8_t read_count = 0;
    bool writes = false;
    std::array<CbRead, 4> reads{};
    CbWrite write;
};

class Engine : public sc_core::sc_module {
  public:
    struct Timing {
        Cycles occupied;  // until the next command may start
        Cycles latency;   // until the result is there
    };

    Engine(const sc_core::sc_module_name& name, Unit which, std::uint32_t queue_depth)
        : sc_module(name), unit(which), queue(queue_depth), completing(max_completing) {}

    // How long a command takes by itself, without waiting for local memory; also counts its work.
    virtual Timing execute(const Command& command) = 0;

    [[nodiscard]] bool idle() const { return queue.empty() && completing.empty(); }
    // Whether it could start a command whose operands are there.
    [[nodiscard]] bool can_start(Cycles at) const {
        return !queue.empty() && free <= at && !completing.full();
    }
    [[nodiscard]] Cycles next_event() const {
        return completing.empty() ? free_event : std::min(free_event, completing.front().at);
    }

    static constexpr std::size_t max_completing = 8;  // commands in its pipeline

    const Unit unit;
    BoundedQueue<IssuedCommand> queue;
    BoundedQueue<Effects> completing;
    Cycles free;                // when the next command may start
    Cycles free_event = never;  // the same, until it has been noticed
    StallClock clock;
};

}  // namespace diastole
