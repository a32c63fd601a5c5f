#include "model/compute/pe.hpp"

#include <algorithm>
#include <utility>

namespace diastole {

Pe::Pe(const sc_core::sc_module_name& name, const ChipParams& chip, std::uint32_t index)
    : sc_module(name),
      index_(index),
      issue_(chip.issue),
      sync_cycles_(chip.control.sync_cycles),
      memory_("local_memory", chip.local_memory),
      dpe_("dpe", chip),
      reduction_("reduction", chip),
      simd_("simd", chip, Unit::simd, chip.simd),
      vector_("vector", chip, Unit::vector, chip.vector),
      layout_("layout", chip),
      engines_{&dpe_, &reduction_, &simd_, &vector_, &layout_},
      lane_in_(chip.issue.queue_depth),
      lane_out_(chip.issue.queue_depth),
      buffers_(chip.issue.circular_buffers),
      partials_(pe_count(chip), 0),
      jobs_(chip.control.queue_depth) {
    orders.bind(*this);
}

void Pe::launch(const Launch& launch) {
    Order order;
    order.launch = launch;
    inbox_.push(launch.at, order);
    wake->wake(number_, launch.at);
}

void Pe::release_barrier(Cycles at, std::uint64_t job) {
    Order order;
    order.kind = Order::Kind::release;
    order.launch.job = job;
    inbox_.push(at, order);
    wake->wake(number_, at);
}

void Pe::partial(Cycles at, std::uint32_t from, std::uint32_t bytes) {
    Order order;
    order.kind = Order::Kind::partial;
    order.from = from;
    order.bytes = bytes;
    inbox_.push(at, order);
    wake->wake(number_, at);
}

void Pe::end_of_elaboration() {
    lane_in_.dma = dma_in.operator->();
    lane_out_.dma = dma_out.operator->();
}

Cycles Pe::find_engine_event() const {
    Cycles next = never;
    for (const Engine* engine : engines_) next = std::min(next, engine->next_event());
    return next;
}

Cycles Pe::next_event() {
    return std::min({own_event(), lane_in_.dma->next_event(), lane_out_.dma->next_event()});
}

void Pe::advance(Cycles until) {
    for (;;) {
        const Cycles own = own_event();
        const Cycles in = lane_in_.dma->next_event();
        const Cycles out = lane_out_.dma->next_event();
        const Cycles at = std::min({own, in, out});
        if (at >= until) return;
        if (in == at || out == at) {
            DmaLane& lane = in == at ? lane_in_ : lane_out_;
            const Cycles other = in == at ? out : in;
            const Cycles limit = std::max(at + Cycles(1), std::min({until, own, other}));
            const auto done = lane.dma->run(limit);
            if (!done) continue;
            dma_done(lane, *done);
            progress(done->at);
            continue;
        }
        if (inbox_.next() == at) {
            handle(at, inbox_.pop());
        } else if (issue_done_ == at) {
            issue_done_ = never;
            core_ = Core::queue_full;  // until progress() finds room for the command
        } else {
            complete_engines(at);
        }
        progress(at);
    }
}

void Pe::handle(Cycles at, const Order& order) {
    switch (order.kind) {
        case Order::Kind::launch:
            jobs_.push(order.launch);
            if (core_ == Core::no_job) start_job(at);
            return;
        case Order::Kind::release:
            resume_core(at, Stall::wait_dependency);
            fetch(at);
            return;
        case Order::Kind::partial:
            partials_[order.from] += order.bytes;
            return;
    }
}

void Pe::dma_done(DmaLane& lane, const DmaIf::Completion& completion) {
    apply(lane.submitted.front(), completion.cause);
    lane.submitted.pop();
}

void Pe::complete_engines(Cycles at) {
    for (Engine* engine : engines_) {
        if (engine->free_event <= at) engine->free_event = never;
        while (!engine->completing.empty() && engine->completing.front().at <= at) {
            apply(engine->completing.front(), Stall::wait_dependency);
            engine->completing.pop();
        }
    }
    engine_event_ = find_engine_event();
}

// Starts everything that can start; a start can make room for another issue, and so on.
void Pe::progress(Cycles at) {
    bool moved = true;
    while (moved) {
        moved = try_submit(lane_in_, at);
        moved |= try_submit(lane_out_, at);
        for (Engine* engine : engines_) {
            if (engine->can_start(at)) moved |= try_start(*engine, at);
        }
        moved |= advance_core(at);
    }
}

void Pe::start_job(Cycles at) {
    const Launch& launch = jobs_.front();
    const std::vector<std::uint32_t>& plan = launch.commands->circular_buffers();
    if (plan.size() > buffers_.size()) {
        throw ModelError("an operator asks for more circular buffers than a PE has");
    }
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
        buffers_[i].configure(i < plan.size() ? plan[i] : 0);
    }
    close(at);
    share_.job = launch.job;
    share_.started = at;
    for (std::size_t unit = 0; unit + 1 < unit_count; ++unit) {
        share_.stalls[unit] = stalls(static_cast<Unit>(unit));
    }
    resume_core(at, Stall::wait_dependency);
    fetch(at);
}

