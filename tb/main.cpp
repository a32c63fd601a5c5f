// The program: its commands, and the one place that turns errors into a line of text and an exit
// code. 0 done; 1 a check failed; 2 bad usage or bad input; 3 the model stopped itself; 130
// interrupted.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <systemc>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"
#include "model/base/names.hpp"
#include "tb/bench.hpp"

namespace diastole {
namespace {

enum ExitCode : int { done = 0, bad_input = 2, broken_model = 3, was_interrupted = 130 };

// The first Ctrl-C asks the running work to stop; a second one ends the process at once.
extern "C" void on_interrupt(int signal) {
    request_interrupt();
    std::signal(signal, SIG_DFL);
}

int fail(ExitCode code, const std::string& text) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", text.c_str());
    return code;
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

// The first argument that nobody expected, with the nearest that somebody would have.
std::string unexpected(const CLI::App& app) {
    const std::vector<std::string> rest = app.remaining(true);
    if (rest.empty()) return "an argument was not expected";
    const std::string name = rest.front().substr(0, rest.front().find('='));
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    const CLI::App& command = chosen.empty() ? app : *chosen.front();
    if (name.rfind('-', 0) == 0) {
        return "unknown option '" + name + "'" + did_you_mean(name, names_of_options(command));
    }
    if (chosen.empty()) {
        return "unknown command '" + name + "'" + did_you_mean(name, names_of_commands(app));
    }
    return "unexpected argument '" + name + "'";
}

// Whoever reads our output must see all of it, or hear of it.
int finish(int code) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    return fail(bad_input, "standard output: cannot be written");
}

// Nothing when there is a command to run, else the exit code.
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
    try {
        app.parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::ExtrasError&) {
        return fail(bad_input, unexpected(app) + "\nRun with --help for what there is.");
    } catch (const CLI::Success& success) {  // --help, --version
        app.exit(success);
        return finish(done);
    } catch (const CLI::ParseError& error) {
        return fail(bad_input, std::string(error.what()) + "\nRun with --help for what there is.");
    }
}

int act(const Action& action) {
    try {
        return finish(action());
    } catch (const ConfigError& error) {
        return fail(bad_input, error.what());
    } catch (const TraceError& error) {
        return fail(bad_input, error.what());
    } catch (const Interrupted& error) {
        return fail(was_interrupted, error.what());
    } catch (const ModelError& error) {
        return fail(broken_model, std::string("the model stopped itself: ") + error.what());
    } catch (const std::exception& error) {
        return fail(broken_model, std::string("unexpected error: ") + error.what());
    }
}

}  // namespace
}  // namespace diastole

int sc_main(int argc, char** argv) {
    using namespace diastole;
    CLI::App app("Diastole: where the time goes on a ranking or training chip", "diastole");
    app.set_version_flag("--version", std::string("diastole ") + DIASTOLE_VERSION);
    app.footer("`diastole COMMAND --help` says more about each command.");
    Action action;
    add_run(app, action);
    add_import(app, action);
    add_dram(app, action);
    add_show(app, action);
    add_validate(app, action);
    add_gemm(app, action);
    add_serve(app, action);

    if (const auto code = parse(app, argc, argv)) return *code;
    if (!action) {
        std::fputs(app.help().c_str(), stderr);
        return bad_input;
    }
    std::signal(SIGINT, on_interrupt);
    return act(action);
}

// Before SystemC's own main(): its banner is printed on the way to sc_main unless this is set.
int main(int argc, char** argv) {
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
    return sc_core::sc_elab_and_sim(argc, argv);
}
