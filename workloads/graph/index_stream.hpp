// The row indices of one embedding table for one batch, one after the other, in bag order.
#pragma once

#include <cstdint>
#include <memory>

#include "workloads/graph/operator.hpp"

namespace diastole {

class IndexStream {
  public:
    virtual ~IndexStream() = default;
    // Starts the next bag; returns its length, 0 for an empty one. Call exactly table.bags times.
    virtual std::uint32_t next_bag() = 0;
    // The next row of the current bag, in [0, table.rows).
    virtual std::uint64_t next_row() = 0;
    // As calling next_bag() `bags` times and next_row() for every row; returns how many rows those
    // were. Streams that can jump override it.
    virtual std::uint64_t skip_bags(std::uint32_t bags) {
        std::uint64_t rows = 0;
        for (std::uint32_t bag = 0; bag < bags; ++bag) {
            const std::uint32_t length = next_bag();
            for (std::uint32_t i = 0; i < length; ++i) next_row();
            rows += length;
        }
        return rows;
    }
};

// Makes the streams of a workload. Deterministic in (seed, table number, batch).
class IndexStreams {
  public:
    virtual ~IndexStreams() = default;
    virtual std::unique_ptr<IndexStream> open(const EmbeddingTable& table,
                                              std::uint32_t table_number,
                                              std::uint32_t batch) const = 0;
};

}  // namespace diastole
