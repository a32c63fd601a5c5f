#include "workloads/generate/workload.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "model/base/data_path.hpp"
#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "workloads/generate/build_model.hpp"
#include "workloads/generate/read_model.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/import/topology_graph.hpp"

namespace diastole {
namespace {

constexpr std::array<std::string_view, 3> endings = {".toml", ".jsonl.gz", ".jsonl"};
constexpr std::string_view topology_ending = ".csv";  // never bundled as such

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string file_of(const std::string& name) {
    const bool has_ending = ends_with(name, topology_ending) ||
                            std::any_of(endings.begin(), endings.end(),
                                        [&](std::string_view e) { return ends_with(name, e); });
    std::error_code error;
    const bool file = std::filesystem::is_regular_file(name, error);
    if (has_ending || name.find('/') != std::string::npos || file) {
        if (!file) throw ConfigError(name + ": no such file (workload)");
        if (!has_ending) {
            throw ConfigError(name +
                              ": expected a description (.toml) or a native trace (.jsonl, "
                              ".jsonl.gz) or a SCALE-Sim topology (.csv); `diastole import` "
                              "converts others");
        }
        return name;
    }
    for (const std::string_view ending : endings) {
        const auto found = find_data("library/" + name + std::string(ending));
        if (found) return found->string();
    }
    const std::vector<std::string> names = workload_names();
    std::string list;
    for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
    throw ConfigError("unknown workload '" + name + "'" + did_you_mean(name, names) +
                      " (bundled: " + list + "; or a file)");
}

// Topologies are of inference.
Graph topology_of(const std::string& file, std::optional<Mode> mode,
                  std::optional<std::uint64_t> batch) {
    if (mode && *mode != Mode::inference) {
        throw ConfigError(file + ": a topology holds forward layers only; its mode cannot be " +
                          std::string(name_of(*mode)));
    }
    TopologyOptions options;
    options.batch = batch;
    return import_topology(file, options);
}

Graph fixed_trace(const std::string& file, std::optional<Mode> mode,
                  std::optional<std::uint64_t> batch) {
    Graph graph = read_native_trace(file);
    if (mode && *mode != graph.mode) {
        throw ConfigError(file + ": is a trace of " + std::string(name_of(graph.mode)) +
                          "; its mode cannot be changed to " + std::string(name_of(*mode)));
    }
    if (batch && *batch != graph.batch) {
        throw ConfigError(file + ": is a trace with batch " + std::to_string(graph.batch) +
                          "; it cannot be replayed with batch " + std::to_string(*batch));
    }
    return graph;
}

}  // namespace

std::vector<std::string> workload_names() {
    std::vector<std::string> names;
    for (const std::string_view ending : endings) {
        for (const std::string& name : list_data("library", ending)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Graph load_workload(const std::string& name_or_file, std::optional<Mode> mode,
                    std::optional<std::uint64_t> batch) {
    const std::string file = file_of(name_or_file);
    if (ends_with(file, topology_ending)) return topology_of(file, mode, batch);
    if (!ends_with(file, ".toml")) return fixed_trace(file, mode, batch);
    const ModelDescription model = read_model(file);
    return build_model(model, mode.value_or(Mode::inference), batch.value_or(model.batch));
}

}  // namespace diastole
