#include "tb/dram_lane.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"

namespace diastole {
namespace {

// With a log, the controller never plays more than this at once: what it writes is held in memory.
constexpr Tick logged_at_once = 1 << 20;
constexpr std::size_t logged_commands = 4096;

}  // namespace

DramLatency& DramLatency::operator+=(const DramLatency& other) {
    count += other.count;
    sum += other.sum;
    max = std::max(max, other.max);
    return *this;
}

DramLane::DramLane(const sc_core::sc_module_name& name, const DramParams& params, MemoryMode mode,
                   std::uint32_t index, DramHistograms& histograms)
    : sc_module(name),
      index_(index),
      model_(make_dram_model(params, mode)),
      histograms_(histograms) {
    requests.bind(*this);
}

void DramLane::log_to(DramCommandSink& sink) {
    auto* exact = dynamic_cast<DramChannel*>(model_.get());
    if (exact == nullptr) throw ModelError("the fast memory mode has no commands to log");
    exact->log_to(&commands_);
    sink_ = &sink;
}

void DramLane::offer(Cycles at, const std::vector<DramItem>& items) {
    waiting_.push(items);
    wake->wake(number_, at);
}

Cycles DramLane::next_event() {
    Tick next = model_->next_event().count();
    if (!waiting_.empty())
        next = std::min(next, std::max<Tick>(next_offer_, waiting_.front().arrival));
    return Cycles(next);
}

void DramLane::advance(Cycles until) {
    offer_waiting(until.count());
    if (!waiting_.empty()) {
        play(until.count(), {});
    } else {
        // Only as far as there is work: a refresh after it belongs to the run only if others go on.
        for (DramCycles next = model_->next_event(); next.count() < until.count();
             next = model_->next_event()) {
            play(next.count() + 1, {});
        }
    }
    if (sink_ != nullptr) flush_log();
}

void DramLane::offer_waiting(Tick until) {
    while (!waiting_.empty()) {
        const DramItem item = waiting_.front();
        Tick now = std::max<Tick>(next_offer_, item.arrival);
        if (now >= until) return;
        const auto atoms = static_cast<std::uint32_t>(item.atoms);
        const bool is_write = item.is_write != 0;
        if (!model_->can_accept(is_write, atoms)) {
            const Tick room = play(until, is_write ? DramRoom{0, atoms} : DramRoom{atoms, 0});
            if (room >= until) {  // there is none, or from then on
                next_offer_ = until;
                return;
            }
            if (room < now) play(now, {});
            now = std::max(now, room);
        } else {
            play(now, {});
        }
        model_->push(accept(item, now));
        waiting_.pop();
        next_offer_ = now + 1;
        if (++taken_ == dram_credit_batch) {
            credits->credit(index_, Cycles(now) + dram_bench_window, taken_);
            taken_ = 0;
        }
    }
}

DramRequest DramLane::accept(const DramItem& item, Tick at) {
    if (in_queue_++ == 0 && at > stats_.end.count()) {
        stats_.idle_cycles += at - stats_.end.count();
    }
    stats_.atoms += item.atoms;
    DramRequest request;
    request.address = item.address;
    request.atoms = static_cast<std::uint32_t>(item.atoms);
    // The time of acceptance comes back with the completion: no table of what is on its way. Its
    // low 32 bits are enough for every latency below four seconds.
    request.tag = static_cast<std::uint32_t>(at);
    request.is_write = item.is_write != 0;
    request.arrival = DramCycles(at);
    return request;
}

// Plays what comes before `until`, or before there is room; returns how far.
Tick DramLane::play(Tick until, DramRoom wanted) {
    if (sink_ != nullptr) return play_logged(until, wanted);
    const Tick reached = model_->advance(DramCycles(until), completions_, wanted).count();
    if (!completions_.empty()) collect();
    return reached;
}

Tick DramLane::play_logged(Tick until, DramRoom wanted) {
    for (;;) {
        if (interrupted()) throw Interrupted();  // refreshes of a long pause can take a while
        const Tick stop = std::min(until, logged_until_ + logged_at_once);
        const Tick reached = model_->advance(DramCycles(stop), completions_, wanted).count();
        logged_until_ = std::max(logged_until_, reached);
        if (!completions_.empty()) collect();
        // Before it stopped short for room, commands may have been issued ahead of earlier ones.
        if (reached >= stop && commands_.size() >= logged_commands) flush_log();
        if (reached >= until || reached < stop) return reached;
    }
}

void DramLane::collect() {
    Cycles end = stats_.end;
    for (const DramCompletion& c : completions_) {
        const auto latency = static_cast<std::uint32_t>(c.done.count()) - c.tag;
        const std::size_t kind = c.is_write ? 1 : 0;
        stats_.turns += kind + last_kind_ == 1 ? 1 : 0;
        last_kind_ = kind;
        histograms_[kind].add(latency);
        DramLatency& own = stats_.latency[kind];
        ++own.count;
        own.sum += latency;
        own.max = std::max(own.max, latency);
        end = std::max(end, Cycles(c.done.count()));
    }
    stats_.end = end;
    in_queue_ -= completions_.size();
    completions_.clear();
}

void DramLane::finish(Cycles end) {
    if (stats_.end < end) stats_.idle_cycles += (end - stats_.end).count();
    play(end.count(), {});
    if (sink_ != nullptr) flush_log();
}

void DramLane::flush_log() {
    sink_->write(index_, commands_);
    commands_.clear();
}

std::string DramLane::pending() const {
    if (waiting_.empty() && in_queue_ == 0) return {};
    return std::to_string(waiting_.size()) + " requests wait to be taken; " +
           model_->describe_pending();
}

}  // namespace diastole
