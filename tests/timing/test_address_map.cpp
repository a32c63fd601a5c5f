#include <catch2/catch.hpp>
#include <set>
#include <tuple>

#include "model/base/error.hpp"
#include "model/timing/address_map.hpp"

using namespace diastole;
using Catch::Matchers::Contains;

namespace {

DramGeometry tiny() {
    DramGeometry g;
    g.stack_ids = 2;
    g.bank_groups = 2;
    g.banks = 2;
    g.rows = 3;
    g.columns = 8;
    return g;
}

}  // namespace

TEST_CASE("an address map gives every atom of the channel a place of its own") {
    const DramGeometry g = tiny();
    for (const char* text :
         {"row:2 col:3 sid:1 ba:1 bg:1 byte:5", "row:2 sid:1 ba:1 bg:1 col:3 byte:5",
          "row:2 col:1 ba:1 col:1 bg:1 sid:1 col:1 byte:5",
          "row:2 col:3 sid:1 ba:1 bg:1 byte:5 bg^row ba^row>>1",
          "row:2 ba:1 bg:1 sid:1 col:3 byte:5 sid^row>>1"}) {
        const AddressMap map(text, g);
        std::set<std::tuple<int, int, int, int, int>> seen;
        for (std::uint64_t a = 0; a < map.capacity(); a += g.atom_bytes) {
            const DramLocation l = map.decode(a + a / 32 % 32);
            REQUIRE(l.sid < g.stack_ids);
            REQUIRE(l.bg < g.bank_groups);
            REQUIRE(l.bank < g.banks);
            REQUIRE(l.row < g.rows);
            REQUIRE(l.column < g.columns);
            seen.insert({l.sid, l.bg, l.bank, l.row, l.column});
        }
        REQUIRE(seen.size() == map.capacity() / g.atom_bytes);
    }
}

TEST_CASE("fields of an address map are read most significant first") {
    const DramGeometry g;  // the default: 4 x 4 banks, 32768 rows, 32 columns
    const AddressMap map("row:15 col:4 ba:2 bg:2 col:1 byte:5", g);
    const std::uint64_t address = std::uint64_t{5} << 14 | 9 << 10 | 3 << 8 | 2 << 6 | 1 << 5;
    const DramLocation l = map.decode(address);
    CHECK(l.row == 5);
    CHECK(l.column == 9 * 2 + 1);
    CHECK(l.bank == 3);
    CHECK(l.bg == 2);
}

TEST_CASE("a hashed bank is the address's bits XORed with row bits from the given one on") {
    const DramGeometry g;
    const std::string fields = "row:15 col:5 ba:2 bg:2 byte:5";
    const AddressMap plain(fields, g), hashed(fields + " bg^row ba^row>>2", g);
    for (std::uint64_t row = 0; row < 32; ++row) {
        const std::uint64_t address = row << 14 | 7 << 9 | 2 << 7 | 1 << 5;
        const DramLocation a = plain.decode(address), b = hashed.decode(address);
        CHECK(b.row == a.row);
        CHECK(b.column == a.column);
        CHECK(b.bg == (a.bg ^ (row & 3)));
        CHECK(b.bank == (a.bank ^ (row >> 2 & 3)));
        CHECK(hashed.place(address).bank == b.bg * 4 + b.bank);
    }
    CHECK(hashed.run_bytes() == 32);
}

TEST_CASE("a hash that the geometry cannot have is refused") {
    DramGeometry g;
    const std::string fields = "row:15 col:5 ba:2 bg:2 byte:5 ";
    CHECK_THROWS_WITH(AddressMap(fields + "bg^col", g), Contains("'bg^col'"));
    CHECK_THROWS_WITH(AddressMap(fields + "row^row", g), Contains("'row^row'"));
    CHECK_THROWS_WITH(AddressMap(fields + "bg^row bg^row>>2", g), Contains("bg is hashed twice"));
    CHECK_THROWS_WITH(AddressMap(fields + "ba^row>>14", g), Contains("needs row bits up to 15"));
    g.stack_ids = 3;
    CHECK_THROWS_WITH(AddressMap("sid:2 " + fields + "sid^row", g), Contains("cannot be hashed"));
}

