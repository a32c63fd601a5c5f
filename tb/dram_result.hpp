// The two forms of the memory bench's result.
#pragma once

#include <string>

#include "tb/dram_bench.hpp"

namespace diastole {

// `diastole.dram/1`, docs/formats.md; ends with a newline.
std::string dram_json(const DramRun& run);

// For a person at a terminal.
std::string dram_summary(const DramRun& run);

// What the requests were, in words: "sequential, 2:1 reads:writes, blocks of 64 B".
std::string traffic_text(const DramSpec& spec);
std::string_view name_of(DramPatternKind kind);

}  // namespace diastole
