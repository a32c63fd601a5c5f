#include <nlohmann/json.hpp>

#include "model/base/atomic_file.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_fields.hpp"
#include "workloads/graph/native_trace.hpp"

namespace diastole {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered header_of(const Graph& graph) {
    Ordered header;
    header["trace"] = "diastole/1";
    header["name"] = graph.name;
    header["batch"] = graph.batch;
    header["mode"] = name_of(graph.mode);
    header["tensor_identity"] = graph.identity_inferred ? "inferred" : "given";
    if (graph.eager) header["eager"] = true;
    if (!graph.source.empty()) header["source"] = graph.source;
    if (!graph.licence.empty()) header["licence"] = graph.licence;
    if (!graph.notes.empty()) header["notes"] = graph.notes;
    return header;
}

Ordered tensors_of(const Graph& graph, const std::vector<TensorIndex>& indices) {
    Ordered list = Ordered::array();
    for (const TensorIndex index : indices) {
        const Tensor& tensor = graph.tensors[index];
        list.push_back(
            {{"id", tensor.id}, {"shape", tensor.shape}, {"dtype", name_of(tensor.type)}});
    }
    return list;
}

Ordered operator_of(const Graph& graph, const Operator& op) {
    Ordered object;
    object["id"] = op.id;
    object["name"] = op.name;
    object["kind"] = name_of(op.kind);
    object["phase"] = name_of(op.phase);
    object["inputs"] = tensors_of(graph, op.inputs);
    object["outputs"] = tensors_of(graph, op.outputs);
    object["deps"] = Ordered::array();
    for (const OperatorIndex dep : op.deps) object["deps"].push_back(graph.operators[dep].id);
    Ordered attrs = native::attributes_to_json(op.attrs);
    if (!attrs.empty()) object["attrs"] = std::move(attrs);
    if (op.recorded_seconds) object["recorded_seconds"] = *op.recorded_seconds;
    return object;
}

void append_line(std::string& text, const Ordered& object) {
    // Names from foreign traces may hold bytes that are not UTF-8; they must not stop the writer.
    text += object.dump(-1, ' ', false, Ordered::error_handler_t::replace);
    text += '\n';
}

}  // namespace

std::string native_trace_text(const Graph& graph) {
    std::string text;
    append_line(text, header_of(graph));
    for (const Operator& op : graph.operators) append_line(text, operator_of(graph, op));
    return text;
}

void write_native_trace(const Graph& graph, const std::string& path) {
    AtomicFile file(path);
    const std::string text = native_trace_text(graph);
    file.write(has_gzip_name(path) ? gzip(text) : text);
    file.commit();
}

}  // namespace diastole
