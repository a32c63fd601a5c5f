// Rows picked by an index list: gathered from a table into a dense tensor, or scattered from a
// dense tensor into a table. Which rows is not in a trace: they are drawn uniformly, by a seed that
// the operator and the batch give.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/lower/command_buffer.hpp"
#include "workloads/lower/engine.hpp"
#include "workloads/lower/grid.hpp"

namespace diastole {

struct IndexedRows {
    std::string user;
    Placement table, dense;
    std::uint64_t table_rows = 1, row_bytes = 1;
    std::uint64_t rows = 0;          // indices
    std::vector<Placement> indices;  // index tensors, one entry of each per row
    std::vector<std::uint32_t> index_bytes;
    std::uint64_t seed = 0;
    std::uint32_t gather_rows = 64;  // in one transfer
    // A scatter: the table is first copied from `before` if that is another tensor; rows are read,
    // added to and written back when `adds`.
    bool scatter = false, adds = false;
    std::optional<Placement> before;
    std::uint64_t table_bytes = 0;
    Engine engine;
    std::uint64_t flops = 0;  // of a scatter that adds
};

// Blocks of consecutive rows go round-robin over the PEs; the indices of a PE's next block are
// loaded before it works on the present one. A scatter passes a barrier between copy and rows.
class IndexedSource final : public BufferedSource {
  public:
    IndexedSource(const IndexedRows& work, const ChipParams& chip);

    [[nodiscard]] bool participates(std::uint32_t pe) const override;

  protected:
    bool refill(std::uint32_t pe, CommandBuffer& buffer) override;

  private:
    struct Buffers;
    struct Cursor {
        std::uint64_t copied = 0;  // chunks of the table
        std::uint64_t block = 0;   // next to work on
        std::uint64_t loaded = 0;  // next whose indices are to be loaded
        bool passed = false;       // the barrier
    };
    static Buffers lay_out(const IndexedRows& work, const ChipParams& chip);
    IndexedSource(const IndexedRows& work, const ChipParams& chip, const Buffers& buffers);

    [[nodiscard]] std::uint64_t copy_chunks() const;
    bool copy_table(std::uint64_t rank, Cursor& cursor, CommandBuffer& buffer) const;
    [[nodiscard]] Range rows_of(std::uint64_t block) const;
    void load_indices(std::uint64_t rank, Cursor& cursor, CommandBuffer& buffer) const;
    void work_on(Range rows, CommandBuffer& buffer) const;
    void append_addresses(Range rows, Transfer& transfer) const;

    IndexedRows work_;
    GridParams grid_;
    std::uint64_t pes_, transfer_rows_, blocks_, chunk_bytes_;
    std::uint64_t index_bytes_;  // of one row, all index tensors
    std::uint8_t cb_index_, cb_rows_, cb_old_, cb_out_, cb_copy_;
    std::vector<Cursor> cursors_;  // by rank
};

}  // namespace diastole
