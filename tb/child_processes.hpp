// Pieces of work in child processes: a SystemC kernel elaborates once per process, so a command
// that simulates more than once needs a process for each.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace diastole {

struct ChildOutcome {
    enum class Kind : char { done = 'd', config_error = 'c', trace_error = 't', model_error = 'm' };
    Kind kind = Kind::done;
    std::string text;  // what the work returned, or what the error says
};

// Calls work(0) ... work(count - 1), each in a process forked from this one, at most `at_once` at a
// time. The outcomes are in the order of the numbers, however the processes end. What the work
// throws comes back as its kind and text; a process that dies is a model_error. `finished` hears,
// here, of each process that ended.
//
// Throws Interrupted when an interruption was requested. However it is left, no child remains: they
// are killed and waited for, and they die with this process.
std::vector<ChildOutcome> run_in_children(std::size_t count, unsigned at_once,
                                          const std::function<std::string(std::size_t)>& work,
                                          const std::function<void(std::size_t)>& finished);

}  // namespace diastole
