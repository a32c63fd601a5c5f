#include "model/params/channel_spread.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/base/error.hpp"

namespace diastole {
namespace {

int shift_of(std::uint64_t value) {
    return (value & (value - 1)) == 0 ? __builtin_ctzll(value) : -1;
}

}  // namespace

ChannelSpread::ChannelSpread(const ChannelMap& map, std::uint32_t channels, std::uint64_t block,
                             std::uint64_t channel_bytes, std::uint32_t atom_bytes)
    : channels_(channels),
      block_(block),
      by_fields_(map.channels > 0),
      channel_shift_(shift_of(channels)),
      channel_(map.channel),
      local_(map.local) {
    if (by_fields_) {
        if (map.channels != channels) {
            throw ConfigError(
                fmt::format("pseudo-channels: the map's ch and pc fields tell {} apart, got {}",
                            map.channels, channels));
        }
        // The bits below each part of `ch` and `pc` are used in full, or there would be holes.
        std::uint32_t below = 0;
        bool holes = false;
        for (const ChannelMap::Part& part : channel_) {
            holes = holes || channel_bytes % (std::uint64_t{1} << (part.shift - below)) != 0;
            below += static_cast<std::uint32_t>(__builtin_popcountll(part.mask));
        }
        if (holes) {
            throw ConfigError(
                fmt::format("dram.map: a pseudo-channel has {} bytes, no power of two: expected ch "
                            "and pc below "
                            "the bits that are not used in full",
                            channel_bytes));
        }
        block_ = std::uint64_t{1} << channel_.front().shift;
        for (const ChannelMap::Part& part : channel_) {
            block_ = std::min(block_, std::uint64_t{1} << part.shift);
        }
        if (block_ < atom_bytes) {
            throw ConfigError("dram.map: expected ch and pc above byte: an atom is contiguous");
        }
        description_ = "by the map's ch and pc bits";
    } else if (channels == 1) {
        block_ = channel_bytes;
        description_ = "one pseudo-channel";
    } else {
        if (block == 0 || block % atom_bytes != 0 || channel_bytes % block != 0) {
            throw ConfigError(fmt::format(
                "interleave: expected a multiple of the atom of {} bytes that divides a "
                "pseudo-channel's {}, got {}",
                atom_bytes, channel_bytes, block));
        }
        description_ = fmt::format("blocks of {} bytes round-robin", block);
    }
    block_shift_ = shift_of(block_);
}

}  // namespace diastole
