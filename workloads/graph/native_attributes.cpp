// The `attrs` object of an operator, both ways. A key that is at its default is not written.
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "workloads/graph/native_fields.hpp"

namespace diastole::native {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::uint64_t any64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t any32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t most_elements = std::uint64_t{1} << 48;
constexpr std::uint64_t most_lookups = std::uint64_t{1} << 40;
constexpr std::uint64_t most_axes = 64;
constexpr std::uint64_t most_window = std::uint64_t{1} << 24;  // strides, dilations, padding

constexpr std::array<const char*, 4> distribution_names = {"uniform", "zipf", "reuse_histogram",
                                                           "npy"};

std::vector<std::uint32_t> per_dimension(const Fields& fields, const char* key,
                                         const std::string& where, std::uint64_t least) {
    std::vector<std::uint32_t> values;
    if (fields.find(key) == nullptr) return values;
    for (const Json& value : fields.array(key)) {
        values.push_back(static_cast<std::uint32_t>(
            whole_number(value, where + ": " + key, least, most_window)));
    }
    return values;
}

IndexDistribution distribution_from(const Fields& fields) {
    const std::string name = fields.text("distribution");
    for (std::size_t i = 0; i < distribution_names.size(); ++i) {
        if (name == distribution_names[i]) return static_cast<IndexDistribution>(i);
    }
    fields.fail("unknown distribution '" + name + "'" +
                did_you_mean(name, {distribution_names.begin(), distribution_names.end()}));
}

IndexSpec index_spec_from(const Json& object, const std::string& where) {
    static const std::vector<std::string> keys = {
        "distribution", "q", "s", "heavy_hitters", "histogram", "indices", "offsets"};
    const Fields fields(object, where, keys);
    IndexSpec spec;
    spec.distribution = distribution_from(fields);
    fields.read("q", spec.zipf_q, -0.999, 1e15);
    fields.read("s", spec.zipf_s, 0.0, 20.0);
    double total = 0;
    if (fields.find("heavy_hitters") != nullptr) {
        for (const Json& value : fields.array("heavy_hitters")) {
            const double share = value.is_number() ? value.get<double>() : -1;
            if (!(share >= 0 && share <= 1)) {
                fields.fail("heavy_hitters: expected probabilities from 0 to 1, got " +
                            shown(value));
            }
            total += share;
            spec.heavy_hitters.push_back(share);
        }
    }
    if (total > 1 + 1e-9) fields.fail("heavy_hitters: the probabilities sum to more than 1");
    fields.read("histogram", spec.histogram);
    fields.read("indices", spec.indices_path);
    fields.read("offsets", spec.offsets_path);
    if (spec.distribution == IndexDistribution::reuse_histogram && spec.histogram.empty()) {
        fields.fail("a reuse_histogram needs the key 'histogram'");
    }
    if (spec.distribution == IndexDistribution::npy && spec.indices_path.empty()) {
        fields.fail("npy indices need the key 'indices'");
    }
    return spec;
}

EmbeddingTable table_from(const Json& object, const std::string& where) {
    static const std::vector<std::string> keys = {"name", "rows",    "dim",    "dtype",
                                                  "bags", "lookups", "indices"};
    const Fields fields(object, where, keys);
    EmbeddingTable table;
    fields.read("name", table.name);
    table.rows = fields.number("rows", 1, most_elements);
    table.dim = static_cast<std::uint32_t>(fields.number("dim", 1, 1 << 16));
    if (const Json* type = fields.find("dtype")) table.type = dtype(*type, where + ": dtype");
    table.bags = static_cast<std::uint32_t>(fields.number("bags", 1, any32));
    table.lookups = fields.number("lookups", 0, most_lookups);
    if (const Json* spec = fields.find("indices")) {
        table.indices = index_spec_from(*spec, where + ": indices");
    }
    return table;
}

Ordered to_json(const IndexSpec& spec) {
    Ordered object;
    object["distribution"] = distribution_names[static_cast<std::size_t>(spec.distribution)];
    const IndexSpec plain;
    if (spec.zipf_q != plain.zipf_q) object["q"] = spec.zipf_q;
    if (spec.zipf_s != plain.zipf_s) object["s"] = spec.zipf_s;
    if (!spec.heavy_hitters.empty()) object["heavy_hitters"] = spec.heavy_hitters;
    if (!spec.histogram.empty()) object["histogram"] = spec.histogram;
    if (!spec.indices_path.empty()) object["indices"] = spec.indices_path;
    if (!spec.offsets_path.empty()) object["offsets"] = spec.offsets_path;
    return object;
}

Ordered to_json(const EmbeddingTable& table) {
    Ordered object;
    if (!table.name.empty()) object["name"] = table.name;
    object["rows"] = table.rows;
    object["dim"] = table.dim;
    object["dtype"] = name_of(table.type);
    object["bags"] = table.bags;
    object["lookups"] = table.lookups;
    Ordered indices = to_json(table.indices);
    const bool plain =
        indices.size() == 1 && table.indices.distribution == IndexDistribution::uniform;
    if (!plain) object["indices"] = std::move(indices);
    return object;
}

}  // namespace

