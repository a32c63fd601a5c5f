// Chips and memories by name: a bundled preset, or the path of a TOML file.
#pragma once

#include <string>
#include <vector>

#include "model/config/loader.hpp"
#include "model/params/channel_map.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

// Sources that contradict each other by more than 3 %, and which one the description follows.
struct Conflict {
    std::string about;   // "MTIA 2i TDP"
    std::string values;  // who says what
    std::string used;    // what the description takes, and why
};

struct ResolvedChip {
    ChipParams params;
    std::vector<config::Setting> settings;  // every value with its source, in a fixed order
    std::vector<Conflict> conflicts;
    std::string file;  // it was read from
};
struct ResolvedMemory {
    DramParams params;       // its map is that of one pseudo-channel
    std::string map;         // as given: with ch and pc, where it has them
    ChannelMap channel_map;  // what these choose
    std::vector<config::Setting> settings;
    std::string file;
};

// `name`: a preset ("mtia-2i"), or a file when it has a slash or ends in .toml. Throws ConfigError
// with one line per problem; an unknown preset's line names the nearest one and lists all.
ResolvedChip load_chip(const std::string& name,
                       const std::vector<config::Override>& overrides = {});
// Keys of overrides are `dram.*` here too. As many pseudo-channels as the description says, else as
// the map tells apart, else one.
ResolvedMemory load_memory(const std::string& name,
                           const std::vector<config::Override>& overrides = {});

std::vector<std::string> chip_presets();
std::vector<std::string> memory_presets();

}  // namespace diastole
