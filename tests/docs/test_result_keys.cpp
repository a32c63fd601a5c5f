// The keys that docs/formats.md lists for results against those that a run prints.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/run_program.hpp"
#include "tests/paths.hpp"

using namespace diastole;

namespace {

using Json = nlohmann::json;

// Names that depend on the run are written as one word in the documentation.
std::string general(std::string path) {
    static const std::vector<std::pair<std::regex, std::string>> names = {
        {std::regex("^overrides\\..*"), "overrides.KEY"},
        {std::regex("^casts\\..*"), "casts.TYPE"},
        {std::regex("^stalls\\.[a-z]+\\."), "stalls.ENGINE."},
        {std::regex("^llc\\.by_kind\\.[a-z]+\\."), "llc.by_kind.CLASS."},
        {std::regex("^counters\\.(macs_[a-z]+)\\..*"), "counters.$1.TYPE"},
        {std::regex("^phases\\.[a-z]+\\."), "phases.PHASE."},
        {std::regex("^coverage\\.by_kind\\..*"), "coverage.by_kind.KIND"}};
    for (const auto& [pattern, replacement] : names) {
        path = std::regex_replace(path, pattern, replacement);
    }
    return path;
}

void collect(const Json& json, const std::string& path, std::set<std::string>& paths) {
    if (json.is_object()) {
        for (const auto& [key, value] : json.items()) {
            collect(value, path.empty() ? key : path + '.' + key, paths);
        }
    } else if (json.is_array()) {
        for (const Json& element : json) collect(element, path + "[]", paths);
    } else {
        paths.insert(general(path));
    }
}

struct Documented {
    std::set<std::string> always, sometimes;  // sometimes: the row says when it is absent
};

// The first cells of the table rows below "## Results".
Documented read_documentation() {
    std::ifstream in(source_dir() + "/docs/formats.md");
    std::string line;
    while (std::getline(in, line) && line != "## Results") continue;
    Documented documented;
    const std::regex key("`([^`]+)`");
    while (std::getline(in, line) && line.rfind("## ", 0) != 0) {
        if (line.rfind("| `", 0) != 0) continue;
        const std::string cell = line.substr(0, line.find('|', 1));
        const bool always =
            line.rfind("| |") == line.size() - 3 || line.rfind("| `stalls.", 0) == 0;
        for (std::sregex_iterator i(cell.begin(), cell.end(), key), end; i != end; ++i) {
            (always ? documented.always : documented.sometimes).insert((*i)[1]);
        }
    }
    return documented;
}

}  // namespace

TEST_CASE("the documentation lists every key of a result, and no key that results lack") {
    const ProgramResult result = run_program(
        "run --chip mtia-2i --workload rm1 --batch 8 --set dma.outbox=9 --cast fp32=fp16 --json -");
    REQUIRE(result.code == 0);
    std::set<std::string> printed;
    collect(Json::parse(result.out), "", printed);
    const Documented documented = read_documentation();
    REQUIRE(documented.always.size() > 50);
    for (const std::string& path : printed) {
        INFO(path << " is printed and not documented");
        CHECK(documented.always.count(path) + documented.sometimes.count(path) == 1);
    }
    for (const std::string& path : documented.always) {
        INFO(path << " is documented without a word on when it is absent, and not printed");
        CHECK(printed.count(path) == 1);
    }
}
