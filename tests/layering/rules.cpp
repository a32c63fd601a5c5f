#include "tests/layering/rules.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <regex>

namespace diastole::layering {
namespace {

constexpr std::size_t longest_file = 500;  // lines
constexpr int peers_layer = 4;             // whose folders meet only through model/sim
constexpr int workloads_layer = 5;         // beside the chip; held to a list of its own
constexpr int benches_layer = 6;

std::optional<int> layer_of(const std::string& folder) {
    static const std::map<std::string, int> layers = {{"model/base", 0},
                                                      {"model/stats", 1},
                                                      {"model/config", 1},
                                                      {"model/params", 2},
                                                      {"model/isa", 2},
                                                      {"model/timing", 2},
                                                      {"model/sim", 3},
                                                      {"model/compute", 4},
                                                      {"model/memory", 4},
                                                      {"model/fabric", 4},
                                                      {"model/tlm", 4},
                                                      {"model/chip", 5},
                                                      {"tb", benches_layer},
                                                      {"workloads/graph", workloads_layer},
                                                      {"workloads/import", workloads_layer},
                                                      {"workloads/generate", workloads_layer},
                                                      {"workloads/lower", workloads_layer}};
    const auto found = layers.find(folder);
    if (found == layers.end()) return std::nullopt;
    return found->second;
}

bool starts_with(const std::string& text, const std::string& prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

bool in_workloads(const std::string& folder) {
    return starts_with(folder, "workloads/");
}

bool below_benches(const std::string& path) {
    return starts_with(path, "model/") || starts_with(path, "workloads/");
}

bool has_no_systemc(const std::string& folder) {
    return in_workloads(folder) || layer_of(folder).value_or(benches_layer) <= 2;
}

std::string last_part(const std::string& folder) {
    return folder.substr(folder.find_last_of('/') + 1);
}

std::string place(const std::string& path, const std::string& text, std::size_t position) {
    return path + ":" + std::to_string(line_at(text, position)) + ": ";
}

std::map<std::string, std::string> folders_by_library(const Files& files) {
    std::map<std::string, std::string> folders;
    for (const auto& [folder, links] : all_links(files)) {
        for (const std::string& library : links.libraries) folders[library] = folder;
    }
    return folders;
}

// Folder -> folders that it links, without itself.
std::map<std::string, std::set<std::string>> edges_of(const Files& files) {
    const auto folders = folders_by_library(files);
    std::map<std::string, std::set<std::string>> edges;
    for (const auto& [folder, links] : all_links(files)) {
        for (const std::string& library : links.own) {
            const auto target = folders.find(library);
            if (target != folders.end() && target->second != folder) {
                edges[folder].insert(target->second);
            }
        }
    }
    return edges;
}

bool reaches(const std::map<std::string, std::set<std::string>>& edges, const std::string& from,
             const std::string& to, std::set<std::string>& seen) {
    if (from == to) return true;
    const auto next = edges.find(from);
    if (next == edges.end() || !seen.insert(from).second) return false;
    return std::any_of(next->second.begin(), next->second.end(),
                       [&](const std::string& step) { return reaches(edges, step, to, seen); });
}

// Why the edge may not be; empty if it may.
std::string objection(const std::string& from, const std::string& to) {
    static const std::set<std::string> seen_by_workloads = {
        "model/base", "model/config", "model/params", "model/isa", "model/timing"};
    const int upper = layer_of(from).value_or(benches_layer);
    const int lower = layer_of(to).value_or(benches_layer);
    if (from == "tb" && to != "model/tlm") return "";
    if (to == "tb") return "nothing may know the benches";
    if (to == "model/tlm") return "the TLM target is for other platforms";
    if (in_workloads(from)) {
        return in_workloads(to) || seen_by_workloads.count(to) > 0
                   ? ""
                   : "workloads see only base, config, params, isa and timing of the model";
    }
    if (in_workloads(to)) return "the model may not know the workloads";
    if (lower > upper) return "leads from a lower layer to a higher one";
    if (lower == upper && upper == peers_layer) return "these meet only through model/sim";
    return "";
}

bool is_systemc(const Include& include) {
    static const std::regex header("(systemc|tlm)(\\.h)?|(tlm_utils|tlm_core|sysc)/.*");
    return std::regex_match(include.target, header);
}

// The chain of headers from `path` to a SystemC header; empty if there is none.
std::string way_to_systemc(const Files& files, const std::string& path,
                           std::set<std::string>& seen) {
    const auto file = files.find(path);
    if (file == files.end() || !seen.insert(path).second) return "";
    for (const Include& include : includes_of(file->second)) {
        if (is_systemc(include)) return path + " -> " + include.target;
        const std::string rest = way_to_systemc(files, include.target, seen);
        if (!rest.empty()) return path + " -> " + rest;
    }
    return "";
}

// A folder of headers alone, before its library exists: an interface that nothing can use yet,
// since whoever includes it needs an edge to it.
bool awaits_library(const Files& files, const std::string& path) {
    return files.count(folder_of(path) + "/CMakeLists.txt") == 0 &&
           path.substr(path.size() - 4) == ".hpp";
}

std::string include_problem(const Files& files,
                            const std::map<std::string, std::set<std::string>>& edges,
                            const std::string& path, const Include& include) {
    if (files.count(include.target) == 0) {
        return "no such file; includes are written from the root";
    }
    const std::string from = folder_of(path);
    const std::string to = folder_of(include.target);
    const auto known = edges.find(from);
    if (from == to || (known != edges.end() && known->second.count(to) > 0)) return "";
    return "no edge: add " + last_part(to) + " to the DEPENDS in " + from + "/CMakeLists.txt";
}

}  // namespace

Problems unknown_folders(const Files& files) {
    Problems problems;
    const auto links = all_links(files);
    for (const auto& [path, text] : files) {
        const std::string folder = folder_of(path);
        if (!is_cpp(path) || !(below_benches(path) || folder == "tb")) continue;
        if (!layer_of(folder)) problems.push_back(path + ": the folder belongs to no layer");
        if (folder == "tb" || !layer_of(folder) || awaits_library(files, path)) continue;
        const auto own = links.find(folder);
        if (own == links.end() || own->second.libraries != std::set{last_part(folder)}) {
            problems.push_back(path + ": the folder does not define just the library " +
                               last_part(folder));
        }
    }
    const auto folders = folders_by_library(files);
    for (const auto& [folder, link] : links) {
        if (folder == "tests") continue;
        for (const std::string& library : link.own) {
            if (folders.count(library) == 0) {
                problems.push_back(folder + "/CMakeLists.txt: unknown library " + library);
            }
        }
    }
    return problems;
}

Problems includes_without_edge(const Files& files) {
    Problems problems;
    const auto edges = edges_of(files);
    for (const auto& [path, text] : files) {
        if (!is_cpp(path) || !(below_benches(path) || folder_of(path) == "tb")) continue;
        if (awaits_library(files, path)) continue;
        for (const Include& include : includes_of(text)) {
            if (!include.quoted) continue;
            const std::string problem = include_problem(files, edges, path, include);
            if (problem.empty()) continue;
            problems.push_back(path + ":" + std::to_string(include.line) + ": \"" + include.target +
                               "\": " + problem);
        }
    }
    return problems;
}

Problems edges_against_layers(const Files& files) {
    Problems problems;
    const auto edges = edges_of(files);
    for (const auto& [from, targets] : edges) {
        if (from == "tests") continue;
        for (const std::string& to : targets) {
            std::string why = objection(from, to);
            std::set<std::string> seen;
            if (why.empty() && reaches(edges, to, from, seen)) why = "closes a circle";
            if (!why.empty()) problems.push_back(from + " -> " + to + ": " + why);
        }
    }
    return problems;
}

Problems mutual_includes(const Files& files) {
    std::map<std::string, std::set<std::string>> included;
    for (const auto& [path, text] : files) {
        if (!is_cpp(path)) continue;
        for (const Include& include : includes_of(text)) {
            if (files.count(include.target) > 0) {
                included[folder_of(path)].insert(folder_of(include.target));
            }
        }
    }
    Problems problems;
    for (const auto& [from, targets] : included) {
        for (const std::string& to : targets) {
            const auto back = included.find(to);
            if (from < to && back != included.end() && back->second.count(from) > 0) {
                problems.push_back(from + " and " + to + " include each other");
            }
        }
    }
    return problems;
}

Problems systemc_below_its_layer(const Files& files) {
    Problems problems;
    for (const auto& [path, text] : files) {
        if (!is_cpp(path) || !below_benches(path) || !has_no_systemc(folder_of(path))) continue;
        std::set<std::string> seen;
        const std::string way = way_to_systemc(files, path, seen);
        if (!way.empty()) problems.push_back(way);
    }
    for (const auto& [folder, links] : all_links(files)) {
        if (has_no_systemc(folder) && links.foreign.count("PkgConfig::SystemC") > 0) {
            problems.push_back(folder + "/CMakeLists.txt links SystemC");
        }
    }
    return problems;
}

Problems long_files(const Files& files) {
    Problems problems;
    for (const auto& [path, text] : files) {
        const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        if (lines > longest_file) {
            problems.push_back(path + ": " + std::to_string(lines) + " lines");
        }
    }
    return problems;
}

Problems exits_and_prints(const Files& files) {
    static const std::regex banned(
        "\\b(exit|_Exit|quick_exit|abort|terminate|f?printf|f?puts|putchar|perror)\\s*\\("
        "|\\bfmt::print\\b|\\bstd::(cout|cerr|clog)\\b|<iostream>|\\bSC_REPORT_(INFO|WARNING|"
        "FATAL)");
    Problems problems;
    for (const auto& [path, text] : files) {
        if (!is_cpp(path) || !below_benches(path)) continue;
        const std::string code = without_comments(text, true);
        for (std::sregex_iterator it(code.begin(), code.end(), banned), end; it != end; ++it) {
            problems.push_back(place(path, code, static_cast<std::size_t>(it->position())) +
                               it->str());
        }
    }
    return problems;
}

}  // namespace diastole::layering
