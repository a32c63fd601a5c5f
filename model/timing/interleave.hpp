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
        : block_(sram.interleave_bytes), partitions_(sram.partitions), hash_(sram.slice_hash) {}

    [[nodiscard]] std::uint32_t block_bytes() const { return block_; }
    [[nodiscard]] std::uint32_t partition(std::uint64_t address) const {
        const std::uint64_t index = address / block_;
        const std::uint64_t round = index / partitions_;
        const std::uint64_t rotation = hash_ ? Random::mix(round) : 0;
        return static_cast<std::uint32_t>((index + rotation % partitions_) % partitions_);
    }
    // Address within the partition.
    [[nodiscard]] std::uint64_t local(std::uint64_t address) const {
        return address / block_ / partitions_ * block_ + address % block_;
    }

  private:
    std::uint32_t block_;
    std::uint32_t partitions_;
    bool hash_;
};

}  // namespace diastole
