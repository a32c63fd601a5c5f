// How global addresses spread over memory partitions: blocks of `interleave_bytes` go round-robin;
// with the slice hash on, the order within each round is rotated by a mix of the round's number, so
// that power-of-two strides do not meet in one partition. A contiguous global range is contiguous
// in every partition's local addresses.
#pragma once

#include <cstdint>

#include "model/base/random.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

class Interleave {
  public:
    explicit Interleave(const SramParams& sram)
        : block_(sram.interleave_bytes),
          partitions_(sram.partitions),
          block_shift_(shift_of(block_)),
          partition_shift_(shift_of(partitions_)),
          hash_(sram.slice_hash) {}

    [[nodiscard]] std::uint32_t block_bytes() const { return block_; }
    // Bytes from `address` to the end of its block.
    [[nodiscard]] std::uint64_t left_in_block(std::uint64_t address) const {
        return block_ - (address - block_start(address));
    }
    [[nodiscard]] std::uint32_t partition(std::uint64_t address) const {
        const std::uint64_t index = divide(address, block_, block_shift_);
        const std::uint64_t round = divide(index, partitions_, partition_shift_);
        const std::uint64_t rotation = hash_ ? Random::mix(round) : 0;
        const std::uint64_t place = index - round * partitions_ + remainder(rotation);
        return static_cast<std::uint32_t>(place < partitions_ ? place : place - partitions_);
    }
    // Address within the partition.
    [[nodiscard]] std::uint64_t local(std::uint64_t address) const {
        const std::uint64_t index = divide(address, block_, block_shift_);
        return divide(index, partitions_, partition_shift_) * block_ + (address - index * block_);
    }

  private:
    static constexpr int no_shift = -1;
    static int shift_of(std::uint32_t value) {
        return (value & (value - 1)) == 0 ? __builtin_ctz(value) : no_shift;
    }
    // These run for every request; a division costs as much as the rest of it.
    static std::uint64_t divide(std::uint64_t value, std::uint32_t by, int shift) {
        return shift == no_shift ? value / by : value >> shift;
    }
    [[nodiscard]] std::uint64_t remainder(std::uint64_t value) const {
        return value - divide(value, partitions_, partition_shift_) * partitions_;
    }
    [[nodiscard]] std::uint64_t block_start(std::uint64_t address) const {
        return divide(address, block_, block_shift_) * block_;
    }

    std::uint32_t block_;
    std::uint32_t partitions_;
    int block_shift_, partition_shift_;
    bool hash_;
};

}  // namespace diastole
