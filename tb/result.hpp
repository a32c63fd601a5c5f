// The two forms of a run's result.
#pragma once

#include <string>

#include "tb/simulation.hpp"

namespace diastole {

// `diastole.result/1`, docs/formats.md; ends with a newline.
std::string result_json(const RunResult& result);

// For a person at a terminal.
std::string result_summary(const RunResult& result);

}  // namespace diastole
