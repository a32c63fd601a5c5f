// The programs of a served model: from small traces, and from the published one where it is there.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "model/base/error.hpp"
#include "tb/serve_replay.hpp"
#include "tests/import/kineto_text.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/import/kineto_programs.hpp"

using namespace diastole;

namespace {

std::string device_event(const std::string& name, double start, double duration,
                         const std::string& arguments) {
    return R"({"ph": "X", "cat": "mtia_ccp_events", "name": ")" + name +
           R"(", "pid": 17, "tid": 1, "ts": )" + std::to_string(start) + R"(, "dur": )" +
           std::to_string(duration) + R"(, "args": {)" + arguments + "}}";
}
std::string launch(int correlation, double time) {
    return R"({"ph": "X", "cat": "mtia_runtime", "name": "run", "pid": 1, "tid": 2, "ts": )" +
           std::to_string(time) + R"(, "dur": 1, "args": {"correlation": )" +
           std::to_string(correlation) + "}}";
}

// A sparse part on stream 101, and a dense part on 109 that waits for it; one program of before.
std::string two_programs() {
    std::string text = R"({"traceEvents": [)";
    text += device_event("pe_exe", 10, 50, R"("stream": 112)") + ",";
    text += launch(1, 100) + "," + launch(2, 110) + "," + launch(3, 112) + "," + launch(4, 114) +
            "," + launch(5, 120) + "," + launch(6, 121) + ",";
    text += device_event(
                "dma_request", 101, 5,
                R"("stream": 101, "correlation": 1, "direction": "HOST_TO_DEVICE", "size": 4000)") +
            ",";
    text += device_event("remote", 130, 20, R"("stream": 101, "correlation": 2)") + ",";
    text += device_event("event_wait", 113, 37,
                         R"("stream": 109, "correlation": 3, "wait_on_stream": 101)") +
            ",";
    text += device_event(
                "dma_request", 151, 2,
                R"("stream": 109, "correlation": 4, "direction": "HOST_TO_DEVICE", "size": 640)") +
            ",";
    text += device_event("merge", 160, 90, R"("stream": 109, "correlation": 5)") + ",";
    text += device_event(
        "dma_request", 251, 1,
        R"("stream": 109, "correlation": 6, "direction": "DEVICE_TO_HOST", "size": 64)");
    return text + "]}";
}

}  // namespace

