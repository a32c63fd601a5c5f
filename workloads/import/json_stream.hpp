// The elements of one long array in a JSON text, one at a time: a trace of any length passes
// through a window of a few megabytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "workloads/graph/byte_source.hpp"

namespace diastole {

class JsonStream {
  public:
    // Room that a parser may read, not use, behind a value it is given.
    static constexpr std::size_t padding = 64;

    struct Handlers {
        // A value of the outermost object that is not the array: `key` without quotes.
        std::function<void(std::string_view key, std::string_view value, std::uint64_t offset)>
            other;
        // An element of the array. `offset`: where it begins in the (unpacked) text.
        std::function<void(std::string_view value, std::uint64_t offset)> element;
    };

    explicit JsonStream(ByteSource& source) : source_(source) {}

    // Reads `{..., "array_key": [...], ...}`, or a text that is the array itself. Checks only what
    // finding the ends of values takes; values are the handlers' to parse. Returns whether there
    // was an array. Throws TraceError with the byte offset where the text does not hold.
    bool read(std::string_view array_key, const Handlers& handlers);

    [[noreturn]] void fail(std::uint64_t offset, const std::string& what) const;

  private:
    int peek();  // the next byte that is not white space; -1 at the end
    void expect(char wanted, const char* where);
    std::string_view value();  // the text of the next value; valid until the next call of anything
    std::size_t end_of_value();
    void end_of_string();
    void end_of_nested();
    void read_array(const Handlers& handlers);
    bool grow();  // more text behind the window; false at the end of the source
    [[nodiscard]] std::uint64_t offset() const { return before_ + at_; }

    ByteSource& source_;
    std::string window_;
    std::size_t filled_ = 0;    // bytes of the window that hold text
    std::size_t start_ = 0;     // of the value that is being read: kept when the window moves
    std::size_t at_ = 0;        // next byte
    std::uint64_t before_ = 0;  // bytes of the text in front of the window
};

}  // namespace diastole
