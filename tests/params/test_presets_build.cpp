// The rules of model/params and the checks of the timing cores agree: what is described can be
// built, and what is refused in one place is refused in the other.
#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "model/params/preset.hpp"
#include "model/params/validate.hpp"
#include "model/timing/address_map.hpp"
#include "model/timing/dram_rules.hpp"

using namespace diastole;

namespace {

bool can_be_built(const DramParams& dram) {
    try {
        const AddressMap map(dram.map, dram.geometry);
        const DramRules rules(dram.geometry, dram.timing, dram.policy);
        return map.capacity() == channel_bytes(dram.geometry);
    } catch (const ConfigError&) {
        return false;
    }
}

}  // namespace

TEST_CASE("the memory of every preset can be built") {
    for (const std::string& name : memory_presets()) {
        INFO(name);
        CHECK(can_be_built(load_memory(name).params));
    }
    for (const std::string& name : chip_presets()) {
        INFO(name);
        CHECK(can_be_built(load_chip(name).params.dram));
    }
}

TEST_CASE("a memory that passes the whole-chip rules can be built") {
    const std::vector<std::string> maps = {
        "row:15 col:5 ba:2 bg:2 byte:5",
        "row:15 col:4 ba:2 bg:2 col:1 byte:5",
        "row:14 col:5 ba:2 bg:2 byte:5",
        "sid:1 row:15 col:5 ba:2 bg:2 byte:5",
        "col:5 row:15 ba:2 bg:2 byte:5",
        "byte:5 row:15 col:5 ba:2 bg:2",
        "",
        "row:15 col:1 bg:1 col:1 ba:1 col:1 bg:1 col:1 ba:1 col:1 byte:5",
        "row:15 col:5 ba:2 bg:2 byte:2 byte:3",
        "row:15 col:5 ba:2 bg:2 byte:5 bg:0"};
    Random random(11);
    int built = 0;
    for (int round = 0; round < 3000; ++round) {
        DramParams d;
        d.map = maps[random.below(maps.size())];
        if (random.below(3) == 0)
            d.geometry.rows = static_cast<std::uint32_t>(random.below(2) == 0 ? 24576 : 16384);
        if (random.below(4) == 0) d.geometry.stack_ids = 2;
        if (random.below(4) == 0) d.timing.rp = static_cast<std::uint32_t>(random.between(1, 20));
        if (random.below(4) == 0) d.timing.ras = static_cast<std::uint32_t>(random.between(1, 50));
        if (random.below(4) == 0) d.timing.act_cycles = 2;
        if (random.below(4) == 0) {
            d.timing.refi = static_cast<std::uint32_t>(random.between(100, 800));
        }
        if (random.below(8) == 0) d.policy.ecc = static_cast<EccKind>(random.below(3));
        d.policy.refresh = static_cast<RefreshMode>(random.below(3));
        if (!check(d).empty()) continue;
        ++built;
        INFO(d.map << ", " << d.geometry.rows << " rows, refi " << d.timing.refi);
        CHECK(can_be_built(d));
    }
    CHECK(built > 100);
}
