// diastole run: one workload on one chip.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "tb/bench.hpp"
#include "tb/casts.hpp"
#include "tb/progress.hpp"
#include "tb/result.hpp"
#include "tb/simulation.hpp"

namespace diastole {
namespace {

struct Arguments {
    RunSpec spec;
    std::string mode, memory_mode = "exact", compute = "model", json;
    std::vector<std::string> casts;
    std::uint64_t batch = 0;
    CLI::Option* batch_option = nullptr;
};

// A count's text; a minus sign would wrap around to a number that nobody wrote.
std::string not_negative(const std::string& text) {
    return text.rfind('-', 0) == 0 ? "expected a whole number from 0, got " + text : std::string();
}

int run(Arguments& arguments) {
    RunSpec& spec = arguments.spec;
    if (!arguments.mode.empty()) {
        spec.mode = arguments.mode == "training" ? Mode::training : Mode::inference;
    }
    if (arguments.batch_option->count() > 0) spec.batch = arguments.batch;
    if (spec.batches == 0) throw ConfigError("--batches: expected at least 1, got 0");
    spec.memory = arguments.memory_mode == "fast" ? MemoryMode::fast : MemoryMode::exact;
    spec.recorded = arguments.compute == "recorded";
    spec.casts = read_casts(arguments.casts, "--cast");

    // A path that cannot be written is found out before the work, not after it.
    std::unique_ptr<AtomicFile> file;
    if (!arguments.json.empty() && arguments.json != "-") {
        file = std::make_unique<AtomicFile>(arguments.json);
    }
    Progress progress("running");
    const RunResult result = simulate(spec, [&](double done) { progress.show(done); });
    progress.clear();
    if (!arguments.json.empty()) {
        const std::string text = result_json(result);
        if (file) {
            file->write(text);
            file->commit();
        } else {
            std::fputs(text.c_str(), stdout);
        }
    }
    if (arguments.json != "-") std::fputs(result_summary(result).c_str(), stdout);
    return 0;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand("run", "Replay a workload on a chip");
    RunSpec& spec = arguments->spec;
    command->add_option("--chip", spec.chip, "chip preset or TOML file")->required();
    command->add_option("--workload", spec.workload, "bundled workload, model TOML or native trace")
        ->required();
    command->add_option("--mode", arguments->mode, "what a model description is built for")
        ->check(CLI::IsMember({"inference", "training"}));
    arguments->batch_option = command->add_option("--batch", arguments->batch,
                                                  "samples in a batch (default: the workload's)");
    command->add_option("--warmup", spec.warmup, "batches that run first and are not counted");
    command->add_option("--batches", spec.batches, "batches that are counted")
        ->capture_default_str();
    command
        ->add_option("--cast", arguments->casts, "FROM=TO: store and compute one type as another")
        ->allow_extra_args(false);
    command->add_option("--compute", arguments->compute, "times from the model or from the trace")
        ->check(CLI::IsMember({"model", "recorded"}))
        ->capture_default_str();
    command->add_flag("--host-copies", spec.host_copies, "replay a trace's recorded DMA requests");
    command->add_flag(
        "--fresh-tensors", spec.fresh_tensors,
        "of a trace without tensor ids: do not infer which inputs are earlier outputs");
    command->add_option("--memory-mode", arguments->memory_mode, "DRAM controller model")
        ->check(CLI::IsMember({"exact", "fast"}))
        ->capture_default_str();
    command
        ->add_option("--set", spec.settings,
                     "KEY=VALUE: change a value of the chip or of lowering.*")
        ->allow_extra_args(false);
    command->add_option("--seed", spec.seed, "of the index streams")->capture_default_str();
    command->add_option("--json", arguments->json,
                        "write the result to a file, or to stdout with -");
    for (const char* count : {"--batch", "--warmup", "--batches", "--seed"}) {
        command->get_option(count)->check(not_negative);
    }
    command->footer("Example:\n  diastole run --chip mtia-2i --workload rm1 --batch 64");
    command->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace diastole
