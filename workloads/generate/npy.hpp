// One-dimensional NumPy arrays of integers, read as a stream.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace diastole {

// Reads `.npy` files of format 1.0 to 3.0, little-endian int32 or int64, C order, any number of
// dimensions (taken as flat). Holds a few thousand elements in memory. Throws TraceError naming the
// file and, where there is one, the position.
class NpyReader {
  public:
    explicit NpyReader(const std::string& path);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }          // elements
    [[nodiscard]] std::uint64_t position() const { return position_; }  // of the next element
    // Precondition: element <= size().
    void seek(std::uint64_t element);
    std::int64_t next();

  private:
    void read_header();
    void refill();

    std::string path_;
    std::ifstream in_;
    std::uint64_t data_offset_ = 0;
    std::uint64_t size_ = 0;
    std::uint64_t position_ = 0;
    unsigned element_bytes_ = 8;
    std::vector<std::int64_t> buffer_;
    std::size_t taken_ = 0;
};

}  // namespace diastole
