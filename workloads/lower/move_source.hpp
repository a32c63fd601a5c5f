// The commands of kernels that only move bytes: copies, concatenations, slices, transpositions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/lower/command_buffer.hpp"
#include "workloads/lower/grid.hpp"
#include "workloads/lower/lowering_params.hpp"

namespace diastole {

// `rows` rows of `row_bytes`, from one pitch to another. With `transpose`, elements of that many
// bytes also change from row-major to column-major: the target has row_bytes / transpose rows, and
// `to_pitch` lies between those.
struct Move {
    Placement from, to;
    std::uint64_t rows = 1, row_bytes = 0;
    std::uint64_t from_pitch = 0, to_pitch = 0;
    std::uint64_t transpose = 0;
};

// Tiles of all moves, numbered through, go round-robin over the PEs. A tile is loaded, passes the
// layout unit if it is transposed, and is stored.
class MoveSource final : public BufferedSource {
  public:
    MoveSource(std::vector<Move> moves, const ChipParams& chip, const LoweringParams& params,
               const std::string& user);

    [[nodiscard]] bool participates(std::uint32_t pe) const override {
        return rank_of_pe(grid_, pe) < tiles_;
    }

  protected:
    bool refill(std::uint32_t pe, CommandBuffer& buffer) override;

  private:
    struct Tiling {                         // of one move
        std::uint64_t rows = 1, bytes = 1;  // of a tile
        std::uint64_t across = 1;           // tiles side by side
        std::uint64_t first = 0;            // number of the first one
    };
    struct Cursor {
        std::uint64_t next = 0;  // tile number; 0 before the first
        std::size_t move = 0;
        bool begun = false;
    };
    struct Sizes {
        std::uint64_t tile = 0, raw = 0;  // bytes of the buffers
    };
    static std::vector<Tiling> tile_all(const std::vector<Move>& moves, const ChipParams& chip,
                                        const LoweringParams& params, std::uint64_t& tiles);
    static CbPlan lay_out(const std::vector<Move>& moves, const ChipParams& chip,
                          const LoweringParams& params, const std::string& user);

    std::vector<Move> moves_;
    GridParams grid_;
    std::uint64_t tiles_ = 0;
    std::vector<Tiling> tilings_;
    std::vector<Cursor> cursors_;
};

}  // namespace diastole
