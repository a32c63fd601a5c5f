// How often the embedding rows of one batch are touched again, and how large a cache that rewards.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/index_stream.hpp"

namespace diastole {

struct LookupProfile {
    std::uint64_t lookups = 0, unique_rows = 0;
    Bytes unique_bytes;
    double part_of_batch = 1;  // below 1: only the first bags of each table were looked at

    struct ReuseRange {  // rows touched (low, high] times
        std::uint64_t low = 0, high = 0;
        std::uint64_t rows = 0, lookups = 0;
    };
    std::vector<ReuseRange> reuse;  // powers of two, until none are left

    struct CachePoint {
        Bytes size;
        std::uint64_t hits = 0;
    };
    std::vector<CachePoint> cache;  // 1 MiB to 1 GiB in steps of four
};

// Of the embedding operators of the forward pass, table after table and bag after bag. The cache is
// fully associative with least-recently-used replacement and holds whole rows; it starts empty, so
// a first touch is a miss. Its hits are counted by stack distance (Mattson et al., 1970): the bytes
// of the distinct rows touched since the last touch of the same row. Looks at no more than `limit`
// lookups.
LookupProfile profile_lookups(const Graph& graph, const IndexStreams& streams,
                              std::uint64_t limit = 4'000'000);

}  // namespace diastole
