// The commands of a streaming kernel.
#pragma once

#include <vector>

#include "workloads/lower/grid.hpp"
#include "workloads/lower/lowering_params.hpp"
#include "workloads/lower/stream_recipe.hpp"

namespace diastole {

// Sizes chosen for a recipe on a chip.
struct StreamPlan {
    std::uint64_t chunk = 1;   // items
    std::uint64_t pieces = 1;  // of a chunk
    std::uint64_t in_bytes = 0, out_bytes = 0, resident_bytes = 0, sum_block = 0;
    std::vector<bool> resident;  // by input: loaded once per PE
};
// Throws ConfigError when not even one element of each operand fits.
StreamPlan plan_stream(const StreamRecipe& recipe, const ChipParams& chip,
                       const LoweringParams& params);

class StreamSource final : public BufferedSource {
  public:
    StreamSource(StreamRecipe recipe, const StreamPlan& plan, const ChipParams& chip);

    [[nodiscard]] bool participates(std::uint32_t pe) const override;

  protected:
    bool refill(std::uint32_t pe, CommandBuffer& buffer) override;

  private:
    struct Cursor {
        std::uint64_t done = 0;  // chunks of this PE
        std::uint64_t piece = 0;
        bool second_pass = false;
    };
    struct Step {                  // one piece of one chunk
        std::uint64_t begin, end;  // items, counted over all groups
        std::uint64_t piece;
        bool last_of_pe;  // nothing follows on this PE
    };

    std::uint64_t load_inputs(const Step& step, std::uint8_t cb, CommandBuffer& buffer) const;
    void load_resident(CommandBuffer& buffer) const;
    void store_outputs(const Step& step, CommandBuffer& buffer) const;
    [[nodiscard]] std::uint64_t output_bytes(const Step& step) const;
    void in_one_go(Cursor& cursor, const Step& step, CommandBuffer& buffer) const;
    void in_pieces(Cursor& cursor, const Step& step, CommandBuffer& buffer) const;
    void map(const Step& step, std::uint8_t cb_in, std::uint64_t bytes, CommandBuffer& buffer,
             Command*& command) const;
    void sum_columns(std::uint64_t rank, std::uint64_t place, std::uint64_t group,
                     CommandBuffer& buffer) const;
    [[nodiscard]] ElementOps work(const StreamStage& stage, const Step& step) const;

    StreamRecipe recipe_;
    StreamPlan plan_;
    GridParams grid_;
    std::uint64_t pes_, chunks_;  // chunks of one group
    bool two_stages_;
    std::uint8_t cb_resident_ = 0, cb_out_ = 0, cb_partial_ = 0, cb_sums_ = 0;
    std::uint8_t cb_in_[2] = {0, 0}, cb_statistics_[2] = {0, 0};
    std::vector<Cursor> cursors_;  // by rank
};

}  // namespace diastole
