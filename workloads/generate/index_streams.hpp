// The index streams of generated workloads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "workloads/generate/reuse_histogram.hpp"
#include "workloads/graph/index_stream.hpp"

namespace diastole {

// Throws ConfigError when the table's distribution cannot be drawn from: its parameters are out of
// range, or the file it names is missing or malformed (TraceError). `where` begins the message.
void check_indices(const EmbeddingTable& table, const std::string& where);

// Lookups of the first batch according to the table's offsets file; of a table without one,
// table.lookups.
std::uint64_t recorded_lookups(const EmbeddingTable& table);

class ZipfTables;

// Streams of all four distributions.
//
// Popularity and place: a row's rank by popularity is mapped to its number by a permutation that
// depends on the seed and the table but not on the batch, so that hot rows are scattered over the
// table and stay hot from batch to batch. (uniform: every row is drawn directly.)
//
// reuse_histogram: the accesses of a batch are numbered class by class (reuse_classes), and a
// permutation per batch says which of them comes at which place. The batch thus has the measured
// histogram exactly, up to rounding to whole rows, in O(1) memory. Assumed, for the measurement
// does not say: accesses to a row are spread evenly over the batch; rows touched more than 8 times
// a batch are the same ones in every batch, all others are drawn anew. Where a table has fewer rows
// than the histogram asks for, several ranks share a row.
//
// npy: batch b takes the b-th run of table.bags bags of the file, starting over at its end.
class GeneratedIndexStreams : public IndexStreams {
  public:
    explicit GeneratedIndexStreams(std::uint64_t seed);
    std::unique_ptr<IndexStream> open(const EmbeddingTable& table, std::uint32_t table_number,
                                      std::uint32_t batch) const override;

  private:
    std::uint64_t seed_;
    std::shared_ptr<ZipfTables> zipf_tables_;  // what streams of the same table share
};

}  // namespace diastole
