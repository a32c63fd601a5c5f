// Numbers as a person reads them.
#pragma once

#include <string>

namespace diastole {

// Three significant digits and an SI prefix: "1.98 M", "204 G", "47.1 u". The unit follows
// directly.
std::string si(double value);

// A bar of `width` characters, filled to `share` (0 to 1).
std::string bar(double share, int width);

}  // namespace diastole
