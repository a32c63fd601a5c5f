#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <queue>
#include <set>
#include <unordered_map>

#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_fields.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/validate.hpp"

namespace diastole {
namespace {

using native::Fields;
using native::Json;
using native::shown;

constexpr std::uint64_t any64 = std::numeric_limits<std::uint64_t>::max();
// Refuses an object that has a key twice: of the two values one would be lost.
class KeysOnce {
  public:
    bool operator()(int, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::object_start) open_.emplace_back();
        if (event == Json::parse_event_t::object_end) open_.pop_back();
        if (event != Json::parse_event_t::key) return true;
        const auto& key = parsed.get_ref<const std::string&>();
        if (!open_.back().insert(key).second)
            throw TraceError("the key '" + key + "' stands twice");
        return true;
    }

  private:
    std::vector<std::set<std::string>> open_;
};

class NativeReader {
  public:
    explicit NativeReader(ByteSource& source) : name_(source.name()), lines_(source) {}

    Graph read() {
        bool header = false;
        std::string_view line;
        while (lines_.next(line)) {
            if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
            try {
                const Json object = parse(line);
                header ? read_operator(object) : read_header(object);
                header = true;
            } catch (const TraceError& error) {
                throw TraceError(at(lines_.line_number()) + error.what());
            }
        }
        if (!header)
            throw TraceError(name_ + ": no header line, expected {\"trace\":\"diastole/1\",...}");
        if (graph_.operators.empty()) throw TraceError(name_ + ": the trace holds no operator");
        resolve_dependencies();
        sort_operators();
        return std::move(graph_);
    }

  private:
    [[nodiscard]] std::string at(std::uint64_t line) const {
        return name_ + ":" + std::to_string(line) + ": ";
    }

    static Json parse(std::string_view line) {
        try {
            return Json::parse(line, KeysOnce());
        } catch (const Json::parse_error& error) {
            throw TraceError("malformed JSON at byte " + std::to_string(error.byte) +
                             " of the line");
        } catch (const Json::out_of_range&) {  // 1e999
            throw TraceError("malformed JSON: a number of the line is out of range");
        }
    }

    void read_header(const Json& object) {
        static const std::vector<std::string> keys = {
            "trace",           "name",  "batch",  "mode", "eager", "source",
            "tensor_identity", "notes", "licence"};
        if (!object.is_object() || !object.contains("trace")) {
            throw TraceError(
                "not a Diastole trace: expected a header line {\"trace\":\"diastole/1\",...}"
                " (diastole import converts other formats)");
        }
        const Fields fields(object, "header", keys);
        const std::string version = fields.text("trace");
        if (version != "diastole/1") {
            fields.fail("trace: expected 'diastole/1', got '" + version + "'");
        }
        fields.read("name", graph_.name);
        graph_.batch = fields.number("batch", 1, std::uint64_t{1} << 40);
        graph_.mode = one_of(fields, "mode", {"inference", "training"}) == 1 ? Mode::training
                                                                             : Mode::inference;
        graph_.identity_inferred = one_of(fields, "tensor_identity", {"given", "inferred"}) == 1;
        fields.read("eager", graph_.eager);
        fields.read("source", graph_.source);
        fields.read("licence", graph_.licence);
        if (fields.find("notes") == nullptr) return;
        for (const Json& note : fields.array("notes")) {
            if (!note.is_string()) fields.fail("notes: expected texts, got " + shown(note));
            graph_.notes.push_back(note.get<std::string>());
        }
    }

    // The first is the default.
    static std::size_t one_of(const Fields& fields, const char* key,
                              const std::vector<std::string>& names) {
        std::string name = names.front();
        fields.read(key, name);
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
            fields.fail(std::string(key) + ": expected '" + names[0] + "' or '" + names[1] +
                        "', got '" + name + "'");
        }
        return static_cast<std::size_t>(found - names.begin());
    }

