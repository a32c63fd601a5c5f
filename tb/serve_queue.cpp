#include "tb/serve_queue.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "model/base/error.hpp"
#include "model/timing/job_queue.hpp"

namespace diastole {
namespace {

constexpr double second = 1e12;  // in picoseconds
constexpr Picoseconds end_of_time{std::numeric_limits<std::uint64_t>::max()};
constexpr std::size_t parts_for_ci = 50;  // of the run, for the method of batch means

double as_seconds(Picoseconds time) {
    return static_cast<double>(time.count()) / second;
}

struct Query {
    Picoseconds at;
    std::uint64_t samples = 1;
};

struct Batch {
    std::uint64_t job = 0;
    std::vector<Query> queries;
    Picoseconds served;  // link and device, without waits
};

// One model's queries that wait to be put into a batch.
struct Waiting {
    std::deque<Query> queries;
    std::uint64_t samples = 0;
};

class Server {
  public:
    Server(const std::vector<ServedModel>& models, const ServeScenario& scenario)
        : models_(models),
          scenario_(scenario),
          waiting_(models.size()),
          services_(Random(scenario.seed).fork(3)),
          choices_(Random(scenario.seed).fork(4)),
          chip_([this](const FinishedJob& job) { answer(job); }) {
        for (const ServedModel& model : models) shares_ += model.share;
        latencies_.reserve(scenario.queries);
        waits_.resize(parts_for_ci);
    }

    ServeResult run(const std::function<void(double)>& progress);

  private:
    struct Part {
        double sum = 0;
        std::uint64_t count = 0;
    };

    void take_arrivals(Picoseconds at);
    void draw_next();
    void form_batches(Picoseconds at);
    [[nodiscard]] bool due(const Waiting& waiting, std::size_t model, Picoseconds at) const;
    [[nodiscard]] Picoseconds next_due() const;
    void form(std::size_t model, Picoseconds at);
    void answer(const FinishedJob& job);
    [[nodiscard]] ServeResult result() const;

