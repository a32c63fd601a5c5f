#include <catch2/catch.hpp>
#include <functional>

#include "model/base/error.hpp"
#include "model/config/document.hpp"

using namespace diastole;
using config::Document;
using config::Problems;

namespace {

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST_CASE("a document reads tables, lists of tables and values with a source") {
    Problems problems;
    const Document file = Document::parse(R"(
name = "tiny"
batch = { value = 1e3, source = "paper" }
sizes = [3, 2, 1]
[[layer]]
width = 512
[[layer]]
width = 256
)",
                                          "tiny.toml", problems);
    const config::Node root = file.root();
    CHECK(root.require<std::string>("name") == "tiny");
    CHECK(root.get<std::uint32_t>("batch", 1) == 1000);
    CHECK(root.get<std::uint32_t>("absent", 7) == 7);
    CHECK(root.get<std::vector<std::uint64_t>>("sizes", {}) == std::vector<std::uint64_t>{3, 2, 1});
    const auto layers = root.tables("layer");
    REQUIRE(layers.size() == 2);
    CHECK(layers[0].require<std::uint64_t>("width") == 512);
    CHECK(layers[1].require<std::uint64_t>("width") == 256);
    file.reject_unknown();
    CHECK(problems.empty());
}

TEST_CASE("a document reports all its problems at once, each with file, line and column") {
    Problems problems;
    const Document file = Document::parse(
        "batch = \"many\"\n"
        "kind = \"fp61\"\n"
        "[[layer]]\n"
        "widht = 3\n"
        "[extra]\n"
        "a = -1\n",
        "bad.toml", problems);
    const config::Node root = file.root();
    CHECK(root.get<std::uint32_t>("batch", 5) == 5);
    CHECK(root.get_enum<int>("kind", 0, {{"fp16", 1}, {"int8", 2}}) == 0);
    for (const config::Node& layer : root.tables("layer")) {
        CHECK(layer.require<std::uint32_t>("width") == 0);
    }
    CHECK(root.table("extra").get<std::uint64_t>("a", 9) == 9);
    CHECK(root.require<std::string>("name").empty());
    root.problem("batch", "cannot be that");
    file.reject_unknown();
    CHECK(problems.lines() ==
          std::vector<std::string>{
              "bad.toml:1:9: batch: expected a whole number from 0 to 4294967295, got \"many\"",
              "bad.toml:2:8: kind: expected one of fp16, int8, got \"fp61\"; did you mean 'fp16'?",
              "bad.toml:3:1: layer[1].width: missing",
              "bad.toml:6:5: extra.a: expected a whole number from 0 to 9223372036854775807, got "
              "-1",
              "bad.toml:1:1: name: missing",
              "bad.toml:1:9: batch: cannot be that",
              "bad.toml:4:1: layer[1].widht: unknown key; did you mean 'width'?",
          });
    CHECK_THROWS_AS(problems.throw_if_any(), ConfigError);
}

TEST_CASE("a list where a table is expected, and a list of the wrong elements, are problems") {
    Problems problems;
    const Document file =
        Document::parse("a = 1\nb = [1, \"x\"]\nc = [2]\nd = 1\n", "x.toml", problems);
    (void)file.root().table("a");
    (void)file.root().get<std::vector<double>>("b", {});
    (void)file.root().tables("c");
    (void)file.root().tables("d");
    CHECK(problems.lines() == std::vector<std::string>{
                                  "x.toml:1:5: a: expected a table, got 1",
                                  "x.toml:2:5: b: element 2: expected a number, got \"x\"",
                                  "x.toml:3:6: c[1]: expected a table, got 2",
                                  "x.toml:4:5: d: expected a list of tables ([[d]]), got 1",
                              });
}

TEST_CASE("broken TOML and an unreadable file are one line with the place") {
    Problems problems;
    const std::string broken =
        message_of([&] { (void)Document::parse("a = 1\nb = = 2\n", "x.toml", problems); });
    CHECK(broken.find("x.toml:2:5: not valid TOML: ") == 0);
    CHECK(broken.find('\n') == std::string::npos);
    CHECK(message_of([&] { (void)Document::load("/no/such/file.toml", problems); }) ==
          "/no/such/file.toml: cannot be read");
    CHECK(message_of([&] { (void)Document::load("/", "folder", problems); }) ==
          "folder: cannot be read");
}
