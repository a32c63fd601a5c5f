// The keys that docs/formats.md lists for the memory bench against those that it prints.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "tests/cli/run_program.hpp"
#include "tests/config/temporary_folder.hpp"
#include "tests/paths.hpp"

using namespace diastole;

namespace {

using Json = nlohmann::json;

std::string general(const std::string& path) {
    static const std::regex setting("^overrides\\..*");
    static const std::regex policy("^policies\\.(?!memory_mode$|spread$).*");
    return std::regex_replace(std::regex_replace(path, setting, "overrides.KEY"), policy,
                              "policies.POLICY");
}

void collect(const Json& json, const std::string& path, std::set<std::string>& paths) {
    if (json.is_object()) {
        for (const auto& [key, value] : json.items()) {
            collect(value, path.empty() ? key : path + '.' + key, paths);
        }
    } else if (json.is_array()) {
        for (const Json& element : json) collect(element, path + "[]", paths);
    } else if (!json.is_null()) {
        paths.insert(general(path));
    }
}

std::set<std::string> documented_keys() {
    std::ifstream in(source_dir() + "/docs/formats.md");
    std::string line;
    while (std::getline(in, line) && line != "## Memory bench results") continue;
    std::set<std::string> keys;
    const std::regex key("`([^`]+)`");
    while (std::getline(in, line) && line.rfind("## ", 0) != 0) {
        if (line.rfind("| `", 0) != 0) continue;
        const std::string cell = line.substr(0, line.find('|', 1));
        for (std::sregex_iterator i(cell.begin(), cell.end(), key), end; i != end; ++i) {
            keys.insert((*i)[1]);
        }
    }
    return keys;
}

void add_keys(const std::string& arguments, std::set<std::string>& keys) {
    const ProgramResult result =
        run_program("dram --memory hbm2-2000 --requests 600 --json - " + arguments);
    REQUIRE(result.code == 0);
    collect(Json::parse(result.out), "", keys);
}

}  // namespace

TEST_CASE("the documentation lists every key of a memory bench result, and no other") {
    TemporaryFolder folder;
    folder.write("t.txt", "R 0x0\n");
    std::set<std::string> printed;
    add_keys("--pattern random --ratio 1:1 --set dram.timing.cl=15", printed);
    add_keys("--pattern embedding", printed);
    add_keys("--pattern stride", printed);
    add_keys("--pattern streams", printed);
    add_keys("--trace " + folder.path("t.txt"), printed);
    const std::set<std::string> documented = documented_keys();
    REQUIRE(documented.size() > 40);
    for (const std::string& key : printed) {
        INFO(key << " is printed and not documented");
        CHECK(documented.count(key) == 1);
    }
    for (const std::string& key : documented) {
        INFO(key << " is documented and not printed");
        CHECK(printed.count(key) == 1);
    }
}

TEST_CASE("a memory bench result has every key that a script may count on, null where none was") {
    const ProgramResult result =
        run_program("dram --memory hbm2-2000 --pattern random --requests 100 --json -");
    const Json json = Json::parse(result.out);
    for (const char* key :
         {"schema", "memory", "map", "requests", "bytes", "cycles", "time_seconds",
          "peak_bytes_per_second", "achieved_bytes_per_second", "utilization", "row_hit_rate",
          "read_latency_ns", "write_latency_ns", "commands", "per_channel", "policies", "host"}) {
        INFO(key);
        CHECK(json.count(key) == 1);
    }
    CHECK(json["schema"] == "diastole.dram/1");
    CHECK(json["write_latency_ns"].is_null());
    CHECK(json["read_latency_ns"]["p99"].is_number());
    CHECK(json["policies"]["scheduler"] == "fr_fcfs");
    CHECK(json["policies"]["write_high"] == 0.8);
    CHECK(json["policies"]["read_queue"] == 64);
}
