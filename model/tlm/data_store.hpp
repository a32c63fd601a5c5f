// What the memory holds, in pages that exist once something was written to them. Bytes that nobody
// has written read as zero.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace diastole {

class DataStore {
  public:
    static constexpr std::uint64_t page_bytes = 1024;

    void read(std::uint64_t address, unsigned char* data, std::uint64_t bytes) const;
    void write(std::uint64_t address, const unsigned char* data, std::uint64_t bytes);
    [[nodiscard]] std::size_t pages() const { return pages_.size(); }

  private:
    using Page = std::array<unsigned char, page_bytes>;

    std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;  // by number; never iterated
};

}  // namespace diastole
