#include "model/params/channel_map.hpp"

#include <fmt/format.h>

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
        const bool hash = word.find('^') != std::string::npos;  // takes no bits of its own
        const std::optional<Field> field = hash ? std::nullopt : read_field(word);
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

}  // namespace diastole
