// The commands of a planned convolution.
#pragma once

#include <vector>

#include "model/timing/array.hpp"
#include "workloads/lower/command_buffer.hpp"
#include "workloads/lower/convolution_plan.hpp"
#include "workloads/lower/engine.hpp"
#include "workloads/lower/grid.hpp"

namespace diastole {

struct ConvolutionOperands {
    Placement in, weight, bias, out;
};

// Per PE and output tile: for each block of channels the input's tile with its halo, read once; for
// each step of K within it the filters and a product, whose windows the arrays take from the tile;
// then bias or conversion, and the store. Tiles go wave by wave, as those of matrix products.
class ConvolutionSource final : public BufferedSource {
  public:
    // `salt` tells the broadcast groups of operators that run at the same time apart.
    ConvolutionSource(const ConvolutionProblem& problem, const ConvolutionPlan& plan,
                      const ConvolutionOperands& operands, const Engine& engine,
                      const ChipParams& chip, std::uint32_t salt);

    [[nodiscard]] bool participates(std::uint32_t pe) const override;

  protected:
    bool refill(std::uint32_t pe, CommandBuffer& buffer) override;

  private:
    struct Cursor {
        std::uint64_t group_wave = 0, outer = 0, inner = 0, step = 0;
        bool done = false;
    };
    // One output tile of a PE, clipped at the edges.
    struct Tile {
        std::uint64_t first_image, images, first_pixel, pixels;  // pixels of each image, in order
        AxisRange rows, columns;                                 // of the input
        std::uint64_t first_filter, filters;                     // of each group
        std::uint64_t first_group, groups;
        bool first_inner, last_inner;
        std::uint64_t m_index, n_index;
    };
    // A step of a tile: part of a block of channels, or one group.
    struct Step {
        std::uint64_t first_channel, channels;  // of the block, in all channels of the input
        std::uint64_t group, k0, k;             // rows of K within the group
        std::uint64_t before_a, before_b;       // elements of this tile in earlier blocks, steps
        bool begins_block, ends_block, last;
    };

    [[nodiscard]] bool tile_at(std::uint32_t pe, const Cursor& cursor, Tile& tile) const;
    [[nodiscard]] Step step_at(const Tile& tile, std::uint64_t index) const;
    [[nodiscard]] std::uint64_t waves(GridRole role) const;
    void advance(Cursor& cursor) const;

    void load_input(std::uint32_t pe, const Tile& tile, const Step& step, CommandBuffer& buffer);
    void load_filters(std::uint32_t pe, const Tile& tile, const Step& step, CommandBuffer& buffer);
    void multiply(const Tile& tile, const Step& step, CommandBuffer& buffer);
    void finish(const Tile& tile, CommandBuffer& buffer);
    void share(std::uint32_t pe, const Tile& tile, bool of_input, Transfer& transfer) const;
    [[nodiscard]] static std::uint64_t input_pixels(const Tile& tile) {
        return tile.images * tile.rows.size() * tile.columns.size();
    }

    ConvolutionProblem problem_;
    ConvolutionPlan plan_;
    ConvolutionOperands operands_;
    Engine engine_;
    ArrayShape array_;
    std::uint32_t salt_;
    std::uint64_t tiles_m_, tiles_n_, tiles_g_;
    std::uint64_t block_steps_, blocks_;  // steps of a whole block; blocks of a tile
    std::uint8_t cb_a_ = 0, cb_b_ = 0, cb_bias_ = 0, cb_sum_ = 0, cb_out_ = 0;
    std::vector<Cursor> cursors_;
};

}  // namespace diastole
