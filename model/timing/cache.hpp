// The tags of one LLC slice: set-associative, exact LRU. A set's ways are kept in order of use,
// most recent first, a word each. Searching and reordering take four ways at a time and all of them
// always: where a line is found in its set cannot be predicted, and a wrong guess costs more than
// the rest of a look-up.
#pragma once

#include <cstdint>
#include <vector>

#include "model/base/divisor.hpp"

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
        std::uint32_t set_ = 0, tag_ = 0;
    };
    [[nodiscard]] Cursor at(std::uint64_t line) const {
        Cursor cursor;
        if (sets_ > 0) {
            const std::uint64_t tag = by_sets_.quotient(line);
            cursor.tag_ = static_cast<std::uint32_t>(tag);
            cursor.set_ = static_cast<std::uint32_t>(line - tag * sets_);
        }
        return cursor;
    }

    // Brings the tags at a position into the processor's cache; they are looked at some time later,
    // and waiting for them then would be the dearest part of a lookup. Inlined by force: g++ 12
    // takes a function that does nothing else for one without effect, and drops the call.
    [[gnu::always_inline]] void prefetch(const Cursor& c) const {
        if (sets_ > 0) __builtin_prefetch(set_of(c));
    }

    // True on a hit, which becomes the most recently used line of its set.
    bool touch(const Cursor& c) {
        if (sets_ == 0) return false;
        std::uint32_t* set = set_of(c);
        const std::uint32_t place = place_of(set, c.tag_);
        if (place == 0) return false;
        put_first(set, place, set[place - 1]);
        return true;
    }
    // Like touch(), but the reader was the last to need the line: it is clean from now on and the
    // first to go. `dropped` tells whether that saved a write-back.
    bool touch_last(const Cursor& c, bool& dropped);
    // A write hit. `dead_after`: the line may be dropped instead of written back.
    bool touch_write(const Cursor& c, bool dead_after);
    // What insert() would evict, without doing it.
    [[nodiscard]] Victim victim(const Cursor& c) const;
    // Precondition: enabled(), the line is absent.
    Victim insert(const Cursor& c, bool dirty, bool dead_after);
    [[nodiscard]] bool contains(const Cursor& c) const {
        return sets_ > 0 && place_of(set_of(c), c.tag_) != 0;
    }

  private:
    // A word: tag, then these bits. A word of zero is an empty way.
    static constexpr std::uint32_t valid_bit = 1, dirty_bit = 2, dead_bit = 4;
    static constexpr std::uint32_t tag_shift = 3;

    // Four ways: what one vector register holds.
    using Quad = std::uint32_t __attribute__((vector_size(16)));
    static Quad load(const std::uint32_t* from) {
        Quad quad;
        __builtin_memcpy(&quad, from, sizeof quad);
        return quad;
    }
    static void store(std::uint32_t* to, const Quad& quad) {
        __builtin_memcpy(to, &quad, sizeof quad);
    }
    static Quad all(std::uint32_t word) { return Quad{word, word, word, word}; }
    // A place is one more than a way; signed, because that is what processors compare.
    using Places = std::int32_t __attribute__((vector_size(16)));
    static Places places_from(std::int32_t way) { return Places{1, 2, 3, 4} + way; }

    // One cache line of the processor. The first block is in front of the sets.
    struct alignas(64) Block {
        std::uint32_t words[16] = {};
    };
    [[nodiscard]] std::uint32_t* set_of(const Cursor& c) {
        return blocks_[1].words + c.set_ * static_cast<std::size_t>(stride_);
    }
    [[nodiscard]] const std::uint32_t* set_of(const Cursor& c) const {
        return blocks_[1].words + c.set_ * static_cast<std::size_t>(stride_);
    }
    // One more than the way that holds the tag; zero: none does. It cannot be in two.
    [[nodiscard]] std::uint32_t place_of(const std::uint32_t* set, std::uint32_t tag) const {
        const Quad wanted = all(tag << tag_shift | valid_bit);
        Places found{};
        for (std::int32_t way = 0; way < stride_; way += 4) {
            const Quad here = load(set + way) & all(~(dirty_bit | dead_bit));
            found |= (here == wanted) & places_from(way);
        }
        return static_cast<std::uint32_t>(found[0] | found[1] | found[2] | found[3]);
    }
    // Makes `word` the first of its set; those before `place` move up by one, into it.
    void put_first(std::uint32_t* set, std::uint32_t place, std::uint32_t word) const {
        const Places last = Places{} + static_cast<std::int32_t>(place);
        for (std::int32_t way = stride_ - 4; way >= 0; way -= 4) {
            // The words one way earlier; in front of the first set there is a block to read from.
            const Quad moved = load(set + way - 1);
            const Quad kept = load(set + way);
            const auto moves = static_cast<Quad>(places_from(way) <= last);
            store(set + way, (moved & moves) | (kept & ~moves));
        }
        set[0] = word;
    }

    std::uint64_t sets_ = 0;
    std::uint32_t ways_;
    std::int32_t stride_;  // words from set to set: the ways in whole quads, the rest empty
    Divisor by_sets_;
    std::uint64_t dirty_lines_ = 0;
    std::vector<Block> blocks_;
};

}  // namespace diastole
