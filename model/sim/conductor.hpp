// The one SystemC process of a running chip: it jumps to the earliest event of any module and lets
// every module with events in the window [then, then + window) handle them, in the order in which
// they were added. Advancing modules by a call instead of a process each saves a kernel activation
// per module and window, fixes their order, and would let modules run on worker threads.
//
// A module may have a lead: its windows begin and end that much later than those of a module
// without. What modules with less lead send in a window is sent before its turn comes, so an edge
// to a module with more lead needs a latency of the difference of the leads only; an edge to one
// with as much or less needs window + difference (negative). With leads of a port's latency from
// stage to stage, windows are twice that latency.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <systemc>
#include <vector>

#include "model/sim/windowed.hpp"

namespace diastole {

class Conductor : public sc_core::sc_module, public WakeIf {
  public:
    sc_core::sc_export<WakeIf> wake_export{"wake"};

    // `window` > 0 cycles of `clock`.
    Conductor(const sc_core::sc_module_name& name, Hertz clock, Cycles window);

    // Registers a module; the result is its number for wake(). The module must outlive the run.
    // Leads must not decrease from one call to the next.
    std::size_t add(Windowed& module, std::string label, Cycles lead = Cycles(0));

    // Called every so many windows with the current time; may throw to end the run.
    void set_monitor(std::function<void(Cycles now)> monitor) { monitor_ = std::move(monitor); }
    // Called when no module has an event left; returns whether the work is done. If it is not, the
    // run ends with a ModelError that names the modules that still wait.
    void set_finished(std::function<bool()> finished) { finished_ = std::move(finished); }

    void wake(std::size_t module, Cycles at) override;

    // Throws what a module threw during the run, with its type: through the kernel it would come as
    // a report that has lost it. Call after sc_start().
    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

    [[nodiscard]] Cycles window() const { return window_; }
    [[nodiscard]] Cycles now() const { return now_; }                         // start of the window
    [[nodiscard]] std::uint64_t activations() const { return activations_; }  // of the process
    [[nodiscard]] std::uint64_t module_steps() const { return module_steps_; }

  private:
    struct Entry {
        Windowed* module;
        std::string label;
        Cycles lead;
    };

    void step();
    void run_window();
    void ask_next(std::size_t module);
    void advance_window();
    [[nodiscard]] Cycles handled_until(std::size_t module) const;
    void report_standstill() const;
    [[nodiscard]] sc_core::sc_time time_of(Cycles cycles) const;

    Hertz clock_;
    Cycles window_;
    Cycles now_;
    Cycles until_;           // end of the window without a lead
    Cycles advancing_lead_;  // modules up to this lead are in or past their window
    std::vector<Entry> entries_;
    std::vector<Cycles> next_;  // each module's next event less its lead
    std::function<void(Cycles)> monitor_;
    std::function<bool()> finished_;
    std::exception_ptr failure_;
    std::uint64_t activations_ = 0;
    std::uint64_t module_steps_ = 0;
};

}  // namespace diastole
