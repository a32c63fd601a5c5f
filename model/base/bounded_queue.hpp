// A first-in first-out queue with a fixed capacity, and how full it has been.
#pragma once

#include <cstddef>
#include <vector>

#include "model/base/error.hpp"

namespace diastole {

template <class T>
class BoundedQueue {
  public:
    explicit BoundedQueue(std::size_t capacity) : slots_(capacity), capacity_(capacity) {}

    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] bool full() const { return size_ == capacity_; }
    [[nodiscard]] std::size_t peak() const { return peak_; }  // largest size so far

    void push(T value) { add() = std::move(value); }
    // A place at the back, for the caller to fill in: what it finds there was popped earlier.
    T& add() {
        if (full()) throw ModelError("a bounded queue was pushed while full");
        T& slot = slots_[wrap(head_ + size_)];
        ++size_;
        if (size_ > peak_) peak_ = size_;
        return slot;
    }
    T& front() { return slots_[head_]; }
    const T& front() const { return slots_[head_]; }
    T& back() { return slots_[wrap(head_ + size_ - 1)]; }
    T& operator[](std::size_t i) { return slots_[wrap(head_ + i)]; }
    const T& operator[](std::size_t i) const { return slots_[wrap(head_ + i)]; }
    void pop() {
        if (empty()) throw ModelError("a bounded queue was popped while empty");
        head_ = wrap(head_ + 1);
        --size_;
    }

  private:
    [[nodiscard]] std::size_t wrap(std::size_t i) const {
        return i < capacity_ ? i : i - capacity_;
    }

    std::vector<T> slots_;
    std::size_t capacity_;  // of the slots: asking the vector costs a division
    std::size_t head_ = 0;
    std::size_t size_ = 0;
    std::size_t peak_ = 0;
};

}  // namespace diastole
