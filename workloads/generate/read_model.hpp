// Model descriptions from TOML files; docs/workloads.md lists the keys.
#pragma once

#include <string>
#include <string_view>

#include "workloads/generate/model_description.hpp"

namespace diastole {

// Throws ConfigError with all problems, one a line with file:line:column. Every value that the file
// marks `assumed` becomes a note. Files that the description names (histograms, .npy) are taken
// from the folder of the description itself.
ModelDescription read_model(const std::string& path);
ModelDescription read_model_text(std::string_view text, const std::string& shown,
                                 const std::string& folder);

}  // namespace diastole
