// The rules that hold the sources to the design's layers. Each returns its violations, one ready
// line each; an empty result means that the rule holds.
#pragma once

#include <string>
#include <vector>

#include "tests/layering/source_tree.hpp"

namespace diastole::layering {

using Problems = std::vector<std::string>;

// Every folder has a layer, defines the one library that bears its name, and names its libraries
// where they can be read.
Problems unknown_folders(const Files& files);

// An include between two folders needs an edge between them, written out: what comes along with
// another library does not count. Includes are written from the root and exist.
Problems includes_without_edge(const Files& files);

// Edges lead to a lower layer, or within a layer without a circle. Folders of layer 4 know nothing
// of each other; workloads know only base, config, params, isa and timing; nothing knows tb.
Problems edges_against_layers(const Files& files);

// Two folders whose files include each other, whatever the edges say.
Problems mutual_includes(const Files& files);

// Workloads and the layers 0 to 2 neither include SystemC or TLM, directly or through a header, nor
// link it.
Problems systemc_below_its_layer(const Files& files);

// Files beyond 500 lines.
Problems long_files(const Files& files);

// Below tb nothing ends the program or prints: errors and results are returned.
Problems exits_and_prints(const Files& files);

// Variables outside functions and static ones inside them that are not const; a signal handler's
// flag may be.
Problems mutable_globals(const Files& files);

}  // namespace diastole::layering
