#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "model/base/data_path.hpp"
#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "model/params/preset.hpp"
#include "model/params/validate.hpp"
#include "tests/config/temporary_folder.hpp"

using namespace diastole;

namespace {

// The error of loading a chip, "" when there is none.
std::string error_of(const std::string& name, const std::vector<std::string>& overrides = {}) {
    try {
        (void)load_chip(name, config::parse_overrides(overrides));
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("an unknown preset's line names the nearest one and lists all") {
    CHECK(error_of("mtia-2j") ==
          "there is no chip 'mtia-2j'; did you mean 'mtia-2i'?; there are: h100-sxm, mtia-1, "
          "mtia-2i, mtia-300, tpu-v1");
    CHECK(error_of("none/such.toml") == "there is no file 'none/such.toml'");
    CHECK_THROWS_WITH(load_memory("hbm3"), Catch::Contains("there is no memory 'hbm3'"));
    CHECK(error_of("mtia-2i", {"dram.standard=lpddr5-6401"})
              .find("--set: dram.standard: there is no memory 'lpddr5-6401'; did you mean "
                    "'lpddr5-6400'?") == 0);
}

TEST_CASE("impossible chips are refused by the user's key, place and figures") {
    CHECK(error_of("mtia-2i", {"grid.rows=0"}) == "--set: grid.rows: expected at least 1, got 0");
    const std::string sets = error_of("mtia-2i", {"sram.ways=12"});
    CHECK(sets.find("presets/mtia-2i.toml:") == 0);
    CHECK(sets.find(": sram.bytes: expected an LLC (bytes - lls_bytes = 134217728) divisible into "
                    "sets: a multiple of 16 partitions x 12 ways x 128 bytes a line = 24576") !=
          std::string::npos);
    CHECK(error_of("mtia-2i", {"local_memory.bytes=8192"}) ==
          "--set: local_memory.bytes: expected at least 14336 for one tile of the DPE (two A and "
          "two B tiles and one of results, 2 arrays of 32 columns), got 8192");
    CHECK(error_of("mtia-2i", {"dram.channels=24"}) ==
          "--set: dram.channels: expected a multiple of sram.partitions = 16, got 24");
    CHECK(error_of("mtia-2i", {"sram.lls_bytes=1024"})
              .find("--set: sram.lls_bytes: expected a multiple of split_step = 33554432, got "
                    "1024") == 0);
    CHECK(error_of("mtia-2i", {"sram.lls_bytes=268435456"}) ==
          "--set: sram.lls_bytes: expected below sram.bytes = 268435456, so that an LLC is left, "
          "got 268435456");
    CHECK(error_of("mtia-2i", {"sram.line_bytes=96"}) ==
          "--set: sram.line_bytes: expected a power of two, got 96");
    CHECK(error_of("mtia-2i", {"sram.interleave_bytes=192"})
              .find("--set: sram.interleave_bytes: expected a multiple of line_bytes = 128, got "
                    "192") != std::string::npos);
    CHECK(error_of("mtia-2i", {"noc.buffer_bytes=256"}) ==
          "--set: noc.buffer_bytes: expected at least one packet, interleave_bytes + header_bytes "
          "= 528, got 256");
    CHECK(error_of("mtia-2i", {"reduction.neighbour_cycles=0"}) ==
          "--set: reduction.neighbour_cycles: expected at least 1, got 0");
    CHECK(error_of("mtia-2i", {"grid.rows=256", "grid.columns=256"}) ==
          "--set: grid.rows: expected at most 65534 PEs, got 256 x 256");
}

TEST_CASE("contradictory memories are refused by the user's key, place and figures") {
    CHECK(error_of("mtia-2i", {"dram.timing.rc=40"}) ==
          "--set: dram.timing.rc: expected at least ras + rp = 49, got 40");
    CHECK(error_of("mtia-2i", {"dram.timing.rrefd=72", "dram.timing.refi=300"})
              .find("--set: dram.timing.refi: expected above 32 banks x rrefd = 2304") == 0);
    CHECK(error_of("mtia-2i", {"dram.policy.refresh=all_bank", "dram.timing.refi=350"})
              .find("--set: dram.timing.refi: expected above 424, so that work is possible") == 0);
    CHECK(
        error_of("mtia-2i", {"dram.geometry.rows=65536"})
            .find(": dram.map: row bits 16 to 16 do not exist, or are covered twice (the geometry "
                  "has 65536, 16 bits)") != std::string::npos);
    CHECK(error_of("mtia-2i", {"dram.map=row:17 sid:1 col:4 ba:2 bgg:2 col:2 byte:5"}) ==
          "--set: dram.map: expected fields such as row:15, got \"bgg:2\"; did you mean 'bg'?");
    CHECK(error_of("mtia-300", {"dram.map=col:3 row:15 sid:2 ba:2 bg:2 col:2 byte:5"})
              .find("--set: dram.map: sid has 3 values, not a power of two: expected it first, or "
                    "second below another such field") == 0);
    CHECK(error_of("mtia-2i", {"dram.map=row:16 sid:1 col:4 ba:2 bg:2 col:2 byte:5"}) ==
          "--set: dram.map: row bits 16 to 16 are missing (the geometry has 131072, 17 bits)");
    CHECK(error_of("mtia-2i", {"dram.policy.write_low=0.9"}) ==
          "--set: dram.policy.write_low: expected at most write_high = 0.8, got 0.9");
}

TEST_CASE("a chip file stands on a preset, and its problems name its own lines") {
    TemporaryFolder folder;
    folder.write("mine.toml",
                 "base = \"mtia-2i\"\n"
                 "name = \"mine\"\n"
                 "[dram]\n"
                 "standard = \"hbm3-6400\"\n"
                 "channels = 64\n"
                 "timing.cl = { value = 21, source = \"my vendor\" }\n"
                 "[sram]\n"
                 "partitions = 32\n");
    const ResolvedChip chip = load_chip(folder.path("mine.toml"));
    CHECK(chip.params.name == "mine");
    CHECK(chip.params.grid.rows == 8);
    CHECK(chip.params.dram.timing.cl == 21);
    CHECK(chip.params.dram.timing.rc == 72);
    CHECK(chip.params.dram.geometry.rows == 16384);
    CHECK(dram_peak(chip.params.dram) == Approx(64 * 25.6e9));

    folder.write("bad.toml",
                 "base = \"mine.toml\"\n"
                 "[dram]\n"
                 "channels = 48\n");
    CHECK(error_of(folder.path("bad.toml")) ==
          folder.path("bad.toml") +
              ":3:12: dram.channels: expected a multiple of sram.partitions = 32, got 48");
    folder.write("worse.toml",
                 "base = \"mtia2i\"\n"
                 "[sram]\n"
                 "bank = 3\n"
                 "ways = \"many\"\n"
                 "[[conflict]]\n"
                 "abuot = \"x\"\n");
    const std::string worse = error_of(folder.path("worse.toml"));
    CHECK(worse.find("worse.toml:1:8: base: there is no chip 'mtia2i'; did you mean 'mtia-2i'?") !=
          std::string::npos);
    CHECK(worse.find("worse.toml:3:1: sram.bank: unknown key; did you mean 'sram.banks'?") !=
          std::string::npos);
    CHECK(worse.find("worse.toml:4:8: sram.ways: expected a whole number") != std::string::npos);
    CHECK(worse.find("worse.toml:6:1: conflict[1].abuot: unknown key; did you mean 'about'?") !=
          std::string::npos);
}

TEST_CASE("a chip without a name of its own is called after its file") {
    TemporaryFolder folder;
    folder.write("wide.toml", "base = \"mtia-2i\"\n[grid]\ncolumns = 16\n");
    const ChipParams wide = load_chip(folder.path("wide.toml")).params;
    CHECK(wide.name == "wide");
    CHECK(wide.description.find("On the base of mtia-2i: Meta MTIA 2i") == 0);
    CHECK(load_chip("mtia-2i").params.name == "mtia-2i");
}

TEST_CASE("the structs that come with defaults describe a chip whose memory can be built") {
    CHECK(check(DramParams{}).empty());
    ChipParams chip;
    chip.vector.ops_per_cycle[DType::fp32] = 16;
    chip.dram.channels = chip.sram.partitions;
    CHECK(check(chip).empty());
    CHECK_NOTHROW(validate(chip));
    chip.grid.rows = 0;
    CHECK_THROWS_WITH(validate(chip), "grid.rows: expected at least one PE, got 0");
}

TEST_CASE("a mutilated preset is either a valid chip or a ConfigError, never anything else") {
    std::ifstream file(*find_data("presets/mtia-2i.toml"));
    std::ostringstream whole;
    whole << file.rdbuf();
    const std::string text = whole.str();
    const std::string letters = "0123456789abcdefghijklmnopqrstuvwxyz=[]{}\".,-_# \n\\\x01\xff";
    TemporaryFolder folder;
    Random random(20250617);
    int valid = 0, refused = 0;
    for (int round = 0; round < 300; ++round) {
        std::string mutant = text;
        for (std::uint64_t n = random.between(1, 4); n > 0; --n) {
            const std::size_t at = random.below(mutant.size());
            switch (random.below(4)) {
                case 0:
                    mutant[at] = letters[random.below(letters.size())];
                    break;
                case 1:
                    mutant.insert(at, 1, letters[random.below(letters.size())]);
                    break;
                case 2:
                    mutant.erase(at, random.between(1, 40));
                    break;
                default:
                    mutant.insert(at, text.substr(random.below(text.size()), 60));
            }
        }
        folder.write("mutant.toml", mutant);
        try {
            const ResolvedChip chip = load_chip(folder.path("mutant.toml"));
            CHECK(check(chip.params).empty());
            ++valid;
        } catch (const ConfigError& error) {
            CHECK(std::string(error.what()).find("mutant.toml") != std::string::npos);
            ++refused;
        }
    }
    CHECK(valid > 20);
    CHECK(refused > 20);
}

TEST_CASE("a preset with random numbers in its keys is either a valid chip or a ConfigError") {
    const ResolvedChip original = load_chip("mtia-2i");
    const std::vector<std::string> texts = {
        "0",    "1",  "3",     "4096",          "1000000",
        "-1",   "64", "1e300", "nan",           "18446744073709551616",
        "true", "",   "[1]",   "{ value = 3 }", "4294967295"};
    Random random(7);
    int valid = 0;
    for (int round = 0; round < 300; ++round) {
        std::vector<config::Override> overrides;
        for (std::uint64_t n = random.between(1, 2); n > 0; --n) {
            overrides.push_back({original.settings[random.below(original.settings.size())].key,
                                 texts[random.below(texts.size())]});
        }
        try {
            const ResolvedChip chip = load_chip("mtia-2i", overrides);
            CHECK(check(chip.params).empty());
            ++valid;
        } catch (const ConfigError&) {
        }
    }
    CHECK(valid > 15);
}
