#include "model/sim/conductor.hpp"

#include <algorithm>
#include <utility>

#include "model/base/error.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t monitor_interval = 256;  // windows
constexpr std::size_t most_named = 12;           // modules in a report of a standstill

}  // namespace

Conductor::Conductor(const sc_core::sc_module_name& name, Hertz clock, Cycles window)
    : sc_module(name), clock_(clock), window_(window) {
    if (window == Cycles(0)) throw ModelError("the shortest latency between two modules is zero");
    wake_export.bind(*this);
    // "Simulation stopped by user": a failure is told by rethrow().
    sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                            sc_core::SC_DO_NOTHING);
    SC_HAS_PROCESS(Conductor);
    SC_METHOD(step);
}

std::size_t Conductor::add(Windowed& module, std::string label, Cycles lead) {
    if (!entries_.empty() && lead < entries_.back().lead) {
        throw ModelError(label + " has less lead than the module before it");
    }
    entries_.push_back({&module, std::move(label), lead});
    next_.push_back(never);
    return entries_.size() - 1;
}

// A module that has its turn still to come in this round has handled what the last one gave it.
Cycles Conductor::handled_until(std::size_t module) const {
    const Cycles lead = entries_[module].lead;
    return (lead > advancing_lead_ ? now_ : until_) + lead;
}

void Conductor::wake(std::size_t module, Cycles at) {
    if (at < handled_until(module)) {
        throw ModelError("a message reached " + entries_[module].label + " at cycle " +
                         std::to_string(at.count()) + ", before the end of its window at " +
                         std::to_string(handled_until(module).count()));
    }
    next_[module] = std::min(next_[module], at - entries_[module].lead);
}

void Conductor::step() {
    try {
        run_window();
    } catch (...) {
        failure_ = std::current_exception();
        sc_core::sc_stop();
    }
}

void Conductor::run_window() {
    ++activations_;
    if (activations_ == 1) {
        for (std::size_t i = 0; i < entries_.size(); ++i) ask_next(i);
    } else {
        advance_window();
    }
    const Cycles start = *std::min_element(next_.begin(), next_.end());
    if (start == never) {
        if (finished_ && !finished_()) report_standstill();
        return;  // nothing triggers the process again, so sc_start returns
    }
    now_ = start;
    next_trigger(time_of(start) - sc_core::sc_time_stamp());
}

// Before time zero plus its lead a module has nothing to do; an event there counts as at zero.
void Conductor::ask_next(std::size_t module) {
    const Cycles next = entries_[module].module->next_event();
    const Cycles lead = entries_[module].lead;
    next_[module] = next == never ? never : next < lead ? Cycles(0) : next - lead;
}

void Conductor::advance_window() {
    until_ = now_ + window_;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (next_[i] >= until_) continue;
        ++module_steps_;
        advancing_lead_ = entries_[i].lead;
        entries_[i].module->advance(until_ + entries_[i].lead);
        ask_next(i);
        if (next_[i] < until_) {
            throw ModelError(entries_[i].label + " left an event unhandled in its window");
        }
    }
    advancing_lead_ = never;
    if (monitor_ && activations_ % monitor_interval == 0) monitor_(now_);
}

void Conductor::report_standstill() const {
    std::string waiting;
    std::size_t count = 0;
    for (const Entry& entry : entries_) {
        const std::string what = entry.module->pending();
        if (what.empty() || ++count > most_named) continue;
        waiting += "\n  " + entry.label + ": " + what;
    }
    if (count > most_named) {
        waiting += "\n  and " + std::to_string(count - most_named) + " more";
    }
    throw ModelError("the chip stands still at cycle " + std::to_string(until_.count()) +
                     " with work left; waiting:" + waiting);
}

sc_core::sc_time Conductor::time_of(Cycles cycles) const {
    return sc_core::sc_time::from_value(
        mul_div_floor(cycles.count(), 1'000'000'000'000ULL, clock_.count()));
}

}  // namespace diastole