    const std::vector<ServedModel>& models_;
    const ServeScenario& scenario_;
    std::optional<PoissonArrivals> arrivals_;  // none offline
    std::uint64_t shares_ = 0;
    std::vector<Waiting> waiting_;
    Random services_, choices_;
    JobQueue chip_;
    std::vector<Batch> flying_;
    std::vector<std::vector<Query>> spare_;  // vectors to use again
    std::size_t last_model_ = std::numeric_limits<std::size_t>::max();
    std::uint64_t drawn_ = 0;
    bool more_ = true;  // arrivals to come
    Query next_;        // the next one
    std::size_t next_model_ = 0;
    Picoseconds now_, last_answer_;
    std::vector<std::uint64_t> latencies_;
    std::vector<Part> waits_;
    ServeResult counts_;
};

void Server::draw_next() {
    if (drawn_ == scenario_.queries) {
        more_ = false;
        return;
    }
    ++drawn_;
    next_model_ = 0;
    if (models_.size() > 1) {
        std::uint64_t point = choices_.below(shares_);
        while (point >= models_[next_model_].share) point -= models_[next_model_++].share;
    }
    Random sizes = choices_.fork(drawn_);
    next_.samples = models_[next_model_].sizes.draw(sizes);
    if (arrivals_) next_.at = arrivals_->next();
}

void Server::take_arrivals(Picoseconds at) {
    while (more_ && next_.at <= at) {
        Waiting& waiting = waiting_[next_model_];
        waiting.queries.push_back(next_);
        waiting.samples += next_.samples;
        counts_.samples += next_.samples;
        draw_next();
    }
}

bool Server::due(const Waiting& waiting, std::size_t model, Picoseconds at) const {
    if (waiting.queries.empty()) return false;
    const std::uint64_t largest = models_[model].ladder.back().samples;
    return !more_ || waiting.samples >= largest ||
           waiting.queries.front().at + scenario_.window <= at;
}

// When a window runs out while the chip has room.
Picoseconds Server::next_due() const {
    if (flying_.size() >= scenario_.in_flight) return end_of_time;
    Picoseconds next = end_of_time;
    for (const Waiting& waiting : waiting_) {
        if (waiting.queries.empty()) continue;
        next = std::min(next, waiting.queries.front().at + scenario_.window);
    }
    return next;
}

// Of models that are due, the one whose oldest query has waited longest.
void Server::form_batches(Picoseconds at) {
    while (flying_.size() < scenario_.in_flight) {
        std::size_t chosen = models_.size();
        for (std::size_t model = 0; model < models_.size(); ++model) {
            if (!due(waiting_[model], model, at)) continue;
            if (chosen == models_.size() ||
                waiting_[model].queries.front().at < waiting_[chosen].queries.front().at) {
                chosen = model;
            }
        }
        if (chosen == models_.size()) return;
        form(chosen, at);
    }
}

void Server::form(std::size_t model, Picoseconds at) {
    const std::vector<BatchCost>& ladder = models_[model].ladder;
    Waiting& waiting = waiting_[model];
    Batch batch;
    if (!spare_.empty()) {
        batch.queries = std::move(spare_.back());
        spare_.pop_back();
    }
    std::uint64_t samples = 0;
    while (!waiting.queries.empty() &&
           samples + waiting.queries.front().samples <= ladder.back().samples) {
        samples += waiting.queries.front().samples;
        batch.queries.push_back(waiting.queries.front());
        waiting.queries.pop_front();
    }
    waiting.samples -= samples;
    const BatchCost& cost = *std::lower_bound(
        ladder.begin(), ladder.end(), samples,
        [](const BatchCost& c, std::uint64_t wanted) { return c.samples < wanted; });
    QueuedJob job;
    job.at = at;
    Picoseconds run = last_model_ == model ? cost.warm : cost.cold;
    if (scenario_.service == ServiceKind::exponential) {
        run = exponential_time(services_, static_cast<double>(run.count()));
    }
    job.durations = {cost.to_device, run, cost.to_host};
    last_model_ = model;
    batch.served = cost.to_device + run + cost.to_host;
    batch.job = chip_.submit(job);
    flying_.push_back(std::move(batch));
    ++counts_.batches;
    counts_.batch_samples += samples;
    if (samples == ladder.back().samples) ++counts_.full_batches;
}

void Server::answer(const FinishedJob& job) {
    const Picoseconds at = job.stages.back().end;
    last_answer_ = at;
    const auto found = std::find_if(flying_.begin(), flying_.end(),
                                    [&](const Batch& b) { return b.job == job.number; });
    for (const Query& query : found->queries) {
        const Picoseconds latency = at - query.at;
        Part& part = waits_[latencies_.size() * parts_for_ci / scenario_.queries];
        part.sum += static_cast<double>((latency - found->served).count());
        ++part.count;
        latencies_.push_back(latency.count());
    }
    found->queries.clear();
    spare_.push_back(std::move(found->queries));
    flying_.erase(found);
}

ServeResult Server::run(const std::function<void(double)>& progress) {
    if (scenario_.qps > 0) arrivals_.emplace(scenario_.qps, scenario_.seed);
    draw_next();
    for (std::uint64_t step = 0; more_ || !flying_.empty(); ++step) {
        now_ = chip_.next_event();
        if (more_) now_ = std::min(now_, next_.at);
        now_ = std::min(now_, next_due());
        chip_.advance(now_);
        take_arrivals(now_);
        form_batches(now_);
        if (step % 65536 == 0) {
            progress(static_cast<double>(latencies_.size()) /
                     static_cast<double>(scenario_.queries));
        }
    }
    return result();
}

// LoadGen's percentile: sorted[floor(n p)].
double percentile(std::vector<std::uint64_t>& values, double p) {
    const auto rank = static_cast<std::ptrdiff_t>(static_cast<double>(values.size()) * p);
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    return static_cast<double>(values[static_cast<std::size_t>(rank)]) / second;
}

ServeResult Server::result() const {
    ServeResult r = counts_;
    r.arrivals = latencies_.size();
    r.seconds = as_seconds(last_answer_);
    double latency = 0;
    for (const std::uint64_t one : latencies_) latency += static_cast<double>(one);
    const auto n = static_cast<double>(latencies_.size());
    r.mean_latency = latency / n / second;
    double wait = 0;
    for (const Part& part : waits_) wait += part.sum;
    r.mean_wait = wait / n / second;
    if (latencies_.size() >= parts_for_ci * 20) {
        double squares = 0;
        for (const Part& part : waits_) {
            const double mean = part.sum / static_cast<double>(part.count) / second;
            squares += (mean - r.mean_wait) * (mean - r.mean_wait);
        }
        // Student's t for 49 degrees of freedom at 97.5 %.
        r.mean_wait_ci95 = 2.0096 * std::sqrt(squares / (parts_for_ci - 1) / parts_for_ci);
    }
    std::vector<std::uint64_t> sorted = latencies_;
    r.p50 = percentile(sorted, 0.50);
    r.p95 = percentile(sorted, 0.95);
    r.p99 = percentile(sorted, 0.99);
    r.p999 = percentile(sorted, 0.999);
    r.max = static_cast<double>(*std::max_element(sorted.begin(), sorted.end())) / second;
    r.device_busy = as_seconds(chip_.busy(JobStage::run)) / r.seconds;
    r.link_busy =
        as_seconds(std::max(chip_.busy(JobStage::to_device), chip_.busy(JobStage::to_host))) /
        r.seconds;
    return r;
}

}  // namespace

ServeResult serve_queries(const std::vector<ServedModel>& models, const ServeScenario& scenario,
                          const std::function<void(double)>& progress) {
    return Server(models, scenario).run(progress);
}

double capacity_qps(const std::vector<ServedModel>& models) {
    double shares = 0, seconds_a_query = 0;
    for (const ServedModel& model : models) {
        const auto share = static_cast<double>(model.share);
        double best = std::numeric_limits<double>::infinity();  // seconds a sample
        for (const BatchCost& cost : model.ladder) {
            best = std::min(best, as_seconds(cost.warm) / static_cast<double>(cost.samples));
        }
        shares += share;
        seconds_a_query += share * best * model.sizes.mean();
    }
    return shares / seconds_a_query;
}

}  // namespace diastole
