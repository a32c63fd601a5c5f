// Where the program's data files are: chip presets (`presets/`), memory presets (`memory/`),
// workload descriptions and traces (`library/`), and published measurements (`validation/`).
// Searched in this order, file by file:
//   1. the folder that the environment variable DIASTOLE_DATA names,
//   2. ../share/diastole beside the executable's folder (an installed program),
//   3. the installation whose library the program links (installed_data_root()),
//   4. the source tree that program or library was built from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diastole {

// `name` is below the data folder: "presets/mtia-2i.toml". Nothing when no place has it.
std::optional<std::filesystem::path> find_data(std::string_view name);

// The names, without `suffix`, of the files in a data folder ("presets", ".toml"), sorted, of all
// places together.
std::vector<std::string> list_data(std::string_view folder, std::string_view suffix);

// Empty, unless the program defines this function itself, as everything that links an installed
// Diastole does: lib/cmake/Diastole adds the source for it, since only then the prefix is known.
const char* installed_data_root();

}  // namespace diastole
