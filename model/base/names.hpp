// Matching of names that a user typed against the names that exist.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diastole {

// The candidate with the smallest edit distance to `typed`; empty when none is near enough to be
// what was meant (more than a third of the letters differ, and at least three).
std::string nearest_name(std::string_view typed, const std::vector<std::string>& candidates);

// "; did you mean 'x'?" or an empty string.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& candidates);

}  // namespace diastole
