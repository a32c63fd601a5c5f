// What the tests of index streams share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "workloads/generate/index_streams.hpp"

namespace diastole::test {

inline EmbeddingTable table_of(std::uint64_t rows, std::uint32_t bags, std::uint64_t lookups,
                               IndexDistribution distribution) {
    EmbeddingTable table;
    table.name = "t0";
    table.rows = rows;
    table.dim = 64;
    table.bags = bags;
    table.lookups = lookups;
    table.indices.distribution = distribution;
    return table;
}

struct Drawn {
    std::vector<std::uint64_t> rows;
    std::vector<std::uint32_t> bags;
};

inline Drawn draw(const EmbeddingTable& table, std::uint64_t seed = 1, std::uint32_t number = 0,
                  std::uint32_t batch = 0) {
    Drawn drawn;
    const auto stream = GeneratedIndexStreams(seed).open(table, number, batch);
    for (std::uint32_t bag = 0; bag < table.bags; ++bag) {
        drawn.bags.push_back(stream->next_bag());
        for (std::uint32_t i = 0; i < drawn.bags.back(); ++i) {
            drawn.rows.push_back(stream->next_row());
        }
    }
    return drawn;
}

// How often each row occurs, the most frequent first.
inline std::vector<std::uint64_t> reuse_counts(std::vector<std::uint64_t> rows) {
    std::sort(rows.begin(), rows.end());
    std::vector<std::uint64_t> counts;
    for (std::size_t i = 0; i < rows.size();) {
        std::size_t j = i;
        while (j < rows.size() && rows[j] == rows[i]) ++j;
        counts.push_back(j - i);
        i = j;
    }
    std::sort(counts.rbegin(), counts.rend());
    return counts;
}

}  // namespace diastole::test
