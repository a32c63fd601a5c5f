// Fills a schema: files, each on top of the one that its `base` names, then `--set key=value`.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/config/document.hpp"
#include "model/config/problems.hpp"
#include "model/config/schema.hpp"

namespace diastole::config {

struct Override {
    std::string key, text;
};
// "key=value"; throws ConfigError.
Override parse_override(std::string_view assignment);
std::vector<Override> parse_overrides(const std::vector<std::string>& assignments);
// Removes and returns those below a table: take_table(overrides, "lowering").
std::vector<Override> take_table(std::vector<Override>& overrides, std::string_view table);

struct FoundFile {
    std::string path;   // to open; empty: there is none
    std::string shown;  // what problems call it; or, where there is none, what is wrong
};
// Finds the file that a name means: in `base = "name"`, written in the file at `from`.
using FileFinder = std::function<FoundFile(const std::string& name, const std::string& from)>;

struct LoadOptions {
    FileFinder find_base;
    // A text key whose value names a file with the other keys of its table, put under the file that
    // says so: with {"dram.standard", ...}, `[dram] standard = "hbm3-6400"` brings that file's
    // `timing.cl` in as `dram.timing.cl`, and the chip's own dram.* keys replace it.
    std::map<std::string, FileFinder> includes;
    // Lists of tables; the topmost file that has one gives it.
    std::map<std::string, std::function<void(const std::vector<Node>&)>> lists;
    std::string prefix;  // of every key in the files: "dram" for a memory file on its own
};

// In a file, a key is plain (`rows = 8`) or says where it comes from:
// `rows = { value = 8, source = "ISCA 2025, table 2" }`, `{ value = 16, assumed = "why" }`. A table
// with a `source` or `assumed` of its own gives it to all its plain values.
// Everything wrong goes to `problems`, except that a file that cannot be read or parsed, or a cycle
// of bases, throws ConfigError at once.
void load(Schema& schema, const FoundFile& file, const LoadOptions& options,
          const std::vector<Override>& overrides, Problems& problems);
// Only `--set`, without a file.
void apply(Schema& schema, const std::vector<Override>& overrides, Problems& problems);

}  // namespace diastole::config
