#include "model/base/interrupt.hpp"

#include <csignal>

namespace diastole {
namespace {

volatile std::sig_atomic_t requested = 0;

}  // namespace

bool interrupted() {
    return requested != 0;
}
void request_interrupt() {
    requested = 1;
}
void clear_interrupt() {
    requested = 0;
}

}  // namespace diastole
