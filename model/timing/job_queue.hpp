// Jobs on one device behind one host link: who waits for whom, and how long. A job copies its
// inputs to the device, runs, and copies its results back. Each direction of the link and the
// device serve one job at a time, first come first served by when the job is ready for them. Of
// jobs that are ready at the same time those go first that come from the stage before, then those
// that were submitted first. The law of such a server is Lindley's (1952): start = max(ready, end
// of the one before).
//
// Pure arithmetic on picoseconds; what a stage lasts is the caller's.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

#include "model/base/units.hpp"

namespace diastole {

enum class JobStage : std::uint8_t { to_device, run, to_host };
inline constexpr std::size_t job_stages = 3;

inline constexpr std::uint64_t no_job = ~std::uint64_t{0};

struct QueuedJob {
    Picoseconds at;                                      // submitted; not ready before
    std::array<Picoseconds, job_stages> durations;       // 0: the job skips this stage
    std::array<std::uint64_t, 2> after{no_job, no_job};  // earlier jobs that must have run before
};

struct StageTimes {
    Picoseconds ready, start, end;
};

// What the device spends on starting a job before the job's own time begins: when it was idle, and
// when the job before has just ended (MTIA 2i: under 1 us and under 0.5 us, ISCA 2025, section
// 3.3).
struct StartCosts {
    Picoseconds launch, replace;
};
struct FinishedJob {
    std::uint64_t number = 0;  // in order of submission, from 0
    Picoseconds submitted;
    std::array<StageTimes, job_stages> stages;  // a skipped one starts and ends when it is ready
};

class JobQueue {
  public:
    using Finished = std::function<void(const FinishedJob&)>;
    // `finished` hears of each job as it ends, and may submit others.
    explicit JobQueue(Finished finished, StartCosts start_costs = {});

    // The job's number. Precondition: job.at is not before the time that advance() has reached, and
    // `after` names jobs submitted before. Memory grows with the jobs in the queue, not with all.
    std::uint64_t submit(const QueuedJob& job);

    // When something happens next; the largest number when nothing is left.
    [[nodiscard]] Picoseconds next_event() const;
    // Lets everything happen that is due at `until` or before.
    void advance(Picoseconds until);

    [[nodiscard]] Picoseconds busy(JobStage stage) const;  // serving and starting, in all
    [[nodiscard]] std::uint64_t unfinished() const { return live_; }

  private:
    struct Live {
        FinishedJob record;
        std::array<Picoseconds, job_stages> durations;
        std::uint32_t unmet = 0;
        bool ran = false, unfinished = false;
        std::vector<std::uint64_t> waiters;
    };
    struct Event {
        Picoseconds at;
        std::uint64_t job;
        std::uint8_t stage;
        bool end;  // of the stage; else the job becomes ready for it
        // Ends before readiness: who arrives as a server falls free queues behind those it kept.
        friend bool operator>(const Event& a, const Event& b) {
            if (a.at != b.at) return a.at > b.at;
            if (a.end != b.end) return b.end;
            return a.job > b.job;
        }
    };
    struct Server {
        bool serving = false;
        Picoseconds busy;
        Picoseconds free_at;                // the end of the last job
        std::deque<std::uint64_t> waiting;  // in the order in which they became ready
    };

    [[nodiscard]] Live& live(std::uint64_t job) { return slots_[job % slots_.size()]; }
    void grow();
    void handle(const Event& event);
    // By number: what is told of a job may submit another, and jobs then move.
    void arrive(std::uint64_t job, std::size_t stage, Picoseconds at);
    void serve(std::size_t stage, Picoseconds at);
    void leave(std::uint64_t job, std::size_t stage, Picoseconds at);
    void wake_waiters(std::uint64_t job, Picoseconds at);
    void finish(std::uint64_t job);

    Finished finished_;
    StartCosts start_costs_;
    std::vector<Live> slots_;  // jobs [first_, next_), by number modulo its size
    std::uint64_t first_ = 0, next_ = 0, live_ = 0;
    std::array<Server, job_stages> servers_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace diastole
