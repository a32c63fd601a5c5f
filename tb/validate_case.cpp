#include "tb/validate_case.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "model/base/data_path.hpp"
#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "model/config/document.hpp"
#include "model/stats/stalls.hpp"
#include "tb/casts.hpp"
#include "workloads/generate/workload.hpp"

namespace diastole {
namespace {

namespace fs = std::filesystem;
using config::Node;

constexpr std::string_view suffix = ".toml";

bool has_suffix(const std::string& text, std::string_view end) {
    return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_path(const std::string& name) {
    return name.find('/') != std::string::npos || has_suffix(name, suffix) ||
           has_suffix(name, ".jsonl") || has_suffix(name, ".jsonl.gz");
}

// A file that a case names lies beside the case's file, unless its path is absolute.
std::string beside(const std::string& file, const std::string& name) {
    if (!is_path(name) || fs::path(name).is_absolute()) return name;
    return (fs::path(file).parent_path() / name).string();
}

std::string find_cases(const std::string& name) {
    if (is_path(name)) {
        std::error_code error;
        if (fs::is_regular_file(name, error)) return name;
        throw ConfigError("there is no file '" + name + "'");
    }
    if (const auto path = find_data("validation/" + name + std::string(suffix))) {
        return path->string();
    }
    const std::vector<std::string> names = case_files();
    std::string list;
    for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
    throw ConfigError("there are no measurements '" + name + "'" + did_you_mean(name, names) +
                      "; there are: " + list);
}

// Puts what `read` throws at the key, each line of it.
template <class Read>
void at(const Node& node, std::string_view key, const Read& read) {
    const auto note = [&](const char* what) {
        std::istringstream text(what);
        for (std::string line; std::getline(text, line);) node.problem(key, line);
    };
    try {
        read();
    } catch (const ConfigError& error) {
        note(error.what());
    } catch (const TraceError& error) {
        note(error.what());
    }
}

const std::vector<std::pair<std::string, Metric>>& quantities() {
    static const std::vector<std::pair<std::string, Metric>> names = {
        {"time", Metric::time},
        {"flop_rate", Metric::flop_rate},
        {"sample_rate", Metric::sample_rate},
        {"dram_rate", Metric::dram_rate},
        {"peak_share", Metric::peak_share},
        {"dram_share", Metric::dram_share},
        {"stall_share", Metric::stall_share},
        {"array_share", Metric::array_share}};
    return names;
}

const std::vector<std::pair<std::string, ArrayPart>>& array_parts() {
    static const std::vector<std::pair<std::string, ArrayPart>> names = {
        {"active", ArrayPart::active},
        {"weight_shift", ArrayPart::weight_shift},
        {"weight_stall", ArrayPart::weight_stall},
        {"non_matrix", ArrayPart::non_matrix}};
    return names;
}

std::vector<std::string> engine_names() {
    std::vector<std::string> names;
    for (const EngineStalls& engine : Snapshot{}.engine_stalls()) names.emplace_back(engine.name);
    return names;
}

// A number, or a bound as text: "> 0.92".
void read_measured(const Node& node, Measure& measure) {
    if (!node.is_text("measured")) {
        measure.measured = node.require<double>("measured");
    } else {
        const auto text = node.get<std::string>("measured", {});
        char* end = nullptr;
        measure.relation = text.rfind('<', 0) == 0 ? Relation::less_than : Relation::more_than;
        measure.measured = std::strtod(text.c_str() + 1, &end);
        if ((text.rfind('>', 0) != 0 && text.rfind('<', 0) != 0) || end == text.c_str() + 1 ||
            *end != '\0') {
            node.problem("measured",
                         "expected a number, or a bound such as \"> 0.92\", got \"" + text + '"');
            return;
        }
    }
    if (!node.has("measured")) return;
    if (is_share(measure.metric)) {
        if (!(measure.measured >= 0 && measure.measured <= 1)) {
            node.problem("measured", "expected a share from 0 to 1");
        }
    } else if (!(measure.measured > 0)) {
        node.problem("measured", "expected a value above 0");
    }
}

void read_stall(const Node& node, Measure& measure) {
    const bool needed = measure.metric == Metric::stall_share;
    for (const char* key : {"engine", "stall"}) {
        if (needed || !node.has(key)) continue;
        node.problem(key, "only a stall_share has one");
        return;
    }
    if (!needed) return;
    measure.engine = node.require<std::string>("engine");
    measure.stall = node.require<std::string>("stall");
    const auto check = [&](const char* key, const std::string& text,
                           const std::vector<std::string>& names) {
        if (!node.has(key) || std::find(names.begin(), names.end(), text) != names.end()) return;
        node.problem(key, config::unknown_choice(text, names));
    };
    check("engine", measure.engine, engine_names());
    check("stall", measure.stall, {stall_names.begin(), stall_names.end()});
}

void read_part(const Node& node, Measure& measure) {
    const bool needed = measure.metric == Metric::array_share;
    if (needed && !node.has("part")) node.problem("part", "missing");
    measure.part = node.get_enum("part", ArrayPart::active, array_parts());
    if (!needed && node.has("part")) node.problem("part", "only an array_share has one");
}

void read_operator(const Node& node, const Graph* graph, Measure& measure) {
    measure.op = node.get<std::string>("operator", {});
    if (!node.has("operator")) return;
    if (measure.metric != Metric::time) node.problem("operator", "only a time has one");
    if (graph == nullptr) return;
    std::vector<std::string> names;
    for (const Operator& op : graph->operators) names.push_back(op.name);
    if (std::find(names.begin(), names.end(), measure.op) != names.end()) return;
    node.problem("operator", "the workload has no operator '" + measure.op + "'" +
                                 did_you_mean(measure.op, names));
}

Measure read_measure(const Node& node, const std::string& source, const Graph* graph) {
    Measure measure;
    if (!node.has("quantity")) node.problem("quantity", "missing");
    measure.metric = node.get_enum("quantity", Metric::time, quantities());
    read_measured(node, measure);
    read_stall(node, measure);
    read_part(node, measure);
    read_operator(node, graph, measure);
    measure.source = node.get<std::string>("source", source);
    if (measure.source.empty()) node.problem("", "source: missing, here and in the case");
    measure.fitted = node.get<std::string>("fitted", {});
    return measure;
}

// An inline product: C[m x n] = A[m x k] B[k x n], all of one type.
std::shared_ptr<const Graph> read_gemm(const Node& node) {
    auto graph = std::make_shared<Graph>();
    const auto size = [&](const char* key) {
        const auto value = node.require<std::uint64_t>(key);
        constexpr std::uint64_t most = 1U << 24;
        if (node.has(key) && (value == 0 || value > most)) {
            node.problem(
                key, "expected 1 to " + std::to_string(most) + ", got " + std::to_string(value));
        }
        return value;
    };
    const std::uint64_t m = size("m"), n = size("n"), k = size("k");
    std::vector<std::pair<std::string, DType>> types;
    for (const DTypeInfo& info : dtype_table) types.emplace_back(info.name, info.type);
    const DType type = node.get_enum("dtype", DType::fp16, types);
    graph->name = "gemm " + std::to_string(m) + 'x' + std::to_string(n) + 'x' + std::to_string(k);
    graph->batch = std::max<std::uint64_t>(m, 1);
    graph->tensors = {{"a", {m, k}, type}, {"b", {k, n}, type}, {"c", {m, n}, type}};
    Operator op;
    op.id = 1;
    op.name = "gemm";
    op.kind = OpKind::gemm;
    op.phase = Phase::forward;
    op.inputs = {0, 1};
    op.outputs = {2};
    graph->operators.push_back(op);
    return graph;
}

void read_workload(const Node& node, const std::string& file, RunSpec& spec) {
    if (node.has("workload") == node.has("gemm")) {
        node.problem("", "expected a workload or a gemm = { m, n, k, dtype }, and one of them");
        return;
    }
    if (node.has("gemm")) {
        spec.graph = read_gemm(node.table("gemm"));
        spec.workload = spec.graph->name;
        for (const char* key : {"mode", "batch"}) {
            if (node.has(key)) node.problem(key, "an inline gemm has none");
        }
        return;
    }
    if (node.has("mode")) {
        spec.mode = node.get_enum("mode", Mode::inference,
                                  {{"inference", Mode::inference}, {"training", Mode::training}});
    }
    if (node.has("batch")) spec.batch = node.get<std::uint64_t>("batch", 1);
    spec.workload = beside(file, node.get<std::string>("workload", {}));
    at(node, "workload", [&] {
        spec.graph = std::make_shared<Graph>(load_workload(spec.workload, spec.mode, spec.batch));
    });
}

ValidationCase read_case(const Node& node, const std::string& file) {
    ValidationCase c;
    c.where = node.where();
    c.name = node.require<std::string>("name");
    RunSpec& spec = c.spec;
    spec.chip = beside(file, node.require<std::string>("chip"));
    spec.settings = node.get<std::vector<std::string>>("set", {});
    spec.warmup = node.get<std::uint32_t>("warmup", 0);
    spec.batches = node.get<std::uint32_t>("batches", 1);
    if (spec.batches == 0) node.problem("batches", "expected at least 1, got 0");
    spec.seed = node.get<std::uint64_t>("seed", 1);
    spec.memory = node.get_enum("memory_mode", MemoryMode::exact,
                                {{"exact", MemoryMode::exact}, {"fast", MemoryMode::fast}});
    at(node, "cast",
       [&] { spec.casts = read_casts(node.get<std::vector<std::string>>("cast", {}), "cast"); });
    std::vector<config::Override> settings;
    at(node, "set", [&] {
        settings = config::parse_overrides(spec.settings);
        config::take_table(settings, "lowering");
    });
    if (node.has("chip")) {
        at(node, "chip", [&] { c.chip = load_chip(spec.chip, settings); });
    }
    read_workload(node, file, spec);
    c.assumed = node.get<std::string>("assumed", {});
    c.missing = node.get<std::string>("missing", {});
    const auto source = node.get<std::string>("source", {});
    for (const Node& measure : node.tables("measure")) {
        c.measures.push_back(read_measure(measure, source, spec.graph.get()));
    }
    if (c.measures.empty()) node.problem("", "expected at least one [[case.measure]]");
    return c;
}

}  // namespace

bool is_share(Metric metric) {
    return metric == Metric::peak_share || metric == Metric::dram_share ||
           metric == Metric::stall_share || metric == Metric::array_share;
}

const char* key_of(Metric metric) {
    return quantities()[static_cast<std::size_t>(metric)].first.c_str();
}

const char* key_of(ArrayPart part) {
    return array_parts()[static_cast<std::size_t>(part)].first.c_str();
}

std::vector<std::string> case_files() {
    return list_data("validation", suffix);
}

std::vector<ValidationCase> load_cases(const std::string& name) {
    const std::string path = find_cases(name);
    const std::string shown = is_path(name) ? name : "validation/" + name + std::string(suffix);
    config::Problems problems;
    const config::Document document = config::Document::load(path, shown, problems);
    std::vector<ValidationCase> cases;
    for (const Node& node : document.root().tables("case")) {
        cases.push_back(read_case(node, path));
        for (std::size_t i = 0; i + 1 < cases.size(); ++i) {
            if (cases[i].name == cases.back().name) {
                node.problem("name", "there is another case '" + cases[i].name + "'");
            }
        }
    }
    document.reject_unknown();
    if (cases.empty()) problems.add({shown, 0, 0}, "", "expected at least one [[case]]");
    problems.throw_if_any();
    return cases;
}

}  // namespace diastole
