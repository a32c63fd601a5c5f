// diastole show: a resolved description, every value with its source.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "model/params/preset.hpp"
#include "tb/bench.hpp"
#include "tb/show_text.hpp"

namespace diastole {
namespace {

struct Arguments {
    std::string kind, name;
    std::vector<std::string> settings;
};

// What there is to show: a kind of thing, the text of one of them, and all the bundled names.
struct Kind {
    const char* name;
    std::string (*text)(const std::string& name, const std::vector<config::Override>& overrides);
    std::vector<std::string> (*names)();
};

std::string chip_text(const std::string& name, const std::vector<config::Override>& overrides) {
    return show_text(load_chip(name, overrides));
}
std::string memory_text(const std::string& name, const std::vector<config::Override>& overrides) {
    return show_text(load_memory(name, overrides));
}

const Kind kinds[] = {
    {"chip", chip_text, chip_presets},
    {"memory", memory_text, memory_presets},
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
        const auto overrides = config::parse_overrides(arguments.settings);
        std::fputs(kind.text(arguments.name, overrides).c_str(), stdout);
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
    command->add_option("NAME", arguments->name, "preset or TOML file (default: list all presets)");
    command->add_option("--set", arguments->settings, "KEY=VALUE: change a value")
        ->allow_extra_args(false);  // one value each time: what follows may be NAME
    command->footer("Example:\n  diastole show chip mtia-2i --set sram.ways=32");
    command->callback([arguments, &action] { action = [arguments] { return show(*arguments); }; });
}

}  // namespace diastole
