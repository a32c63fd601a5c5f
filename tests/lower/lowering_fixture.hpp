// Small chips and graphs for the tests of the lowering, and what every lowered operator must obey.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "command_interpreter.hpp"
#include "workloads/graph/work.hpp"
#include "workloads/lower/lowering.hpp"
#include "workloads/lower/memory_map.hpp"

namespace diastole::test {

ChipParams test_chip(std::uint32_t rows, std::uint32_t columns, std::uint64_t local_bytes);

class GraphOf {
  public:
    GraphOf() { graph.name = "test"; }
    TensorIndex tensor(std::vector<std::uint64_t> shape, DType type = DType::fp16);
    Operator& add(OpKind kind, std::vector<TensorIndex> inputs, std::vector<TensorIndex> outputs);

    Graph graph;
};

// Bags of different lengths, some empty; rows from a hash.
class TestStreams final : public IndexStreams {
  public:
    std::unique_ptr<IndexStream> open(const EmbeddingTable& table, std::uint32_t number,
                                      std::uint32_t batch) const override;
};

// Lowers the graph and runs every operator; checks for each that its MACs, flops and lookups are
// those of work_of, that every output byte is written exactly once and every input byte is read
// (not so for what only index streams know: see `indexed`).
struct Checked {
    std::vector<Totals> totals;  // by operator; empty where nothing ran
    LoweringNotes notes;
};
Checked run_and_check(const Graph& graph, const ChipParams& chip,
                      const LoweringOptions& options = {});

}  // namespace diastole::test
