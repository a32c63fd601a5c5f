// Workloads by name: bundled ones, the user's descriptions and native traces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph/operator.hpp"

namespace diastole {

// A name is looked for in the library (NAME.toml, NAME.jsonl.gz, NAME.jsonl); what has a slash or
// one of these endings is a file. A description takes any mode (default inference) and batch
// (default its own); a trace has both, and asking for others is an error. Throws ConfigError
// (unknown name, with the nearest; no such file; another kind of file; a batch of 0 or absurd) and
// what reading throws.
Graph load_workload(const std::string& name_or_file, std::optional<Mode> mode,
                    std::optional<std::uint64_t> batch);

std::vector<std::string> workload_names();  // of the library, sorted

}  // namespace diastole
