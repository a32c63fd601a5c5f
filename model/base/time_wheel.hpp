// A queue of future events, ordered by time and, at equal times, by insertion. Insertion and
// removal are O(1) for events less than `span` cycles ahead, which is nearly all of them; later
// ones wait in an ordered overflow.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "model/base/error.hpp"
#include "model/base/units.hpp"

namespace diastole {

template <class T, std::uint64_t span = 256>
class TimeWheel {
    static_assert(span % 64 == 0 && (span & (span - 1)) == 0);

  public:
    TimeWheel() { heads_.fill(nothing); }

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }

    // Precondition: `at` is not earlier than the last event taken out.
    void push(Cycles at, T value) { add(at) = std::move(value); }
    // The same, for the caller to fill in: what it finds there is an earlier event's. The reference
    // lasts until the next one is added.
    T& add(Cycles at) {
        const std::uint64_t time = at.count();
        if (time < now_) throw ModelError("an event was scheduled in the past");
        ++size_;
        if (time < next_) next_ = time;
        if (time - now_ >= span) return overflow_.emplace(time, T{})->second;
        return insert(time);
    }

    // Time of the earliest event; `never` when there is none.
    [[nodiscard]] Cycles next() const { return Cycles(next_); }

    // The earliest event, which may be used up in place. Precondition: not empty. The reference
    // lasts until the next one is added.
    T& front() {
        if (next_ != now_) {
            now_ = next_;
            admit();
        }
        return slots_[heads_[now_ % span]].value;
    }
    // Takes out what front() has returned.
    void drop() {
        const std::size_t bucket = now_ % span;
        const std::uint32_t slot = heads_[bucket];
        heads_[bucket] = slots_[slot].next;
        slots_[slot].next = free_;
        free_ = slot;
        --size_;
        if (heads_[bucket] == nothing) {
            occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
            next_ = find_next();
        }
    }
    // Takes out the earliest event. Precondition: not empty.
    T pop() {
        T value = std::move(front());
        drop();
        return value;
    }

  private:
    static constexpr std::uint32_t nothing = ~std::uint32_t{0};

    struct Slot {
        T value{};
        std::uint32_t next = nothing;
    };

    T& insert(std::uint64_t time) {
        std::uint32_t slot = free_;
        if (slot == nothing) {
            slot = static_cast<std::uint32_t>(slots_.size());
            slots_.emplace_back();
        } else {
            free_ = slots_[slot].next;
        }
        slots_[slot].next = nothing;
        const std::size_t bucket = time % span;
        if (heads_[bucket] == nothing) {
            heads_[bucket] = slot;
            occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
        } else {
            slots_[tails_[bucket]].next = slot;
        }
        tails_[bucket] = slot;
        return slots_[slot].value;
    }

    // Moves what has come within the span from the overflow into the wheel. An overflow event was
    // inserted before any wheel event of the same time, because the wheel only moves forward.
    void admit() {
        while (!overflow_.empty() && overflow_.begin()->first - now_ < span) {
            auto node = overflow_.extract(overflow_.begin());
            insert(node.key()) = std::move(node.mapped());
        }
    }

    [[nodiscard]] std::uint64_t find_next() const {
        if (size_ == 0) return never.count();
        const std::size_t start = now_ % span;
        const std::uint64_t near = occupied_[start / 64] >> (start % 64);
        if (near != 0) return now_ + static_cast<std::uint64_t>(__builtin_ctzll(near));
        constexpr std::size_t words = span / 64;
        for (std::size_t step = 1; step <= words; ++step) {
            const std::size_t word = (start / 64 + step) % words;
            std::uint64_t bits = occupied_[word];
            if (step == words) bits &= ~(~std::uint64_t{0} << (start % 64));
            if (bits == 0) continue;
            const std::size_t bucket = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
            return now_ + (bucket + span - start) % span;
        }
        return overflow_.begin()->first;
    }

    std::vector<Slot> slots_;
    std::array<std::uint32_t, span> heads_{};
    std::array<std::uint32_t, span> tails_{};
    std::array<std::uint64_t, span / 64> occupied_{};
    std::multimap<std::uint64_t, T> overflow_;
    std::uint32_t free_ = nothing;
    std::uint64_t now_ = 0;
    std::uint64_t next_ = never.count();
    std::size_t size_ = 0;
};

}  // namespace diastole
