// The lookups of a table in the order of their rows, a part at a time: what the backward pass of an
// embedding works through. Shared by all PEs; memory is bounded by the size of a part and the
// number of parts kept, whatever the number of lookups.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "workloads/graph/index_stream.hpp"
#include "workloads/lower/grid.hpp"

namespace diastole {

struct Lookup {
    std::uint64_t row;
    std::uint64_t bag;
};

struct SortedPart {
    std::vector<Lookup> lookups;  // by row, then bag
    std::uint64_t first = 0;      // lookups of the table before this part

    // The lookups of one of `parties`: about equal numbers, cut where the row changes.
    [[nodiscard]] Range share_of(std::uint64_t party, std::uint64_t parties) const;
};

class SortedLookups {
  public:
    SortedLookups(const std::vector<EmbeddingTable>& tables, const IndexStreams& streams,
                  std::uint32_t batch)
        : tables_(tables), streams_(&streams), batch_(batch) {}

    // Parts are runs of bags. Rows are distinct within a part; a table of one part has each row
    // once.
    [[nodiscard]] std::uint64_t parts(std::uint32_t table) const;
    // Drawn again when it was let go: the streams are deterministic.
    std::shared_ptr<const SortedPart> part_of(std::uint32_t table, std::uint64_t number);

  private:
    struct Kept {
        std::uint32_t table;
        std::uint64_t number;
        std::shared_ptr<const SortedPart> part;
    };
    [[nodiscard]] SortedPart draw(std::uint32_t table, std::uint64_t number) const;

    std::vector<EmbeddingTable> tables_;
    const IndexStreams* streams_;
    std::uint32_t batch_;
    std::list<Kept> kept_;  // latest use first
};

}  // namespace diastole
