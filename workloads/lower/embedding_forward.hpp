// Embedding bags: each PE takes a run of bags of about equal lookups, out of all tables in order.
#pragma once

#include <vector>

#include "workloads/lower/embedding_operands.hpp"
#include "workloads/lower/engine.hpp"
#include "workloads/lower/lower_context.hpp"

namespace diastole {

// Bags [begin, end) of one table.
struct BagRun {
    std::uint32_t table = 0;
    std::uint64_t begin = 0, end = 0;
};

// One list of runs per PE. A bag weighs its table's mean lookups and one for its own overhead.
std::vector<std::vector<BagRun>> divide_bags(const std::vector<EmbeddingTable>& tables,
                                             std::uint32_t pes);

// Where the pooled rows of a table go: bag b at `at + b * pitch`. A result of another shape (a
// value per lookup) is divided among the bags of all tables in proportion instead.
struct PooledRows {
    Placement at;
    std::uint64_t pitch = 0, row_bytes = 0;  // row_bytes: at most
    std::uint64_t elements = 0, element_bytes = 0, first_bag = 0, all_bags = 0;  // in proportion

    [[nodiscard]] Block block(std::uint64_t bag, std::uint64_t count) const;
};
// One tensor per table; or one of all, table by table, or bag by bag with the tables side by side.
std::vector<PooledRows> pooled_rows(const LowerContext& context, const Operator& op,
                                    const std::vector<TensorIndex>& tensors,
                                    const std::vector<Placement>& places);

}  // namespace diastole
