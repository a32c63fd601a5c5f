// The tags of one LLC slice: set-associative, exact LRU. A set's ways are kept in order of use,
// most recent first, so a word per line holds everything and a hit on a recent line is found at
// once.
#pragma once

#include <cstdint>
#include <vector>

namespace diastole {

class Cache {
  public:
    struct Victim {
        bool valid = false;       // a line was evicted
        bool write_back = false;  // and it is dirty
        bool dropped = false;     // it was dirty, and its content is dead
        std::uint64_t line = 0;
    };

    // `lines` may be zero: nothing ever hits, nothing can be inserted. Throws ConfigError if the
    // lines do not divide into sets of `ways`, or if `address_lines` lines need a longer tag.
    Cache(std::uint64_t lines, std::uint32_t ways, std::uint64_t address_lines);

    [[nodiscard]] bool enabled() const { return sets_ > 0; }
    [[nodiscard]] std::uint64_t sets() const { return sets_; }
    [[nodiscard]] std::uint64_t dirty_lines() const { return dirty_lines_; }

    // A position in the tags, to walk over contiguous lines without dividing for each.
    class Cursor {
      public:
        void next(const Cache& cache) {
            if (++set_ == cache.sets_) {
                set_ = 0;
                ++tag_;
            }
        }

      private:
        friend class Cache;
        std::uint64_t set_ = 0;
        std::uint64_t tag_ = 0;
    };
    [[nodiscard]] Cursor at(std::uint64_t line) const {
        Cursor cursor;
        if (sets_ > 0) {
            cursor.tag_ = line / sets_;
            cursor.set_ = line - cursor.tag_ * sets_;
        }
        return cursor;
    }

    // Brings the tags at a position into the processor's cache; they are looked at some time later,
    // and waiting for them then would be the dearest part of a lookup.
    void prefetch(const Cursor& c) const {
        if (sets_ > 0) __builtin_prefetch(set_of(c));
    }

    // True on a hit, which becomes the most recently used line of its set.
    bool touch(const Cursor& c) { return sets_ > 0 && promote(find(c)); }
    // Like touch(), but the reader was the last to need the line: it is clean from now on and the
    // first to go. `dropped` tells whether that saved a write-back.
    bool touch_last(const Cursor& c, bool& dropped);
    // A write hit. `dead_after`: the line may be dropped instead of written back.
    bool touch_write(const Cursor& c, bool dead_after);
    // What insert() would evict, without doing it.
    [[nodiscard]] Victim victim(const Cursor& c) const;
    // Precondition: enabled(), the line is absent.
    Victim insert(const Cursor& c, bool dirty, bool dead_after);
    [[nodiscard]] bool contains(const Cursor& c) const { return sets_ > 0 && found(c); }

  private:
    // A word: tag, then these bits. A word of zero is an empty way.
    static constexpr std::uint32_t valid_bit = 1, dirty_bit = 2, dead_bit = 4;
    static constexpr std::uint32_t tag_shift = 3;

    [[nodiscard]] std::uint32_t* set_of(const Cursor& c) { return words_.data() + c.set_ * ways_; }
    [[nodiscard]] const std::uint32_t* set_of(const Cursor& c) const {
        return words_.data() + c.set_ * ways_;
    }
    static bool matches(std::uint32_t word, std::uint64_t tag) {
        return word >> tag_shift == tag && (word & valid_bit) != 0;
    }
    [[nodiscard]] bool found(const Cursor& c) const {
        const std::uint32_t* set = set_of(c);
        for (std::uint32_t w = 0; w < ways_; ++w) {
            if (matches(set[w], c.tag_)) return true;
        }
        return false;
    }
    struct Place {
        std::uint32_t* set;
        std::uint32_t way;
    };
    Place find(const Cursor& c) {
        std::uint32_t* set = set_of(c);
        std::uint32_t way = 0;
        while (way < ways_ && !matches(set[way], c.tag_)) ++way;
        return {set, way};
    }
    bool promote(Place place) {
        if (place.way == ways_) return false;
        const std::uint32_t word = place.set[place.way];
        for (std::uint32_t w = place.way; w > 0; --w) place.set[w] = place.set[w - 1];
        place.set[0] = word;
        return true;
    }

    std::uint64_t sets_ = 0;
    std::uint32_t ways_;
    std::uint64_t dirty_lines_ = 0;
    std::vector<std::uint32_t> words_;
};

}  // namespace diastole
