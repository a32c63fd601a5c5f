// What can go wrong, by whose fault it is. tb/main.cpp alone catches these and maps them to exit
// codes.
#pragma once

#include <stdexcept>
#include <string>

namespace diastole {

// The user's description or command line is wrong (exit 2). The text is ready to print: it names
// file, line, key and what was expected, and may hold several lines, one problem each.
class ConfigError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The user's trace or other input data is wrong (exit 2).
class TraceError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The model broke one of its own rules, or stands still (exit 3).
class ModelError : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

// The user pressed Ctrl-C (exit 130).
class Interrupted : public std::runtime_error {
  public:
    Interrupted() : std::runtime_error("interrupted") {}
};

}  // namespace diastole
