// The parts of the memory bench that can be looked at alone.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "model/params/channel_spread.hpp"
#include "tb/dram_traffic.hpp"
#include "tb/latency_histogram.hpp"
#include "tests/timing/dram_harness.hpp"

using namespace diastole;

TEST_CASE("percentiles of the latency histogram are exact up to 4096 and within 0.05 % above") {
    Random random(9);
    for (const std::uint64_t range : {50ULL, 4000ULL, 100'000ULL, 4'000'000'000ULL}) {
        LatencyHistogram histogram;
        std::vector<std::uint32_t> all;
        for (int i = 0; i < 3001; ++i) {
            const auto value = static_cast<std::uint32_t>(random.below(range));
            histogram.add(value);
            all.push_back(value);
        }
        std::sort(all.begin(), all.end());
        CHECK(histogram.count() == 3001);
        for (const double share : {0.01, 0.5, 0.99, 1.0}) {
            const auto rank = static_cast<std::size_t>(std::ceil(share * 3001));
            const std::uint32_t truth = all[rank - 1];
            const std::uint32_t value = histogram.percentile(share);
            CHECK(value >= truth);
            CHECK(value - truth <= truth / 2048);
            if (truth < 4096) CHECK(value == truth);
        }
    }
}

TEST_CASE("every address of a memory has a place of its own in some pseudo-channel") {
    constexpr std::uint32_t channel_bytes = 4096;
    struct Case {
        const char* map;
        std::uint32_t channels;
        std::uint64_t block;
    };
    for (const Case& c : {Case{"row:4 ch:1 col:3 pc:2 byte:5", 8, 0},
                          Case{"pc:1 row:2 ch:1 row:2 col:3 ch:1 byte:5", 8, 0}, Case{"", 8, 64},
                          Case{"", 3, 32}, Case{"", 5, 4096}, Case{"", 1, 64}}) {
        const ChannelMap map = read_channel_map(c.map);
        const ChannelSpread spread(map, c.channels, c.block, channel_bytes, 32);
        std::set<std::pair<std::uint32_t, std::uint64_t>> seen;
        ChannelSpread::Place before;
        for (std::uint64_t a = 0; a < std::uint64_t{c.channels} * channel_bytes; ++a) {
            const ChannelSpread::Place place = spread.place(a);
            REQUIRE(place.channel < c.channels);
            REQUIRE(place.local < channel_bytes);
            if (a % spread.granule() != 0) {
                REQUIRE(place.channel == before.channel);
                REQUIRE(place.local == before.local + 1);
            }
            before = place;
            seen.insert({place.channel, place.local});
        }
        REQUIRE(seen.size() == std::size_t{c.channels} * channel_bytes);
    }
}

TEST_CASE("the ch and pc fields of a map are taken out of it, ch above pc") {
    const ChannelMap map = read_channel_map("row:15 ch:2 col:5 pc:1 ba:2 bg:2 byte:5");
    CHECK(map.inner == "row:15 col:5 ba:2 bg:2 byte:5");
    CHECK(map.channels == 8);
    CHECK(read_channel_map("row:15 col:5").channels == 0);
}

TEST_CASE("the built-in patterns are those of the reference runs, address by address") {
    const DramSpace space{std::uint64_t{512} << 20, 32};
    const auto compare = [&](DramPattern pattern, const dram_test::Pattern& reference) {
        pattern.requests = 30'001;
        const auto traffic = make_pattern(pattern, space);
        std::vector<DramAccess> got(40'000);
        std::size_t count = 0;
        while (const std::size_t more = traffic->read(got.data() + count, 777)) count += more;
        REQUIRE(count == pattern.requests);
        for (std::size_t i = 0; i < count; ++i) {
            const dram_test::Access access = reference(i);
            REQUIRE(got[i].address == access.address);
            REQUIRE(got[i].is_write == access.is_write);
            REQUIRE(got[i].atoms == 1);
        }
    };
    DramPattern p;
    compare(p, dram_test::sequential(space.capacity));
    p.reads = 2, p.writes = 1;
    compare(p, dram_test::two_reads_one_write(space.capacity));
    p = {};
    p.kind = DramPatternKind::random;
    compare(p, dram_test::random64(space.capacity));
    p.kind = DramPatternKind::streams;
    compare(p, dram_test::four_streams(space.capacity));
    p.kind = DramPatternKind::stride, p.block_bytes = 32;
    compare(p, dram_test::stride(space.capacity, 16384));
    p = {};
    p.kind = DramPatternKind::embedding, p.block_bytes = 128;
    compare(p, dram_test::embedding());
}

TEST_CASE("patterns wrap around inside the memory, whatever their block") {
    const DramSpace space{8192, 32};
    for (const DramPatternKind kind :
         {DramPatternKind::sequential, DramPatternKind::random, DramPatternKind::embedding,
          DramPatternKind::stride, DramPatternKind::streams}) {
        for (const std::uint64_t block : {32, 96, 224}) {
            DramPattern p;
            p.kind = kind;
            p.block_bytes = block;
            p.stride_bytes = 736;
            p.streams = 3;
            p.rows = 30;
            p.reads = 2, p.writes = 3;
            p.requests = 5000;
            p.offer = DramOffer::block;
            const auto traffic = make_pattern(p, space);
            std::vector<DramAccess> got(5000);
            const std::size_t count = traffic->read(got.data(), got.size());
            std::uint64_t atoms = 0;
            for (std::size_t i = 0; i < count; ++i) {
                REQUIRE(got[i].address + std::uint64_t{got[i].atoms} * 32 <= space.capacity);
                REQUIRE(got[i].is_write == (i % 5 >= 2));
                atoms += got[i].atoms;
            }
            CHECK(atoms == 5000);
        }
    }
}
