// A result file that is either whole or not there: what is written goes to a temporary name beside
// the target and takes the target's name only when committed. An interruption leaves no half
// result. A device or a pipe is written as it is: a new name would replace it.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace diastole {

class AtomicFile {
  public:
    // Throws ConfigError when the file cannot be created; the text says the path and the reason.
    explicit AtomicFile(std::string path);
    ~AtomicFile();  // removes the temporary file unless committed
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::string_view text);  // throws ConfigError (disk full, ...)
    void commit();                      // flushes and renames; call once, last

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    [[noreturn]] void fail(int error) const;

    std::string path_;
    std::string temporary_;  // empty: written directly
    std::FILE* file_ = nullptr;
};

}  // namespace diastole
