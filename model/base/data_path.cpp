#include "model/base/data_path.hpp"

#include <array>
#include <cstdlib>
#include <set>
#include <system_error>

namespace diastole {
namespace {

namespace fs = std::filesystem;

// The folders of an installation, and where the source tree keeps them.
struct Folder {
    std::string_view name;
    std::string_view in_source_tree;
};
constexpr std::array<Folder, 4> folders = {{
    {"presets", "model/params/presets"},
    {"memory", "model/params/memory"},
    {"library", "workloads/library"},
    {"validation", "workloads/validation"},
}};

fs::path installed_root() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path{} : program.parent_path().parent_path() / "share" / "diastole";
}

// The places to look for the data folder `name`, best first.
std::vector<fs::path> places_of(std::string_view name) {
    std::vector<fs::path> places;
    if (const char* root = std::getenv("DIASTOLE_DATA"); root != nullptr && *root != '\0') {
        places.push_back(fs::path(root) / name);
    }
    if (const fs::path root = installed_root(); !root.empty()) places.push_back(root / name);
    if (const fs::path root = installed_data_root(); !root.empty()) places.push_back(root / name);
    for (const Folder& folder : folders) {
        if (folder.name == name) {
            places.push_back(fs::path(DIASTOLE_SOURCE_DIR) / folder.in_source_tree);
        }
    }
    return places;
}

}  // namespace

__attribute__((weak)) const char* installed_data_root() {
    return "";
}

std::optional<fs::path> find_data(std::string_view name) {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    for (const fs::path& place : places_of(name.substr(0, slash))) {
        std::error_code error;
        fs::path file = place / name.substr(slash + 1);
        if (fs::is_regular_file(file, error)) return file;
    }
    return std::nullopt;
}

std::vector<std::string> list_data(std::string_view folder, std::string_view suffix) {
    std::set<std::string> names;
    for (const fs::path& place : places_of(folder)) {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(place, error)) {
            const std::string name = entry.path().filename().string();
            if (name.size() > suffix.size() &&
                name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0) {
                names.insert(name.substr(0, name.size() - suffix.size()));
            }
        }
    }
    return {names.begin(), names.end()};
}

}  // namespace diastole
