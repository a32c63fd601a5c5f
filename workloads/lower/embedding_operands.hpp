// Which tensor of an embedding operator is what. Traces differ: one tensor per table or all tables
// in one, indices of all tables in one tensor or nowhere.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/operator.hpp"

namespace diastole {

struct OperandRef {
    static constexpr std::int32_t nowhere = -1;
    std::int32_t input = nowhere;
    std::uint64_t offset = 0;  // bytes from the start of that input
    [[nodiscard]] bool found() const { return input != nowhere; }
};

struct EmbeddingOperands {
    std::vector<OperandRef> tables, moments;  // by table
    OperandRef gradient;                      // backward only
    OperandRef indices, offsets, weights;     // of all tables, one after the other
    std::uint32_t index_bytes = 8, offset_bytes = 8, weight_bytes = 4;
};

EmbeddingOperands embedding_operands(const Graph& graph, const Operator& op);

std::uint64_t total_lookups(const Operator& op);
std::uint64_t total_bags(const Operator& op);

}  // namespace diastole
