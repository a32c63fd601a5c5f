// A ranking model as its authors describe it: layer widths, tables, pooling.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/base/dtype.hpp"
#include "workloads/graph/operator.hpp"

namespace diastole {

// How dense and sparse features meet before the top MLP.
enum class Interaction : std::uint8_t {
    cat,     // concatenated
    dot,     // DLRM: every pair of the vectors multiplied, the bottom MLP's output beside it
    dcn_v2,  // concatenated, then low-rank cross layers x' = x0 * (W (V x) + b) + x
    neumf,   // NCF: the first half of the tables summed beside the MLP over the second half; the
             // last top layer comes after the two are joined
};

enum class Optimizer : std::uint8_t { sgd, adagrad, adam };  // of the dense parameters

struct TableDescription {
    std::string name;
    std::uint64_t rows = 0;
    std::uint32_t dim = 0;
    double pooling = 1;  // lookups per sample, on average
    IndexSpec indices;
};

struct ModelDescription {
    std::string name;
    std::string source;
    std::uint64_t batch = 0;  // when the user asks for none
    DType row_type = DType::fp16;
    DType dense_type = DType::fp16;
    DType index_type = DType::int64;
    std::uint32_t dense_inputs = 0;
    std::vector<std::uint32_t> bottom_mlp;  // widths of the layers, without the input
    std::vector<TableDescription> tables;
    Interaction interaction = Interaction::cat;
    std::uint32_t cross_layers = 0, low_rank = 0;  // dcn_v2
    std::vector<std::uint32_t> top_mlp;            // likewise
    Optimizer optimizer = Optimizer::adagrad;
    std::vector<std::string> notes;  // what is assumed
};

// What is wrong with a description, each beginning with the key it concerns. The limits keep every
// product of sizes within 64 bits.
struct DescriptionProblem {
    std::string key;
    std::string text;
};
std::vector<DescriptionProblem> problems_of(const ModelDescription& model);

std::uint32_t pooled_width(const ModelDescription& model);  // the sum of the tables' dims

}  // namespace diastole
