// Where the build found things. Functions and not macros, so that a compiler's cache serves test
// objects in any folder: the paths stand in one small file that the build generates.
#pragma once

#include <string>

namespace diastole {

std::string source_dir();  // the project's folder, absolute
std::string program();     // the built `diastole`, absolute

}  // namespace diastole
