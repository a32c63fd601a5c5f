// Modules that the conductor advances in windows.
#pragma once

#include <string>
#include <systemc>

#include "model/base/units.hpp"

namespace diastole {

// A module with private events. Within a window it handles everything it has, in time order, in one
// call; what it sends to another module arrives no earlier than the window's end.
class Windowed {
  public:
    virtual ~Windowed() = default;

    // Time of the earliest private event; `never` when it waits for a message.
    [[nodiscard]] virtual Cycles next_event() = 0;

    // Handles every event earlier than `until`.
    virtual void advance(Cycles until) = 0;

    // What the module still waits for, in words, for the watchdog; empty when it is at rest.
    [[nodiscard]] virtual std::string pending() const = 0;
};

// How a module tells the conductor that a message gave it an event.
class WakeIf : public virtual sc_core::sc_interface {
  public:
    // Module number `module` has an event at `at`. Throws ModelError when `at` lies inside the
    // current window: then a link is faster than the window allows.
    virtual void wake(std::size_t module, Cycles at) = 0;
};

}  // namespace diastole
