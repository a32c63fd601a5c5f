#include "model/compute/control_core.hpp"

#include <algorithm>
#include <utility>

#include "model/base/error.hpp"

namespace diastole {

ControlCore::ControlCore(const sc_core::sc_module_name& name, const ChipParams& chip)
    : sc_module(name),
      pes("pe", pe_count(chip)),
      clock_(clock_of(chip)),
      launch_cycles_(cycles_from_nanoseconds(chip.control.launch_ns, clock_)),
      replace_cycles_(cycles_from_nanoseconds(chip.control.replace_ns, clock_)),
      sync_cycles_(chip.control.sync_cycles),
      queue_depth_(chip.control.queue_depth),
      job_window_(chip.control.job_window),
      queued_(pe_count(chip), 0) {
    reports.bind(*this);
}

void ControlCore::set_work(JobStream& stream, std::function<void(const JobRecord&)> on_record,
                           std::function<void(Cycles)> on_drained) {
    stream_ = &stream;
    on_record_ = std::move(on_record);
    on_drained_ = std::move(on_drained);
    inbox_.push(Cycles(0), Report{});
}

void ControlCore::post(Cycles at, const Report& report) {
    inbox_.push(at, report);
    wake->wake(number_, at);
}

void ControlCore::job_done(std::uint32_t pe, Cycles at, const JobShare& share) {
    Report report;
    report.kind = Report::Kind::done;
    report.pe = pe;
    report.job = share.job;
    report.share = share;
    post(at, report);
}

void ControlCore::barrier_reached(std::uint32_t pe, std::uint64_t job, Cycles at) {
    Report report;
    report.kind = Report::Kind::barrier;
    report.pe = pe;
    report.job = job;
    post(at, report);
}

void ControlCore::copy_done(std::uint64_t job, Cycles started, Cycles at) {
    Report report;
    report.kind = Report::Kind::copy;
    report.job = job;
    report.share.started = started;
    post(at, report);
}

Cycles ControlCore::next_event() {
    return inbox_.next();
}

void ControlCore::advance(Cycles until) {
    while (inbox_.next() < until) {
        const Cycles at = inbox_.next();
        handle(at, inbox_.pop());
        launch_ready(at);
    }
}

ControlCore::Live& ControlCore::live(std::uint64_t id) {
    const auto found = live_.find(id);
    if (found == live_.end()) throw ModelError("a report about a job that is not running");
    return found->second;
}

void ControlCore::handle(Cycles at, const Report& report) {
    switch (report.kind) {
        case Report::Kind::check:
            return;
        case Report::Kind::done: {
            Live& job = live(report.job);
            --queued_[report.pe];
            JobRecord& record = job.record;
            record.started = std::min(record.started, report.share.started);
            record.ended = std::max(record.ended, report.share.finished);
            for (std::size_t unit = 0; unit < unit_count; ++unit) {
                add(record.stalls[unit], report.share.stalls[unit]);
            }
            if (++job.reports == job.participants) {
                --on_grid_;
                end_job(report.job, at);
            }
            return;
        }
        case Report::Kind::barrier: {
            Live& job = live(report.job);
            if (++job.at_barrier < job.participants) return;
            job.at_barrier = 0;
            for (std::uint32_t pe = 0; pe < pes.size(); ++pe) {
                if (job.job->commands->participates(pe)) {
                    pes[pe]->release_barrier(at + sync_cycles_, report.job);
                }
            }
            return;
        }
        case Report::Kind::copy:
            live(report.job).record.started = report.share.started;
            live(report.job).record.ended = at;
            end_job(report.job, at);
            return;
        case Report::Kind::nothing:
            end_job(report.job, at);
            return;
        case Report::Kind::timer:
            timer_running_ = false;
            live(report.job).record.ended = at;
            end_job(report.job, at);
            return;
    }
}

void ControlCore::end_job(std::uint64_t id, Cycles at) {
    Live& ended = live(id);
    last_end_ = std::max(last_end_, std::max(ended.record.ended, at));
    if (on_record_) on_record_(ended.record);
    for (const std::uint64_t waiter : ended.waiters) --live(waiter).unmet;
    live_.erase(id);
}

// Keeps the window of jobs full.
void ControlCore::pull() {
    while (!stream_ended_ && live_.size() < job_window_) {
        std::unique_ptr<Job> job = stream_->next();
        if (!job) {
            stream_ended_ = true;
            return;
        }
        const std::uint64_t id = job->id;
        Live entry;
        entry.record.operator_index = job->operator_index;
        entry.record.batch = job->batch;
        entry.record.host_copy = job->host_copy.has_value();
        for (const std::uint64_t dependency : job->deps) {
            const auto found = live_.find(dependency);
            if (found == live_.end()) continue;  // done
            found->second.waiters.push_back(id);
            ++entry.unmet;
        }
        entry.job = std::move(job);
        live_.emplace(id, std::move(entry));
        order_.push_back(id);
    }
}

// In launch order; what still waits for others is passed by what does not, within the job window.
// An operator for which PEs have no room is not passed by a later one.
void ControlCore::launch_ready(Cycles at) {
    bool launched = true;
    while (launched) {
        launched = false;
        pull();
        bool grid_full = false;
        for (auto next = order_.begin(); next != order_.end();) {
            Live& candidate = live(*next);
            Job& job = *candidate.job;
            if (job.drain_before) {
                if (next != order_.begin() || live_.size() > order_.size()) break;
                job.drain_before = false;
                if (on_drained_) on_drained_(at);
            }
            const bool needs_grid = !job.host_copy.has_value();
            if (candidate.unmet > 0 || (needs_grid && grid_full)) {
                ++next;
                continue;
            }
            if (!try_launch(candidate, at)) {
                grid_full = true;
                ++next;
                continue;
            }
            launched = true;
            next = order_.erase(next);
        }
    }
}

bool ControlCore::room_on_pes(const CommandSource& commands) const {
    for (std::uint32_t pe = 0; pe < pes.size(); ++pe) {
        if (commands.participates(pe) && queued_[pe] == queue_depth_) return false;
    }
    return true;
}

bool ControlCore::try_launch(Live& candidate, Cycles at) {
    Job& job = *candidate.job;
    if (timer_running_ && !job.host_copy) return false;
    candidate.record.launched = at;
    if (job.host_copy) {
        host_link->copy(at + sync_cycles_, job.id, *job.host_copy);
        return true;
    }
    if (job.fixed_cycles) {
        if (on_grid_ > 0) return false;
        timer_running_ = true;
        candidate.record.started = at;
        Report report;
        report.kind = Report::Kind::timer;
        report.job = job.id;
        inbox_.push(at + Cycles(std::max<std::uint64_t>(*job.fixed_cycles, 1)), report);
        return true;
    }
    if (!job.commands) {  // costs nothing
        candidate.record.started = candidate.record.ended = at;
        Report report;
        report.kind = Report::Kind::nothing;
        report.job = job.id;
        inbox_.push(at, report);
        return true;
    }
    if (!room_on_pes(*job.commands)) return false;
    launch_on_pes(candidate, at);
    return true;
}

void ControlCore::launch_on_pes(Live& candidate, Cycles at) {
    Job& job = *candidate.job;
    Cycles start = at + sync_cycles_;
    if (job.launch) {
        start += first_launch_ ? launch_cycles_ : replace_cycles_;  // later ones are queued
        first_launch_ = false;
    }
    for (std::uint32_t pe = 0; pe < pes.size(); ++pe) {
        if (!job.commands->participates(pe)) continue;
        ++candidate.participants;
        ++queued_[pe];
        pes[pe]->launch({start, job.id, job.commands.get()});
    }
    if (candidate.participants == 0) throw ModelError("an operator that no PE takes part in");
    candidate.record.started = never;
    candidate.record.pes = candidate.participants;
    ++on_grid_;
}

std::string ControlCore::pending() const {
    if (finished()) return {};
    return std::to_string(live_.size()) + " jobs not done, " + std::to_string(order_.size()) +
           " of them not launched" +
           (order_.empty() ? std::string{} : ", next job " + std::to_string(order_.front()));
}

}  // namespace diastole
