#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tb/serve_queue.hpp"
#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"

using namespace diastole;
using Json = nlohmann::json;

namespace {

Picoseconds microseconds(std::uint64_t count) {
    return Picoseconds(count * 1'000'000);
}

ServedModel model_of(std::vector<BatchCost> ladder) {
    ServedModel model;
    model.name = "m";
    model.ladder = std::move(ladder);
    return model;
}

ServeResult serve_one(const ServedModel& model, const ServeScenario& scenario) {
    return serve_queries({model}, scenario, [](double) {});
}

// Mean wait in units of the service time: Pollaczek and Khinchine.
void check_wait(ServiceKind kind, double load, double expected) {
    const ServedModel model =
        model_of({{1, microseconds(1000), microseconds(1000), Picoseconds(0), Picoseconds(0)}});
    ServeScenario scenario;
    scenario.qps = 1000 * load;
    // Waits stay alike for (1 - load)^-2 queries or so.
    scenario.queries = load < 0.9 ? 4'000'000 : 30'000'000;
    scenario.service = kind;
    scenario.seed = 3;  // of any seeds, one in twenty misses its 95 % interval
    const ServeResult r = serve_one(model, scenario);
    CAPTURE(load, r.mean_wait, r.mean_wait_ci95);
    CHECK(r.mean_wait_ci95 > 0);
    CHECK(std::abs(r.mean_wait * 1000 - expected) < r.mean_wait_ci95 * 1000);
    CHECK(r.mean_wait_ci95 / r.mean_wait < 0.02);
}

Json serve_json(const std::string& arguments) {
    const ProgramResult result = run_program("serve " + arguments + " --json -");
    REQUIRE(result.code == 0);
    return Json::parse(result.out);
}

void refuses(const std::string& arguments, const std::string& text) {
    const ProgramResult result = run_program("serve " + arguments + " 2>&1");
    CAPTURE(arguments, result.out);
    CHECK(result.code == 2);
    CHECK(result.out.find(text) != std::string::npos);
    CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("constant service waits as M/D/1 does", "[slow]") {
    for (const double load : {0.5, 0.8, 0.95}) {
        check_wait(ServiceKind::constant, load, load / (2 * (1 - load)));
    }
}

TEST_CASE("exponential service waits as M/M/1 does", "[slow]") {
    for (const double load : {0.5, 0.8, 0.95}) {
        check_wait(ServiceKind::exponential, load, load / (1 - load));
    }
}

TEST_CASE("a query alone takes its transfers, its padded batch and no wait") {
    const ServedModel model =
        model_of({{4, microseconds(10), microseconds(30), microseconds(1), microseconds(2)},
                  {8, microseconds(15), microseconds(40), microseconds(2), microseconds(3)}});
    ServeScenario scenario;
    scenario.qps = 1;
    scenario.queries = 2;
    const ServeResult r = serve_one(model, scenario);
    CHECK(r.max == Approx(33e-6));  // the first finds cold caches
    CHECK(r.mean_latency == Approx((33e-6 + 13e-6) / 2));
    CHECK(r.mean_wait == 0);
}

TEST_CASE("queries that come together share a batch, as many as fit") {
    ServedModel model =
        model_of({{4, microseconds(10), microseconds(10), Picoseconds(0), Picoseconds(0)}});
    ServeScenario scenario;
    scenario.queries = 10;  // offline
    scenario.in_flight = 1;
    const ServeResult r = serve_one(model, scenario);
    CHECK(r.batches == 3);
    CHECK(r.full_batches == 2);
    CHECK(r.seconds == Approx(30e-6));
    CHECK(r.samples_per_second() == Approx(10 / 30e-6));
    model.sizes = QuerySizes({{3, 1}});  // two do not fit together
    CHECK(serve_one(model, scenario).batches == 10);
}

TEST_CASE("a window holds a query back for others, and no longer") {
    const ServedModel model =
        model_of({{64, microseconds(10), microseconds(10), Picoseconds(0), Picoseconds(0)}});
    ServeScenario scenario;
    scenario.qps = 10'000;  // a gap is 100 us on average
    scenario.queries = 20'000;
    const ServeResult none = serve_one(model, scenario);
    scenario.window = microseconds(1000);
    const ServeResult held = serve_one(model, scenario);
    CHECK(none.p50 == Approx(10e-6));
    CHECK(held.max <= 1020.1e-6);
    CHECK(held.max >= 1010e-6);
    const double mean_batch =
        static_cast<double>(held.batch_samples) / static_cast<double>(held.batches);
    CHECK(mean_batch == Approx(11).epsilon(0.03));  // the oldest and ten more in its window
}

TEST_CASE("models that take turns find cold caches, one model alone warm ones") {
    const ServedModel one =
        model_of({{1, microseconds(10), microseconds(50), Picoseconds(0), Picoseconds(0)}});
    ServeScenario scenario;
    scenario.qps = 1000;
    scenario.queries = 10'000;
    const auto quiet = [](double) {};
    CHECK(serve_queries({one}, scenario, quiet).mean_latency < 11e-6);
    const ServeResult two = serve_queries({one, one}, scenario, quiet);
    // Half of the batches follow one of the other model.
    CHECK(two.mean_latency - two.mean_wait == Approx(30e-6).epsilon(0.03));
}

TEST_CASE("serving gives the same for the same seed, and other waits for another") {
    const std::string arguments =
        "--service exponential --service-time 1ms --qps 700 --queries 20000";
    const Json a = serve_json(arguments), b = serve_json(arguments);
    CHECK(a == b);
    CHECK(serve_json(arguments + " --seed 2").at("latency_seconds") != a.at("latency_seconds"));
    CHECK(a.at("schema") == "diastole.serve/1");
    CHECK(a.at("arrivals") == 20'000);
}

TEST_CASE("the highest rate within a bound meets it, and a little more does not") {
    const std::string arguments = "--service constant --service-time 1ms --p99 5ms ";
    const Json best = serve_json(arguments + "--find-max");
    CHECK(best.at("valid") == true);
    const double qps = best.at("qps");
    // M/D/1's tail falls as e^(-t x) with load (e^t - 1) = t; at x = 4 service times it is 1 % near
    // a load of 0.56.
    CHECK(qps > 540);
    CHECK(qps < 580);
    const ProgramResult more =
        run_program("serve " + arguments + "--json - --qps " + std::to_string(qps * 1.02));
    CHECK(more.code == 1);
    CHECK(Json::parse(more.out).at("valid") == false);
}

TEST_CASE("a bound that no rate meets is said so with exit code 1") {
    const TemporaryFolder folder;
    const ProgramResult result =
        run_program("serve --service constant --service-time 10ms --find-max --p99 5ms --json " +
                    folder.path("r.json") + " 2>&1");
    CHECK(result.code == 1);
    CHECK(result.out.find("no rate meets it") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder.path("r.json")));
}

TEST_CASE("serve measures its batches on the chip, and latency rises with load", "[slow]") {
    const TemporaryFolder folder;
    const Json r = serve_json(
        "--chip mtia-2i --workload rm1 --batch-sizes 16,64 --qps 20000 "
        "--queries 5000 --p99 50ms --curve " +
        folder.path("c.svg"));
    const Json& service = r.at("models").at(0).at("service");
    REQUIRE(service.size() == 2);
    CHECK(service[0].at("warm_seconds") < service[1].at("warm_seconds"));
    CHECK(service[0].at("warm_seconds") <= service[0].at("cold_seconds"));
    CHECK(service[0].at("host_in_seconds") > 0);
    const Json& curve = r.at("curve");
    CHECK(curve.front().at("p99_seconds") < curve.back().at("p99_seconds"));
    const ProgramResult svg = run_shell("head -c 4 " + folder.path("c.svg"));
    CHECK(svg.out == "<svg");
}

TEST_CASE("the examples of serve --help run", "[slow]") {
    std::istringstream help(run_program("serve --help").out);
    int examples = 0;
    for (std::string line; std::getline(help, line);) {
        if (line.rfind("  diastole serve ", 0) != 0) continue;
        ++examples;
        CAPTURE(line);
        CHECK(run_program(line.substr(11) + " >/dev/null").code == 0);
    }
    CHECK(examples == 2);
}

TEST_CASE("serve refuses contradictory and impossible requests in one line") {
    refuses("--service constant --service-time 1ms", "expected one of --qps");
    refuses("--service constant --service-time 1ms --qps -1", "--qps: expected queries per second");
    refuses("--service constant --service-time 1ms --qps 1e-9", "a million seconds");
    refuses("--service constant --service-time 1 --qps 5", "--service-time: expected a time");
    refuses("--service constant --service-time 0ms --qps 5", "above 0");
    refuses("--service constant --service-time 1ms --qps 5 --offline", "expected one of");
    refuses("--service constant --service-time 1ms --find-max", "--p99 TIME");
    refuses("--service constant --service-time 1ms --qps 5 --queries 0", "--queries");
    refuses("--service constant --service-time 1ms --qps 5 --in-flight 0", "--in-flight");
    refuses("--service constant --service-time 1ms --qps 5 --batch-sizes 4 --samples-per-query 5",
            "does not fit");
    refuses("--service constant --service-time 1ms --qps 5 --chip mtia-2i", "--service-time");
    refuses("--qps 5", "expected --chip and --workload");
    refuses("--chip mtia-2i --workload rm1=0 --qps 5", "NAME=SHARE");
    refuses("--chip mtia-2i --workload rm9 --qps 5", "rm1");
    refuses("--chip mtia-9 --workload rm1 --qps 5", "there is no chip 'mtia-9'");
    refuses("--chip mtia-2i --workload rm1 --set dram.foo=1 --qps 5", "--set: dram.foo");
    refuses("--replay nowhere.json.gz --chip mtia-2i", "nowhere.json.gz");
    refuses("--replay x.json", "expected --chip");
}
