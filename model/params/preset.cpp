#include "model/params/preset.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "model/base/data_path.hpp"
#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "model/params/describe.hpp"
#include "model/params/validate.hpp"

namespace diastole {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".toml";

bool is_path(const std::string& name) {
    return name.find('/') != std::string::npos ||
           (name.size() > suffix.size() &&
            name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0);
}

// `folder`: of the data files; `what`: for the message; `from`: the file that says the name, or "".
config::FoundFile find_file(const std::string& folder, const std::string& what,
                            const std::string& name, const std::string& from) {
    if (is_path(name)) {
        fs::path path = name;
        if (path.is_relative() && !from.empty()) path = fs::path(from).parent_path() / path;
        std::error_code error;
        const fs::path canonical = fs::weakly_canonical(path, error);
        if (fs::exists(path, error)) {
            return {canonical.empty() ? path.string() : canonical.string(), path.string()};
        }
        return {"", fmt::format("there is no file '{}'", path.string())};
    }
    const std::string file = folder + '/' + name + std::string(suffix);
    if (const auto path = find_data(file)) return {path->string(), file};
    const std::vector<std::string> names = list_data(folder, suffix);
    return {"", fmt::format("there is no {} '{}'{}; there are: {}", what, name,
                            did_you_mean(name, names), fmt::join(names, ", "))};
}

config::FileFinder finder(const std::string& folder, const std::string& what) {
    return [=](const std::string& name, const std::string& from) {
        return find_file(folder, what, name, from);
    };
}

config::FoundFile find_top(const std::string& folder, const std::string& what,
                           const std::string& name) {
    config::FoundFile file = find_file(folder, what, name, "");
    if (file.path.empty()) throw ConfigError(file.shown);
    return file;
}

Conflict read_conflict(const config::Node& node) {
    return {node.require<std::string>("about"), node.require<std::string>("values"),
            node.require<std::string>("used")};
}

// Rules between values, each at the place of the key to change.
void report(const std::vector<Finding>& findings, const config::Schema& schema,
            const std::string& file, config::Problems& problems) {
    for (const Finding& finding : findings) {
        const config::Field* field = schema.find(finding.key);
        const bool placed = field != nullptr && field->provenance().given;
        problems.add(placed ? field->provenance().where : config::Location{file, 0, 0}, finding.key,
                     finding.message);
    }
    problems.throw_if_any();
}

// A file without a name or description of its own is another chip than the base that has them.
void name_after_file(const config::Schema& schema, const config::FoundFile& file,
                     ChipParams& chip) {
    const auto own = [&](const char* key) {
        const config::Location& where = schema.find(key)->provenance().where;
        return where.file == file.shown || (where.line == 0 && !where.file.empty());  // or --set
    };
    if (!own("description") && !chip.description.empty()) {
        chip.description = "On the base of " + chip.name + ": " + chip.description;
    }
    if (!own("name")) chip.name = fs::path(file.path).stem().string();
}

}  // namespace

ResolvedChip load_chip(const std::string& name, const std::vector<config::Override>& overrides) {
    const config::FoundFile file = find_top("presets", "chip", name);
    ResolvedChip chip;
    chip.file = file.shown;
    config::Schema schema;
    describe(schema, chip.params);
    config::LoadOptions options;
    options.find_base = finder("presets", "chip");
    options.includes["dram.standard"] = finder("memory", "memory");
    options.lists["conflict"] = [&](const std::vector<config::Node>& nodes) {
        for (const config::Node& node : nodes) chip.conflicts.push_back(read_conflict(node));
    };
    config::Problems problems;
    config::load(schema, file, options, overrides, problems);
    problems.throw_if_any();
    report(check(chip.params), schema, file.shown, problems);
    name_after_file(schema, file, chip.params);
    chip.settings = config::settings_of(schema);
    return chip;
}

ResolvedMemory load_memory(const std::string& name,
                           const std::vector<config::Override>& overrides) {
    const config::FoundFile file = find_top("memory", "memory", name);
    ResolvedMemory memory;
    memory.file = file.shown;
    config::Schema schema;
    describe(schema, memory.params);
    config::LoadOptions options;
    options.find_base = finder("memory", "memory");
    options.prefix = "dram";
    config::Problems problems;
    config::load(schema, file, options, overrides, problems);
    problems.throw_if_any();
    memory.map = memory.params.map;
    memory.channel_map = read_channel_map(memory.map);
    if (memory.channel_map.channels > 0 && !schema.find("dram.channels")->provenance().given) {
        memory.params.channels = memory.channel_map.channels;
    }
    memory.settings = config::settings_of(schema);
    memory.params.map = memory.channel_map.inner;
    report(check(memory.params), schema, file.shown, problems);
    return memory;
}

std::vector<std::string> chip_presets() {
    return list_data("presets", suffix);
}
std::vector<std::string> memory_presets() {
    return list_data("memory", suffix);
}

}  // namespace diastole
