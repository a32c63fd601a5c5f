// A recorded server's programs through the queue model: submissions and device times are the
// trace's, transfers and waits are the model's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/base/units.hpp"
#include "model/timing/job_queue.hpp"
#include "workloads/import/kineto_programs.hpp"

namespace diastole {

struct HostLinkTiming {
    std::uint64_t bytes_per_second = 1;  // each direction
    Picoseconds latency;
};

// One of the trace's programs whose submission is known.
struct ReplayedProgram {
    std::string name;
    double submitted = 0;  // seconds from the trace's first event
    double recorded_start = 0, modelled_start = 0;
    double ready = 0;  // modelled: inputs there, what it waits for has run
};

struct ReplaySummary {  // of the programs of one name, or of all
    std::string name;
    std::uint64_t programs = 0;
    double recorded_wait = 0, modelled_wait = 0;         // medians, submission to start, seconds
    double start_error_median = 0, start_error_p95 = 0;  // absolute
    double start_bias = 0;                               // mean of modelled - recorded
};

struct TransferClass {  // copies of one direction in one range of sizes
    bool to_device = true;
    std::uint64_t from = 0, below = 0;  // bytes
    std::uint64_t copies = 0;
    double recorded_rate = 0, modelled_rate = 0;  // medians, bytes per second
};

struct Replay {
    std::vector<ReplayedProgram> programs;
    std::uint64_t without_submission = 0;  // they hold the device when the trace says so
    double seconds = 0, recorded_busy = 0, modelled_busy = 0;
    std::vector<ReplaySummary> summaries;  // by name, then all
    std::vector<TransferClass> transfers;
};

// Every device time is multiplied by `scale`. Precondition: programs as read_programs() has them.
Replay replay_programs(const std::vector<RecordedProgram>& programs, const HostLinkTiming& link,
                       StartCosts start_costs, double scale);

std::string replay_json(const Replay& replay, const std::string& trace, const std::string& chip,
                        double scale);  // `diastole.replay/1`, docs/serve.md
std::string replay_text(const Replay& replay, const std::string& chip, double scale);

}  // namespace diastole