Attributes attributes_from(const Json& object, const std::string& where) {
    static const std::vector<std::string> keys = {"transpose_a",
                                                  "transpose_b",
                                                  "ops_per_element",
                                                  "transcendental",
                                                  "axes",
                                                  "tables",
                                                  "weighted",
                                                  "collective",
                                                  "world_size",
                                                  "to_host",
                                                  "from_host",
                                                  "bytes",
                                                  "view",
                                                  "host_copy_request",
                                                  "strides",
                                                  "dilations",
                                                  "padding"};
    const Fields fields(object, where, keys);
    Attributes attrs;
    fields.read("transpose_a", attrs.transpose_a);
    fields.read("transpose_b", attrs.transpose_b);
    fields.read("ops_per_element", attrs.ops_per_element, std::uint32_t{0}, std::uint32_t{1} << 12);
    fields.read("transcendental", attrs.transcendental);
    if (fields.find("axes") != nullptr) {
        for (const Json& axis : fields.array("axes")) {
            attrs.axes.push_back(
                static_cast<std::uint32_t>(whole_number(axis, where + ": axes", 0, most_axes)));
        }
    }
    if (fields.find("tables") != nullptr) {
        for (const Json& table : fields.array("tables")) {
            attrs.tables.push_back(
                table_from(table, where + ": table " + std::to_string(attrs.tables.size())));
        }
    }
    fields.read("weighted", attrs.weighted);
    fields.read("collective", attrs.collective);
    fields.read("world_size", attrs.world_size, std::uint32_t{1}, std::uint32_t{1} << 24);
    fields.read("to_host", attrs.to_host);
    fields.read("from_host", attrs.from_host);
    fields.read("host_copy_request", attrs.host_copy_request);
    if (fields.find("bytes") != nullptr) attrs.bytes = fields.number("bytes", 0, any64 >> 8);
    fields.read("view", attrs.view);
    attrs.strides = per_dimension(fields, "strides", where, 1);
    attrs.dilations = per_dimension(fields, "dilations", where, 1);
    attrs.padding = per_dimension(fields, "padding", where, 0);
    return attrs;
}

Ordered attributes_to_json(const Attributes& attrs) {
    Ordered object = Ordered::object();
    if (attrs.transpose_a) object["transpose_a"] = true;
    if (attrs.transpose_b) object["transpose_b"] = true;
    if (attrs.ops_per_element != 1) object["ops_per_element"] = attrs.ops_per_element;
    if (attrs.transcendental) object["transcendental"] = true;
    if (!attrs.axes.empty()) object["axes"] = attrs.axes;
    for (const EmbeddingTable& table : attrs.tables) object["tables"].push_back(to_json(table));
    if (attrs.weighted) object["weighted"] = true;
    if (!attrs.collective.empty()) object["collective"] = attrs.collective;
    if (attrs.world_size != 1) object["world_size"] = attrs.world_size;
    if (attrs.to_host) object["to_host"] = true;
    if (attrs.from_host) object["from_host"] = true;
    if (attrs.host_copy_request) object["host_copy_request"] = true;
    if (attrs.bytes) object["bytes"] = *attrs.bytes;
    if (attrs.view) object["view"] = true;
    if (!attrs.strides.empty()) object["strides"] = attrs.strides;
    if (!attrs.dilations.empty()) object["dilations"] = attrs.dilations;
    if (!attrs.padding.empty()) object["padding"] = attrs.padding;
    return object;
}

}  // namespace diastole::native
