// diastole dram: the memory bench.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <utility>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "tb/bench.hpp"
#include "tb/dram_log.hpp"
#include "tb/dram_result.hpp"
#include "tb/progress.hpp"

namespace diastole {
namespace {

using Kind = DramPatternKind;

struct Arguments {
    DramSpec spec;
    std::string pattern, ratio = "1:0", offer = "atom", memory_mode = "exact", log, json;
    std::uint32_t pseudo_channels = 0;
    std::string map;
    std::uint64_t requests = 0, block = 0, row_bytes = 128;
    const CLI::App* command = nullptr;

    [[nodiscard]] bool given(const char* option) const { return command->count(option) > 0; }
};

Kind kind_of(const std::string& name) {
    std::vector<std::string> names;
    for (const Kind kind :
         {Kind::sequential, Kind::random, Kind::embedding, Kind::stride, Kind::streams}) {
        if (name == name_of(kind)) return kind;
        names.emplace_back(name_of(kind));
    }
    throw ConfigError("--pattern: " + config::unknown_choice(name, names));
}

bool read_count(const std::string& text, std::uint64_t& value) {
    if (text.empty() || text.size() > 9) return false;
    if (text.find_first_not_of("0123456789") != std::string::npos) return false;
    value = std::stoull(text);
    return true;
}

void read_ratio(const std::string& text, DramPattern& pattern) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || !read_count(text.substr(0, colon), pattern.reads) ||
        !read_count(text.substr(colon + 1), pattern.writes)) {
        throw ConfigError("--ratio: expected READS:WRITES, such as 2:1, got '" + text + "'");
    }
}

// An option that has no meaning here would be ignored: nobody shall think that it was not.
void refuse_others(const Arguments& arguments, Kind kind) {
    struct Use {
        const char* option;
        std::vector<Kind> kinds;
    };
    const Use uses[] = {{"--block", {Kind::sequential, Kind::random, Kind::stride, Kind::streams}},
                        {"--stride", {Kind::stride}},
                        {"--streams", {Kind::streams}},
                        {"--rows", {Kind::embedding}},
                        {"--row-bytes", {Kind::embedding}},
                        {"--zipf", {Kind::embedding}},
                        {"--seed", {Kind::random, Kind::embedding}}};
    for (const Use& use : uses) {
        const bool used = std::find(use.kinds.begin(), use.kinds.end(), kind) != use.kinds.end();
        if (used || !arguments.given(use.option)) continue;
        std::string names;
        for (const Kind k : use.kinds)
            names += (names.empty() ? "" : ", ") + std::string(name_of(k));
        throw ConfigError(std::string(use.option) + ": has no meaning with --pattern " +
                          std::string(name_of(kind)) + " (only with " + names + ")");
    }
}

void read_pattern(const Arguments& arguments, DramPattern& pattern) {
    pattern.kind = kind_of(arguments.pattern);
    refuse_others(arguments, pattern.kind);
    read_ratio(arguments.ratio, pattern);
    pattern.offer = arguments.offer == "block" ? DramOffer::block : DramOffer::atom;
    if (arguments.given("--requests")) pattern.requests = arguments.requests;
    if (arguments.given("--block")) {
        if (arguments.block == 0) throw ConfigError("--block: expected at least 1, got 0");
        pattern.block_bytes = arguments.block;
    } else if (pattern.kind == Kind::embedding) {
        pattern.block_bytes = arguments.row_bytes;
    } else if (pattern.kind == Kind::stride) {
        pattern.block_bytes = 0;  // one atom
    }
}

void read_trace(const Arguments& arguments, DramSpec& spec) {
    for (const char* option : {"--ratio", "--offer", "--block", "--stride", "--streams", "--rows",
                               "--row-bytes", "--zipf", "--seed"}) {
        if (arguments.given(option)) {
            throw ConfigError(std::string(option) + ": describes a --pattern, not a --trace");
        }
    }
    if (!arguments.given("--requests")) return;
    if (arguments.requests == 0) throw ConfigError("--requests: expected at least 1, got 0");
    spec.trace_requests = arguments.requests;
}

void read_spec(Arguments& arguments) {
    DramSpec& spec = arguments.spec;
    if (spec.trace.empty() == arguments.pattern.empty()) {
        throw ConfigError("dram: expected either --trace or --pattern");
    }
    if (spec.trace.empty()) {
        read_pattern(arguments, spec.pattern);
    } else {
        read_trace(arguments, spec);
    }
    if (arguments.given("--pseudo-channels")) spec.pseudo_channels = arguments.pseudo_channels;
    if (arguments.given("--map")) spec.map = arguments.map;
    spec.mode = arguments.memory_mode == "fast" ? MemoryMode::fast : MemoryMode::exact;
    if (spec.mode == MemoryMode::fast && !arguments.log.empty()) {
        throw ConfigError("--log: the fast memory mode has no commands; expected exact");
    }
}

