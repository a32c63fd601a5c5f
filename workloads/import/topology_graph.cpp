#include "workloads/import/topology_graph.hpp"

#include <map>
#include <set>
#include <utility>

#include "model/base/error.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/validate.hpp"
#include "workloads/graph/work.hpp"

namespace diastole {
namespace {

using Shape = std::vector<std::uint64_t>;

// Images of one pass: those of all layers where they agree.
std::uint64_t common_batch(const Topology& topology) {
    const std::uint64_t first = topology.layers.front().batch;
    for (const TopologyLayer& layer : topology.layers) {
        if (layer.batch != first) return 1;
    }
    return first;
}

class Builder {
  public:
    Builder(const Topology& topology, const TopologyOptions& options)
        : topology_(topology), options_(options) {
        graph_.name = options.name;
        graph_.batch = options.batch.value_or(common_batch(topology));
        graph_.identity_inferred = true;
        graph_.notes = {
            "a topology does not say whose result a layer reads: the latest of its input's shape, "
            "else an input of its own; layers run one after the other",
            "types are not in the file either; " + std::string(name_of(options.type)) +
                " is assumed"};
    }

    Graph build() {
        std::uint64_t line = 0;
        for (const TopologyLayer& layer : topology_.layers) {
            // A depthwise line was read as a layer for each channel.
            if (layer.line == line) continue;
            line = layer.line;
            add(layer);
        }
        share_unread_results();
        return std::move(graph_);
    }

  private:
    [[noreturn]] void fail(const TopologyLayer& layer, const std::string& what) const {
        throw TraceError(topology_.file + ':' + std::to_string(layer.line) + ": layer '" +
                         name_of_layer(layer) + "' " + what);
    }

    // Channels of a depthwise line carry their number.
    static std::string name_of_layer(const TopologyLayer& layer) {
        const std::size_t end = layer.name.rfind("Channel_");
        return layer.convolution.depthwise ? layer.name.substr(0, end) : layer.name;
    }

    [[nodiscard]] TensorIndex tensor(const TopologyLayer& layer, const char* role, Shape shape) {
        if (!is_plausible(shape)) fail(layer, "is too large: " + describe_shape(shape));
        graph_.tensors.push_back(
            {role + std::to_string(graph_.operators.size() + 1), std::move(shape), options_.type});
        return static_cast<TensorIndex>(graph_.tensors.size() - 1);
    }

    [[nodiscard]] TensorIndex input(const TopologyLayer& layer, const Shape& shape) {
        const auto found = results_.find(shape);
        if (found != results_.end()) return found->second;
        return tensor(layer, "x", shape);
    }

    // Results that no later layer reads need no place each: those of a shape share one.
    void share_unread_results() {
        std::set<TensorIndex> read;
        for (const Operator& op : graph_.operators) read.insert(op.inputs.begin(), op.inputs.end());
        std::map<Shape, TensorIndex> places;
        for (Operator& op : graph_.operators) {
            TensorIndex& result = op.outputs.front();
            if (read.count(result) != 0) continue;
            result = places.emplace(graph_.tensors[result].shape, result).first->second;
        }
    }

    void add(const TopologyLayer& layer) {
        if (layer.pruned_2_4) {
            fail(layer,
                 "has 2:4 weights, which no chip is modelled with; `diastole gemm` counts "
                 "them on an array");
        }
        Operator op;
        op.id = graph_.operators.size() + 1;
        op.name = name_of_layer(layer);
        op.phase = Phase::forward;
        if (!graph_.operators.empty()) {
            op.deps.push_back(static_cast<OperatorIndex>(graph_.operators.size() - 1));
        }
        if (topology_.convolutions) {
            convolution(layer, op);
        } else {
            op.kind = OpKind::gemm;
            op.inputs = {input(layer, {layer.m, layer.k}), tensor(layer, "w", {layer.k, layer.n})};
            op.outputs = {tensor(layer, "y", {layer.m, layer.n})};
        }
        results_[graph_.tensors[op.outputs.front()].shape] = op.outputs.front();
        validate_operator(graph_, op);
        graph_.operators.push_back(std::move(op));
    }

    void convolution(const TopologyLayer& layer, Operator& op) {
        const TopologyConvolution& c = layer.convolution;
        const std::uint64_t images = options_.batch.value_or(layer.batch);
        const std::uint64_t filters = c.filters * (c.depthwise ? c.channels : 1);
        const std::uint64_t height = (c.ifmap_height - c.filter_height) / c.stride + 1;
        const std::uint64_t width = (c.ifmap_width - c.filter_width) / c.stride_width + 1;
        op.kind = OpKind::convolution;
        op.inputs = {
            input(layer, {images, c.channels, c.ifmap_height, c.ifmap_width}),
            tensor(layer, "w",
                   {filters, c.depthwise ? 1 : c.channels, c.filter_height, c.filter_width})};
        op.outputs = {tensor(layer, "y", {images, filters, height, width})};
        op.attrs.strides = {static_cast<std::uint32_t>(c.stride),
                            static_cast<std::uint32_t>(c.stride_width)};
    }

    const Topology& topology_;
    const TopologyOptions& options_;
    Graph graph_;
    std::map<Shape, TensorIndex> results_;  // the latest of each shape
};

// "a/b/resnet18.csv" -> "resnet18".
std::string stem(const std::string& path) {
    const std::size_t begin = path.rfind('/') + 1;  // npos + 1 is 0
    const std::size_t end = path.find('.', begin);
    return path.substr(begin, end == std::string::npos ? end : end - begin);
}

}  // namespace

Graph graph_of_topology(const Topology& topology, const TopologyOptions& options) {
    TopologyOptions chosen = options;
    if (options.batch && (!topology.convolutions || topology.has_batch_column)) {
        if (*options.batch != common_batch(topology)) {
            throw TraceError(topology.file + ": says its own batch, " +
                             std::to_string(common_batch(topology)) + "; it cannot be run with " +
                             std::to_string(*options.batch));
        }
        chosen.batch.reset();
    }
    return Builder(topology, chosen).build();
}

Coverage coverage_of_topology(const Graph& graph) {
    Coverage coverage;
    coverage.events = coverage.kernels = graph.operators.size();
    for (const Operator& op : graph.operators) {
        const Work work = work_of(graph, op);
        for (CoverageAmount* amount : {&coverage.modelled, &coverage.outside_embedding,
                                       &coverage.by_kind.at(static_cast<std::size_t>(op.kind)),
                                       &coverage.by_phase.at(static_cast<std::size_t>(op.phase))}) {
            ++amount->operators;
            amount->flops += work.flops;
            amount->bytes += work.read + work.written;
        }
    }
    return coverage;
}

Graph import_topology(const std::string& path, const TopologyOptions& options) {
    TopologyOptions named = options;
    if (named.name.empty()) named.name = stem(path);
    return graph_of_topology(read_topology(*open_file(path)), named);
}

}  // namespace diastole
