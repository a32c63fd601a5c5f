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

// The operand of which a PE keeps a panel in local memory while the tiles of the other pass.
// output: neither; only the sums stay.
enum class StationaryChoice : std::uint8_t { automatic, input, weight, output };

// Which index of a product an axis of the PE grid divides.
enum class GridChoice : std::uint8_t { automatic, m, n, batch };

enum class Switch : std::uint8_t { automatic, on, off };

struct LoweringParams {
    DataflowChoice dataflow = DataflowChoice::automatic;
    StationaryChoice stationary = StationaryChoice::automatic;
    GridChoice grid_rows = GridChoice::automatic, grid_columns = GridChoice::automatic;
    std::uint32_t tile_m = 0, tile_n = 0, tile_k = 0;  // 0: automatic
    std::uint32_t split_k = 0;                         // 0: automatic
    std::uint32_t buffers = 0;  // tiles in the buffer of an operand; 0: automatic
    bool broadcast = true;      // tiles may be shared along rows and columns of PEs
    Switch broadcast_a = Switch::automatic, broadcast_b = Switch::automatic;
    std::uint32_t prefetch_weights = 0;  // bytes of the next product's, fetched as one ends
    std::uint32_t chunk_bytes = 0;       // of streaming kernels; 0: automatic
    std::uint32_t gather_rows = 64;      // embedding rows in one indexed transfer
    bool activations_in_lls = true;      // while they fit
    bool inputs_in_lls = false;          // inputs and parameters, before activations
};

// --cast from=to: every tensor of one type is stored and computed as another.
using Casts = std::vector<std::pair<DType, DType>>;

}  // namespace diastole
