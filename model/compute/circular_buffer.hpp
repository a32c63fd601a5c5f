// A circular buffer in local memory with its pointers in hardware. A producer reserves space when
// its command starts and commits it when that completes; a consumer claims what it will release
// when its command starts, so that the next one reads behind it, and releases it when that
// completes. Pointers count bytes and never wrap.
#pragma once

#include <cstdint>

#include "model/base/error.hpp"
#include "model/base/units.hpp"
#include "model/stats/stalls.hpp"

namespace diastole {

class CircularBuffer {
  public:
    void configure(std::uint32_t capacity) {
        if (committed_ != released_ || reserved_ != committed_) {
            throw ModelError("a circular buffer was reconfigured while it held data");
        }
        capacity_ = capacity;
        committed_ = claimed_ = released_ = reserved_ = 0;
        peak_ = 0;
    }

    [[nodiscard]] bool has(std::uint32_t bytes) const { return committed_ - claimed_ >= bytes; }
    [[nodiscard]] bool fits(std::uint32_t bytes) const {
        return reserved_ - released_ + bytes <= capacity_;
    }
    [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
    [[nodiscard]] std::uint64_t peak() const { return peak_; }

    void reserve(std::uint32_t bytes) {
        if (!fits(bytes)) throw ModelError("a circular buffer overflowed");
        reserved_ += bytes;
        if (reserved_ - released_ > peak_) peak_ = reserved_ - released_;
    }
    // `cause` owns the time of whoever waits for these bytes.
    void commit(std::uint32_t bytes, Stall cause) {
        committed_ += bytes;
        cause_ = cause;
        if (committed_ > reserved_) throw ModelError("a circular buffer was committed unreserved");
    }
    void claim(std::uint32_t bytes) { claimed_ += bytes; }
    void release(std::uint32_t bytes) {
        released_ += bytes;
        if (released_ > committed_ || released_ > claimed_)
            throw ModelError("a circular buffer was read past its end");
    }
    [[nodiscard]] Stall cause() const { return cause_; }  // of the latest commit

  private:
    std::uint32_t capacity_ = 0;
    std::uint64_t reserved_ = 0, committed_ = 0, claimed_ = 0, released_ = 0;
    std::uint64_t peak_ = 0;
    Stall cause_ = Stall::wait_dependency;
};

}  // namespace diastole
