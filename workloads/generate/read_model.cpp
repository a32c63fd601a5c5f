#include "workloads/generate/read_model.hpp"

#include <filesystem>
#include <utility>
#include <vector>

#include "model/base/error.hpp"
#include "model/config/document.hpp"

namespace diastole {
namespace {

using config::Document;
using config::Node;
using config::Problems;
using config::Value;

constexpr std::uint64_t most_tables_of_a_kind = 1 << 14;

template <class E>
using Choices = std::vector<std::pair<std::string, E>>;

Choices<DType> dtypes() {
    Choices<DType> choices;
    for (const DTypeInfo& info : dtype_table) {
        choices.emplace_back(std::string(info.name), info.type);
    }
    return choices;
}

const Choices<Interaction> interactions = {{"cat", Interaction::cat},
                                           {"dot", Interaction::dot},
                                           {"dcn_v2", Interaction::dcn_v2},
                                           {"neumf", Interaction::neumf}};
const Choices<Optimizer> optimizers = {
    {"sgd", Optimizer::sgd}, {"adagrad", Optimizer::adagrad}, {"adam", Optimizer::adam}};
const Choices<IndexDistribution> distributions = {
    {"uniform", IndexDistribution::uniform},
    {"zipf", IndexDistribution::zipf},
    {"reuse_histogram", IndexDistribution::reuse_histogram},
    {"npy", IndexDistribution::npy}};

class Reader {
  public:
    Reader(const Document& document, std::string folder)
        : root_(document.root()), folder_(std::move(folder)) {}

    ModelDescription read();

  private:
    void read_tables();
    void read_table_list();
    void add_table(const Node& node, std::string name, std::uint64_t rows, std::uint32_t dim,
                   double pooling, const IndexSpec& indices);
    IndexSpec indices_of(const Node& node, const IndexSpec& fallback);
    [[nodiscard]] std::string beside(const std::string& path) const {
        if (path.empty()) return path;
        const std::filesystem::path file(path);
        return file.is_absolute() ? path : (std::filesystem::path(folder_) / file).string();
    }
    void note(const Node& node, const std::string& about) {
        const auto text = node.get<std::string>("assumed", "");
        if (!text.empty()) model_.notes.push_back("assumed: " + about + ": " + text);
    }

