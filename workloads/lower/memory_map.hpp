// Where the tensors of a graph lie. Decided once for the whole graph: every batch finds its tensors
// at the same addresses.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/params/chip_params.hpp"
#include "workloads/graph/operator.hpp"
#include "workloads/lower/command_buffer.hpp"
#include "workloads/lower/lowering_params.hpp"

namespace diastole {

// Address ranges handed out best-fit and given back; `extent` is the highest address ever in use.
class AddressRanges {
  public:
    AddressRanges(std::uint64_t capacity, std::uint64_t alignment)
        : capacity_(capacity), alignment_(alignment), free_{{0, capacity}} {}
    // False when no free range is large enough.
    bool take(std::uint64_t bytes, std::uint64_t& address);
    void give_back(std::uint64_t address, std::uint64_t bytes);
    [[nodiscard]] std::uint64_t extent() const { return extent_; }

  private:
    std::uint64_t capacity_, alignment_, extent_ = 0;
    std::map<std::uint64_t, std::uint64_t> free_;  // address -> bytes
};

struct MemoryOptions {
    bool activations_in_lls = true;
    bool infer_reuse = true;
    bool inputs_in_lls = false;  // those of inference, while they fit
};

class MemoryMap {
  public:
    // Throws ConfigError when the graph does not fit the chip's memory.
    MemoryMap(const Graph& graph, const ChipParams& chip, const MemoryOptions& options);

    // Of operand `i` of an operator, inputs before outputs.
    [[nodiscard]] Placement input(const Operator& op, std::size_t i) const;
    // Whether an input lies in memory as whole tiles of the array (dpe.weight_tiles).
    [[nodiscard]] bool is_weight(const Operator& op, std::size_t i) const;
    [[nodiscard]] Placement output(const Operator& op, std::size_t i) const;
    // Row 0 of table `i` of an embedding operator, and its fp32 moments.
    [[nodiscard]] Placement table(const Operator& op, std::size_t i) const;
    [[nodiscard]] Placement moment(const Operator& op, std::size_t i) const;
    // Room for what an operator needs beside its tensors: indices that no tensor holds, sorted
    // keys, the bytes of an opaque operator. One area, shared by all operators.
    [[nodiscard]] Placement scratch() const { return {Space::dram, scratch_}; }
    [[nodiscard]] bool spilled(const Operator& op) const;  // an output wanted LLS and got DRAM

    [[nodiscard]] std::uint64_t dram_bytes() const { return dram_bytes_; }
    [[nodiscard]] std::uint64_t lls_bytes() const { return lls_bytes_; }

  private:
    void place_all(const ChipParams& chip, const MemoryOptions& options);

    const Graph* graph_;
    std::vector<Placement> tensors_;             // by tensor
    std::vector<std::vector<Placement>> fresh_;  // by operator, without inferred reuse
    std::map<std::string, Placement> tables_, moments_;
    std::vector<bool> spilled_;  // by operator
    std::vector<bool> weights_;  // by tensor: lies in whole tiles
    std::uint64_t scratch_ = 0;
    std::uint64_t dram_bytes_ = 0, lls_bytes_ = 0;
};

// Bytes of scratch memory an operator uses.
std::uint64_t scratch_bytes(const Graph& graph, const Operator& op);

}  // namespace diastole
