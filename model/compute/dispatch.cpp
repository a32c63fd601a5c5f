// The command processor of a PE: dependency check, start and completion of commands on the units.
#include <algorithm>
#include <utility>

#include "model/compute/pe.hpp"

namespace diastole {
namespace {

std::uint64_t bytes_touched(const Command& command) {
    std::uint64_t touched = command.writes ? command.write.touched : 0;
    for (std::uint8_t i = 0; i < command.read_count; ++i) touched += command.reads[i].touched;
    return touched;
}

}  // namespace

// Whether the operands and the space of a command are there; if not, remembers what it waits for.
bool Pe::ready(IssuedCommand& issued) {
    const Command& command = issued.command;
    for (std::uint8_t i = 0; i < command.read_count; ++i) {
        const CbRead& read = command.reads[i];
        if (buffers_[read.cb].has(read.available)) continue;
        issued.was_blocked = true;
        issued.blocked_by = Stall::wait_dependency;
        issued.blocked_cb = read.cb;
        return false;
    }
    if (const auto* step = std::get_if<NeighbourReduce>(&command.payload)) {
        if (step->from != NeighbourReduce::nobody &&
            partials_[static_cast<std::uint32_t>(step->from)] < step->bytes) {
            issued.was_blocked = true;
            issued.blocked_by = Stall::wait_dependency;
            issued.blocked_cb = IssuedCommand::no_buffer;
            return false;
        }
    }
    if (command.writes && !buffers_[command.write.cb].fits(command.write.bytes)) {
        issued.was_blocked = true;
        issued.blocked_by = Stall::wait_local_memory;
        issued.blocked_cb = IssuedCommand::no_buffer;
        return false;
    }
    // Whoever committed the missing operand knows where the time went.
    if (issued.was_blocked && issued.blocked_cb != IssuedCommand::no_buffer) {
        issued.blocked_by = buffers_[issued.blocked_cb].cause();
    }
    return true;
}

void Pe::set_effects(Effects& effects, const Command& command, Cycles at) {
    effects.at = at;
    effects.read_count = command.read_count;
    effects.reads = command.reads;
    effects.writes = command.writes;
    effects.write = command.write;
}

void Pe::take_operands(const Command& command) {
    for (std::uint8_t i = 0; i < command.read_count; ++i) {
        buffers_[command.reads[i].cb].claim(command.reads[i].released);
    }
    if (command.writes) buffers_[command.write.cb].reserve(command.write.bytes);
}

void Pe::apply(const Effects& effects, Stall cause) {
    for (std::uint8_t i = 0; i < effects.read_count; ++i) {
        buffers_[effects.reads[i].cb].release(effects.reads[i].released);
    }
    if (effects.writes) buffers_[effects.write.cb].commit(effects.write.bytes, cause);
}

// Precondition: engine.can_start(at).
bool Pe::try_start(Engine& engine, Cycles at) {
    IssuedCommand& issued = engine.queue.front();
    if (!ready(issued)) return false;
    engine.clock.account(issued.core_resumed, issued.gap);
    engine.clock.account(issued.issued, Stall::wait_issue);
    engine.clock.account(at, issued.blocked_by);

    const Command& command = issued.command;
    const std::uint64_t touched = bytes_touched(command);
    const Engine::Timing alone = engine.execute(command);
    const Cycles occupied = memory_.share(engine.unit, at, alone.occupied, touched);
    const Cycles extra = occupied - alone.occupied;
    engine.clock.account(at + alone.occupied, Stall::busy);
    engine.clock.account(at + occupied, Stall::wait_local_memory);
    engine.free = at + occupied;
    engine.free_event = engine.free;

    take_operands(command);
    Cycles done = at + std::max(alone.latency + extra, occupied);
    if (!engine.completing.empty()) {  // results leave in order
        done = std::max(done, engine.completing.back().at);
    }
    set_effects(engine.completing.add(), command, done);
    engine_event_ = std::min(engine_event_, engine.next_event());
    if (const auto* step = std::get_if<NeighbourReduce>(&command.payload)) {
        if (step->from != NeighbourReduce::nobody) {
            partials_[static_cast<std::uint32_t>(step->from)] -= step->bytes;
        }
        // What is sent when the step is done can be announced now: it will not change.
        if (step->to != NeighbourReduce::nobody) {
            neighbours->send_partial(index_, static_cast<std::uint32_t>(step->to), step->bytes,
                                     done);
            stats_.neighbour_bytes += step->bytes;
        }
    }
    engine.queue.pop();
    return true;
}

bool Pe::try_submit(DmaLane& lane, Cycles at) {
    if (lane.queue.empty() || lane.submitted.full() || !lane.dma->has_room()) return false;
    DmaIf& dma = *lane.dma;
    IssuedCommand& issued = lane.queue.front();
    if (!ready(issued)) return false;
    auto* transfer = std::get_if<Transfer>(&issued.command.payload);
    if (transfer == nullptr) throw ModelError("a DMA engine was given something else to do");
    if (dma.idle()) {
        dma.account(issued.core_resumed, issued.gap);
        dma.account(issued.issued, Stall::wait_issue);
    }
    const Command& command = issued.command;
    take_operands(command);
    set_effects(lane.submitted.add(), command, at);
    dma.submit(at, *transfer, issued.blocked_by);
    lane.queue.pop();
    return true;
}

}  // namespace diastole
