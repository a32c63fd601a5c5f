// diastole validate: published measurements against the model.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "tb/bench.hpp"
#include "tb/progress.hpp"
#include "tb/validation.hpp"

namespace diastole {
namespace {

struct Arguments {
    std::vector<std::string> files, names;
    bool sensitivity = false, list = false;
    unsigned at_once = std::max(1U, std::thread::hardware_concurrency());
    std::string json;
};

std::vector<ValidationCase> read_files(const Arguments& arguments) {
    std::vector<ValidationCase> cases;
    for (const std::string& file : arguments.files.empty() ? case_files() : arguments.files) {
        for (ValidationCase& c : load_cases(file)) {
            for (const ValidationCase& other : cases) {
                if (other.name != c.name) continue;
                throw ConfigError(config::to_string(c.where) + ": there is another case '" +
                                  c.name + "' at " + config::to_string(other.where));
            }
            cases.push_back(std::move(c));
        }
    }
    return cases;
}

// Those that --case names, in the order of the files; all when it names none.
std::vector<ValidationCase> chosen(const Arguments& arguments, std::vector<ValidationCase> cases) {
    if (arguments.names.empty()) return cases;
    std::vector<std::string> known;
    for (const ValidationCase& c : cases) known.push_back(c.name);
    for (const std::string& name : arguments.names) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        throw ConfigError("--case " + name + ": there is no such case" + did_you_mean(name, known) +
                          "; --list names all");
    }
    const auto left_out = [&](const ValidationCase& c) {
        return std::find(arguments.names.begin(), arguments.names.end(), c.name) ==
               arguments.names.end();
    };
    cases.erase(std::remove_if(cases.begin(), cases.end(), left_out), cases.end());
    return cases;
}

int validate(const Arguments& arguments) {
    std::unique_ptr<AtomicFile> file;
    if (!arguments.json.empty() && arguments.json != "-") {
        file = std::make_unique<AtomicFile>(arguments.json);
    }
    std::vector<ValidationCase> cases = chosen(arguments, read_files(arguments));
    if (arguments.list) {
        for (const ValidationCase& c : cases) std::printf("%s\n", c.name.c_str());
        return 0;
    }
    Progress progress("validating");
    const Validation validation =
        validate_cases(std::move(cases), arguments.sensitivity, arguments.at_once, progress);
    progress.clear();
    if (file) {
        file->write(validation_json(validation));
        file->commit();
    }
    const bool only_json = arguments.json == "-";
    std::fputs((only_json ? validation_json(validation) : validation_text(validation)).c_str(),
               stdout);
    return 0;
}

}  // namespace

void add_validate(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        app.add_subcommand("validate", "Hold the model against published measurements");
    command->add_option("FILES", arguments->files,
                        "bundled files of measurements, or TOML files (default: all bundled)");
    command->add_option("--case", arguments->names, "only the case of this name")
        ->allow_extra_args(false);
    command->add_flag("--list", arguments->list, "print the names of the cases and stop");
    command->add_flag("--sensitivity", arguments->sensitivity,
                      "run each case again with every assumed number of its chip halved and "
                      "doubled: takes 100 to 200 times as long");
    command
        ->add_option("-j", arguments->at_once,
                     "simulations at a time, each in its own process (default: one per core)")
        ->check(CLI::Range(1, 1024));
    command->add_option("--json", arguments->json,
                        "write the result to a file, or to stdout with -");
    command->footer(
        "Example:\n  diastole validate mtia-2i -j 2\n"
        "A deviation is a result, not a failure: the exit code is 0 when everything could be run.");
    command->callback(
        [arguments, &action] { action = [arguments] { return validate(*arguments); }; });
}

}  // namespace diastole