int dram(Arguments& arguments) {
    read_spec(arguments);
    // Paths that cannot be written are found out before the work, not after it.
    std::unique_ptr<AtomicFile> file;
    if (!arguments.json.empty() && arguments.json != "-") {
        file = std::make_unique<AtomicFile>(arguments.json);
    }
    std::unique_ptr<DramLog> log;
    if (!arguments.log.empty()) log = std::make_unique<DramLog>(arguments.log);

    Progress progress("running");
    const DramRun run =
        simulate_dram(arguments.spec, log.get(), [&](double done) { progress.show(done); });
    progress.clear();
    if (file) file->write(dram_json(run));
    if (log) log->commit();
    if (file) file->commit();
    std::fputs((arguments.json == "-" ? dram_json(run) : dram_summary(run)).c_str(), stdout);
    return 0;
}

// A count's text; a minus sign would wrap around to a number that nobody wrote.
std::string not_negative(const std::string& text) {
    return text.rfind('-', 0) == 0 ? "expected a whole number from 0, got " + text : std::string();
}

void add_traffic(CLI::App* command, Arguments& arguments) {
    DramPattern& pattern = arguments.spec.pattern;
    command->add_option("--trace", arguments.spec.trace,
                        "requests from a file, plain or gzip: R 0xADDR or W 0xADDR [CYCLE] a line");
    command->add_option("--pattern", arguments.pattern,
                        "sequential, random, embedding, stride or streams");
    command->add_option("--requests", arguments.requests,
                        "atoms (default: 1000000 of a pattern, all of a trace)");
    command->add_option("--ratio", arguments.ratio, "READS:WRITES: blocks read and written in turn")
        ->capture_default_str();
    command->add_option("--block", arguments.block,
                        "bytes of a block (default: 64; one atom with stride)");
    command->add_option("--stride", pattern.stride_bytes, "bytes from block to block")
        ->capture_default_str();
    command->add_option("--streams", pattern.streams, "sequential streams that take turns")
        ->capture_default_str();
    command->add_option("--rows", pattern.rows, "rows of the embedding table")
        ->capture_default_str();
    command->add_option("--row-bytes", arguments.row_bytes, "bytes of a row")
        ->capture_default_str();
    command->add_option("--zipf", pattern.zipf, "exponent of the rows' popularity; 0: uniform")
        ->capture_default_str();
    command->add_option("--seed", pattern.seed, "of what is drawn at random")
        ->capture_default_str();
    command
        ->add_option("--offer", arguments.offer,
                     "a block's atoms one a cycle, or the whole block as one request")
        ->check(CLI::IsMember({"atom", "block"}))
        ->capture_default_str();
}

void add_memory(CLI::App* command, Arguments& arguments) {
    DramSpec& spec = arguments.spec;
    command->add_option("--memory", spec.memory, "memory preset or TOML file")->required();
    command->add_option("--set", spec.settings, "KEY=VALUE: change a value of the memory (dram.*)")
        ->allow_extra_args(false);
    command->add_option("--pseudo-channels", arguments.pseudo_channels,
                        "how many (default: what the map tells apart, or one)");
    command->add_option("--map", arguments.map,
                        "address bits, most significant first: \"row:15 col:5 ba:2 bg:2 byte:5\"");
    command
        ->add_option("--interleave", spec.interleave_bytes,
                     "bytes in one pseudo-channel before the next, for a map without ch and pc")
        ->capture_default_str();
    command->add_option("--memory-mode", arguments.memory_mode, "DRAM controller model")
        ->check(CLI::IsMember({"exact", "fast"}))
        ->capture_default_str();
}

}  // namespace

void add_dram(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        app.add_subcommand("dram", "Put a trace or a pattern on a memory by itself");
    arguments->command = command;
    add_memory(command, *arguments);
    add_traffic(command, *arguments);
    command->add_option("--log", arguments->log, "write every DRAM command to a file");
    command->add_option("--json", arguments->json,
                        "write the result to a file, or to stdout with -");
    for (const char* count : {"--requests", "--block", "--stride", "--streams", "--rows",
                              "--row-bytes", "--seed", "--pseudo-channels", "--interleave"}) {
        command->get_option(count)->check(not_negative);
    }
    command->footer(
        "Examples:\n  diastole dram --memory hbm2-2000 --pattern random\n"
        "  diastole dram --memory hbm3-6400 --pattern sequential --ratio 2:1 --pseudo-channels 32");
    command->callback([arguments, &action] { action = [arguments] { return dram(*arguments); }; });
}

}  // namespace diastole
