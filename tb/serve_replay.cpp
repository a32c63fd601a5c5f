#include "tb/serve_replay.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace diastole {
namespace {

double as_seconds(Picoseconds time) {
    return static_cast<double>(time.count()) / 1e12;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double percentile(std::vector<double> values, double p) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(static_cast<double>(values.size()) * p)];
}

class Replayer {
  public:
    Replayer(const std::vector<RecordedProgram>& programs, const HostLinkTiming& link,
             StartCosts start_costs, double scale)
        : programs_(programs),
          link_(link),
          scale_(scale),
          queue_([this](const FinishedJob& job) { finished_[job.number] = job; }, start_costs) {}

    Replay run();

  private:
    // A program is two jobs: its inputs, submitted by themselves, and the run with its results.
    struct Planned {
        std::int64_t at = 0;  // nanoseconds
        std::size_t program = 0;
        bool copies = false;
    };

    [[nodiscard]] std::int64_t first_time() const;
    [[nodiscard]] std::vector<Planned> plan() const;
    [[nodiscard]] Picoseconds since_start(std::int64_t nanoseconds) const {
        return Picoseconds(static_cast<std::uint64_t>(nanoseconds - first_) * 1000);
    }
    [[nodiscard]] Picoseconds transfer(const std::vector<RecordedCopy>& copies) const;
    [[nodiscard]] Picoseconds transfer(const RecordedCopy& copy) const {
        return link_.latency +
               Picoseconds(mul_div_ceil(copy.bytes, 1'000'000'000'000ULL, link_.bytes_per_second));
    }
    void submit(const Planned& planned);
    [[nodiscard]] std::uint64_t job_of(const std::optional<std::size_t>& program) const {
        return program ? run_jobs_[*program] : no_job;
    }
    void compare(Replay& replay) const;

    const std::vector<RecordedProgram>& programs_;
    HostLinkTiming link_;
    double scale_;
    JobQueue queue_;
    std::int64_t first_ = 0;
    std::vector<std::uint64_t> copy_jobs_, run_jobs_;
    std::map<std::uint64_t, FinishedJob> finished_;
};

// What was submitted before the recording began is taken to come just when it ran.
std::int64_t submission(const RecordedProgram& program) {
    return program.submitted.value_or(program.start);
}
std::int64_t submission_of_inputs(const RecordedProgram& program) {
    if (program.in.empty()) return submission(program);
    return std::min(program.in.front().submitted.value_or(program.in.front().start),
                    submission(program));
}

std::int64_t Replayer::first_time() const {
    std::int64_t first = submission(programs_.front());
    for (const RecordedProgram& program : programs_) {
        first = std::min(first, submission_of_inputs(program));
    }
    return first;
}

std::vector<Replayer::Planned> Replayer::plan() const {
    std::vector<Planned> order;
    for (std::size_t i = 0; i < programs_.size(); ++i) {
        order.push_back({submission_of_inputs(programs_[i]), i, true});
        order.push_back({submission(programs_[i]), i, false});
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const Planned& a, const Planned& b) { return a.at < b.at; });
    return order;
}

Picoseconds Replayer::transfer(const std::vector<RecordedCopy>& copies) const {
    Picoseconds sum;
    for (const RecordedCopy& copy : copies) sum += transfer(copy);
    return sum;
}

void Replayer::submit(const Planned& planned) {
    const RecordedProgram& program = programs_[planned.program];
    QueuedJob job;
    job.at = since_start(planned.at);
    if (planned.copies) {
        job.durations[0] = transfer(program.in);
        job.after = {job_of(program.follows), job_of(program.waits_for)};
        copy_jobs_[planned.program] = queue_.submit(job);
        return;
    }
    const double time = static_cast<double>(program.duration) * 1000 * scale_;
    job.durations[1] = Picoseconds(static_cast<std::uint64_t>(std::llround(time)));
    job.durations[2] = transfer(program.out);
    job.after[0] = copy_jobs_[planned.program];
    run_jobs_[planned.program] = queue_.submit(job);
}

