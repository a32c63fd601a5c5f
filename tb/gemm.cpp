// diastole gemm: what matrix products cost one systolic array (or the arrays of one PE).
#include "tb/gemm.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "model/config/document.hpp"
#include "model/params/preset.hpp"
#include "tb/bench.hpp"
#include "workloads/import/topology.hpp"

namespace diastole {
namespace {

struct Arguments {
    std::string m, n, k, topology;
    std::string array, chip;
    std::string dataflow, overlap, dtype = "fp16", rate, mac_latency, sparsity;
    std::string accumulate = "array", accounting = "registers";
    std::string ifmap_bandwidth, filter_bandwidth, ofmap_bandwidth;
    std::string json;
};

constexpr std::uint64_t largest_size = 2147483647;
constexpr std::uint64_t largest_side = 65536;
constexpr std::uint64_t largest_pace = 1024;  // of rates and latencies

template <class T>
struct Choice {
    std::string_view name;
    T value;
};
constexpr std::array<Choice<Dataflow>, 6> dataflows = {
    {{short_name(Dataflow::weight_stationary), Dataflow::weight_stationary},
     {short_name(Dataflow::input_stationary), Dataflow::input_stationary},
     {short_name(Dataflow::output_stationary), Dataflow::output_stationary},
     {"weight_stationary", Dataflow::weight_stationary},
     {"input_stationary", Dataflow::input_stationary},
     {"output_stationary", Dataflow::output_stationary}}};
constexpr std::array<Choice<FoldOverlap>, 3> overlaps = {{{"none", FoldOverlap::none},
                                                          {"shadow", FoldOverlap::shadow},
                                                          {"stream", FoldOverlap::stream}}};
constexpr std::array<Choice<Accounting>, 2> accountings = {
    {{"registers", Accounting::registers}, {"scalesim", Accounting::scalesim}}};
constexpr std::array<Choice<bool>, 2> accumulators = {{{"array", false}, {"sram", true}}};
constexpr std::array<Choice<bool>, 2> sparsities = {{{"dense", false}, {"2:4", true}}};

template <class Choices>
auto choose(const char* option, const std::string& text, const Choices& choices) {
    std::vector<std::string> names;
    for (const auto& choice : choices) {
        if (text == choice.name) return choice.value;
        names.emplace_back(choice.name);
    }
    throw ConfigError(std::string(option) + ": " + config::unknown_choice(text, names));
}

std::optional<std::uint64_t> whole(const std::string& text, std::uint64_t most) {
    if (text.empty() || text.size() > 18) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (value < 1 || value > most) return std::nullopt;
    return value;
}

std::uint64_t number(const char* option, const std::string& text, std::uint64_t most) {
    if (const auto value = whole(text, most)) return *value;
    throw ConfigError(std::string(option) + ": expected a whole number from 1 to " +
                      std::to_string(most) + ", got '" + text + '\'');
}

DType type_of(const std::string& text) {
    std::vector<std::string> names;
    for (const DTypeInfo& info : dtype_table) names.emplace_back(info.name);
    if (const auto type = dtype_from_name(text)) return *type;
    throw ConfigError("--dtype: " + config::unknown_choice(text, names));
}

void shape_from(const std::string& text, ArrayShape& shape) {
    const std::size_t x = text.find('x');
    const auto rows = whole(text.substr(0, x), largest_side);
    const auto columns =
        x == std::string::npos ? std::nullopt : whole(text.substr(x + 1), largest_side);
    if (!rows || !columns) {
        throw ConfigError(
            "--array: expected ROWSxCOLUMNS, each from 1 to 65536, such as 16x16; "
            "got '" +
            text + '\'');
    }
    shape.rows = static_cast<std::uint32_t>(*rows);
    shape.columns = static_cast<std::uint32_t>(*columns);
}

// "2": two elements of K a cycle; "1/4": a vector every four cycles.
void rate_from(const std::string& text, GemmArray& array) {
    const bool slow = text.rfind("1/", 0) == 0;
    const auto value = whole(slow ? text.substr(2) : text, largest_pace);
    if (!value) {
        throw ConfigError(
            "--rate: expected products per multiplier and cycle, N or 1/N with N "
            "from 1 to 1024; got '" +
            text + '\'');
    }
    (slow ? array.shape.mac_interval : array.k_per_cell) = static_cast<std::uint32_t>(*value);
}

void array_of_chip(const Arguments& arguments, DType type, GemmArray& array) {
    if (!arguments.array.empty()) throw ConfigError("--chip: --array describes another array");
    if (!arguments.rate.empty() || !arguments.mac_latency.empty()) {
        throw ConfigError("--chip: the chip says its own --rate and --mac-latency");
    }
    const ChipParams chip = load_chip(arguments.chip, {}).params;
    if (chip.dpe.k_elements[type] == 0) {
        std::string types;
        for (const DTypeInfo& info : dtype_table) {
            if (chip.dpe.k_elements[info.type] == 0) continue;
            types += (types.empty() ? "" : ", ") + std::string(info.name);
        }
        throw ConfigError("--dtype: the matrix engine of '" + arguments.chip + "' has " + types +
                          ", not " + std::string(name_of(type)));
    }
    array.shape = diastole::array_of(chip.dpe, type);
    array.dataflow = chip.dpe.dataflow;
}

void ports_from(const Arguments& arguments, GemmArray& array) {
    const auto port = [](const char* option, const std::string& text, std::uint64_t& bytes) {
        if (!text.empty()) bytes = number(option, text, 1ULL << 30);
    };
    port("--ifmap-bandwidth", arguments.ifmap_bandwidth, array.ifmap_bytes_per_cycle);
    port("--filter-bandwidth", arguments.filter_bandwidth, array.filter_bytes_per_cycle);
    port("--ofmap-bandwidth", arguments.ofmap_bandwidth, array.ofmap_bytes_per_cycle);
    if (array.shape.overlap != FoldOverlap::stream) return;
    const auto contradicts = [](std::uint64_t limit, const char* option, const char* what) {
        if (limit == 0) return;
        throw ConfigError(std::string(option) + ": --overlap stream means that " + what +
                          " never limits; use --overlap shadow");
    };
    switch (array.dataflow) {
        case Dataflow::weight_stationary:
            contradicts(array.filter_bytes_per_cycle, "--filter-bandwidth", "loading weights");
            break;
        case Dataflow::input_stationary:
            contradicts(array.ifmap_bytes_per_cycle, "--ifmap-bandwidth", "loading inputs");
            break;
        case Dataflow::output_stationary:
            contradicts(array.ofmap_bytes_per_cycle, "--ofmap-bandwidth", "shifting results out");
            break;
    }
}

GemmArray array_from(const Arguments& arguments, DType type) {
    GemmArray array;
    array.element_bytes = static_cast<std::uint32_t>(size_of(type));
    if (!arguments.chip.empty()) {
        array_of_chip(arguments, type, array);
    } else if (!arguments.array.empty()) {
        shape_from(arguments.array, array.shape);
    } else {
        throw ConfigError("gemm: expected --array ROWSxCOLUMNS or --chip NAME");
    }
    if (!arguments.dataflow.empty()) {
        array.dataflow = choose("--dataflow", arguments.dataflow, dataflows);
    }
    if (!arguments.overlap.empty()) {
        array.shape.overlap = choose("--overlap", arguments.overlap, overlaps);
    }
    if (!arguments.rate.empty()) rate_from(arguments.rate, array);
    if (!arguments.mac_latency.empty()) {
        array.shape.mac_latency = static_cast<std::uint32_t>(
            number("--mac-latency", arguments.mac_latency, largest_pace));
    }
    if (!arguments.sparsity.empty()) {
        array.pruned_2_4 = choose("--sparsity", arguments.sparsity, sparsities);
    }
    array.partial_sums_leave = choose("--accumulate", arguments.accumulate, accumulators);
    ports_from(arguments, array);
    return array;
}

// SCALE-Sim's numbers exist only for what SCALE-Sim models.
void refuse_what_scalesim_lacks(const GemmReport& report) {
    const GemmArray& a = report.array;
    const auto refuse = [](bool there, const char* what) {
        if (there)
            throw ConfigError(std::string("--accounting scalesim: SCALE-Sim has no ") + what);
    };
    refuse(!report.chip.empty(), "--chip");
    refuse(a.shape.overlap != FoldOverlap::none, "--overlap");
    refuse(a.shape.mac_latency != 1, "--mac-latency");
    refuse(a.shape.mac_interval != 1 || a.k_per_cell != 1, "--rate");
    refuse(a.pruned_2_4, "--sparsity in its default accounting");
    refuse(a.partial_sums_leave, "--accumulate: it always counts sums that leave the array");
    refuse(a.ifmap_bytes_per_cycle + a.filter_bytes_per_cycle + a.ofmap_bytes_per_cycle > 0,
           "bandwidth limits in its default accounting");
}

std::vector<GemmLayer> layers_from(const Arguments& arguments, Accounting accounting) {
    std::vector<GemmLayer> layers;
    if (arguments.topology.empty()) {
        GemmLayer layer;
        layer.name = "gemm";
        layer.shape = {number("M", arguments.m, largest_size),
                       number("N", arguments.n, largest_size),
                       number("K", arguments.k, largest_size)};
        if (Wide{layer.shape.m} * layer.shape.n * layer.shape.k >= Wide{1} << 53) {
            throw ConfigError("gemm: M N K reaches 2^53, which is more than this bench counts");
        }
        layers.push_back(std::move(layer));
        return layers;
    }
    const Topology topology = read_topology(*open_file(arguments.topology));
    for (const TopologyLayer& from : topology.layers) {
        GemmLayer layer{from.name, {from.m, from.n, from.k}, from.pruned_2_4, {}};
        if (accounting == Accounting::scalesim) {
            const std::string place = topology.file + ':' + std::to_string(from.line) + ": ";
            if (from.pruned_2_4) throw TraceError(place + "SCALE-Sim counts 2:4 layers as dense");
            if (from.batch > 1) throw TraceError(place + "SCALE-Sim has no batches");
            layer.shape.m = from.scalesim_m;
        }
        layers.push_back(std::move(layer));
    }
    return layers;
}

GemmReport measure(const Arguments& arguments) {
    const bool shape = !arguments.m.empty();
    if (shape != arguments.topology.empty() || (shape && arguments.k.empty())) {
        throw ConfigError("gemm: expected M N K or --topology FILE");
    }
    GemmReport report;
    report.type = type_of(arguments.dtype);
    report.chip = arguments.chip;
    report.accounting = choose("--accounting", arguments.accounting, accountings);
    report.array = array_from(arguments, report.type);
    if (report.accounting == Accounting::scalesim) refuse_what_scalesim_lacks(report);
    report.layers = layers_from(arguments, report.accounting);
    report.workload =
        shape ? arguments.m + " x " + arguments.n + " x " + arguments.k : arguments.topology;
    const ArrayShape& s = report.array.shape;
    for (GemmLayer& layer : report.layers) {
        GemmArray array = report.array;
        layer.pruned_2_4 = array.pruned_2_4 = array.pruned_2_4 || layer.pruned_2_4;
        layer.count = report.accounting == Accounting::scalesim
                          ? scalesim_count(s.rows, s.columns, array.dataflow, layer.shape)
                          : count_gemm(array, layer.shape);
    }
    return report;
}

int gemm(const Arguments& arguments) {
    const GemmReport report = measure(arguments);
    if (arguments.json == "-") {
        std::fputs(gemm_json(report).c_str(), stdout);
        return 0;
    }
    if (!arguments.json.empty()) {
        AtomicFile file(arguments.json);
        file.write(gemm_json(report));
        file.commit();
    }
    std::fputs(gemm_text(report).c_str(), stdout);
    return 0;
}

}  // namespace

void add_gemm(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    Arguments& a = *arguments;
    CLI::App* command = app.add_subcommand("gemm", "Count what matrix products cost an array");
    command->add_option("M", a.m, "rows of the first operand and of the result");
    command->add_option("N", a.n, "columns of the second operand and of the result");
    command->add_option("K", a.k, "what is summed over");
    command->add_option("--topology", a.topology,
                        "SCALE-Sim topology file (CSV) of convolutions or products");
    command->add_option("--array", a.array, "ROWSxCOLUMNS of multipliers");
    command->add_option("--chip", a.chip, "or the arrays of one PE of this chip, at --dtype");
    command->add_option("--dataflow", a.dataflow, "ws, is or os (default: ws, or the chip's)");
    command->add_option("--overlap", a.overlap,
                        "of folds: none, shadow or stream (default: none, or the chip's)");
    command->add_option("--dtype", a.dtype, "type of the operands (default: fp16)");
    command->add_option("--rate", a.rate,
                        "products per multiplier and cycle at this type: N or 1/N (default: 1)");
    command->add_option("--mac-latency", a.mac_latency, "cycles of a multiplier (default: 1)");
    command->add_option("--sparsity", a.sparsity, "of the weights: dense or 2:4");
    command->add_option("--accumulate", a.accumulate,
                        "where sums of K-folds meet: array (default) or sram");
    command->add_option("--ifmap-bandwidth", a.ifmap_bandwidth,
                        "bytes a cycle from SRAM, of M x K (default: never limits)");
    command->add_option("--filter-bandwidth", a.filter_bandwidth, "the same, of K x N");
    command->add_option("--ofmap-bandwidth", a.ofmap_bandwidth, "the same, of M x N, to SRAM");
    command->add_option("--accounting", a.accounting,
                        "registers (default) or scalesim: its numbers, errors included");
    command->add_option("--json", a.json, "write the result as JSON; - for standard output");
    command->footer(
        "Example:\n  diastole gemm 128 512 512 --array 128x128 --overlap shadow\n"
        "  diastole gemm --topology resnet18.csv --array 32x32 --dataflow os --json -");
    command->callback([arguments, &action] { action = [arguments] { return gemm(*arguments); }; });
}

}  // namespace diastole
