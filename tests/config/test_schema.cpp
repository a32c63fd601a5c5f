#include <catch2/catch.hpp>
#include <memory>

#include "model/base/error.hpp"
#include "model/config/loader.hpp"
#include "tests/config/temporary_folder.hpp"

using namespace diastole;

namespace {

enum class Flow : std::uint8_t { still, moving };

struct Sample {
    std::uint32_t rows = 1;
    std::uint64_t bytes = 64;
    double share = 0.5;
    bool hash = true;
    Flow flow = Flow::still;
    std::string name = "none", standard = "none";
    std::uint32_t cl = 1, cwl = 1;
    std::vector<double> hot;
};

config::Schema schema_of(Sample& sample) {
    config::Schema schema;
    schema.add("name", sample.name, "", "its name");
    schema.add("sram.rows", sample.rows, "rows", "how many").at_least(1).at_most(64);
    schema.add("sram.bytes", sample.bytes, "bytes", "size").power_of_two();
    schema.add("sram.share", sample.share, "", "part").at_least(0).at_most(1);
    schema.add("sram.hash", sample.hash, "", "mixed");
    schema.add("sram.hot", sample.hot, "", "probabilities").at_most(1);
    schema.add_enum("sram.flow", sample.flow, "moves",
                    {{"still", Flow::still}, {"moving", Flow::moving}});
    schema.add("dram.standard", sample.standard, "", "memory");
    schema.add("dram.timing.cl", sample.cl, "tCK", "read").multiple_of(2);
    schema.add("dram.timing.cwl", sample.cwl, "tCK", "write");
    return schema;
}

config::FoundFile find_in(const TemporaryFolder& files, const std::string& name) {
    if (!std::filesystem::exists(files.path(name))) return {"", "no file '" + name + "'"};
    return {files.path(name), name};
}

struct Loaded {
    Sample sample;
    config::Schema schema = schema_of(sample);
    config::Problems problems;
    std::string thrown;
};

std::unique_ptr<Loaded> load(const TemporaryFolder& files, const std::string& name,
                             const std::vector<std::string>& overrides = {}) {
    auto loaded = std::make_unique<Loaded>();
    config::LoadOptions options;
    const auto finder = [&](const std::string& file, const std::string&) {
        return find_in(files, file);
    };
    options.find_base = finder;
    options.includes["dram.standard"] = finder;
    try {
        config::load(loaded->schema, find_in(files, name), options,
                     config::parse_overrides(overrides), loaded->problems);
    } catch (const ConfigError& error) {
        loaded->thrown = error.what();
    }
    return loaded;
}

}  // namespace

TEST_CASE("a schema fills every kind of field and remembers where each value came from") {
    TemporaryFolder files;
    files.write("a.toml",
                "name = \"a\"\n"
                "[sram]\n"
                "source = \"table 2\"\n"
                "rows = 8\n"
                "bytes = { value = 4096, assumed = \"guess\" }\n"
                "share = 1\n"
                "hash = false\n"
                "flow = \"moving\"\n"
                "hot = [0.5, 0.25]\n");
    const auto loaded = load(files, "a.toml");
    CHECK(loaded->problems.lines().empty());
    CHECK(loaded->sample.rows == 8);
    CHECK(loaded->sample.bytes == 4096);
    CHECK(loaded->sample.share == 1.0);
    CHECK_FALSE(loaded->sample.hash);
    CHECK(loaded->sample.flow == Flow::moving);
    CHECK(loaded->sample.hot == std::vector<double>{0.5, 0.25});
    const auto& rows = loaded->schema.find("sram.rows")->provenance();
    CHECK(rows.source == "table 2");
    CHECK(config::to_string(rows.where) == "a.toml:4:8");
    const auto& bytes = loaded->schema.find("sram.bytes")->provenance();
    CHECK(bytes.source.empty());
    CHECK(bytes.assumed == "guess");
    CHECK(config::to_string(bytes.where) == "a.toml:5:19");
    CHECK_FALSE(loaded->schema.find("dram.timing.cl")->provenance().given);
    CHECK(loaded->schema.find("sram.flow")->shown() == "moving");
    CHECK(loaded->schema.find("sram.hot")->shown() == "[0.5, 0.25]");
}

TEST_CASE("a schema reports wrong types, limits and unknown keys together, in the file's order") {
    TemporaryFolder files;
    files.write("a.toml",
                "nam = \"a\"\n"
                "[sram]\n"
                "rows = 0\n"
                "bytes = 12\n"
                "  share = 1.5\n"
                "hash = 1\n"
                "flow = \"movin\"\n"
                "rwos = 3\n"
                "hot = [0.5, 2]\n"
                "[dram.timing]\n"
                "cl = 3\n"
                "cwl = { valu = 3 }\n"
                "[srma]\n"
                "rows = 1\n");
    CHECK(load(files, "a.toml")->problems.lines() ==
          std::vector<std::string>{
              "a.toml:1:1: nam: unknown key; did you mean 'name'?",
              "a.toml:3:8: sram.rows: expected at least 1, got 0",
              "a.toml:4:9: sram.bytes: expected a power of two, got 12",
              "a.toml:5:11: sram.share: expected at most 1, got 1.5",
              "a.toml:6:8: sram.hash: expected true or false, got 1",
              "a.toml:7:8: sram.flow: expected one of still, moving, got \"movin\"; did you mean "
              "'moving'?",
              "a.toml:8:1: sram.rwos: unknown key; did you mean 'sram.rows'?",
              "a.toml:9:7: sram.hot: expected at most 1, got 2",
              "a.toml:11:6: dram.timing.cl: expected a multiple of 2, got 3",
              "a.toml:12:7: dram.timing.cwl: expected a value or { value = ..., source = \"...\" } "
              "or { value = ..., assumed = \"...\" }",
              "a.toml:13:2: srma: unknown key; did you mean 'sram'?",
          });
}

