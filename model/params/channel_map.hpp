// The part of an address map that chooses the pseudo-channel: `ch` and `pc`, for a map that covers
// the address of a whole memory, such as `row:15 ch:3 col:5 pc:1 ba:2 bg:2 byte:5`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace diastole {

// A map with its `ch` and `pc` fields taken out.
struct ChannelMap {
    struct Part {
        std::uint32_t shift = 0;  // position in the address
        std::uint32_t place = 0;  // position in the result
        std::uint64_t mask = 0;   // before shifting to its place
    };
    std::string inner;           // what is left: the map of one pseudo-channel
    std::vector<Part> channel;   // ch above pc
    std::vector<Part> local;     // the address within the pseudo-channel
    std::uint32_t channels = 0;  // 0: the map has neither field
};
// Throws ConfigError for a `ch` or `pc` without a number of bits; everything else that may be wrong
// with a map is left in `inner`.
ChannelMap read_channel_map(const std::string& map);

}  // namespace diastole
