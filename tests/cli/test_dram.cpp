// `diastole dram` as a user runs it: the reference rows of docs/dram.md, one command each, and what
// must not change between two ways of saying the same.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "model/base/random.hpp"
#include "model/params/preset.hpp"
#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"
#include "tests/timing/dram_harness.hpp"
#include "workloads/graph/byte_source.hpp"

using namespace diastole;
using Catch::Contains;

namespace {

using Json = nlohmann::json;

Json measure(const std::string& arguments) {
    const ProgramResult result = run_program("dram " + arguments + " --json - 2>&1");
    INFO(arguments << "\n" << result.out.substr(0, 500));
    REQUIRE(result.code == 0);
    Json json = Json::parse(result.out);
    json.erase("host");
    return json;
}

// One row of the published comparison: per cent of peak, row hits, mean and p99 of the read latency
// in ns, each between what two simulators of equal policy say, widened by 1 %, 0.01, 5 % and 10 %.
struct Row {
    std::string arguments;
    double percent[2], row_hits[2], mean_ns[2], p99_ns[2];
};

void check_row(const Row& row) {
    const Json json = measure(row.arguments);
    const auto check = [&](const char* what, double value, const double* range, double relative,
                           double margin) {
        INFO(row.arguments << ": " << what << " " << value);
        CHECK(value >= range[0] * (1 - relative) - margin);
        CHECK(value <= range[1] * (1 + relative) + margin);
    };
    check("percent", 100 * json["utilization"].get<double>(), row.percent, 0.01, 0);
    check("row hits", json["row_hit_rate"], row.row_hits, 0, 0.01);
    check("mean", json["read_latency_ns"]["mean"], row.mean_ns, 0.05, 0);
    check("p99", json["read_latency_ns"]["p99"], row.p99_ns, 0.10, 0);
}

// The result of a trace of these lines.
Json measure_trace(const TemporaryFolder& folder, const std::string& text,
                   const std::string& arguments = "--memory hbm2-2000") {
    folder.write("trace.txt", text);
    return measure(arguments + " --trace " + folder.path("trace.txt"));
}

std::string read_file(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Everything but what the requests are called.
Json without_names(Json json) {
    json.erase("traffic");
    json.erase("map");
    json.erase("policies");
    return json;
}

}  // namespace

TEST_CASE("dram with C1 and default patterns reproduces the peers within the published margins") {
    const Row rows[] = {
        {"--memory hbm2-2000 --pattern sequential --requests 100000",
         {91.94, 92.06},
         {.9597, .9598},
         {154.0, 155.8},
         {456, 461}},
        {"--memory hbm2-2000 --pattern random --requests 100000",
         {45.81, 46.11},
         {-.0039, .0001},
         {294.1, 308.5},
         {703, 707}},
        {"--memory hbm2-2000 --pattern embedding --requests 100000",
         {52.10, 52.35},
         {.1197, .1246},
         {260.2, 273.6},
         {647, 655}},
        {"--memory hbm2-2000 --pattern stride --requests 10000",
         {3.87, 3.89},
         {-.0044, 0},
         {3315, 3317},
         {3363, 3395}},
        {"--memory hbm2-2000 --pattern streams --requests 100000",
         {87.96, 89.46},
         {.4763, .4898},
         {158.0, 169.5},
         {543, 549}},
        {"--memory hbm2-2000 --pattern sequential --ratio 2:1 --requests 90000",
         {73.65, 75.01},
         {.7063, .7071},
         {274.7, 275.1},
         {598, 605}},
    };
    for (const Row& row : rows) check_row(row);
}

TEST_CASE("dram with C3 and sequential reads lies within one per cent of the peer") {
    const Json json = measure("--memory hbm3-6400 --pattern sequential --requests 150000");
    CHECK(100 * json["utilization"].get<double>() == Approx(89.89).epsilon(0.01));
    CHECK(json["row_hit_rate"].get<double>() == Approx(.9629).margin(0.01));
    CHECK(json["read_latency_ns"]["mean"].get<double>() == Approx(104.4).epsilon(0.05));
    CHECK(json["peak_bytes_per_second"] == 25.6e9);
}

TEST_CASE("dram gives the same result twice, and another one for another seed") {
    const std::string arguments =
        "--memory hbm3e-8000 --pattern random --ratio 3:1 --pseudo-channels 4 --requests 20000";
    const Json first = measure(arguments);
    CHECK(first == measure(arguments));
    Json other = measure(arguments + " --seed 7");
    CHECK(other["traffic"]["seed"] == 7);
    CHECK(other["cycles"] != first["cycles"]);
}

TEST_CASE("dram counts of all pseudo-channels add up, and time covers the slowest") {
    const Json json = measure(
        "--memory hbm3-6400 --pattern random --ratio 1:1 --pseudo-channels 8 --requests 40000");
    REQUIRE(json["per_channel"].size() == 8);
    std::uint64_t requests = 0, activates = 0, accesses = 0;
    double achieved = 0;
    for (const Json& channel : json["per_channel"]) {
        requests += channel["requests"].get<std::uint64_t>();
        activates += channel["commands"]["act"].get<std::uint64_t>();
        accesses += channel["commands"]["rd"].get<std::uint64_t>() +
                    channel["commands"]["wr"].get<std::uint64_t>();
        achieved += channel["achieved_bytes_per_second"].get<double>();
        CHECK(channel["bus_cycles"] == 2 * channel["requests"].get<std::uint64_t>());
        CHECK(channel["bus_cycles"].get<std::uint64_t>() +
                  channel["idle_cycles"].get<std::uint64_t>() <=
              json["cycles"].get<std::uint64_t>());
    }
    CHECK(requests == 40000);
    CHECK(json["requests"] == 40000);
    CHECK(json["bytes"] == 40000 * 32);
    CHECK(accesses == 40000);
    CHECK(json["per_channel"][0]["turns"] > 10);  // a drain of 40 writes has two
    CHECK(json["per_channel"][0]["turns"] < 400);
    CHECK(json["commands"]["act"] == activates);
    CHECK(json["achieved_bytes_per_second"].get<double>() == Approx(achieved));
    CHECK(json["peak_bytes_per_second"] == 8 * 25.6e9);
    CHECK(json["time_seconds"].get<double>() == Approx(json["cycles"].get<double>() * 0.625e-9));
}

TEST_CASE(
    "dram gives a trace the same result plain and compressed, and as the pattern it repeats") {
    std::ostringstream text;
    text << "# the random pattern, block by block\n\n" << std::hex;
    Random random(12345);
    for (int i = 0; i < 1500; ++i) {
        const std::uint64_t block = random.next() % ((std::uint64_t{512} << 20) / 64) * 64;
        text << "R 0x" << block << "\nR\t0x" << block + 32 << "\r\n";
    }
    TemporaryFolder folder;
    const Json plain = measure_trace(folder, text.str());
    folder.write("trace.gz", gzip(text.str()));
    CHECK(without_names(measure("--memory hbm2-2000 --trace " + folder.path("trace.gz"))) ==
          without_names(plain));
    CHECK(without_names(measure("--memory hbm2-2000 --pattern random --requests 3000")) ==
          without_names(plain));
    CHECK(measure("--memory hbm2-2000 --requests 100 --trace " +
                  folder.path("trace.gz"))["requests"] == 100);
}

TEST_CASE("dram offers a request of a trace at its cycle and not before") {
    TemporaryFolder folder;
    // An idle channel: activate at the cycle of arrival, data RCD + 1 + CL + burst later.
    const Json one = measure_trace(folder, "R 0x0 1000\n");
    CHECK(one["cycles"] == 1000 + 15 + 14 + 2);
    CHECK(one["read_latency_ns"]["max"] == 31);
    CHECK(one["per_channel"][0]["idle_cycles"] == 1000);
    // Two at once: one a cycle; without a cycle, as soon as the one before was taken.
    const Json two = measure_trace(folder, "R 0x0 1000\nR 0x0 1000\nR 0x200\n");
    CHECK(two["cycles"] == 1000 + 15 + 14 + 2 + 2 * 4);  // tCCD_L within a bank
    // A pause of a second costs nothing but its refreshes.
    const Json pause = measure_trace(folder, "R 0x0\nW 0x40 1000000000\n");
    CHECK(pause["commands"]["ref"] == 1000000000 / 3900);
    CHECK(pause["write_latency_ns"]["mean"] == 13 + 5 + 2);
    CHECK(pause["per_channel"][0]["turns"] == 1);
}

TEST_CASE("dram without waiting between arrivals is the same as with cycles that never bind") {
    std::ostringstream free_text, timed_text;
    Random random(3);
    for (int i = 0; i < 4000; ++i) {
        const std::uint64_t address = random.below(1 << 24) * 32;
        const char* kind = random.below(3) == 0 ? "W" : "R";
        free_text << kind << " 0x" << std::hex << address << '\n' << std::dec;
        timed_text << kind << " 0x" << std::hex << address << ' ' << std::dec << i / 2 << '\n';
    }
    TemporaryFolder folder;
    CHECK(without_names(measure_trace(folder, timed_text.str())) ==
          without_names(measure_trace(folder, free_text.str())));
}

TEST_CASE("dram through SystemC gives what the controller gives without it") {
    struct Case {
        const char* memory;
        const char* arguments;
        dram_test::Pattern pattern;
    };
    constexpr std::uint64_t c1 = std::uint64_t{512} << 20;
    for (const Case& c :
         {Case{"hbm2-2000", "random", dram_test::random64(c1)},
          Case{"hbm2-2000", "sequential --ratio 2:1", dram_test::two_reads_one_write(c1)},
          Case{"lpddr5-6400", "embedding", dram_test::embedding()}}) {
        constexpr std::uint64_t requests = 20'000;
        const DramParams params = load_memory(c.memory).params;
        DramChannel channel(params);
        const dram_test::Outcome alone = dram_test::drive(channel, params, c.pattern, requests);
        const Json json = measure(std::string("--memory ") + c.memory + " --pattern " +
                                  c.arguments + " --requests 20000");
        CHECK(json["cycles"] == alone.ticks);
        CHECK(json["commands"]["act"] == channel.stats().activates);
        CHECK(json["commands"]["pre"] == channel.stats().precharges);
        const Json& states = json["state_cycles"];
        CHECK(states["active"].get<std::uint64_t>() + states["refreshing"].get<std::uint64_t>() +
                  states["precharged"].get<std::uint64_t>() ==
              alone.ticks);
        CHECK(json["per_channel"][0]["state_cycles"] == states);
        CHECK(json["read_latency_ns"]["mean"].get<double>() * 1000 ==
              Approx(alone.mean_read * static_cast<double>(params.timing.tck_ps)).epsilon(1e-12));
    }
}

TEST_CASE("dram spreads addresses by the map's ch and pc bits, or in blocks that go round") {
    TemporaryFolder folder;
    const auto used = [&](const std::string& line, const std::string& arguments) {
        const Json json = measure_trace(folder, line, "--memory hbm2-2000 " + arguments);
        int found = -1;
        for (const Json& channel : json["per_channel"]) {
            if (channel["requests"] == 1) found = channel["channel"];
        }
        return found;
    };
    const std::string map = "--map 'row:15 ch:2 col:5 pc:1 ba:2 bg:2 byte:5'";
    CHECK(measure_trace(folder, "R 0x0\n", "--memory hbm2-2000 " + map)["per_channel"].size() == 8);
    CHECK(used("R 0x200\n", map) == 1);   // pc: bit 9
    CHECK(used("R 0x8000\n", map) == 2);  // ch: bits 15 and 16
    CHECK(used("R 0x18200\n", map) == 7);
    CHECK(used("R 0xff\n", "--pseudo-channels 3") == 0);
    CHECK(used("R 0x100\n", "--pseudo-channels 3") == 1);
    CHECK(used("R 0x300\n", "--pseudo-channels 3") == 0);
    CHECK(used("R 0x300\n", "--pseudo-channels 3 --interleave 64") == 0);
    CHECK(used("R 0x340\n", "--pseudo-channels 3 --interleave 64") == 1);
}

TEST_CASE("dram accounts every pseudo-channel until the end of the whole run") {
    TemporaryFolder folder;
    const std::string two = "--memory hbm2-2000 --pseudo-channels 2";
    const Json json = measure_trace(folder, "R 0x100\nR 0x0 100000\n", two);
    const Json& early = json["per_channel"][1];
    CHECK(json["cycles"] == 100000 + 31);
    CHECK(early["requests"] == 1);
    CHECK(early["idle_cycles"] == 100000);
    CHECK(early["commands"]["ref"] == 100031 / 3900);
    CHECK(early["refresh_cycles"] == 100031 / 3900 * 260);
}

TEST_CASE("dram gets through traffic that leaves a pseudo-channel waiting behind a full one") {
    TemporaryFolder folder;
    std::string text;
    for (int i = 0; i < 9000; ++i) text += "R 0x" + std::string(i % 2 == 0 ? "0" : "20") + "\n";
    for (int i = 0; i < 9000; ++i) text += "W 0x100\n";
    const Json json = measure_trace(folder, text, "--memory hbm2-2000 --pseudo-channels 2");
    CHECK(json["per_channel"][0]["requests"] == 9000);
    CHECK(json["per_channel"][1]["requests"] == 9000);
    // The second one began when the first had 1024 left at most.
    const std::uint64_t first = json["per_channel"][0]["bus_cycles"];
    CHECK(json["per_channel"][1]["idle_cycles"] > first * 3 / 4);
}

TEST_CASE("a memory file may tell pseudo-channels apart in its map") {
    TemporaryFolder folder;
    folder.write("x.toml", "base = \"hbm2-2000\"\nmap = \"row:15 ch:2 col:5 ba:2 bg:2 byte:5\"\n");
    const std::string file = folder.path("x.toml");
    const Json json = measure("--memory " + file + " --pattern sequential --requests 1536");
    CHECK(json["per_channel"].size() == 4);
    CHECK(json["per_channel"][3]["requests"] == 0);  // a channel has 16 KB at a time
    CHECK(json["per_channel"][2]["requests"] == 512);
    CHECK(json["map"] == "row:15 ch:2 col:5 ba:2 bg:2 byte:5");
    const ProgramResult shown = run_program("show memory " + file);
    CHECK_THAT(shown.out, Contains("4 channels x 64 bits x 2.00 Gb/s"));
    CHECK_THAT(shown.out, Contains("row:15 ch:2 col:5 ba:2 bg:2 byte:5"));
    CHECK(run_program("dram --memory " + file + " --pattern sequential --pseudo-channels 2 2>&1")
              .code == 2);
}

TEST_CASE("dram writes every command to its log, in order, and the same with gzip") {
    TemporaryFolder folder;
    const std::string arguments = "--memory hbm2-2000 --pattern embedding --requests 5000 --log ";
    const Json json = measure(arguments + folder.path("log.txt"));
    CHECK(json == measure(arguments + folder.path("log.gz")));
    CHECK(run_shell("gzip -dc " + folder.path("log.gz")).out == read_file(folder.path("log.txt")));
    std::istringstream lines(read_file(folder.path("log.txt")));
    std::map<std::string, std::uint64_t> counts;
    std::uint64_t last = 0;
    std::string line;
    REQUIRE(std::getline(lines, line));
    CHECK(line == "# diastole.dramlog/1: COMMAND CYCLE CHANNEL [BANK [ROW [COLUMN]]]");
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string command;
        std::uint64_t cycle = 0, channel = 9;
        words >> command >> cycle >> channel;
        CHECK(channel == 0);
        CHECK(cycle >= last);
        last = cycle;
        ++counts[command];
    }
    CHECK(counts["RD"] == 5000);
    CHECK(counts["ACT"] == json["commands"]["act"]);
    CHECK(counts["REFAB"] == json["commands"]["ref"]);
    CHECK(counts["PREA"] > 0);
}