TEST_CASE("a run is as long as the column bits above the byte bits reach") {
    const DramGeometry g;
    CHECK(AddressMap("row:15 col:5 ba:2 bg:2 byte:5", g).run_bytes() == 32);
    CHECK(AddressMap("row:15 col:4 ba:2 bg:2 col:1 byte:5", g).run_bytes() == 64);
    CHECK(AddressMap("row:15 ba:2 bg:2 col:5 byte:5", g).run_bytes() == 1024);
    CHECK(AddressMap("row:15 ba:2 bg:2 col:2 col:3 byte:5", g).run_bytes() == 1024);
}

TEST_CASE("an address map that does not fit the geometry says which bits are wrong") {
    const DramGeometry g;
    CHECK_THROWS_WITH(AddressMap("row:15 col:4 ba:2 bg:2 byte:5", g),
                      Contains("col bits 4 to 4 are missing"));
    CHECK_THROWS_WITH(AddressMap("row:16 col:5 ba:2 bg:2 byte:5", g),
                      Contains("row bits are covered twice"));
    CHECK_THROWS_WITH(AddressMap("row:15 col:5 ba:2 bg:2 byte:5 ba:1", g),
                      Contains("ba bits are covered twice"));
    CHECK_THROWS_WITH(AddressMap("row:15 colu:5 ba:2 bg:2 byte:5", g),
                      Contains("did you mean 'col'"));
    CHECK_THROWS_WITH(AddressMap("row:15 col:x ba:2 bg:2 byte:5", g), Contains("'col:x'"));
    CHECK_THROWS_WITH(AddressMap("row:15 byte:5 col:5 ba:2 bg:2", g), Contains("lowest bits"));
    CHECK_THROWS_AS(AddressMap("", g), ConfigError);
}

TEST_CASE("a 12-high stack's stack IDs and rows, neither a power of two, share the topmost bits") {
    DramGeometry g = tiny();
    g.stack_ids = 3;
    g.rows = 6;
    const std::uint64_t below = 8 * 2 * 2 * 32;  // bytes of columns and banks
    const AddressMap turns("row:3 sid:2 col:3 ba:1 bg:1 byte:5", g);
    const AddressMap halves("sid:2 row:3 ba:1 bg:1 col:3 byte:5", g);
    for (const AddressMap* map : {&turns, &halves}) {
        REQUIRE(map->capacity() == 18 * below);
        std::set<std::tuple<int, int, int, int, int>> seen;
        for (std::uint64_t a = 0; a < map->capacity(); a += g.atom_bytes) {
            const DramLocation l = map->decode(a);
            REQUIRE(l.sid < 3);
            REQUIRE(l.row < 6);
            REQUIRE(l.sid == (map == &turns ? a / below % 3 : a / below / 6));
            seen.insert({l.sid, l.bg, l.bank, l.row, l.column});
        }
        REQUIRE(seen.size() == map->capacity() / g.atom_bytes);
    }
    CHECK_THROWS_WITH(AddressMap("row:3 col:3 sid:2 ba:1 bg:1 byte:5", g),
                      Contains("sid has 3 values, no power of two"));
    CHECK_THROWS_WITH(AddressMap("row:2 sid:2 row:1 col:3 ba:1 bg:1 byte:5", g),
                      Contains("row has 6 values, no power of two"));
}

TEST_CASE("only the topmost field may have a size that is no power of two") {
    const DramGeometry g = tiny();  // three rows
    CHECK_NOTHROW(AddressMap("row:2 col:3 sid:1 ba:1 bg:1 byte:5", g));
    CHECK_THROWS_WITH(AddressMap("sid:1 row:2 col:3 ba:1 bg:1 byte:5", g),
                      Contains("row has 3 values, no power of two"));
    CHECK_THROWS_AS(AddressMap("row:1 sid:1 row:1 col:3 ba:1 bg:1 byte:5", g), ConfigError);
}
