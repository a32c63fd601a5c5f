#include "workloads/generate/model_description.hpp"

#include <algorithm>
#include <stdexcept>

#include "model/base/error.hpp"
#include "workloads/generate/index_streams.hpp"
#include "workloads/generate/reuse_histogram.hpp"

namespace diastole {
namespace {

// Far above every published model, and low enough for 64-bit products (see build_model).
constexpr std::uint64_t most_rows = std::uint64_t{1} << 40;
constexpr std::uint32_t widest_layer = 1 << 20;
constexpr std::uint32_t most_tables = 1 << 14;
constexpr std::uint32_t widest_row = 1 << 16;
constexpr std::uint64_t widest_pooled = 1 << 24;
constexpr double most_pooling = 1 << 20;
constexpr std::uint32_t most_cross_layers = 1000;

using Problems = std::vector<DescriptionProblem>;

std::string between(std::uint64_t low, std::uint64_t high, std::uint64_t got) {
    return "expected " + std::to_string(low) + " to " + std::to_string(high) + ", got " +
           std::to_string(got);
}

void check_layers(const std::string& key, const std::vector<std::uint32_t>& widths,
                  Problems& problems) {
    for (const std::uint32_t width : widths) {
        if (width == 0 || width > widest_layer) {
            problems.push_back({key, between(1, widest_layer, width)});
        }
    }
}

void check_tables(const ModelDescription& model, Problems& problems) {
    if (model.tables.empty() || model.tables.size() > most_tables) {
        problems.push_back({"tables", between(1, most_tables, model.tables.size())});
        return;
    }
    std::uint64_t pooled = 0;
    std::string histogram;  // the last one read: most tables share one
    for (const TableDescription& table : model.tables) {
        const std::string key = "tables." + table.name;
        if (table.rows == 0 || table.rows > most_rows) {
            problems.push_back({key + ".rows", between(1, most_rows, table.rows)});
        } else {
            EmbeddingTable probe;
            probe.rows = table.rows;
            probe.indices = table.indices;
            try {
                check_indices(probe, key);
                const bool measured =
                    table.indices.distribution == IndexDistribution::reuse_histogram;
                if (measured && table.indices.histogram != histogram) {
                    histogram = table.indices.histogram;
                    read_reuse_histogram(histogram);
                }
            } catch (const std::runtime_error& error) {
                std::string text = error.what();
                if (text.rfind(key + ": ", 0) == 0) text = text.substr(key.size() + 2);
                problems.push_back({key, text});
            }
        }
        if (table.dim == 0 || table.dim > widest_row) {
            problems.push_back({key + ".dim", between(1, widest_row, table.dim)});
        }
        if (!(table.pooling > 0 && table.pooling <= most_pooling)) {
            problems.push_back(
                {key + ".pooling", "expected above 0 and at most 1048576 lookups per sample"});
        }
        pooled += table.dim;
    }
    if (pooled > widest_pooled) {
        problems.push_back({"tables", "rows of all tables together are wider than 16777216"});
    }
}

void check_interaction(const ModelDescription& model, Problems& problems) {
    const auto wrong = [&](const std::string& text) { problems.push_back({"interaction", text}); };
    const std::uint32_t dense =
        model.bottom_mlp.empty() ? model.dense_inputs : model.bottom_mlp.back();
    switch (model.interaction) {
        case Interaction::cat:
            break;
        case Interaction::dot:
            if (std::any_of(model.tables.begin(), model.tables.end(),
                            [&](const TableDescription& t) { return t.dim != dense; })) {
                wrong("dot needs every table as wide as the bottom MLP's output, " +
                      std::to_string(dense));
            }
            break;
        case Interaction::dcn_v2:
            if (model.cross_layers == 0 || model.cross_layers > most_cross_layers) {
                wrong("layers: " + between(1, most_cross_layers, model.cross_layers));
            }
            if (model.low_rank == 0 || model.low_rank > widest_layer) {
                wrong("low_rank: " + between(1, widest_layer, model.low_rank));
            }
            break;
        case Interaction::neumf:
            if (model.tables.size() % 2 != 0) wrong("neumf needs an even number of tables");
            if (!model.tables.empty() &&
                std::any_of(model.tables.begin(), model.tables.end(),
                            [&](const auto& t) { return t.dim != model.tables.front().dim; })) {
                wrong("neumf needs tables of one dim");
            }
            if (model.dense_inputs != 0) wrong("neumf takes no dense inputs");
            if (model.top_mlp.size() < 2) wrong("neumf needs two top layers or more");
            break;
    }
}

}  // namespace

std::vector<DescriptionProblem> problems_of(const ModelDescription& model) {
    Problems problems;
    if (model.name.empty()) problems.push_back({"name", "is missing"});
    if (model.batch == 0 || model.batch > (std::uint64_t{1} << 31)) {
        problems.push_back({"batch", between(1, std::uint64_t{1} << 31, model.batch)});
    }
    if (model.dense_inputs > widest_layer) {
        problems.push_back({"dense_inputs", between(0, widest_layer, model.dense_inputs)});
    }
    if (model.dense_inputs == 0 && !model.bottom_mlp.empty()) {
        problems.push_back({"bottom_mlp", "has layers, but dense_inputs is 0"});
    }
    if (model.top_mlp.empty()) problems.push_back({"top_mlp", "expected at least one layer"});
    if (model.index_type != DType::int64 && model.index_type != DType::int32) {
        problems.push_back({"index_dtype", "expected int64 or int32"});
    }
    check_layers("bottom_mlp", model.bottom_mlp, problems);
    check_layers("top_mlp", model.top_mlp, problems);
    check_tables(model, problems);
    check_interaction(model, problems);
    return problems;
}

std::uint32_t pooled_width(const ModelDescription& model) {
    std::uint32_t width = 0;
    for (const TableDescription& table : model.tables) width += table.dim;
    return width;
}

}  // namespace diastole
