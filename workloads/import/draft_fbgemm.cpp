// Embedding lookups of FBGEMM (table-batched embedding, TBE) and the sparse operators around them.
#include <array>
#include <charconv>

#include "workloads/import/draft.hpp"

namespace diastole::kineto {
namespace {

constexpr std::size_t absent = 99;

// Where the arguments of a lookup stand, from the operator schemas of FBGEMM; `gradient` and
// `moment` of a backward only.
struct LookupSchema {
    std::string_view name;
    OpKind kind;
    std::size_t gradient, weights, dims, total_dim, indices, offsets, lookup_weights, moment;
};
constexpr std::array<LookupSchema, 3> schemas = {{
    {"fbgemm::split_embedding_codegen_forward_cpu", OpKind::embedding_bag, absent, 0, 2, 3, 5, 6, 8,
     absent},
    {"fbgemm::split_embedding_backward_codegen_rowwise_adagrad_cpu", OpKind::embedding_bag_backward,
     0, 1, 4, absent, 8, 9, 11, 13},
    {"fbgemm::split_embedding_codegen_grad_indice_weights_cpu", OpKind::embedding_bag, 0, 1, 3,
     absent, 4, 5, absent, absent},
}};
constexpr LookupSchema cuda_lookup = {"",    OpKind::embedding_bag, absent, 1, 6, 7, 11, 12, 14,
                                      absent};

std::uint64_t number_from(const std::vector<Argument>& arguments, std::size_t i) {
    std::uint64_t number = 0;
    if (i >= arguments.size()) return 0;
    const std::string& text = arguments[i].concrete;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc() ? number : 0;
}

// The part of `whole` that falls to number i of `count`: as even as whole numbers allow.
std::uint64_t share(std::uint64_t whole, std::uint64_t count, std::uint64_t i) {
    return whole / count + (i < whole % count ? 1 : 0);
}

// One table per entry of D_offsets; rows, dims and lookups are recorded as sums over the tables and
// spread evenly, which is exact for one table and for tables of equal dims and rows.
bool add_tables(const LookupSchema& schema, const std::vector<Argument>& all, Draft& draft) {
    for (const std::size_t i : {schema.weights, schema.dims, schema.indices, schema.offsets}) {
        if (!is_tensor(all, i)) return false;
    }
    const std::uint64_t tables = elements_of(all[schema.dims].shape) - 1;
    const std::uint64_t bags = elements_of(all[schema.offsets].shape) - 1;
    const bool from_gradient = schema.gradient != absent && is_tensor(all, schema.gradient) &&
                               all[schema.gradient].shape.size() == 2;
    const std::uint64_t dims =
        from_gradient ? all[schema.gradient].shape[1] : number_from(all, schema.total_dim);
    constexpr std::uint64_t most_tables = 1 << 16, most_dim = 1 << 16, most_bags = 1ULL << 32;
    if (tables == 0 || tables > most_tables || bags % tables != 0 || dims < tables) return false;
    if (dims / tables >= most_dim || bags == 0 || bags / tables >= most_bags) return false;
    const std::uint64_t rows = elements_of(all[schema.weights].shape) / dims;
    const std::uint64_t lookups = elements_of(all[schema.indices].shape);
    if (rows == 0 || lookups > 1ULL << 40) return false;
    for (std::uint64_t i = 0; i < tables; ++i) {
        EmbeddingTable table;
        table.name = "table" + std::to_string(i);
        table.rows = rows;
        table.dim = static_cast<std::uint32_t>(share(dims, tables, i));
        table.type = all[schema.weights].type;
        table.bags = static_cast<std::uint32_t>(bags / tables);
        table.lookups = share(lookups, tables, i);
        draft.attrs.tables.push_back(std::move(table));
    }
    return true;
}

std::optional<Draft> draft_lookup(const LookupSchema& schema, const std::vector<Argument>& all) {
    Draft draft;
    draft.kind = schema.kind;
    if (!add_tables(schema, all, draft)) return std::nullopt;
    draft.attrs.weighted = is_tensor(all, schema.lookup_weights);
    if (schema.gradient != absent) draft.inputs.push_back(tensor_at(all, schema.gradient));
    draft.inputs.push_back(tensor_at(all, schema.indices));
    draft.inputs.push_back(tensor_at(all, schema.offsets));
    if (draft.attrs.weighted) draft.inputs.push_back(tensor_at(all, schema.lookup_weights));
    const EmbeddingTable& first = draft.attrs.tables.front();
    std::uint64_t dims = 0;
    for (const EmbeddingTable& table : draft.attrs.tables) dims += table.dim;
    const TypedShape rows = {first.type, {first.rows * dims}, false, true};
    draft.inputs.push_back(rows);
    draft.output_source = OutputSource::rule;
    if (schema.kind == OpKind::embedding_bag_backward) {  // both in place
        draft.outputs.push_back(rows);
        if (!is_tensor(all, schema.moment)) return draft;
        const std::uint64_t moments = first.rows * draft.attrs.tables.size();
        draft.inputs.push_back({all[schema.moment].type, {moments}, false, true});
        draft.outputs.push_back(draft.inputs.back());
        return draft;
    }
    if (schema.gradient != absent) {  // one value per lookup: gradient row times table row
        draft.attrs.weighted = true;
        draft.outputs = {{DType::fp32, all[schema.indices].shape}};
        return draft;
    }
    const bool half = all.back().concrete == "1";  // SparseType: 0 is fp32, 1 is fp16
    draft.outputs = {{half ? DType::fp16 : DType::fp32, {first.bags, dims}}};
    return draft;
}

// (permute [T'], lengths [T, B], values, weights, number of permuted values): T' rows of the
// lengths and their values, in a new order.
std::optional<Draft> draft_permute(const std::vector<Argument>& all) {
    if (!is_tensor(all, 0) || !is_tensor(all, 1) || !is_tensor(all, 2)) return std::nullopt;
    if (all[1].shape.size() != 2) return std::nullopt;
    Draft draft;
    draft.kind = OpKind::layout;
    for (const std::size_t i : {0U, 1U, 2U, 3U}) {
        if (is_tensor(all, i)) draft.inputs.push_back(tensor_at(all, i));
    }
    const std::uint64_t recorded = number_from(all, 4), values = elements_of(all[2].shape);
    const std::uint64_t permuted = recorded > 0 && recorded >> 40 == 0 ? recorded : values;
    draft.outputs = {{all[1].type, {elements_of(all[0].shape), all[1].shape[1]}},
                     {all[2].type, {permuted}}};
    if (is_tensor(all, 3)) draft.outputs.push_back({all[3].type, {permuted}});
    draft.output_source = OutputSource::rule;
    return draft;
}

// All tensors in, one tensor out.
Draft with_output(OpKind kind, const std::vector<Argument>& all, DType type, Shape shape) {
    Draft draft;
    draft.kind = kind;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (is_tensor(all, i)) draft.inputs.push_back(tensor_at(all, i));
    }
    draft.outputs = {{type, std::move(shape)}};
    draft.output_source = OutputSource::rule;
    return draft;
}

// Clamps indices in place; two comparisons each. Inputs: indices first, as the output is.
std::optional<Draft> draft_bounds_check(const std::vector<Argument>& all) {
    if (!is_tensor(all, 0) || !is_tensor(all, 1) || !is_tensor(all, 2)) return std::nullopt;
    Draft draft = with_output(OpKind::select, all, all[1].type, all[1].shape);
    std::swap(draft.inputs[0], draft.inputs[1]);
    draft.attrs.ops_per_element = 2;
    draft.in_place = 0;
    return draft;
}

}  // namespace