    void read_operator(const Json& object) {
        static const std::vector<std::string> keys = {"id",      "name",  "kind",
                                                      "phase",   "deps",  "inputs",
                                                      "outputs", "attrs", "recorded_seconds"};
        Operator op;
        op.id = Fields(object, "operator", keys).number("id", 0, any64);
        const Fields fields(object, "operator " + std::to_string(op.id), keys);
        if (!by_id_.emplace(op.id, graph_.operators.size()).second) {
            fields.fail("the id is already that of the operator on line " +
                        std::to_string(line_of_[by_id_[op.id]]));
        }
        fields.read("name", op.name);
        op.kind = kind_of(fields);
        if (fields.find("phase") != nullptr) op.phase = phase_of(fields);
        op.inputs = tensors(fields, "inputs");
        op.outputs = tensors(fields, "outputs");
        std::vector<std::uint64_t> deps;
        if (fields.find("deps") != nullptr) {
            for (const Json& dep : fields.array("deps")) {
                deps.push_back(native::whole_number(dep, fields.where() + ": deps", 0, any64));
            }
        }
        if (const Json* attrs = fields.find("attrs")) {
            op.attrs = native::attributes_from(*attrs, fields.where() + ": attrs");
        }
        if (fields.find("recorded_seconds") != nullptr) {
            double seconds = 0;
            fields.read("recorded_seconds", seconds, 0.0, 1e9);
            op.recorded_seconds = seconds;
        }
        validate_operator(graph_, op);
        graph_.operators.push_back(std::move(op));
        dep_ids_.push_back(std::move(deps));
        line_of_.push_back(lines_.line_number());
    }

    static OpKind kind_of(const Fields& fields) {
        const std::string name = fields.text("kind");
        if (const auto kind = op_kind_from_name(name)) return *kind;
        fields.fail("unknown kind '" + name + "'" + did_you_mean(name, op_kind_names()));
    }

    static Phase phase_of(const Fields& fields) {
        const std::string name = fields.text("phase");
        if (const auto phase = phase_from_name(name)) return *phase;
        fields.fail("unknown phase '" + name + "'" +
                    did_you_mean(name, {"forward", "backward", "optimizer", "other"}));
    }

    std::vector<TensorIndex> tensors(const Fields& fields, const char* key) {
        std::vector<TensorIndex> indices;
        if (fields.find(key) == nullptr) return indices;
        for (const Json& object : fields.array(key)) {
            indices.push_back(tensor(
                object, fields.where() + ": " + key + "[" + std::to_string(indices.size()) + "]"));
        }
        return indices;
    }

    TensorIndex tensor(const Json& object, const std::string& where) {
        static const std::vector<std::string> keys = {"id", "shape", "dtype"};
        const Fields fields(object, where, keys);
        Tensor tensor;
        tensor.id = fields.text("id");
        tensor.type = native::dtype(fields.require("dtype"), where + ": dtype");
        tensor.shape = shape(fields);
        const auto [found, fresh] =
            by_tensor_.emplace(tensor.id, static_cast<TensorIndex>(graph_.tensors.size()));
        if (fresh) {
            graph_.tensors.push_back(std::move(tensor));
        } else if (const Tensor& known = graph_.tensors[found->second];
                   known.shape != tensor.shape || known.type != tensor.type) {
            fields.fail("tensor '" + tensor.id + "' is " + describe(tensor) + " here and " +
                        describe(known) + " before");
        }
        return found->second;
    }

    static std::vector<std::uint64_t> shape(const Fields& fields) {
        std::vector<std::uint64_t> shape;
        for (const Json& value : fields.array("shape")) {
            shape.push_back(
                native::whole_number(value, fields.where() + ": shape", 1, most_elements));
        }
        if (!is_plausible(shape)) {
            fields.fail("shape " + shown(fields.require("shape")) +
                        " has more than 2^48 elements or 64 dimensions");
        }
        return shape;
    }

