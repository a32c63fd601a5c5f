// diastole show: a resolved description, every value with its source.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "model/params/preset.hpp"
#include "tb/bench.hpp"
#include "tb/show_text.hpp"
#include "workloads/generate/workload.hpp"
#include "workloads/generate/workload_description.hpp"

namespace diastole {
namespace {

struct Arguments {
    std::string kind, name;
    std::vector<std::string> settings;
    std::string mode;  // of a workload: empty, inference or training
    std::optional<std::uint64_t> batch;
    std::uint64_t seed = 1;
};

// What there is to show: a kind of thing, the text of one of them, and all the bundled names.
struct Kind {
    const char* name;
    std::string (*text)(const Arguments& arguments);
    std::vector<std::string> (*names)();
};

std::vector<config::Override> overrides_of(const Arguments& arguments) {
    if (!arguments.mode.empty() || arguments.batch) {
        throw ConfigError("show: --mode and --batch are for workloads");
    }
    return config::parse_overrides(arguments.settings);
}
std::string chip_text(const Arguments& arguments) {
    return show_text(load_chip(arguments.name, overrides_of(arguments)));
}
std::string memory_text(const Arguments& arguments) {
    return show_text(load_memory(arguments.name, overrides_of(arguments)));
}
std::string workload_text(const Arguments& arguments) {
    if (!arguments.settings.empty()) throw ConfigError("show: --set is for chips and memories");
    std::optional<Mode> mode;
    if (!arguments.mode.empty()) {
        mode = arguments.mode == "training" ? Mode::training : Mode::inference;
    }
    return workload_description(load_workload(arguments.name, mode, arguments.batch),
                                arguments.seed);
}

const Kind kinds[] = {
    {"chip", chip_text, chip_presets},
    {"memory", memory_text, memory_presets},
    {"workload", workload_text, workload_names},
};

int show(const Arguments& arguments) {
    std::vector<std::string> names;
    for (const Kind& kind : kinds) {
        names.emplace_back(kind.name);
        if (arguments.kind != kind.name) continue;
        if (arguments.name.empty()) {
            for (const std::string& name : kind.names()) std::printf("%s\n", name.c_str());
            return 0;
        }
        std::fputs(kind.text(arguments).c_str(), stdout);
        return 0;
    }
    throw ConfigError("show: " + config::unknown_choice(arguments.kind, names));
}

}  // namespace

void add_show(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    std::string names;
    for (const Kind& kind : kinds) names += (names.empty() ? "" : ", ") + std::string(kind.name);
    CLI::App* command =
        app.add_subcommand("show", "Print a description, every value with its source");
    command->add_option("KIND", arguments->kind, names)->required();
    command->add_option("NAME", arguments->name, "bundled name or file (default: list all names)");
    command->add_option("--set", arguments->settings, "KEY=VALUE: change a value")
        ->allow_extra_args(false);  // one value each time: what follows may be NAME
    command->add_option("--mode", arguments->mode, "of a workload (default: inference)")
        ->check(CLI::IsMember({"inference", "training"}));
    command->add_option("--batch", arguments->batch, "samples of a workload's batch");
    command->add_option("--seed", arguments->seed, "of the lookups of a workload");
    command->footer(
        "Example:\n  diastole show chip mtia-2i --set sram.ways=32\n"
        "  diastole show workload dlrm-dcnv2 --mode training");
    command->callback([arguments, &action] { action = [arguments] { return show(*arguments); }; });
}

}  // namespace diastole
