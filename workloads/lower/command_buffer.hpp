// Commands of one PE that were produced and not yet asked for, and a source made of such buffers: a
// kernel appends one step at a time, so that memory stays a few commands per PE.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/isa/job.hpp"

namespace diastole {

// Where a tensor lies.
struct Placement {
    Space space = Space::dram;
    std::uint64_t address = 0;
};

// Rows of bytes, `pitch` apart; what one transfer moves.
struct Block {
    Placement at;
    std::uint64_t rows = 1;
    std::uint64_t row_bytes = 0;
    std::uint64_t pitch = 0;
};
constexpr std::uint64_t size_of(const Block& block) {
    return block.rows * block.row_bytes;
}

class CommandBuffer {
  public:
    [[nodiscard]] bool empty() const { return head_ == count_; }

    // A command without operands; the caller sets the payload.
    Command& add(Unit unit);
    // A transfer into (dma_in) or out of (dma_out) a circular buffer.
    Command& load(std::uint8_t cb, const Block& block);
    Command& store(std::uint8_t cb, const Block& block);
    // The same without addresses yet: the caller appends `row_addresses`, each of `row_bytes`, and
    // closes with `indexed_bytes`.
    Command& indexed(Unit unit, Space space, std::uint64_t row_bytes);

    // The front command; the vectors of what `out` held are kept for later commands.
    void take(Command& out);

  private:
    std::vector<Command> slots_;
    std::size_t head_ = 0, count_ = 0;
    std::vector<std::vector<std::uint64_t>> spare_;
};

// An operand: waits for `bytes`, moves them and gives their space back.
void consume(Command& command, std::uint8_t cb, std::uint64_t bytes);
// An operand that stays: `available` bytes must be there, `released` of them go.
void peek(Command& command, std::uint8_t cb, std::uint64_t available, std::uint64_t touched,
          std::uint64_t released);
void produce(Command& command, std::uint8_t cb, std::uint64_t bytes);
// Operand (dma_out) or result (dma_in) of an indexed transfer whose rows are all there.
void close_indexed(Command& command, std::uint8_t cb);

inline Transfer& transfer_of(Command& command) {
    return std::get<Transfer>(command.payload);
}

// Circular buffers being laid out in local memory. Throws ConfigError when they do not fit.
class CbPlan {
  public:
    CbPlan(const ChipParams& chip, std::string user);
    std::uint8_t add(std::uint64_t bytes);
    [[nodiscard]] std::uint64_t left() const { return total_ - used_; }
    [[nodiscard]] const std::vector<std::uint32_t>& sizes() const { return sizes_; }

  private:
    std::string user_;
    std::uint64_t total_, used_ = 0;
    std::uint32_t most_;
    std::vector<std::uint32_t> sizes_;
};

class BufferedSource : public CommandSource {
  public:
    BufferedSource(std::uint32_t pes, const CbPlan& plan)
        : circular_buffers_(plan.sizes()), buffers_(pes) {}

    [[nodiscard]] const std::vector<std::uint32_t>& circular_buffers() const final {
        return circular_buffers_;
    }
    bool next(std::uint32_t pe, Command& out) final {
        CommandBuffer& buffer = buffers_[pe];
        while (buffer.empty()) {
            if (!refill(pe, buffer)) return false;
        }
        buffer.take(out);
        return true;
    }

  protected:
    // Appends the commands of the PE's next step, possibly none; false when there is no next step.
    virtual bool refill(std::uint32_t pe, CommandBuffer& buffer) = 0;

  private:
    std::vector<std::uint32_t> circular_buffers_;
    std::vector<CommandBuffer> buffers_;
};

}  // namespace diastole