void Pe::resume_core(Cycles at, Stall gap) {
    core_resumed_ = at;
    core_gap_ = gap;
}

void Pe::fetch(Cycles at) {
    if (!jobs_.front().commands->next(index_, fetched_)) {
        core_ = Core::finished;
        return;
    }
    ++stats_.commands;
    stats_.instructions += fetched_.instructions;
    core_ = Core::issuing;
    issue_done_ = at + Cycles(std::uint64_t{fetched_.instructions} * issue_.cycles_per_instruction);
}

// What the scalar core can do now that something has changed; true when it did anything.
bool Pe::advance_core(Cycles at) {
    switch (core_) {
        case Core::queue_full:
            if (fetched_.unit == Unit::sync) {
                core_ = Core::draining;
                return true;
            }
            if (!enqueue(at)) return false;
            fetch(at);
            return true;
        case Core::draining:
            if (!units_idle()) return false;
            core_ = Core::at_barrier;
            control->barrier_reached(index_, jobs_.front().job, at + sync_cycles_);
            return true;
        case Core::finished:
            if (!units_idle()) return false;
            finish_job(at);
            return true;
        case Core::no_job:
        case Core::issuing:
        case Core::at_barrier:
            return false;
    }
    return false;
}

bool Pe::units_idle() const {
    return lane_in_.idle() && lane_out_.idle() &&
           std::all_of(engines_.begin(), engines_.end(),
                       [](const Engine* engine) { return engine->idle(); });
}

// Moves the fetched command into its unit's queue.
bool Pe::enqueue(Cycles at) {
    BoundedQueue<IssuedCommand>* queue = nullptr;
    if (fetched_.unit == Unit::dma_in || fetched_.unit == Unit::dma_out) {
        queue = fetched_.unit == Unit::dma_in ? &lane_in_.queue : &lane_out_.queue;
    } else {
        for (Engine* engine : engines_) {
            if (engine->unit == fetched_.unit) queue = &engine->queue;
        }
    }
    if (queue->full()) {
        core_was_blocked_ = true;
        return false;
    }
    if (core_was_blocked_) resume_core(at, Stall::idle);  // until now other units were at work
    core_was_blocked_ = false;
    IssuedCommand& issued = queue->add();
    issued.command = std::move(fetched_);
    issued.issued = at;
    issued.core_resumed = core_resumed_;
    issued.gap = core_gap_;
    issued.was_blocked = false;
    issued.blocked_cb = IssuedCommand::no_buffer;
    issued.blocked_by = Stall::wait_dependency;
    return true;
}

void Pe::finish_job(Cycles at) {
    for (Engine* engine : engines_) engine->clock.account(at, Stall::idle);
    dma_in->account(at, Stall::idle);
    dma_out->account(at, Stall::idle);
    share_.finished = at;
    for (std::size_t unit = 0; unit + 1 < unit_count; ++unit) {
        share_.stalls[unit] = difference(stalls(static_cast<Unit>(unit)), share_.stalls[unit]);
    }
    control->job_done(index_, at + sync_cycles_, share_);
    jobs_.pop();
    core_ = Core::no_job;
    if (!jobs_.empty()) start_job(at);
}

void Pe::close(Cycles at) {
    for (Engine* engine : engines_) engine->clock.account(at, Stall::wait_dependency);
    dma_in->account(at, Stall::wait_dependency);
    dma_out->account(at, Stall::wait_dependency);
}

const StallCycles& Pe::stalls(Unit unit) const {
    switch (unit) {
        case Unit::dma_in:
            return dma_in->stalls();
        case Unit::dma_out:
            return dma_out->stalls();
        case Unit::matrix:
            return dpe_.clock.cycles();
        case Unit::reduction:
            return reduction_.clock.cycles();
        case Unit::simd:
            return simd_.clock.cycles();
        case Unit::vector:
            return vector_.clock.cycles();
        case Unit::layout:
        case Unit::sync:
            break;
    }
    return layout_.clock.cycles();
}

std::string Pe::pending() const {
    if (jobs_.empty()) return {};
    std::string text = "job " + std::to_string(jobs_.front().job) + ", core ";
    constexpr std::array<const char*, 6> states = {"without job", "issuing",    "blocked",
                                                   "draining",    "at barrier", "done"};
    text += states[static_cast<std::size_t>(core_)];
    for (const Engine* engine : engines_) {
        if (!engine->idle()) {
            text += ", " + std::string(engine->basename()) + " has " +
                    std::to_string(engine->queue.size()) + " waiting";
        }
    }
    text += ", dma in " + std::to_string(lane_in_.queue.size()) + "+" +
            std::to_string(lane_in_.submitted.size()) + ", out " +
            std::to_string(lane_out_.queue.size()) + "+" +
            std::to_string(lane_out_.submitted.size());
    return text;
}

}  // namespace diastole
