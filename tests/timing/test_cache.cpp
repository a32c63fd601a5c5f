#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "model/timing/cache.hpp"

using namespace diastole;

namespace {

// LRU by its definition: per set a list of lines, most recent first.
class SlowCache {
  public:
    SlowCache(std::uint64_t sets, std::size_t ways) : sets_(sets), ways_(ways) {}
    bool touch(std::uint64_t line, bool dirty) {
        auto& set = content_[line % sets_];
        for (auto it = set.begin(); it != set.end(); ++it) {
            if (it->first != line) continue;
            const bool was = it->second;
            set.erase(it);
            set.push_front({line, was || dirty});
            return true;
        }
        return false;
    }
    // The line written back, or ~0.
    std::uint64_t insert(std::uint64_t line, bool dirty) {
        auto& set = content_[line % sets_];
        set.push_front({line, dirty});
        if (set.size() <= ways_) return ~std::uint64_t{0};
        const auto last = set.back();
        set.pop_back();
        return last.second ? last.first : ~std::uint64_t{0};
    }

  private:
    std::uint64_t sets_;
    std::size_t ways_;
    std::map<std::uint64_t, std::deque<std::pair<std::uint64_t, bool>>> content_;
};

}  // namespace

TEST_CASE("the cache hits, evicts and writes back as LRU by its definition") {
    Random random(11);
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t sets = random.between(1, 7);
        const auto ways = static_cast<std::uint32_t>(random.between(1, 20));
        Cache cache(sets * ways, ways, 1 << 20);
        SlowCache slow(sets, ways);
        for (int i = 0; i < 3000; ++i) {
            const std::uint64_t line = random.below(sets * ways * 2);
            const bool dirty = random.below(3) == 0;
            const Cache::Cursor at = cache.at(line);
            const bool hit = dirty ? cache.touch_write(at, false) : cache.touch(at);
            REQUIRE(hit == slow.touch(line, dirty));
            if (hit) continue;
            const Cache::Victim foreseen = cache.victim(at);
            const Cache::Victim victim = cache.insert(at, dirty, false);
            REQUIRE(foreseen.line == victim.line);
            REQUIRE((victim.write_back ? victim.line : ~std::uint64_t{0}) ==
                    slow.insert(line, dirty));
        }
    }
}

TEST_CASE("walking lines with a cursor finds the same sets as dividing") {
    Cache cache(12, 4, 1000);
    for (std::uint64_t line = 0; line < 12; ++line) cache.insert(cache.at(line), false, false);
    Cache::Cursor cursor = cache.at(0);
    for (std::uint64_t line = 0; line < 12; ++line, cursor.next(cache)) {
        CHECK(cache.contains(cursor));
    }
    CHECK_FALSE(cache.contains(cursor));
}

TEST_CASE("a line read for the last time is clean and the first to go") {
    Cache cache(4, 4, 1000);
    for (std::uint64_t line = 0; line < 4; ++line) cache.insert(cache.at(line), true, false);
    CHECK(cache.dirty_lines() == 4);
    bool dropped = false;
    REQUIRE(cache.touch_last(cache.at(2), dropped));
    CHECK(dropped);
    CHECK(cache.dirty_lines() == 3);
    const Cache::Victim victim = cache.insert(cache.at(9), false, false);
    CHECK(victim.line == 2);
    CHECK_FALSE(victim.write_back);
    CHECK_FALSE(victim.dropped);
}

TEST_CASE("a line written as dead after use is dropped, unless it is written again otherwise") {
    Cache cache(1, 1, 1000);
    cache.insert(cache.at(1), true, true);
    CHECK(cache.victim(cache.at(2)).dropped);
    REQUIRE(cache.touch_write(cache.at(1), false));
    CHECK(cache.victim(cache.at(2)).write_back);
    CHECK(cache.dirty_lines() == 1);
}

TEST_CASE("writing the line that was used last keeps the order and marks it once") {
    Cache cache(2, 2, 1000);
    cache.insert(cache.at(1), false, false);
    cache.insert(cache.at(2), false, false);
    REQUIRE(cache.touch_write(cache.at(2), false));
    CHECK(cache.dirty_lines() == 1);
    CHECK(cache.victim(cache.at(3)).line == 1);
    REQUIRE(cache.touch_write(cache.at(2), true));
    CHECK(cache.dirty_lines() == 1);
    REQUIRE(cache.touch(cache.at(1)));
    const Cache::Victim victim = cache.victim(cache.at(3));
    CHECK(victim.line == 2);
    CHECK(victim.dropped);
}

TEST_CASE("a cache of no lines never hits, one that does not divide into sets is refused") {
    Cache none(0, 8, 1000);
    CHECK_FALSE(none.touch(none.at(5)));
    CHECK_FALSE(none.enabled());
    CHECK_THROWS_AS(Cache(10, 4, 1000), ConfigError);
    CHECK_THROWS_AS(Cache(4, 0, 1000), ConfigError);
    CHECK_THROWS_AS(Cache(4, 4, std::uint64_t{1} << 40), ConfigError);
}
