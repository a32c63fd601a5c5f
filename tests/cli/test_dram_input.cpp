// What `diastole dram` cannot do: one clear line and exit code 2.
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"
#include "tests/paths.hpp"

using namespace diastole;
using Catch::Contains;

namespace {

void refuses(const std::string& arguments, const std::string& text) {
    const ProgramResult result = run_program("dram " + arguments + " 2>&1 >/dev/null");
    INFO(arguments << "\n" << result.out);
    CHECK(result.code == 2);
    CHECK_THAT(result.out, Contains(text));
    CHECK(result.out.find("terminate") == std::string::npos);
}

const std::string c1 = "--memory hbm2-2000 --pattern sequential --requests 1000 ";

// Of a trace of these lines, behind the file's name.
void refuses_trace(const std::string& text, const std::string& message) {
    TemporaryFolder folder;
    folder.write("t.txt", text);
    refuses("--memory hbm2-2000 --trace " + folder.path("t.txt"), folder.path("t.txt") + message);
}

}  // namespace

TEST_CASE("dram refuses unknown memories, keys and policies with the nearest name") {
    refuses("--memory hbm2-200 --pattern random", "did you mean 'hbm2-2000'?");
    refuses("--memory nowhere.toml --pattern random", "there is no file 'nowhere.toml'");
    refuses(c1 + "--set dram.timing.rfcc=3", "unknown key; did you mean 'dram.timing.rfc'?");
    refuses(c1 + "--set sram.ways=3", "sram.ways: unknown key");
    refuses(c1 + "--set dram.policy.scheduler=fr_fcf", "did you mean 'fr_fcfs'?");
    refuses(c1 + "--set dram.policy.page", "--set: expected key=value, got");
    refuses("--memory hbm2-2000 --pattern sequentail", "did you mean 'sequential'?");
    refuses(c1 + "--pseudo-chanels 2", "did you mean '--pseudo-channels'?");
    refuses(c1 + "--memory-mode fats", "--memory-mode");
}

TEST_CASE("dram refuses impossible timings and says which rule they break") {
    refuses(c1 + "--set dram.timing.rc=40",
            "dram.timing.rc: expected at least ras + rp = 48, got 40");
    refuses(c1 + "--set dram.timing.ccd_l=1", "dram.timing.ccd_l: expected at least ccd_s = 2");
    refuses(c1 + "--set dram.timing.refi=300", "dram.timing.refi: expected above");
}

TEST_CASE("dram refuses maps with holes and overlaps and says which bits") {
    refuses(c1 + "--map 'row:14 col:5 ba:2 bg:2 byte:5'", "row bits 14 to 14 are missing");
    refuses(c1 + "--map 'row:15 col:6 ba:2 bg:2 byte:5'", "col bits are covered twice");
    refuses(c1 + "--map 'row:15 col:5 ba:2 bgg:2 byte:5'", "did you mean 'bg'?");
    refuses(c1 + "--map ''", "expected fields");
    refuses(c1 + "--map 'row:15 ch:x col:5 ba:2 bg:2 byte:5'", "expected 'ch:<bits>', got 'ch:x'");
    refuses(c1 + "--map 'row:15 ch:17 col:5 ba:2 bg:2 byte:5'", "ch and pc have 17 bits");
    refuses(c1 + "--map 'row:15 col:5 ba:2 bg:2 byte:5 pc:1'", "expected ch and pc above byte");
    refuses(c1 + "--pseudo-channels 4 --map 'row:15 pc:1 col:5 ba:2 bg:2 byte:5'",
            "pseudo-channels: the map's ch and pc fields tell 2 apart, got 4");
    refuses(c1 + "--set dram.geometry.rows=24576 --map 'ch:1 row:15 col:5 ba:2 bg:2 byte:5'",
            "no power of two: expected ch and pc below");
}

TEST_CASE("dram refuses malformed trace lines with their number") {
    const std::string expected = "expected 'R 0xADDRESS' or 'W 0xADDRESS', optionally with a cycle";
    refuses_trace("R 0x0\nX 0x20\n", ":2: " + expected + ", got \"X 0x20\"");
    refuses_trace("R 0x0\n\n# note\nR\n", ":4: " + expected);
    refuses_trace("R 20\n", ":1: " + expected);
    refuses_trace("R 0x\n", ":1: " + expected);
    refuses_trace("R 0x1g\n", ":1: " + expected);
    refuses_trace("R 0x0 -5\n", ":1: " + expected);
    refuses_trace("R 0x0 5 6\n", ":1: " + expected);
    refuses_trace("R 0x0 1e3\n", ":1: " + expected);
    refuses_trace("R 0x11111111111111111\n", ":1: " + expected);
    refuses_trace(std::string("R 0x\x01\x02\n"), ":1: " + expected + ", got \"R 0x??\"");
    refuses_trace(std::string(5000, 'R'),
                  ":1: " + expected + ", got \"" + std::string(60, 'R') + "...\"");
}