TEST_CASE("a server's trace gives programs with their copies, submissions and waits") {
    const std::string text = two_programs();
    const auto programs = read_programs(*open_text(text, "t.json"));
    REQUIRE(programs.size() == 3);
    CHECK_FALSE(programs[0].submitted);
    const RecordedProgram& remote = programs[1];
    CHECK(remote.name == "remote");
    CHECK(remote.stream == 101);
    CHECK(remote.submitted == 110'000);
    REQUIRE(remote.in.size() == 1);
    CHECK(remote.in[0].bytes == 4000);
    CHECK(remote.in[0].submitted == 100'000);
    CHECK_FALSE(remote.waits_for);
    const RecordedProgram& merge = programs[2];
    REQUIRE(merge.out.size() == 1);
    CHECK(merge.waits_for == 1U);
}

TEST_CASE("a replay waits for copies, for the device and for the program that an event names") {
    const std::string text = two_programs();
    const auto programs = read_programs(*open_text(text, "t.json"));
    // 1 GB/s: 4000 bytes take 4 us, 640 bytes 0.64 us.
    const Replay replay = replay_programs(programs, {1'000'000'000, Picoseconds(0)}, {}, 1);
    REQUIRE(replay.programs.size() == 2);
    CHECK(replay.without_submission == 1);
    // Times count from the first event at 10 us.
    CHECK(replay.programs[0].modelled_start == Approx(100e-6));
    CHECK(replay.programs[0].recorded_start == Approx(120e-6));
    CHECK(replay.programs[1].modelled_start == Approx(120.64e-6));
    CHECK(replay.programs[1].ready == Approx(120.64e-6));
    const Replay slower = replay_programs(programs, {1'000'000'000, Picoseconds(0)}, {}, 2);
    CHECK(slower.programs[1].modelled_start == Approx(140.64e-6));
}

TEST_CASE("a trace in which the host submitted nothing holds no programs") {
    const std::string text =
        R"({"traceEvents": [)" + device_event("pe_exe", 10, 50, R"("stream": 112)") + "]}";
    CHECK_THROWS_WITH(read_programs(*open_text(text, "t.json")),
                      Catch::StartsWith("t.json: no program"));
}

namespace {

// Written from the definition and from the trace's records alone: each direction of the link and
// the device serve what is ready in the order of being ready, at whatever speed.
std::vector<double> lindley_starts(const std::vector<RecordedProgram>& programs, double rate,
                                   double latency, double scale) {
    struct Step {
        double ready = -1;
        bool done = false;
    };
    const std::size_t n = programs.size();
    std::vector<double> inputs_at(n, -1), ran_at(n, -1), start(n, -1);
    double origin = 1e300;
    for (const auto& p : programs) {
        origin = std::min(origin, static_cast<double>(p.submitted.value_or(p.start)));
        for (const auto& c : p.in) {
            origin = std::min(origin, static_cast<double>(c.submitted.value_or(c.start)));
        }
    }
    const auto at = [&](std::int64_t t) { return (static_cast<double>(t) - origin) * 1e-9; };
    double link_free = 0, device_free = 0;
    for (std::size_t served = 0; served < 2 * n; ++served) {
        // The next service to begin, of either server: the smallest start, then readiness.
        double best = 1e300, best_ready = 1e300;
        std::size_t which = 0;
        bool is_copy = false;
        for (std::size_t i = 0; i < n; ++i) {
            const RecordedProgram& p = programs[i];
            if (inputs_at[i] < 0) {
                if (p.follows && ran_at[*p.follows] < 0) continue;
                if (p.waits_for && ran_at[*p.waits_for] < 0) continue;
                double ready = at(p.submitted.value_or(p.start));
                if (!p.in.empty()) {
                    ready = std::min(ready, at(p.in[0].submitted.value_or(p.in[0].start)));
                }
                if (p.follows) ready = std::max(ready, ran_at[*p.follows]);
                if (p.waits_for) ready = std::max(ready, ran_at[*p.waits_for]);
                const double begin = p.in.empty() ? ready : std::max(ready, link_free);
                if (begin < best || (begin == best && ready < best_ready)) {
                    best = begin;
                    best_ready = ready;
                    which = i;
                    is_copy = true;
                }
            } else if (start[i] < 0) {
                const double ready = std::max(inputs_at[i], at(p.submitted.value_or(p.start)));
                const double begin = std::max(ready, device_free);
                if (begin < best || (begin == best && ready < best_ready)) {
                    best = begin;
                    best_ready = ready;
                    which = i;
                    is_copy = false;
                }
            }
        }
        const RecordedProgram& p = programs[which];
        if (is_copy) {
            double took = 0;
            for (const auto& c : p.in) took += latency + static_cast<double>(c.bytes) / rate;
            inputs_at[which] = best + took;
            if (!p.in.empty()) link_free = best + took;
        } else {
            start[which] = best;
            device_free = ran_at[which] = best + static_cast<double>(p.duration) * 1e-9 * scale;
        }
    }
    return start;
}

}  // namespace

TEST_CASE("the MTIA ranking trace replays as Lindley's recursion has it, at any speed") {
    const std::string folder = test::shared_traces();
    if (folder.empty()) {
        WARN("left out: " << Catch::getResultCapture().getCurrentTestName()
                          << " (DIASTOLE_SHARED names the folder of the data)");
        return;
    }
    const auto programs =
        read_programs(*open_file(folder + "kineto/mtia_ranking_inference_rank0.json.gz"));
    std::map<std::string, int> names;
    for (const RecordedProgram& p : programs) ++names[p.name];
    CHECK(names["merge"] == 36);
    CHECK(names["remote"] == 37);
    CHECK(names["pe_exe"] == 24);
    for (const double scale : {0.9, 1.0, 1.1}) {
        const Replay replay =
            replay_programs(programs, {32'000'000'000, Picoseconds(500'000)}, {}, scale);
        const std::vector<double> starts = lindley_starts(programs, 32e9, 500e-9, scale);
        std::size_t next = 0;
        for (std::size_t i = 0; i < programs.size(); ++i) {
            if (!programs[i].submitted) continue;
            CAPTURE(i, scale);
            REQUIRE(replay.programs[next++].modelled_start == Approx(starts[i]).margin(2e-9));
        }
        if (scale == 1.0) {
            const ReplaySummary& all = replay.summaries.back();
            CHECK(all.start_error_median < 1e-3);
            CHECK(replay.recorded_busy == Approx(0.936).margin(0.001));
        }
    }
}
