#include "model/timing/cache.hpp"

#include <string>

#include "model/base/error.hpp"

namespace diastole {

Cache::Cache(std::uint64_t lines, std::uint32_t ways, std::uint64_t address_lines) : ways_(ways) {
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
    words_.resize(lines);
}

bool Cache::touch_last(const Cursor& c, bool& dropped) {
    dropped = false;
    if (sets_ == 0) return false;
    const Place place = find(c);
    if (place.way == ways_) return false;
    std::uint32_t word = place.set[place.way];
    if ((word & dirty_bit) != 0) {
        dropped = true;
        --dirty_lines_;
        word &= ~(dirty_bit | dead_bit);
    }
    // To the end of the valid ways: the next to be evicted.
    std::uint32_t w = place.way;
    for (; w + 1 < ways_ && place.set[w + 1] != 0; ++w) place.set[w] = place.set[w + 1];
    place.set[w] = word;
    return true;
}

bool Cache::touch_write(const Cursor& c, bool dead_after) {
    if (!touch(c)) return false;
    std::uint32_t& word = set_of(c)[0];
    if ((word & dirty_bit) == 0) ++dirty_lines_;
    word = (word & ~dead_bit) | dirty_bit | (dead_after ? dead_bit : 0);
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
    std::uint32_t* set = set_of(c);
    for (std::uint32_t w = ways_ - 1; w > 0; --w) set[w] = set[w - 1];
    set[0] = static_cast<std::uint32_t>(c.tag_ << tag_shift) | valid_bit | (dirty ? dirty_bit : 0) |
             (dirty && dead_after ? dead_bit : 0);
    if (dirty) ++dirty_lines_;
    return evicted;
}

}  // namespace diastole
