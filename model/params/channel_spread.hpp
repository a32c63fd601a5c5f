// How the addresses of a whole memory spread over its pseudo-channels: by the `ch` and `pc` bits of
// its map, or, where the map has none, in blocks of a given size that go round-robin.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/params/channel_map.hpp"

namespace diastole {

class ChannelSpread {
  public:
    struct Place {
        std::uint32_t channel = 0;
        std::uint64_t local = 0;  // address within the pseudo-channel
    };

    // `block`: bytes, used where the map has no fields of its own. Throws ConfigError when the
    // pseudo-channels or the block do not fit the map or the memory.
    ChannelSpread(const ChannelMap& map, std::uint32_t channels, std::uint64_t block,
                  std::uint64_t channel_bytes, std::uint32_t atom_bytes);

    [[nodiscard]] Place place(std::uint64_t address) const {
        if (channels_ == 1) return {0, address};
        if (by_fields_)
            return {static_cast<std::uint32_t>(gather(channel_, address)), gather(local_, address)};
        const std::uint64_t index = block_shift_ >= 0 ? address >> block_shift_ : address / block_;
        const std::uint64_t round =
            channel_shift_ >= 0 ? index >> channel_shift_ : index / channels_;
        return {static_cast<std::uint32_t>(index - round * channels_),
                round * block_ + (address - index * block_)};
    }
    // Aligned blocks of so many bytes lie in one pseudo-channel.
    [[nodiscard]] std::uint64_t granule() const { return block_; }
    // Of an address in its block.
    [[nodiscard]] std::uint64_t offset(std::uint64_t address) const {
        return block_shift_ >= 0 ? address & (block_ - 1) : address % block_;
    }
    [[nodiscard]] const std::string& description() const { return description_; }

  private:
    static std::uint64_t gather(const std::vector<ChannelMap::Part>& parts, std::uint64_t address) {
        std::uint64_t value = 0;
        for (const ChannelMap::Part& p : parts) value |= (address >> p.shift & p.mask) << p.place;
        return value;
    }

    std::uint32_t channels_;
    std::uint64_t block_;
    bool by_fields_;
    int block_shift_, channel_shift_;  // -1: no power of two
    std::vector<ChannelMap::Part> channel_, local_;
    std::string description_;
};

}  // namespace diastole
