// The bytes of a trace file, plain or gzip, read forward in pieces of bounded size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace diastole {

class ByteSource {
  public:
    virtual ~ByteSource() = default;

    // Fills up to `capacity` bytes; 0 at the end. Throws TraceError when the file cannot be read or
    // its gzip stream is damaged or ends early.
    virtual std::size_t read(char* buffer, std::size_t capacity) = 0;

    [[nodiscard]] virtual const std::string& name() const = 0;  // for messages
    // Bytes of the file consumed so far and in all (compressed, where it is); 0 in all: unknown.
    [[nodiscard]] virtual std::uint64_t position() const = 0;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
};

// gzip is recognised by its first bytes, whatever the name; a name in .gz without gzip inside is an
// error, so are a missing, an empty and an unreadable file.
std::unique_ptr<ByteSource> open_file(const std::string& path);
// The same over text in memory, which must outlive the source. `name` stands in messages.
std::unique_ptr<ByteSource> open_text(std::string_view text, std::string name);

// gzip of `text` as one member without name or time: the same text gives the same bytes.
std::string gzip(std::string_view text);
bool has_gzip_name(std::string_view path);  // ends in .gz

// The lines of a source, without their ends ("\n" or "\r\n"). The last need not be terminated.
class LineReader {
  public:
    explicit LineReader(ByteSource& source) : source_(source) {}
    bool next(std::string_view& line);  // valid until the next call; false after the last
    [[nodiscard]] std::uint64_t line_number() const { return line_number_; }  // of the last, from 1

  private:
    ByteSource& source_;
    std::string buffer_;
    std::size_t begin_ = 0;  // of the unread part of buffer_
    std::uint64_t line_number_ = 0;
    bool ended_ = false;
};

}  // namespace diastole