TEST_CASE("dram refuses addresses beyond the memory and arrivals out of order") {
    refuses_trace("W 0x1fffffff\nR 0x20000000\n",
                  ":2: address 0x20000000 lies beyond the memory's 536870912 bytes (0x20000000)");
    refuses_trace("R 0x0 10\nR 0x20\nR 0x40 9\n", ":3: cycle 9 comes after cycle 10");
    refuses_trace("R 0x0 99999999999999999\n", ":1: cycle 99999999999999999: expected at most");
    // Not before it is read: a long trace is streamed.
    std::string text;
    for (int i = 0; i < 20000; ++i) text += "R 0x0\n";
    refuses_trace(text + "R 0x20000000\n", ":20001: address");
}

TEST_CASE("dram refuses traces that are missing, empty, or no gzip where the name says so") {
    refuses("--memory hbm2-2000 --trace nowhere.txt", "nowhere.txt: cannot read: No such file");
    refuses_trace("", ": the file is empty");
    refuses_trace("\n# nothing\n  \n", ": holds no request");
    TemporaryFolder folder;
    folder.write("t.gz", "R 0x0\n");
    refuses("--memory hbm2-2000 --trace " + folder.path("t.gz"), "does not hold gzip data");
    folder.write("cut.gz", std::string("\x1f\x8b\x08\x00\x00", 5));
    refuses("--memory hbm2-2000 --trace " + folder.path("cut.gz"), "truncated");
}

TEST_CASE("dram refuses outputs that cannot be written before it runs") {
    refuses(c1 + "--json /nowhere/x.json", "/nowhere/x.json");
    refuses(c1 + "--log /nowhere/x.log", "/nowhere/x.log");
    CHECK(run_program("dram " + c1 + "--json - 2>/dev/null >/dev/full").code == 2);
    refuses(c1 + "--memory-mode fast --log x.log", "--log: the fast memory mode has no commands");
}

TEST_CASE("dram that fails leaves neither a result nor a log behind") {
    TemporaryFolder folder;
    folder.write("t.txt", "R 0x0\nR 0x20\nR oops\n");
    refuses("--memory hbm2-2000 --trace " + folder.path("t.txt") + " --json " +
                folder.path("r.json") + " --log " + folder.path("c.log"),
            ":3: expected");
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path(""))) {
        (void)entry;
        ++files;
    }
    CHECK(files == 1);
}

TEST_CASE("dram refuses parameters that make no sense") {
    refuses("--memory hbm2-2000", "expected either --trace or --pattern");
    refuses(c1 + "--trace x", "expected either --trace or --pattern");
    refuses("--pattern random", "--memory is required");
    const std::string random = "--memory hbm2-2000 --pattern random ";
    refuses(random + "--requests 0", "--requests: expected at least 1, got 0");
    refuses(random + "--requests -1", "expected a whole number from 0, got -1");
    refuses(random + "--ratio 2", "--ratio: expected READS:WRITES, such as 2:1, got '2'");
    refuses(random + "--ratio 0:0", "not both 0, got 0:0");
    refuses(random + "--ratio -1:2", "got '-1:2'");
    refuses(random + "--block 40", "--block: expected a multiple of the atom of 32 bytes, got 40");
    refuses(random + "--block 0", "--block: expected at least 1, got 0");
    refuses(random + "--block 1073741824", "--block: expected at most 536870912");
    refuses(random + "--stride 64", "--stride: has no meaning with --pattern random");
    refuses(random + "--pseudo-channels 0", "dram.channels: expected at least 1, got 0");
    refuses(random + "--pseudo-channels 100000", "dram.channels: expected at most 65536");
    refuses(random + "--pseudo-channels 2 --interleave 48", "interleave: expected a multiple");
    refuses(c1 + "--seed 3", "--seed: has no meaning with --pattern sequential");
    const std::string rows = "--memory hbm2-2000 --pattern embedding ";
    refuses(rows + "--rows 0", "--rows: expected 1 to 4194304 rows of 128 bytes, got 0");
    refuses(rows + "--rows 5000000", "--rows: expected 1 to 4194304");
    refuses(rows + "--zipf -1", "--zipf: expected 0 to 20, got -1");
    refuses(rows + "--zipf nan", "--zipf: expected 0 to 20, got nan");
    refuses("--memory hbm2-2000 --pattern stride --stride 536870912",
            "--stride: expected less than");
    refuses("--memory hbm2-2000 --pattern streams --streams 0", "--streams: expected 1 to");
    refuses("--memory hbm2-2000 --trace x --ratio 1:1", "--ratio: describes a --pattern");
}

TEST_CASE("dram that is interrupted ends with exit code 130 and leaves no result") {
    const TemporaryFolder folder, other;
    const ProgramResult result =
        interrupt_program("dram --memory hbm2-2000 --pattern random --requests 2000000000 --json " +
                              folder.path("r.json") + " --log " + folder.path("c.log") + " >" +
                              other.path("out") + " 2>&1",
                          folder.path("."));
    CHECK(result.code == 130);
    CHECK(run_shell("cat " + other.path("out")).out == "interrupted\n");
    CHECK(std::filesystem::is_empty(folder.path(".")));
}
