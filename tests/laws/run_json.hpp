// Runs `diastole run` and reads its result. The program is a process of its own, because a SystemC
// kernel simulates once per process.
#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/run_program.hpp"

namespace diastole::laws {

using Json = nlohmann::json;

inline std::string set_options(const std::vector<std::string>& settings) {
    std::string text;
    for (const std::string& setting : settings) text += " --set '" + setting + "'";
    return text;
}

// `options` behind `run`, without --json. A program that fails fails the test, which goes on with
// null.
inline Json run_json(const std::string& options) {
    const ProgramResult result = run_program("run " + options + " --json - 2>&1");
    INFO("diastole run " << options);
    INFO(result.out.substr(0, 2000));
    CHECK(result.code == 0);
    return result.code == 0 ? Json::parse(result.out) : Json();
}

inline double time_of(const Json& result) {
    return result.at("time_seconds").get<double>();
}
inline std::uint64_t number(const Json& json, const char* key) {
    return json.at(key).get<std::uint64_t>();
}

}  // namespace diastole::laws
