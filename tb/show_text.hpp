// Resolved descriptions as text for a terminal of 100 columns.
#pragma once

#include <string>

#include "model/params/preset.hpp"

namespace diastole {

std::string show_text(const ResolvedChip& chip);
std::string show_text(const ResolvedMemory& memory);

}  // namespace diastole
