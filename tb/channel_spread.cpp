#include "tb/channel_spread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "model/base/error.hpp"

namespace diastole {
namespace {

struct Field {
    std::string name;
    std::uint32_t bits = 0;
};

// A field with a plausible number of bits; nothing otherwise.
std::optional<Field> read_field(const std::string& word) {
    const std::size_t colon = word.find(':');
    const std::string digits = colon == std::string::npos ? "" : word.substr(colon + 1);
    const bool plain = !digits.empty() && digits.size() <= 2 &&
                       digits.find_first_not_of("0123456789") == std::string::npos;
    if (!plain || std::stoul(digits) > 40) return std::nullopt;
    return Field{word.substr(0, colon), static_cast<std::uint32_t>(std::stoul(digits))};
}

bool is_channel(const std::string& name) {
    return name == "ch" || name == "pc";
}

std::uint64_t mask_of(std::uint32_t bits) {
    return (std::uint64_t{1} << bits) - 1;
}

int shift_of(std::uint64_t value) {
    return (value & (value - 1)) == 0 ? __builtin_ctzll(value) : -1;
}

}  // namespace

ChannelMap read_channel_map(const std::string& map) {
    constexpr std::uint32_t most_bits = 16;  // as many channels as a description may have
    // A pseudo-channel has 40 at most; with more the inner map is wrong and will be refused.
    constexpr std::uint32_t most_address_bits = 60;
    ChannelMap result;
    std::vector<Field> fields;
    std::uint32_t pc_bits = 0, channel_bits = 0;
    std::istringstream words(map);
    for (std::string word; words >> word;) {
        const std::optional<Field> field = read_field(word);
        const std::string name = word.substr(0, word.find(':'));
        if (!is_channel(name)) result.inner += (result.inner.empty() ? "" : " ") + word;
        if (is_channel(name) && !field) {
            throw ConfigError(
                fmt::format("dram.map: \"{}\": expected '{}:<bits>', got '{}'", map, name, word));
        }
        if (!field) continue;
        fields.push_back(*field);
        if (name == "pc") pc_bits += field->bits;
        if (is_channel(name)) channel_bits += field->bits;
    }
    if (channel_bits > most_bits) {
        throw ConfigError(
            fmt::format("dram.map: \"{}\": ch and pc have {} bits, expected at most {}", map,
                        channel_bits, most_bits));
    }
    if (channel_bits == 0) return result;
    result.channels = 1U << channel_bits;
    std::uint32_t shift = 0, pc_place = 0, ch_place = pc_bits, local = 0;
    for (auto field = fields.rbegin(); field != fields.rend() && shift < most_address_bits;
         ++field) {
        std::uint32_t& place = field->name == "pc"   ? pc_place
                               : field->name == "ch" ? ch_place
                                                     : local;
        std::vector<ChannelMap::Part>& parts =
            is_channel(field->name) ? result.channel : result.local;
        ChannelMap::Part* last = parts.empty() ? nullptr : &parts.back();
        // Fields side by side in both are one part.
        if (&parts == &result.local && last != nullptr &&
            last->shift - last->place == shift - place) {
            last->mask = mask_of(place + field->bits - last->place);
        } else {
            parts.push_back({shift, place, mask_of(field->bits)});
        }
        place += field->bits;
        shift += field->bits;
    }
    return result;
}

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
                fmt::format("--pseudo-channels: the map's ch and pc fields tell {} apart, got {}",
                            map.channels, channels));
        }
        const bool on_top = channel_.back().shift > local_.back().shift;
        if ((channel_bytes & (channel_bytes - 1)) != 0 && on_top) {
            throw ConfigError(
                fmt::format("dram.map: a pseudo-channel has {} bytes, no power of two: expected ch "
                            "and pc below "
                            "the field that holds the topmost bits",
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
                "--interleave: expected a multiple of the atom of {} bytes that divides a "
                "pseudo-channel's {}, got {}",
                atom_bytes, channel_bytes, block));
        }
        description_ = fmt::format("blocks of {} bytes round-robin", block);
    }
    block_shift_ = shift_of(block_);
}

}  // namespace diastole
