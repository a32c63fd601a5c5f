// Ctrl-C: main() installs a signal handler that requests an interruption; long loops poll for it
// and throw Interrupted. One flag for the process, because a signal is one.
#pragma once

namespace diastole {

[[nodiscard]] bool interrupted();
void request_interrupt();  // safe in a signal handler
void clear_interrupt();    // for tests

}  // namespace diastole
