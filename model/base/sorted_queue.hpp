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
    [[nodiscard]] bool empty() const { return head_ == items_.size(); }
    [[nodiscard]] Cycles first() const { return empty() ? never : items_[head_].first; }

    // Precondition: not empty.
    [[nodiscard]] const T& front() const { return items_[head_].second; }

    void push(Cycles at, const T& item) {
        items_.emplace_back(at, item);
        for (std::size_t i = items_.size() - 1; i > head_ && at < items_[i - 1].first; --i) {
            std::swap(items_[i - 1], items_[i]);
        }
    }
    // Precondition: not empty.
    T pop() {
        T item = items_[head_++].second;
        if (head_ == items_.size()) {
            items_.clear();
            head_ = 0;
        } else if (head_ >= 256 && head_ * 2 >= items_.size()) {
            items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
            head_ = 0;
        }
        return item;
    }

  private:
    std::vector<std::pair<Cycles, T>> items_;
    std::size_t head_ = 0;
};

}  // namespace diastole
