// Things that leave at known times, produced almost in order: insertion from the back, O(1) when it
// is in order. Equal times keep the order of insertion.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "model/base/units.hpp"

namespace diastole {

// An Entry has a time `at`.
template <class Entry>
class SortedRing {
  public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] Cycles first() const { return empty() ? never : ring_[head_].at; }

    void push(const Entry& entry) {
        if (size_ == capacity_) grow();
        std::size_t place = wrap(head_ + size_++);
        for (std::size_t left = size_ - 1; left > 0; --left) {
            const std::size_t before = wrap(place - 1);
            if (!(entry.at < ring_[before].at)) break;
            ring_[place] = ring_[before];
            place = before;
        }
        ring_[place] = entry;
    }
    // Precondition of both: not empty. What pop() returns lasts until the next push.
    [[nodiscard]] const Entry& front() const { return ring_[head_]; }
    const Entry& pop() {
        const std::size_t taken = head_;
        head_ = wrap(head_ + 1);
        --size_;
        return ring_[taken];
    }

  private:
    [[nodiscard]] std::size_t wrap(std::size_t i) const { return i & (capacity_ - 1); }
    void grow() {
        std::vector<Entry> larger(ring_.empty() ? 16 : 2 * ring_.size());
        for (std::size_t i = 0; i < size_; ++i) larger[i] = ring_[wrap(head_ + i)];
        ring_ = std::move(larger);
        capacity_ = ring_.size();
        head_ = 0;
    }

    // A ring, so that what is used stays in the processor's cache; its size is a power of two.
    std::vector<Entry> ring_;
    std::size_t capacity_ = 0;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

template <class T>
class SortedQueue {
  public:
    [[nodiscard]] bool empty() const { return ring_.empty(); }
    [[nodiscard]] Cycles first() const { return ring_.first(); }
    [[nodiscard]] const T& front() const { return ring_.front().item; }  // precondition: not empty
    void push(Cycles at, const T& item) { ring_.push({at, item}); }
    T pop() { return ring_.pop().item; }  // precondition: not empty

  private:
    struct Timed {
        Cycles at;
        T item;
    };
    SortedRing<Timed> ring_;
};

// Times alone.
class SortedTimes {
  public:
    [[nodiscard]] bool empty() const { return ring_.empty(); }
    [[nodiscard]] Cycles first() const { return ring_.first(); }
    void push(Cycles at) { ring_.push({at}); }
    void pop() { ring_.pop(); }  // precondition: not empty

  private:
    struct Moment {
        Cycles at;
    };
    SortedRing<Moment> ring_;
};

}  // namespace diastole