    void resolve_dependencies() {
        for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
            Operator& op = graph_.operators[i];
            for (const std::uint64_t id : dep_ids_[i]) {
                const auto found = by_id_.find(id);
                if (found == by_id_.end()) {
                    throw TraceError(at(line_of_[i]) + "operator " + std::to_string(op.id) +
                                     " depends on operator " + std::to_string(id) +
                                     ", which the trace does not hold");
                }
                op.deps.push_back(static_cast<OperatorIndex>(found->second));
            }
        }
    }

    // Kahn's algorithm; among the operators that are ready, the first of the file goes first, so a
    // file in launch order stays as it is.
    void sort_operators() {
        const std::size_t count = graph_.operators.size();
        std::vector<std::size_t> waits(count, 0);
        std::vector<std::vector<OperatorIndex>> users(count);
        std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
        for (std::size_t i = 0; i < count; ++i) {
            waits[i] = graph_.operators[i].deps.size();
            for (const OperatorIndex dep : graph_.operators[i].deps) {
                users[dep].push_back(static_cast<OperatorIndex>(i));
            }
            if (waits[i] == 0) ready.push(i);
        }
        std::vector<OperatorIndex> place(count, 0);
        std::vector<Operator> sorted;
        sorted.reserve(count);
        while (!ready.empty()) {
            const std::size_t i = ready.top();
            ready.pop();
            place[i] = static_cast<OperatorIndex>(sorted.size());
            for (const OperatorIndex user : users[i]) {
                if (--waits[user] == 0) ready.push(user);
            }
            sorted.push_back(std::move(graph_.operators[i]));
            if (sorted.back().deps.empty()) continue;
            for (OperatorIndex& dep : sorted.back().deps) dep = place[dep];
        }
        if (sorted.size() < count) report_cycle(waits);
        graph_.operators = std::move(sorted);
    }

    // Whoever still waits has a dependency that waits too: following those must come back.
    [[noreturn]] void report_cycle(const std::vector<std::size_t>& waits) const {
        std::size_t at_operator = 0;
        while (waits[at_operator] == 0) ++at_operator;
        std::vector<std::size_t> path, seen_at(waits.size(), waits.size());
        while (seen_at[at_operator] == waits.size()) {
            seen_at[at_operator] = path.size();
            path.push_back(at_operator);
            const auto& deps = graph_.operators[at_operator].deps;
            at_operator = *std::find_if(deps.begin(), deps.end(),
                                        [&](OperatorIndex dep) { return waits[dep] != 0; });
        }
        const std::size_t start = seen_at[at_operator], length = path.size() - start;
        std::string ids;
        for (std::size_t i = start; i < path.size() && i < start + 8; ++i) {
            ids += std::to_string(graph_.operators[path[i]].id) + " -> ";
        }
        if (length > 8) ids += "... -> ";
        throw TraceError(at(line_of_[at_operator]) +
                         "operators depend on each other in a circle: " + ids +
                         std::to_string(graph_.operators[at_operator].id) + " (" +
                         std::to_string(length) + " operators)");
    }

    std::string name_;
    LineReader lines_;
    Graph graph_;
    std::unordered_map<std::string, TensorIndex> by_tensor_;  // looked up, never iterated
    std::unordered_map<std::uint64_t, std::size_t> by_id_;
    std::vector<std::vector<std::uint64_t>> dep_ids_;  // of each operator, in file order
    std::vector<std::uint64_t> line_of_;
};

// "a/b/trace.jsonl" and "rows.npy" -> "a/b/rows.npy".
void take_from(const std::string& folder, std::string& path) {
    if (!path.empty() && path.front() != '/') path.insert(0, folder);
}

}  // namespace

Graph read_native_trace(ByteSource& source) {
    return NativeReader(source).read();
}

Graph read_native_trace(const std::string& path) {
    Graph graph = read_native_trace(*open_file(path));
    const std::string folder = path.substr(0, path.rfind('/') + 1);  // npos + 1 is 0: no folder
    for (Operator& op : graph.operators) {
        for (EmbeddingTable& table : op.attrs.tables) {
            take_from(folder, table.indices.indices_path);
            take_from(folder, table.indices.offsets_path);
        }
    }
    return graph;
}

}  // namespace diastole
