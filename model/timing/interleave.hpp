// How global addresses spread over memory partitions: blocks of `interleave_bytes` go round-robin;
// with the slice hash on, the order within each round is rotated by a mix of the round's number, so
// that power-of-two strides do not meet in one partition. A contiguous global range is contiguous
// in every partition's local addresses.
#pragma once

#include <cstdint>

#include "model/base/divisor.hpp"
#include "model/base/random.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

class Interleave {
  public:
    explicit Interleave(const SramParams& sram)
        : block_(sram.interleave_bytes), partitions_(sram.partitions), hash_(sram.slice_hash) {}

    [[nodiscard]] std::uint32_t block_bytes() const {
        return static_cast<std::uint32_t>(block_.value());
    }
    // Bytes from `address` to the end of its block.
    [[nodiscard]] std::uint64_t left_in_block(std::uint64_t address) const {
        return block_.value() - block_.remainder(address);
    }
    [[nodiscard]] std::uint32_t partition(std::uint64_t address) const {
        const std::uint64_t index = block_.quotient(address);
        const std::uint64_t round = partitions_.quotient(index);
        const std::uint64_t rotation = hash_ ? Random::mix(round) : 0;
        const std::uint64_t place =
            index - round * partitions_.value() + partitions_.remainder(rotation);
        return static_cast<std::uint32_t>(
            place < partitions_.value() ? place : place - partitions_.value());
    }
    // Address within the partition.
    [[nodiscard]] std::uint64_t local(std::uint64_t address) const {
        const std::uint64_t round = partitions_.quotient(block_.quotient(address));
        return round * block_.value() + block_.remainder(address);
    }

  private:
    Divisor block_, partitions_;
    bool hash_;
};

}  // namespace diastole
