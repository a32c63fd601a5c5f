// The commands of a planned matrix product.
#pragma once

#include <vector>

#include "model/timing/array.hpp"
#include "workloads/lower/command_buffer.hpp"
#include "workloads/lower/engine.hpp"
#include "workloads/lower/gemm_plan.hpp"
#include "workloads/lower/grid.hpp"

namespace diastole {

struct GemmOperands {
    Placement a, b, bias, out;
};

// Per PE and output tile: the steps over its part of K (load A, load B, transpose if need be,
// multiply), then the chain along K, the finish on the SIMD engine and the store. Tiles go wave by
// wave; the inner loop is the one over which the resident panel stays.
class GemmSource final : public BufferedSource {
  public:
    // `salt` tells the broadcast groups of operators that run at the same time apart.
    GemmSource(const GemmProblem& problem, const GemmPlan& plan, const GemmOperands& operands,
               const Engine& engine, const ChipParams& chip, std::uint32_t salt);

    [[nodiscard]] bool participates(std::uint32_t pe) const override;

  protected:
    bool refill(std::uint32_t pe, CommandBuffer& buffer) override;

  private:
    struct Cursor {
        std::uint64_t batch_wave = 0, outer = 0, inner = 0, step = 0;
        bool done = false;
    };
    // One output tile of a PE, clipped at the edges of the product.
    struct Tile {
        std::uint64_t batch, row, column, m, n;
        bool first_inner, last_inner;
    };

    [[nodiscard]] Range k_steps(std::uint32_t pe) const;
    [[nodiscard]] bool tile_at(std::uint32_t pe, const Cursor& cursor, Tile& tile) const;
    [[nodiscard]] std::uint64_t waves(GridRole role) const;
    void advance(Cursor& cursor) const;

    void multiply(std::uint32_t pe, const Tile& tile, std::uint64_t step, CommandBuffer& buffer);
    void load_a(std::uint32_t pe, const Tile& tile, std::uint64_t k0, std::uint64_t k,
                CommandBuffer& buffer);
    void load_b(std::uint32_t pe, const Tile& tile, std::uint64_t k0, std::uint64_t k,
                CommandBuffer& buffer);
    void read_panel(Command& command, std::uint8_t cb, bool resident, const Tile& tile,
                    std::uint64_t done_bytes, std::uint64_t bytes, std::uint64_t touched) const;
    void finish(std::uint32_t pe, const Tile& tile, CommandBuffer& buffer);
    [[nodiscard]] std::uint64_t load_bias(const Tile& tile, CommandBuffer& buffer);
    void share(std::uint32_t pe, const Tile& tile, bool of_a, Transfer& transfer) const;

    GemmProblem problem_;
    GemmPlan plan_;
    GemmOperands operands_;
    Engine engine_;
    ArrayShape array_;
    std::uint32_t salt_;
    std::uint64_t tiles_m_, tiles_n_, tiles_k_;
    std::uint8_t cb_a_ = 0, cb_b_ = 0, cb_a_raw_ = 0, cb_b_raw_ = 0, cb_bias_ = 0, cb_sum_ = 0,
                 cb_chained_ = 0, cb_out_ = 0;
    std::vector<Cursor> cursors_;
};

struct LowerContext;
// Plans the product, appends what was chosen to `note`, and gives its commands. The spaces of
// `problem` are those of the operands.
std::unique_ptr<CommandSource> lower_product(const LowerContext& context, GemmProblem problem,
                                             const GemmOperands& operands, std::string& note);

}  // namespace diastole
