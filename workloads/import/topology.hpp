// SCALE-Sim's topology files: one layer a line, either a convolution
//   Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter,
//   Strides [, Stride width | Batch Size | Sparsity],
// or a matrix product
//   Layer, M, N, K [, Sparsity],
// The header says which. A byte order mark, CRLF, blanks, empty lines, trailing commas, a remark
// behind them (#dw) and a missing last newline are fine, as they are in the files that people have.
// Anything else that does not fit is an error with its line and column.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph/byte_source.hpp"

namespace diastole {

// The sizes of a convolution, as its line has them.
struct TopologyConvolution {
    std::uint64_t ifmap_height = 0, ifmap_width = 0, filter_height = 0, filter_width = 0;
    std::uint64_t channels = 0, filters = 0, stride = 1, stride_width = 1;
    bool depthwise = false;  // every channel by itself
};

struct TopologyLayer {
    std::string name;
    std::uint64_t line = 0;             // of the file
    std::uint64_t m = 0, n = 0, k = 0;  // a convolution as im2col makes it
    std::uint64_t scalesim_m = 0;  // M as SCALE-Sim computes it: output sizes rounded up, no batch
    std::uint64_t batch = 1;
    bool pruned_2_4 = false;          // sparsity 2:4
    TopologyConvolution convolution;  // where the file holds convolutions
};

struct Topology {
    std::string file;
    bool convolutions = false;
    bool has_batch_column = false;
    std::vector<TopologyLayer> layers;
};

// A convolution whose name holds "DP" is depthwise, as in SCALE-Sim: each channel becomes a layer
// of its own, named ...Channel_0, ...Channel_1. Throws TraceError; a file without layers is an
// error.
Topology read_topology(ByteSource& source);

}  // namespace diastole
