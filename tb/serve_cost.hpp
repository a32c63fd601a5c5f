// What a batch costs a chip: the chip model's own answer for every batch size that is served, with
// warm and with cold caches, each simulated once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tb/serve_queue.hpp"
#include "tb/simulation.hpp"

namespace diastole {

// One ladder for each of `specs` (its batch and warm-up are not looked at), with the batch sizes of
// `samples`, ascending. Simulates in at most `at_once` child processes. Device time is what passes
// between the last input's arrival and the first result's departure; with warm caches, in the
// second of two batches of which each comes after the one before has left.
//
// Throws ConfigError, TraceError, ModelError or Interrupted.
std::vector<std::vector<BatchCost>> measure_batches(
    const std::vector<RunSpec>& specs, const std::vector<std::vector<std::uint64_t>>& samples,
    unsigned at_once, const std::function<void(double)>& progress);

// How long the host link is occupied by a batch's copies in one direction.
Picoseconds link_time(const HostParams& host, std::uint64_t copies, std::uint64_t bytes);

}  // namespace diastole