Replay Replayer::run() {
    first_ = first_time();
    copy_jobs_.assign(programs_.size(), no_job);
    run_jobs_.assign(programs_.size(), no_job);
    for (const Planned& planned : plan()) {
        queue_.advance(since_start(planned.at));
        submit(planned);
    }
    queue_.advance(Picoseconds(~std::uint64_t{0} - 1));
    Replay replay;
    compare(replay);
    return replay;
}

ReplaySummary summary_of(const std::string& name, const std::vector<ReplayedProgram>& programs) {
    ReplaySummary summary;
    summary.name = name;
    std::vector<double> recorded, modelled, errors;
    for (const ReplayedProgram& p : programs) {
        if (name != "all" && p.name != name) continue;
        recorded.push_back(p.recorded_start - p.submitted);
        modelled.push_back(p.modelled_start - p.submitted);
        errors.push_back(std::abs(p.modelled_start - p.recorded_start));
        summary.start_bias += p.modelled_start - p.recorded_start;
    }
    summary.programs = errors.size();
    summary.start_bias /= static_cast<double>(errors.size());
    summary.recorded_wait = median(recorded);
    summary.modelled_wait = median(modelled);
    summary.start_error_median = median(errors);
    summary.start_error_p95 = percentile(errors, 0.95);
    return summary;
}

void Replayer::compare(Replay& replay) const {
    double recorded_end = 0;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < programs_.size(); ++i) {
        const RecordedProgram& program = programs_[i];
        const StageTimes& ran = finished_.at(run_jobs_[i]).stages[1];
        replay.recorded_busy += static_cast<double>(program.duration) * 1e-9;
        recorded_end =
            std::max(recorded_end, as_seconds(since_start(program.start + program.duration)));
        replay.seconds = std::max(replay.seconds, as_seconds(ran.end));
        if (!program.submitted) {
            ++replay.without_submission;
            continue;
        }
        replay.programs.push_back({program.name, as_seconds(since_start(*program.submitted)),
                                   as_seconds(since_start(program.start)), as_seconds(ran.start),
                                   as_seconds(ran.ready)});
        if (std::find(names.begin(), names.end(), program.name) == names.end()) {
            names.push_back(program.name);
        }
    }
    replay.recorded_busy /= recorded_end;
    replay.modelled_busy = as_seconds(queue_.busy(JobStage::run)) / replay.seconds;
    if (names.size() > 1) names.emplace_back("all");
    for (const std::string& name : names) {
        replay.summaries.push_back(summary_of(name, replay.programs));
    }
}

// Rates of single copies, by direction and size.
std::vector<TransferClass> transfer_classes(const std::vector<RecordedProgram>& programs,
                                            const HostLinkTiming& link) {
    constexpr std::array<std::uint64_t, 6> bounds = {0,       4096,     65536,
                                                     1048576, 16777216, ~std::uint64_t{0}};
    std::vector<TransferClass> classes;
    for (const bool to_device : {true, false}) {
        for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
            std::vector<double> recorded, modelled;
            for (const RecordedProgram& program : programs) {
                for (const RecordedCopy& copy : to_device ? program.in : program.out) {
                    if (copy.bytes < bounds[i] || copy.bytes >= bounds[i + 1]) continue;
                    if (copy.duration <= 0) continue;
                    const auto bytes = static_cast<double>(copy.bytes);
                    recorded.push_back(bytes / static_cast<double>(copy.duration) * 1e9);
                    modelled.push_back(bytes /
                                       (as_seconds(link.latency) +
                                        bytes / static_cast<double>(link.bytes_per_second)));
                }
            }
            if (recorded.empty()) continue;
            classes.push_back({to_device, bounds[i], bounds[i + 1], recorded.size(),
                               median(recorded), median(modelled)});
        }
    }
    return classes;
}

}  // namespace

Replay replay_programs(const std::vector<RecordedProgram>& programs, const HostLinkTiming& link,
                       StartCosts start_costs, double scale) {
    Replay replay = Replayer(programs, link, start_costs, scale).run();
    replay.transfers = transfer_classes(programs, link);
    return replay;
}

}  // namespace diastole
