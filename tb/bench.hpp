// Each command of the program is one bench: it adds its subcommand and, when the user chose it,
// puts what to do into `action`. main() runs it and maps what it throws to an exit code.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace diastole {

using Action = std::function<int()>;  // returns the exit code

void add_run(CLI::App& app, Action& action);
void add_import(CLI::App& app, Action& action);
void add_show(CLI::App& app, Action& action);
void add_dram(CLI::App& app, Action& action);
void add_validate(CLI::App& app, Action& action);
void add_gemm(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);

}  // namespace diastole
