#include "model/timing/cache.hpp"

#include <algorithm>
#include <string>

#include "model/base/error.hpp"
#include "model/base/units.hpp"

namespace diastole {

Cache::Cache(std::uint64_t lines, std::uint32_t ways, std::uint64_t address_lines)
    : ways_(ways),
      stride_(static_cast<std::int32_t>(round_up(ways, 4))),
      by_sets_(std::max<std::uint64_t>(ways == 0 ? 0 : lines / ways, 1)) {
    if (ways == 0) throw ConfigError("sram.ways: expected at least one way, got 0");
    if (lines % ways != 0) {
        throw ConfigError("sram.ways: a slice of " + std::to_string(lines) +
                          " lines does not divide into sets of " + std::to_string(ways) + " ways");
    }
    sets_ = lines / ways;
    if (sets_ > 0 && address_lines / sets_ >= std::uint64_t{1} << (32 - tag_shift)) {
        throw ConfigError("sram.bytes: " + std::to_string(sets_) +
                          " cache sets are too few for the memory behind them");
    }
    if (sets_ > 0) blocks_.resize(1 + ceil_div(sets_ * round_up(ways, 4) * 4, sizeof(Block)));
}

bool Cache::touch_last(const Cursor& c, bool& dropped) {
    dropped = false;
    if (sets_ == 0) return false;
    std::uint32_t* set = set_of(c);
    const std::uint32_t place = place_of(set, c.tag_);
    if (place == 0) return false;
    std::uint32_t word = set[place - 1];
    if ((word & dirty_bit) != 0) {
        dropped = true;
        --dirty_lines_;
        word &= ~(dirty_bit | dead_bit);
    }
    // To the end of the valid ways: the next to be evicted.
    std::uint32_t w = place - 1;
    for (; w + 1 < ways_ && set[w + 1] != 0; ++w) set[w] = set[w + 1];
    set[w] = word;
    return true;
}

bool Cache::touch_write(const Cursor& c, bool dead_after) {
    if (sets_ == 0) return false;
    std::uint32_t* set = set_of(c);
    // What is written was mostly read just before: unlike where a read hits, this can be predicted.
    if ((set[0] & ~(dirty_bit | dead_bit)) == (c.tag_ << tag_shift | valid_bit)) {
        dirty_lines_ += (set[0] & dirty_bit) == 0 ? 1 : 0;
        set[0] = (set[0] & ~dead_bit) | dirty_bit | (dead_after ? dead_bit : 0);
        return true;
    }
    const std::uint32_t place = place_of(set, c.tag_);
    if (place == 0) return false;
    const std::uint32_t word = set[place - 1];
    dirty_lines_ += (word & dirty_bit) == 0 ? 1 : 0;
    put_first(set, place, (word & ~dead_bit) | dirty_bit | (dead_after ? dead_bit : 0));
    return true;
}

Cache::Victim Cache::victim(const Cursor& c) const {
    const std::uint32_t word = set_of(c)[ways_ - 1];
    Victim v;
    v.valid = word != 0;
    v.dropped = (word & dirty_bit) != 0 && (word & dead_bit) != 0;
    v.write_back = (word & dirty_bit) != 0 && !v.dropped;
    v.line = std::uint64_t{word >> tag_shift} * sets_ + c.set_;
    return v;
}

Cache::Victim Cache::insert(const Cursor& c, bool dirty, bool dead_after) {
    const Victim evicted = victim(c);
    if (evicted.write_back || evicted.dropped) --dirty_lines_;
    put_first(set_of(c), ways_,
              c.tag_ << tag_shift | valid_bit | (dirty ? dirty_bit : 0) |
                  (dirty && dead_after ? dead_bit : 0));
    if (dirty) ++dirty_lines_;
    return evicted;
}

}  // namespace diastole