std::optional<Draft> draft_fbgemm(std::string_view name, const std::vector<Argument>& all) {
    for (const LookupSchema& schema : schemas) {
        if (schema.name == name) return draft_lookup(schema, all);
    }
    // On CUDA one for each optimizer, all with the same arguments in front.
    constexpr std::string_view cuda = "fbgemm::split_embedding_codegen_lookup_";
    if (name.substr(0, cuda.size()) == cuda && name.size() > 9 &&
        name.substr(name.size() - 9) == "_function") {
        return draft_lookup(cuda_lookup, all);
    }
    if (name == "fbgemm::permute_2D_sparse_data") return draft_permute(all);
    if (name == "fbgemm::bounds_check_indices") return draft_bounds_check(all);
    if (!is_tensor(all, 0) || all[0].shape.empty()) return std::nullopt;
    const std::uint64_t first = all[0].shape[0];
    if (name == "fbgemm::asynchronous_complete_cumsum") {
        return with_output(OpKind::scan, all, all[0].type, {elements_of(all[0].shape) + 1});
    }
    if (name == "fbgemm::offsets_range") {  // the position of every value in its bag
        const std::uint64_t range = number_from(all, 1);
        if (range == 0 || range >> 40 != 0) return std::nullopt;
        return with_output(OpKind::gather, all, all[0].type, {range});
    }
    // Of label lists (lengths, ids, values) dense rows: one per label and sample.
    if (name == "fb::sparse_label_to_dense" || name == "fb::sparse_label_to_bool") {
        const bool dense = name == "fb::sparse_label_to_dense";
        const std::uint64_t labels = number_from(all, dense ? 3 : 2);
        if (labels == 0 || labels >> 20 != 0) return std::nullopt;
        return with_output(OpKind::select, all, dense ? DType::fp32 : DType::boolean,
                           {labels, first});
    }
    if (name == "fb::to_dense_representation") {
        return with_output(OpKind::select, all, all[0].type, all[0].shape);
    }
    return std::nullopt;
}

}  // namespace diastole::kineto
