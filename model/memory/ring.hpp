// First in, first out, as large as it has ever been: what is used stays in the processor's cache.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace diastole {

template <class T>
class Ring {
  public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    // Counted from the front. Precondition: it is there.
    T& operator[](std::size_t i) { return slots_[(head_ + i) & mask_]; }
    const T& operator[](std::size_t i) const { return slots_[(head_ + i) & mask_]; }
    T& front() { return slots_[head_]; }
    const T& front() const { return slots_[head_]; }

    // A place at the end, to be filled in: what stands there is an earlier item. The reference
    // lasts until the next one is added.
    T& add() {
        if (size_ == slots_.size()) grow();
        return slots_[(head_ + size_++) & mask_];
    }
    // Precondition: not empty.
    void pop() {
        head_ = (head_ + 1) & mask_;
        --size_;
    }

  private:
    void grow() {
        std::vector<T> larger(slots_.empty() ? 8 : 2 * slots_.size());
        for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
        slots_ = std::move(larger);
        mask_ = slots_.size() - 1;
        head_ = 0;
    }

    std::vector<T> slots_;  // their number is a power of two
    std::size_t mask_ = 0, head_ = 0, size_ = 0;
};

}  // namespace diastole
