// Choices of the software half. `automatic` lets an analytic cost pick; the result says what it
// picked.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "model/base/dtype.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

enum class DataflowChoice : std::uint8_t {
    automatic,
    weight_stationary,
    input_stationary,
    output_stationary
};

struct LoweringParams {
    DataflowChoice dataflow = DataflowChoice::automatic;
    std::uint32_t tile_m = 0, tile_n = 0, tile_k = 0;  // 0: automatic
    std::uint32_t split_k = 0;                         // 0: automatic
    bool broadcast = true;           // share operand tiles along rows and columns of PEs
    std::uint32_t chunk_bytes = 0;   // of streaming kernels; 0: automatic
    std::uint32_t gather_rows = 64;  // embedding rows in one indexed transfer
    bool activations_in_lls = true;  // while they fit
};

// --cast from=to: every tensor of one type is stored and computed as another.
using Casts = std::vector<std::pair<DType, DType>>;

}  // namespace diastole