TEST_CASE("dram offers whole blocks as one request each where it is asked to") {
    const std::string rows =
        "--memory hbm2-2000 --pattern embedding --row-bytes 256 --requests 20000 "
        "--map 'row:15 ba:2 bg:2 col:5 byte:5'";
    const Json atoms = measure(rows);
    const Json blocks = measure(rows + " --offer block");
    CHECK(blocks["requests"] == 20000);
    CHECK(blocks["commands"]["rd"] == 20000);
    CHECK(blocks["utilization"].get<double>() ==
          Approx(atoms["utilization"].get<double>()).epsilon(0.03));
    // The same requests whether a block lies in one row or is cut at every atom.
    const std::string cut = "--memory hbm2-2000 --pattern random --requests 5000";
    Json whole = measure(cut + " --offer block"), single = measure(cut);
    CHECK(without_names(whole) == without_names(single));
}

TEST_CASE("dram in fast mode stays near the exact one and says which it is") {
    const std::string arguments = "--memory hbm2-2000 --pattern sequential --requests 50000";
    const Json fast = measure(arguments + " --memory-mode fast");
    CHECK(fast["policies"]["memory_mode"] == "fast");
    CHECK(fast["utilization"].get<double>() ==
          Approx(measure(arguments)["utilization"].get<double>()).epsilon(0.05));
}

TEST_CASE("dram's summary names the policies, peak and achieved rate, and what is assumed") {
    const ProgramResult result = run_program(
        "dram --memory hbm2-2000 --pattern random --pseudo-channels 2 --requests 20000 "
        "--set dram.policy.page=closed");
    CHECK(result.code == 0);
    for (const char* text :
         {"2 pseudo-channels of 16.0 GB/s: random reads", "GB/s of 32.0 GB/s", "scheduler fr_fcfs",
          "page closed", "queue split", "refresh all_bank", "blocks of 256 bytes round-robin",
          "read latency   mean", "p99", "row hits", "ACT", "Where the data bus's time goes",
          "refresh        ", "Assumed, not published: 9 of", "timing.ppd", "exact"}) {
        CHECK_THAT(result.out, Contains(text));
    }
}

TEST_CASE("the examples in dram's help run") {
    std::istringstream help(run_program("dram --help").out);
    const std::string marker = "  diastole ";
    int examples = 0;
    for (std::string line; std::getline(help, line);) {
        if (line.rfind(marker, 0) != 0) continue;
        ++examples;
        CHECK(run_program(line.substr(marker.size()) + " --requests 5000").code == 0);
    }
    CHECK(examples == 2);
}
