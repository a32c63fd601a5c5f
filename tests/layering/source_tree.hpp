// The project's own sources as text, and what the layering rules read out of them. Reads the small
// part of C++ and CMake that this project uses; it is no parser of either.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace diastole::layering {

// Path from the root, with forward slashes -> content.
using Files = std::map<std::string, std::string>;

// Every .hpp, .cpp, .sh and CMakeLists.txt under model, workloads, tb, tests and scripts.
Files read_tree(const std::string& root);

// "model/base" of "model/base/units.hpp"; "tb" of "tb/run/run.cpp": tb and tests are one folder
// each.
std::string folder_of(const std::string& path);

bool is_cpp(const std::string& path);

// Comments become blanks, and with `strings_too` what stands between quotes as well; line breaks
// stay, so that positions keep their line.
std::string without_comments(const std::string& text, bool strings_too);

std::size_t line_at(const std::string& text, std::size_t position);

struct Include {
    std::string target;  // as written between quotes or angle brackets
    bool quoted = false;
    std::size_t line = 0;
};
std::vector<Include> includes_of(const std::string& text);

// What the CMakeLists.txt of one folder links: short names of the project's own libraries ("base"),
// and everything else as written ("PkgConfig::SystemC").
struct Links {
    std::set<std::string> libraries;  // that the file defines with diastole_library
    std::set<std::string> own, foreign;
};
Links links_of(const std::string& cmake_text);

// All lines of links_of together, by folder.
std::map<std::string, Links> all_links(const Files& files);

}  // namespace diastole::layering
