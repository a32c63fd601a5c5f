#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "model/base/random.hpp"
#include "model/timing/job_queue.hpp"

using namespace diastole;

namespace {

Picoseconds ps(std::uint64_t count) {
    return Picoseconds(count);
}

std::vector<FinishedJob> play(const std::vector<QueuedJob>& jobs, StartCosts costs = {}) {
    std::vector<FinishedJob> finished(jobs.size());
    JobQueue queue([&](const FinishedJob& job) { finished[job.number] = job; }, costs);
    for (const QueuedJob& job : jobs) {
        queue.advance(job.at);
        queue.submit(job);
    }
    queue.advance(ps(~std::uint64_t{0} - 1));
    CHECK(queue.unfinished() == 0);
    return finished;
}

const StageTimes& run_of(const FinishedJob& job) {
    return job.stages[static_cast<std::size_t>(JobStage::run)];
}

}  // namespace

TEST_CASE("a job alone copies, runs and copies back without a wait") {
    const auto done = play({{ps(100), {ps(5), ps(70), ps(3)}, {no_job, no_job}}});
    CHECK(run_of(done[0]).start == ps(105));
    CHECK(run_of(done[0]).end == ps(175));
    CHECK(done[0].stages[2].end == ps(178));
}

TEST_CASE("copies of one job go on while another runs") {
    const auto done = play({{ps(0), {ps(10), ps(100), ps(10)}, {no_job, no_job}},
                            {ps(0), {ps(10), ps(100), ps(10)}, {no_job, no_job}}});
    CHECK(done[1].stages[0].start == ps(10));
    CHECK(run_of(done[1]).ready == ps(20));
    CHECK(run_of(done[1]).start == ps(110));
    CHECK(done[0].stages[2].end == ps(120));
}

TEST_CASE("a job without inputs overtakes one whose inputs are on their way") {
    const auto done = play({{ps(0), {ps(50), ps(10), ps(0)}, {no_job, no_job}},
                            {ps(1), {ps(0), ps(20), ps(0)}, {no_job, no_job}}});
    CHECK(run_of(done[1]).start == ps(1));
    CHECK(run_of(done[0]).start == ps(50));
}

TEST_CASE("a job waits for those it names to have run, and not for their results' copies") {
    const auto done = play({{ps(0), {ps(0), ps(40), ps(500)}, {no_job, no_job}},
                            {ps(0), {ps(7), ps(10), ps(0)}, {0, no_job}},
                            {ps(90), {ps(0), ps(10), ps(0)}, {0, 1}}});
    CHECK(done[1].stages[0].start == ps(40));
    CHECK(run_of(done[1]).start == ps(47));
    CHECK(run_of(done[2]).start == ps(90));
}

TEST_CASE("starting costs more on an idle device than behind another job, and delays the start") {
    const StartCosts costs{ps(1000), ps(400)};
    const auto done = play({{ps(0), {ps(0), ps(5000), ps(0)}, {no_job, no_job}},
                            {ps(10), {ps(0), ps(5000), ps(0)}, {no_job, no_job}},
                            {ps(50'000), {ps(0), ps(5000), ps(0)}, {no_job, no_job}}},
                           costs);
    CHECK(run_of(done[0]).start == ps(1000));
    CHECK(run_of(done[1]).start == ps(6400));
    CHECK(run_of(done[2]).start == ps(51'000));
}

TEST_CASE("three servers in a row obey Lindley's recursion") {
    Random random(5);
    for (int trial = 0; trial < 50; ++trial) {
        std::vector<QueuedJob> jobs(300);
        Picoseconds now;
        for (QueuedJob& job : jobs) {
            now += ps(random.below(120));
            job.at = now;
            for (Picoseconds& time : job.durations) time = ps(random.between(1, 100));
        }
        const auto done = play(jobs);
        std::array<Picoseconds, job_stages> free;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            Picoseconds ready = jobs[i].at;
            for (std::size_t stage = 0; stage < job_stages; ++stage) {
                const Picoseconds start = std::max(ready, free[stage]);
                ready = free[stage] = start + jobs[i].durations[stage];
                REQUIRE(done[i].stages[stage].start == start);
                REQUIRE(done[i].stages[stage].end == ready);
            }
        }
    }
}

TEST_CASE("a job that is submitted as another ends is served like any other") {
    std::vector<Picoseconds> ends;
    JobQueue* chip = nullptr;
    JobQueue queue([&](const FinishedJob& job) {
        ends.push_back(job.stages[2].end);
        if (ends.size() < 100) {
            chip->submit({job.stages[2].end, {ps(1), ps(2), ps(3)}, {job.number, no_job}});
        }
    });
    chip = &queue;
    queue.submit({ps(0), {ps(1), ps(2), ps(3)}, {no_job, no_job}});
    while (queue.unfinished() > 0) queue.advance(queue.next_event());
    REQUIRE(ends.size() == 100);
    CHECK(ends.back() == ps(600));
    CHECK(queue.busy(JobStage::run) == ps(200));
}