    Node root_;
    std::string folder_;
    ModelDescription model_;
    IndexSpec indices_;
};

ModelDescription Reader::read() {
    model_.name = root_.require<std::string>("name");
    model_.source = root_.get<std::string>("source", "");
    model_.notes = root_.get<std::vector<std::string>>("notes", {});
    model_.batch = root_.require<std::uint64_t>("batch");
    model_.row_type = root_.get_enum("row_dtype", model_.row_type, dtypes());
    model_.dense_type = root_.get_enum("dense_dtype", model_.dense_type, dtypes());
    model_.index_type =
        root_.get_enum("index_dtype", model_.index_type,
                       Choices<DType>{{"int64", DType::int64}, {"int32", DType::int32}});
    model_.dense_inputs = root_.get<std::uint32_t>("dense_inputs", 0);
    model_.bottom_mlp = root_.get<std::vector<std::uint32_t>>("bottom_mlp", {});
    model_.top_mlp = root_.require<std::vector<std::uint32_t>>("top_mlp");
    model_.optimizer = root_.get_enum("optimizer", model_.optimizer, optimizers);
    const Node interaction = root_.table("interaction");
    model_.interaction = interaction.get_enum("type", model_.interaction, interactions);
    if (model_.interaction == Interaction::dcn_v2) {
        model_.cross_layers = interaction.require<std::uint32_t>("layers");
        model_.low_rank = interaction.require<std::uint32_t>("low_rank");
    }
    note(interaction, "interaction");
    if (root_.has("indices")) indices_ = indices_of(root_.table("indices"), indices_);
    if (!root_.has("tables") && !root_.has("table")) {
        root_.problem("tables", "missing: a [tables] with lists, or one [[table]] each");
    }
    read_tables();
    read_table_list();
    return std::move(model_);
}

IndexSpec Reader::indices_of(const Node& node, const IndexSpec& fallback) {
    IndexSpec spec = fallback;
    spec.distribution = node.get_enum("distribution", spec.distribution, distributions);
    note(node, "indices");
    switch (spec.distribution) {
        case IndexDistribution::uniform:
            break;
        case IndexDistribution::zipf:
            spec.zipf_q = node.get<double>("q", spec.zipf_q);
            spec.zipf_s = node.get<double>("s", spec.zipf_s);
            spec.heavy_hitters = node.get<std::vector<double>>("heavy_hitters", spec.heavy_hitters);
            break;
        case IndexDistribution::reuse_histogram:
            if (node.has("histogram") || spec.histogram.empty()) {
                spec.histogram = beside(node.require<std::string>("histogram"));
            }
            break;
        case IndexDistribution::npy:
            spec.indices_path = beside(node.require<std::string>("indices"));
            spec.offsets_path = beside(node.get<std::string>("offsets", ""));
            break;
    }
    return spec;
}

void Reader::add_table(const Node& node, std::string name, std::uint64_t rows, std::uint32_t dim,
                       double pooling, const IndexSpec& indices) {
    if (model_.tables.size() >= most_tables_of_a_kind) {
        if (model_.tables.size() == most_tables_of_a_kind) node.problem("", "too many tables");
        return;
    }
    TableDescription table;
    table.name = std::move(name);
    table.rows = rows;
    table.dim = dim;
    table.pooling = pooling;
    table.indices = indices;
    model_.tables.push_back(std::move(table));
}

// [tables]: lists with one entry per table; a list of one entry holds for all.
void Reader::read_tables() {
    if (!root_.has("tables")) return;
    const Node node = root_.table("tables");
    const auto rows = node.require<std::vector<std::uint64_t>>("rows");
    const auto dim = node.require<std::vector<std::uint32_t>>("dim");
    const auto pooling = node.get<std::vector<double>>("pooling", {1.0});
    const auto count = node.get<std::uint64_t>("count", rows.size());
    note(node, "tables");
    if (count == 0 || count > most_tables_of_a_kind) {
        if (node.has("count")) node.problem("count", "expected 1 to 16384 tables");
        return;
    }
    const auto fits = [&](const char* key, std::size_t entries) {
        if (entries == 1 || entries == count) return true;
        node.problem(key, "expected 1 or " + std::to_string(count) +
                              " entries, one per table, got " + std::to_string(entries));
        return false;
    };
    const bool rows_fit = fits("rows", rows.size());
    const bool dim_fits = fits("dim", dim.size());
    const bool pooling_fits = fits("pooling", pooling.size());
    if (!rows_fit || !dim_fits || !pooling_fits) return;
    const auto entry = [](const auto& list, std::size_t i) {
        return list.size() == 1 ? list.front() : list[i];
    };
    for (std::size_t i = 0; i < count; ++i) {
        add_table(node, "t" + std::to_string(i), entry(rows, i), entry(dim, i), entry(pooling, i),
                  indices_);
    }
}

// [[table]]: one table, or `count` equal ones.
void Reader::read_table_list() {
    for (const Node& node : root_.tables("table")) {
        const auto name = node.get<std::string>("name", "t" + std::to_string(model_.tables.size()));
        const auto rows = node.require<std::uint64_t>("rows");
        const auto dim = node.require<std::uint32_t>("dim");
        const auto pooling = node.get<double>("pooling", 1.0);
        const auto count = node.get<std::uint64_t>("count", 1);
        const IndexSpec indices =
            node.has("indices") ? indices_of(node.table("indices"), indices_) : indices_;
        if (count == 0 || count > most_tables_of_a_kind) {
            node.problem("count", "expected 1 to 16384 tables");
            continue;
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::string suffix = count > 1 ? "." + std::to_string(i) : "";
            add_table(node, name + suffix, rows, dim, pooling, indices);
        }
    }
}

// Values marked `assumed` in place: "top_mlp = [256, 1]: assumed, ...".
void collect_assumed(const Value& table, const std::string& path, std::vector<std::string>& notes) {
    for (std::size_t i = 0; i < table.names.size(); ++i) {
        const Value& item = table.items[i];
        if (item.kind != config::Kind::table) continue;
        const std::string name = path.empty() ? table.names[i] : path + "." + table.names[i];
        const Value* assumed = item.find("assumed");
        const Value* value = item.find("value");
        if (assumed != nullptr && value != nullptr) {
            notes.push_back("assumed: " + name + " = " + config::show(*value) + ": " +
                            assumed->text);
        } else {
            collect_assumed(item, name, notes);
        }
    }
}

// The place of the problem's key: the deepest part of it that the file has.
void report(const Document& document, const DescriptionProblem& problem) {
    const Node root = document.root();
    const std::string top = problem.key.substr(0, problem.key.find('.'));
    if (top == "tables" && root.has("tables") && problem.key != top) {
        const std::string column = problem.key.substr(problem.key.rfind('.') + 1);
        const Node tables = root.table("tables");
        tables.problem(tables.has(column) ? column : "",
                       problem.key.substr(7) + ": " + problem.text);
    } else {
        root.problem(root.has(top) ? top : "", problem.key + ": " + problem.text);
    }
}

ModelDescription finish(const Document& document, const std::string& folder, Problems& problems) {
    ModelDescription model = Reader(document, folder).read();
    collect_assumed(document.tree(), "", model.notes);
    document.reject_unknown();
    problems.throw_if_any();  // what follows would repeat them
    for (const DescriptionProblem& problem : problems_of(model)) report(document, problem);
    problems.throw_if_any();
    return model;
}

}  // namespace

ModelDescription read_model(const std::string& path) {
    Problems problems;
    const Document document = Document::load(path, problems);
    return finish(document, std::filesystem::path(path).parent_path().string(), problems);
}

ModelDescription read_model_text(std::string_view text, const std::string& shown,
                                 const std::string& folder) {
    Problems problems;
    const Document document = Document::parse(text, shown, problems);
    return finish(document, folder, problems);
}

}  // namespace diastole
