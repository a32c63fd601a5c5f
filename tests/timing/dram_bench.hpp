// One pseudo-channel on a bench: requests at given ticks, its log, its completions.
#pragma once

#include "tests/timing/dram_harness.hpp"

namespace diastole::dram_test {

// Row-major map: bits from the top: row, bank, group, column.
inline DramParams row_map() {
    DramParams p;
    p.map = "row:15 ba:2 bg:2 col:5 byte:5";
    p.policy.refresh = RefreshMode::none;
    return p;
}
inline std::uint64_t at(std::uint64_t row, std::uint64_t bank, std::uint64_t group,
                        std::uint64_t column) {
    return row << 14 | bank << 12 | group << 10 | column << 5;
}

struct Bench {
    explicit Bench(const DramParams& p) : channel(p) { channel.log_to(&log); }
    void push(std::uint64_t when, std::uint64_t address, bool is_write = false,
              std::uint32_t atoms = 1) {
        channel.advance(DramCycles(when), done);
        channel.push({address, atoms, tag++, is_write, DramCycles(when)});
    }
    void finish(std::uint64_t until = 100'000) { channel.advance(DramCycles(until), done); }
    std::uint64_t done_at(std::uint32_t t) const {
        for (const DramCompletion& c : done) {
            if (c.tag == t) return c.done.count();
        }
        return 0;
    }
    std::uint64_t issued(DramLogOp op, std::size_t nth) const {
        for (const DramCommand& c : log) {
            if (c.op == op && nth-- == 0) return c.at;
        }
        return ~std::uint64_t{0};
    }
    DramChannel channel;
    std::vector<DramCommand> log;
    std::vector<DramCompletion> done;
    std::uint32_t tag = 0;
};

}  // namespace diastole::dram_test
