// Records that come and go, named by their index; grows to the most that were alive at a time.
#pragma once

#include <cstdint>
#include <vector>

namespace diastole {

template <class T>
class Slab {
  public:
    // A fresh record. References to others do not survive.
    std::uint32_t take() {
        if (free_.empty()) {
            records_.emplace_back();
            return static_cast<std::uint32_t>(records_.size() - 1);
        }
        const std::uint32_t id = free_.back();
        free_.pop_back();
        records_[id] = T{};
        return id;
    }
    void release(std::uint32_t id) { free_.push_back(id); }

    [[nodiscard]] std::size_t alive() const { return records_.size() - free_.size(); }
    T& operator[](std::uint32_t id) { return records_[id]; }
    const T& operator[](std::uint32_t id) const { return records_[id]; }

  private:
    std::vector<T> records_;
    std::vector<std::uint32_t> free_;
};

}  // namespace diastole
