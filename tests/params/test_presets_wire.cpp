#include <catch2/catch.hpp>

#include "model/chip/chip.hpp"
#include "model/params/preset.hpp"

using namespace diastole;

TEST_CASE("the chip of every preset can be wired") {
    for (const std::string& name : chip_presets()) {
        INFO(name);
        const ResolvedChip chip = load_chip(name);
        CHECK(window_of(chip.params) >= Cycles(1));
        CHECK_NOTHROW(Chip(("chip_" + name).c_str(), chip.params, MemoryMode::exact));
    }
}