TEST_CASE("an override replaces a file's value, is typed, and is checked like one") {
    TemporaryFolder files;
    files.write("a.toml", "[sram]\nrows = 8\n");
    const auto good = load(files, "a.toml",
                           {"sram.rows=16", "sram.flow=moving", "name=42", "sram.share = 0.25",
                            "sram.hot=[0.1]", "sram.hash=false"});
    CHECK(good->problems.lines().empty());
    CHECK(good->sample.rows == 16);
    CHECK(good->sample.flow == Flow::moving);
    CHECK(good->sample.name == "42");
    CHECK(good->sample.share == 0.25);
    CHECK_FALSE(good->sample.hash);
    CHECK(config::to_string(good->schema.find("sram.rows")->provenance().where) == "--set");

    const auto bad = load(files, "a.toml", {"sram.rows=65", "rows=3", "sram=1", "sram.hash=maybe"});
    CHECK(bad->problems.lines() ==
          std::vector<std::string>{
              "--set: sram.rows: expected at most 64, got 65",
              "--set: rows: unknown key; did you mean 'sram.rows'?",
              "--set: sram: expected a key of this table, such as sram.rows",
              "--set: sram.hash: expected true or false, got \"maybe\"",
          });
    for (const char* text : {"sram.rows", "=3", "sram.rows=", ""}) {
        CHECK_THROWS_AS(config::parse_override(text), ConfigError);
    }
}

TEST_CASE("a file is put on top of its base, and a base on top of its own") {
    TemporaryFolder files;
    files.write("a.toml", "[sram]\nrows = 8\nbytes = 128\nshare = 0.1\n");
    files.write("b.toml", "base = \"a.toml\"\n[sram]\nbytes = 256\nshare = 0.2\n");
    files.write("c.toml", "base = \"b.toml\"\n[sram]\nshare = 0.3\n");
    const auto loaded = load(files, "c.toml");
    CHECK(loaded->problems.lines().empty());
    CHECK(loaded->sample.rows == 8);
    CHECK(loaded->sample.bytes == 256);
    CHECK(loaded->sample.share == 0.3);
    CHECK(config::to_string(loaded->schema.find("sram.bytes")->provenance().where) == "b.toml:3:9");
}

TEST_CASE("a cycle of bases is named, and a missing base is a problem of its line") {
    TemporaryFolder files;
    files.write("a.toml", "base = \"b.toml\"\n");
    files.write("b.toml", "base = \"a.toml\"\n");
    CHECK(load(files, "a.toml")->thrown == "a.toml: base: a cycle: a.toml -> b.toml -> a.toml");
    files.write("c.toml", "base = \"none\"\n");
    CHECK(load(files, "c.toml")->problems.lines() ==
          std::vector<std::string>{"c.toml:1:8: base: no file 'none'"});
}

TEST_CASE("an included file lies under the file that names it and over that file's base") {
    TemporaryFolder files;
    files.write("slow", "standard = \"slow\"\n[timing]\ncl = 4\ncwl = 5\n");
    files.write("fast", "standard = \"fast\"\n[timing]\nsource = \"a table\"\ncl = 40\ncwl = 50\n");
    files.write("a.toml", "[dram]\nstandard = \"slow\"\ntiming.cwl = 6\n");
    files.write("b.toml", "base = \"a.toml\"\n[dram]\nstandard = \"fast\"\ntiming.cl = 42\n");

    const auto a = load(files, "a.toml");
    CHECK(a->sample.cl == 4);
    CHECK(a->sample.cwl == 6);
    const auto b = load(files, "b.toml");
    CHECK(b->sample.standard == "fast");
    CHECK(b->sample.cl == 42);
    CHECK(b->sample.cwl == 50);
    CHECK(b->schema.find("dram.timing.cwl")->provenance().source == "a table");

    const auto set = load(files, "a.toml", {"dram.timing.cl=8", "dram.standard=fast"});
    CHECK(set->sample.cl == 8);
    CHECK(set->sample.cwl == 50);
    CHECK(load(files, "a.toml", {"dram.standard=none"})->problems.lines() ==
          std::vector<std::string>{"--set: dram.standard: no file 'none'"});
}

TEST_CASE("overrides below one table can be taken out for another schema") {
    auto overrides = config::parse_overrides({"a.x=1", "lowering.y=2", "loweringz=3"});
    const auto taken = config::take_table(overrides, "lowering");
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].key == "lowering.y");
    CHECK(overrides.size() == 2);
}
