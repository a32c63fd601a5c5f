// diastole import: a foreign trace -> a native one, with an account of what became what.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "tb/bench.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/import/kineto.hpp"

namespace diastole {
namespace {

struct Arguments {
    std::string trace, output, json, name, source, licence;
};

// "a/b/rank0.json.gz" -> "rank0".
std::string stem(const std::string& path) {
    const std::size_t begin = path.rfind('/') + 1;  // npos + 1 is 0
    const std::size_t end = path.find('.', begin);
    return path.substr(begin, end == std::string::npos ? end : end - begin);
}

// One line on a terminal's stderr, rewritten in place and removed at the end.
class ProgressLine {
  public:
    explicit ProgressLine(std::string what) : what_(std::move(what)), on_(isatty(2) != 0) {}
    ~ProgressLine() {
        if (shown_ >= 0) std::fputs("\r\033[K", stderr);
    }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(std::uint64_t done, std::uint64_t all) {
        if (!on_ || all == 0) return;
        const int percent = static_cast<int>(100 * done / all);
        if (percent == shown_) return;
        shown_ = percent;
        std::fprintf(stderr, "\r%s: %d %%", what_.c_str(), percent);
        std::fflush(stderr);
    }

  private:
    std::string what_;
    bool on_;
    int shown_ = -1;
};

Imported read(const Arguments& arguments) {
    ProgressLine progress("reading " + arguments.trace);
    KinetoOptions options;
    options.name = arguments.name.empty() ? stem(arguments.trace) : arguments.name;
    options.source = arguments.source;
    options.licence = arguments.licence;
    options.progress = [&](std::uint64_t done, std::uint64_t all) { progress.show(done, all); };
    return import_kineto(*open_file(arguments.trace), options);
}

int import_trace(const Arguments& arguments) {
    // Before the work, so that a path that cannot be written costs nothing.
    AtomicFile output(arguments.output);
    const Imported imported = read(arguments);
    const std::string text = native_trace_text(imported.graph);
    output.write(has_gzip_name(arguments.output) ? gzip(text) : text);

    const std::string json = coverage_json(imported.graph, imported.coverage);
    if (arguments.json == "-") {
        output.commit();
        std::fputs(json.c_str(), stdout);
        return 0;
    }
    if (!arguments.json.empty()) {
        AtomicFile file(arguments.json);
        file.write(json);
        file.commit();
    }
    output.commit();
    std::printf("%s: %s, batch %llu, %zu operators\n", arguments.output.c_str(),
                std::string(name_of(imported.graph.mode)).c_str(),
                static_cast<unsigned long long>(imported.graph.batch),
                imported.graph.operators.size());
    std::fputs(coverage_text(imported.coverage).c_str(), stdout);
    for (const std::string& note : imported.graph.notes) std::printf("  note: %s\n", note.c_str());
    return 0;
}

}  // namespace

void add_import(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        app.add_subcommand("import", "Convert a Kineto trace into a native one, with its coverage");
    command
        ->add_option("TRACE", arguments->trace,
                     "Kineto trace (JSON of the PyTorch profiler), plain or gzip")
        ->required();
    command
        ->add_option("-o,--output", arguments->output,
                     "native trace to write: OUT.jsonl or OUT.jsonl.gz")
        ->required();
    command->add_option("--json", arguments->json,
                        "write the coverage as JSON; - for standard output");
    command->add_option("--name", arguments->name,
                        "name of the workload (default: that of the file)");
    command->add_option("--source", arguments->source, "where the trace is from, for the header");
    command->add_option("--licence", arguments->licence, "its licence, for the header");
    command->footer("Example:\n  diastole import rank0.json.gz -o rank0.jsonl.gz");
    command->callback(
        [arguments, &action] { action = [arguments] { return import_trace(*arguments); }; });
}

}  // namespace diastole
