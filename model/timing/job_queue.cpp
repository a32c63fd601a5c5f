#include "model/timing/job_queue.hpp"

#include <limits>
#include <utility>

#include "model/base/error.hpp"

namespace diastole {

JobQueue::JobQueue(Finished finished, StartCosts start_costs)
    : finished_(std::move(finished)), start_costs_(start_costs), slots_(16) {}

void JobQueue::grow() {
    std::vector<Live> larger(slots_.size() * 2);
    for (std::uint64_t job = first_; job < next_; ++job) {
        larger[job % larger.size()] = std::move(slots_[job % slots_.size()]);
    }
    slots_ = std::move(larger);
}

std::uint64_t JobQueue::submit(const QueuedJob& job) {
    if (next_ - first_ == slots_.size()) grow();
    const std::uint64_t number = next_++;
    Live& l = live(number);
    l = Live{};
    l.unfinished = true;
    l.record.number = number;
    l.record.submitted = job.at;
    l.durations = job.durations;
    ++live_;
    for (const std::uint64_t earlier : job.after) {
        if (earlier == no_job || earlier < first_) continue;
        if (earlier >= number) throw ModelError("a job waits for one that was submitted later");
        Live& other = live(earlier);
        if (other.ran || !other.unfinished) continue;
        other.waiters.push_back(number);
        ++l.unmet;
    }
    if (l.unmet == 0) events_.push({job.at, number, 0, false});
    return number;
}

Picoseconds JobQueue::next_event() const {
    return events_.empty() ? Picoseconds(std::numeric_limits<std::uint64_t>::max())
                           : events_.top().at;
}

void JobQueue::advance(Picoseconds until) {
    while (!events_.empty() && events_.top().at <= until) {
        const Event event = events_.top();
        events_.pop();
        handle(event);
    }
}

Picoseconds JobQueue::busy(JobStage stage) const {
    return servers_[static_cast<std::size_t>(stage)].busy;
}

void JobQueue::handle(const Event& event) {
    if (event.end) {
        servers_[event.stage].serving = false;
        leave(event.job, event.stage, event.at);
        serve(event.stage, event.at);
    } else {
        arrive(event.job, event.stage, event.at);
    }
}

void JobQueue::arrive(std::uint64_t job, std::size_t stage, Picoseconds at) {
    Live& l = live(job);
    StageTimes& times = l.record.stages[stage];
    times.ready = at;
    if (l.durations[stage] == Picoseconds(0)) {
        times.start = at;
        leave(job, stage, at);
        return;
    }
    servers_[stage].waiting.push_back(job);
    serve(stage, at);
}

void JobQueue::serve(std::size_t stage, Picoseconds at) {
    Server& server = servers_[stage];
    if (server.serving || server.waiting.empty()) return;
    const std::uint64_t job = server.waiting.front();
    server.waiting.pop_front();
    Picoseconds cost;
    if (stage == static_cast<std::size_t>(JobStage::run)) {
        const bool back_to_back = server.free_at == at && server.busy > Picoseconds(0);
        cost = back_to_back ? start_costs_.replace : start_costs_.launch;
    }
    const Picoseconds taken = cost + live(job).durations[stage];
    server.serving = true;
    server.busy += taken;
    server.free_at = at + taken;
    live(job).record.stages[stage].start = at + cost;
    events_.push({at + taken, job, static_cast<std::uint8_t>(stage), true});
}

void JobQueue::leave(std::uint64_t job, std::size_t stage, Picoseconds at) {
    live(job).record.stages[stage].end = at;
    if (stage == static_cast<std::size_t>(JobStage::run)) wake_waiters(job, at);
    if (stage + 1 == job_stages) {
        finish(job);
    } else {
        // At once, and not through an event: a stage that is skipped takes no turn.
        arrive(job, stage + 1, at);
    }
}

void JobQueue::wake_waiters(std::uint64_t job, Picoseconds at) {
    Live& l = live(job);
    l.ran = true;
    for (const std::uint64_t number : l.waiters) {
        Live& waiter = live(number);
        if (--waiter.unmet > 0) continue;
        const Picoseconds submitted = waiter.record.submitted;
        events_.push({submitted < at ? at : submitted, number, 0, false});
    }
    l.waiters.clear();
}

void JobQueue::finish(std::uint64_t job) {
    Live& l = live(job);
    const FinishedJob record = l.record;
    l.unfinished = false;
    --live_;
    while (first_ < next_ && !live(first_).unfinished) ++first_;
    if (finished_) finished_(record);
}

}  // namespace diastole
