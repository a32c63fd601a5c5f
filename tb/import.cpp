// diastole import: a foreign trace -> a native one, with an account of what became what.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "model/config/document.hpp"
#include "tb/bench.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/import/kineto.hpp"
#include "workloads/import/topology_graph.hpp"

namespace diastole {
namespace {

struct Arguments {
    std::string trace, output, json, name, source, licence, dtype;
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

bool is_topology(const std::string& path) {
    constexpr std::string_view ending = ".csv";
    return path.size() >= ending.size() &&
           path.compare(path.size() - ending.size(), ending.size(), ending) == 0;
}

DType dtype_option(const std::string& text) {
    if (const auto type = dtype_from_name(text)) return *type;
    std::vector<std::string> names;
    for (const DTypeInfo& info : dtype_table) names.emplace_back(info.name);
    throw ConfigError("--dtype: " + config::unknown_choice(text, names));
}

Imported read_layers(const Arguments& arguments) {
    TopologyOptions options;
    options.name = arguments.name;
    if (!arguments.dtype.empty()) options.type = dtype_option(arguments.dtype);
    Imported result;
    result.graph = import_topology(arguments.trace, options);
    result.graph.source = arguments.source;
    result.graph.licence = arguments.licence;
    result.coverage = coverage_of_topology(result.graph);
    return result;
}

Imported read(const Arguments& arguments) {
    if (is_topology(arguments.trace)) return read_layers(arguments);
    if (!arguments.dtype.empty()) {
        throw ConfigError(
            "--dtype: a Kineto trace has types of its own; only a topology (.csv) "
            "takes one");
    }
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
    CLI::App* command = app.add_subcommand(
        "import", "Convert a Kineto trace or a SCALE-Sim topology into a native trace");
    command
        ->add_option("TRACE", arguments->trace,
                     "Kineto trace (JSON of the PyTorch profiler), plain or gzip, or a SCALE-Sim "
                     "topology (.csv)")
        ->required();
    command
        ->add_option("-o,--output", arguments->output,
                     "native trace to write: OUT.jsonl or OUT.jsonl.gz")
        ->required();
    command->add_option("--json", arguments->json,
                        "write the coverage as JSON; - for standard output");
    command->add_option("--name", arguments->name,
                        "name of the workload (default: that of the file)");
    command->add_option("--dtype", arguments->dtype,
                        "type of all operands of a topology, which says none (default: fp16)");
    command->add_option("--source", arguments->source, "where the trace is from, for the header");
    command->add_option("--licence", arguments->licence, "its licence, for the header");
    command->footer("Example:\n  diastole import rank0.json.gz -o rank0.jsonl.gz");
    command->callback(
        [arguments, &action] { action = [arguments] { return import_trace(*arguments); }; });
}

}  // namespace diastole
