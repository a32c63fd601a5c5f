#include <catch2/catch.hpp>
#include <sstream>

#include "model/params/preset.hpp"
#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"

using namespace diastole;
using Catch::Contains;

TEST_CASE("show prints every value of a chip with its source, and marks what is assumed") {
    const ProgramResult result = run_program("show chip mtia-2i 2>&1");
    CHECK(result.code == 0);
    for (const config::Setting& setting : load_chip("mtia-2i").settings) {
        if (setting.key == "name" || setting.key == "description") continue;
        CHECK_THAT(result.out, Contains("\n  " + setting.key + ' '));
    }
    CHECK_THAT(result.out, Contains("source  ISCA 2025: 8 x 8 PEs  (presets/mtia-2i.toml:"));
    CHECK_THAT(result.out, Contains("ASSUMED as other last-level caches"));
    CHECK_THAT(result.out, Contains("source  JESD209-5: tPPD  (memory/lpddr5-6400.toml:"));
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
}

TEST_CASE("show prints the peaks of a chip and the conflicts between its sources") {
    const ProgramResult result = run_program("show chip mtia-300");
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Contains("GEMM fp8                1.121 PFLOPS"));
    CHECK_THAT(result.out, Contains("DRAM bandwidth          6.144 TB/s"));
    CHECK_THAT(result.out, Contains("DRAM capacity           216 GiB"));
    CHECK_THAT(result.out, Contains("LLC                   96 MiB          96 partitions x 512 sets"
                                    " x 16 ways x 128 B"));
    CHECK_THAT(result.out, Contains("42.5 TOPS (ISCA 2026, table I)"));
    CHECK_THAT(run_program("show chip h100-sxm").out, Contains("a comparison model"));
}

TEST_CASE("show prints a memory with its timing in cycles and nanoseconds") {
    const ProgramResult result = run_program("show memory hbm3-6400");
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Contains("32 bits x 6.40 Gb/s"));
    CHECK_THAT(result.out, Contains("31 tCK = 19.38 ns"));
}

TEST_CASE("show applies --set, before or after the name, and says so") {
    for (const char* arguments : {"show chip mtia-2i --set sram.ways=32 --set dram.channels=32",
                                  "show chip --set sram.ways=32 --set dram.channels=32 mtia-2i"}) {
        const ProgramResult result = run_program(arguments);
        CHECK(result.code == 0);
        CHECK_THAT(result.out, Contains("16 partitions x 2048 sets x 32 ways"));
        CHECK_THAT(result.out, Contains("409.6 GB/s"));
        CHECK_THAT(result.out, Contains("source  --set"));
    }
}

TEST_CASE("show lists the bundled names when none is given") {
    CHECK(run_program("show chip").out == "h100-sxm\nmtia-1\nmtia-2i\nmtia-300\ntpu-v1\n");
    CHECK_THAT(run_program("show memory").out, Contains("lpddr5-6400\n"));
}

TEST_CASE("what show cannot do is one clear line and exit code 2") {
    const ProgramResult chip = run_program("show chip mtia2i 2>&1");
    CHECK(chip.code == 2);
    CHECK(chip.out ==
          "there is no chip 'mtia2i'; did you mean 'mtia-2i'?; there are: h100-sxm, mtia-1, "
          "mtia-2i, mtia-300, tpu-v1\n");
    const ProgramResult kind = run_program("show chips mtia-2i 2>&1");
    CHECK(kind.code == 2);
    CHECK_THAT(kind.out, Contains("did you mean 'chip'?"));
    const ProgramResult set =
        run_program("show chip mtia-2i --set sram.way=3 --set grid.rows=0 2>&1");
    CHECK(set.code == 2);
    CHECK(set.out ==
          "--set: sram.way: unknown key; did you mean 'sram.ways'?\n"
          "--set: grid.rows: expected at least 1, got 0\n");

    TemporaryFolder folder;
    folder.write("x.toml", "base = \"mtia-2i\"\n\n[dram]\n  channels = 12\n");
    const ProgramResult file = run_program("show chip " + folder.path("x.toml") + " 2>&1");
    CHECK(file.code == 2);
    CHECK(file.out == folder.path("x.toml") +
                          ":4:14: dram.channels: expected a multiple of sram.partitions = 16, got "
                          "12\n");
    CHECK(run_program("show chip mtia-2i 2>&1 >/dev/full").code == 2);
}

TEST_CASE(
    "the program answers misspelt commands and options with the nearest one, and exit code 2") {
    const ProgramResult command = run_program("shwo chip 2>&1");
    CHECK(command.code == 2);
    CHECK_THAT(command.out, Contains("unknown command 'shwo'; did you mean 'show'?"));
    const ProgramResult option = run_program("show chip mtia-2i --sett a=b 2>&1");
    CHECK(option.code == 2);
    CHECK_THAT(option.out, Contains("unknown option '--sett'; did you mean '--set'?"));
    const ProgramResult missing = run_program("show 2>&1");
    CHECK(missing.code == 2);
    CHECK_THAT(missing.out, Contains("KIND is required"));
}

TEST_CASE("the program's help and version go to stdout, and without a command it is bad usage") {
    CHECK(run_program("--version 2>/dev/null").out == "diastole 0.1.0\n");
    const ProgramResult help = run_program("--help 2>/dev/null");
    CHECK(help.code == 0);
    CHECK_THAT(help.out, Contains("show"));
    CHECK_THAT(run_program("show --help").out, Contains("Example:"));
    const ProgramResult nothing = run_program("2>/dev/null");
    CHECK(nothing.code == 2);
    CHECK(nothing.out.empty());
}

TEST_CASE("the SystemC banner appears on neither stream") {
    CHECK(run_program("--version 2>&1").out == "diastole 0.1.0\n");
}

TEST_CASE("the examples in show's help run") {
    std::istringstream help(run_program("show --help").out);
    const std::string marker = "  diastole ";
    int examples = 0;
    for (std::string line; std::getline(help, line);) {
        if (line.rfind(marker, 0) != 0) continue;
        ++examples;
        CHECK(run_program(line.substr(marker.size())).code == 0);
    }
    CHECK(examples >= 1);
}
