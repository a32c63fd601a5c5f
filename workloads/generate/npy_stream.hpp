// An index stream read from .npy files.
#pragma once

#include <memory>

#include "workloads/graph/index_stream.hpp"

namespace diastole {

// Checks as it reads: offsets that start below 0 or fall, an index outside the table, files that
// end early: TraceError with file and position.
std::unique_ptr<IndexStream> open_npy_stream(const EmbeddingTable& table, std::uint32_t batch);

// Lookups of batch 0. Precondition: the table has an offsets file.
std::uint64_t npy_lookups(const EmbeddingTable& table);

}  // namespace diastole
