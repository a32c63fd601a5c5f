// Things that leave at known times, produced almost in order: insertion from the back, O(1) when it
// is in order. Equal times keep the order of insertion.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "model/base/units.hpp"

namespace diastole {

template <class T>
class SortedQueue {
  public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] Cycles first() const { return empty() ? never : ring_[head_].first; }

    // Precondition: not empty.
    [[nodiscard]] const T& front() const { return ring_[head_].second; }

    void push(Cycles at, const T& item) {
        if (size_ == ring_.size()) grow();
        std::size_t place = wrap(head_ + size_++);
        for (std::size_t left = size_ - 1; left > 0; --left) {
            const std::size_t before = wrap(place - 1);
            if (!(at < ring_[before].first)) break;
            ring_[place] = ring_[before];
            place = before;
        }
        ring_[place] = {at, item};
    }
    // Precondition: not empty.
    T pop() {
        const std::size_t taken = head_;
        head_ = wrap(head_ + 1);
        --size_;
        return ring_[taken].second;
    }

  private:
    [[nodiscard]] std::size_t wrap(std::size_t i) const { return i & (ring_.size() - 1); }
    void grow() {
        std::vector<std::pair<Cycles, T>> larger(ring_.empty() ? 16 : 2 * ring_.size());
        for (std::size_t i = 0; i < size_; ++i) larger[i] = ring_[wrap(head_ + i)];
        ring_ = std::move(larger);
        head_ = 0;
    }

    // A ring, so that what is used stays in the processor's cache; its size is a power of two.
    std::vector<std::pair<Cycles, T>> ring_;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace diastole
