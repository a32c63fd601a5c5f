// Inline ECC: what it costs is the accesses to its code atoms.
#include <catch2/catch.hpp>
#include <map>

#include "model/base/error.hpp"
#include "tests/timing/dram_harness.hpp"

using namespace diastole;
using namespace diastole::dram_test;

namespace {

DramParams with_code(std::uint32_t ratio = 8, std::uint32_t cache = 64) {
    DramParams p = c1();
    p.policy.ecc = EccKind::inline_code;
    p.policy.ecc_ratio = ratio;
    p.policy.ecc_cache = cache;
    return p;
}

struct Costs {
    DramStats stats;
    Outcome outcome;
};

Costs run(const DramParams& p, const Pattern& pattern, std::uint64_t requests) {
    const auto model = make_dram_model(p, MemoryMode::exact);
    Costs costs;
    costs.outcome = drive(*model, p, pattern, requests);
    costs.stats = model->stats();
    return costs;
}

// Atoms of the addresses, one after the other.
Pattern list(std::vector<Access> accesses) {
    return [=](std::uint64_t i) { return accesses[i]; };
}

}  // namespace

TEST_CASE("inline code takes one of ratio + 1 rows of a channel") {
    DramParams p = with_code();
    CHECK(channel_bytes(p.geometry) == std::uint64_t{512} << 20);
    // 524288 rows of 1 KB: 58254 shares of nine.
    CHECK(channel_data_bytes(p) == std::uint64_t{58254} * 8 * 1024);
    p.policy.ecc = EccKind::sideband;
    CHECK(channel_data_bytes(p) == channel_bytes(p.geometry));
    p = with_code();
    const auto model = make_dram_model(p, MemoryMode::exact);
    CHECK_NOTHROW(model->push({channel_data_bytes(p) - 32, 1, 0, false, DramCycles(0)}));
    CHECK_THROWS_AS(model->push({channel_data_bytes(p), 1, 1, false, DramCycles(0)}), ModelError);
}

TEST_CASE("inline code is read once for each of its atoms in a stream, and every time at random") {
    for (const std::uint32_t ratio : {8U, 16U}) {
        const DramParams p = with_code(ratio);
        const Costs stream = run(p, sequential(channel_data_bytes(p)), 8000);
        CHECK(stream.stats.code_reads == 8000 / ratio);
        CHECK(stream.stats.reads == 8000 + 8000 / ratio);
        CHECK(stream.stats.code_writes == 0);
        CHECK(stream.stats.bytes_read == 8000 * 32);
    }
    const DramParams p = with_code();
    Random random(3);
    const auto scattered = [&](std::uint64_t) {
        return Access{random.below(channel_data_bytes(p) / 32) * 32, false};
    };
    const Costs costs = run(p, scattered, 8000);
    CHECK(costs.stats.code_reads > 7990);
    CHECK(costs.stats.reads == 8000 + costs.stats.code_reads);
    // Half of the activates, which bind this pattern, are for code.
    DramParams plain = p;
    plain.policy.ecc = EccKind::none;
    const double without = run(plain, scattered, 8000).outcome.percent;
    CHECK(costs.outcome.percent == Approx(without).epsilon(0.05));
    CHECK(static_cast<double>(costs.stats.bytes_read) / static_cast<double>(costs.outcome.ticks) <
          0.55 * without / 100 * 16);
}

TEST_CASE("a read ends when its data and its code atom have arrived") {
    const DramParams p = with_code();
    // Both rows are closed: bank 0's for the data, another bank's for the code.
    const Costs one = run(p, list({{0, false}}), 1);
    DramParams plain = p;
    plain.policy.ecc = EccKind::none;
    const Costs bare = run(plain, list({{0, false}}), 1);
    CHECK(bare.outcome.done[0] == 15 + 14 + 2);
    CHECK(one.outcome.done[0] > bare.outcome.done[0]);
    CHECK(one.stats.activates == 2);
    // The second request finds the code atom in the cache, or on its way.
    const Costs two = run(p, list({{0, false}, {32, false}}), 2);
    CHECK(two.stats.code_reads == 1);
    CHECK(two.outcome.done[1] >= one.outcome.done[0]);
}

TEST_CASE("a write reads its code atom unless it covers all that the atom protects") {
    DramParams p = with_code();
    p.map = "row:15 ba:2 bg:2 col:5 byte:5";  // runs of up to a row
    CHECK(run(p, list({{0, true, 8}}), 1).stats.code_reads == 0);
    CHECK(run(p, list({{0, true, 7}}), 1).stats.code_reads == 1);
    CHECK(run(p, list({{32, true, 8}}), 1).stats.code_reads == 2);
    CHECK(run(p, list({{0, true, 4}, {128, true, 4}}), 2).stats.code_reads == 1);
}

TEST_CASE("changed code atoms go back to memory when the cache needs their place") {
    DramParams p = with_code(8, 4);
    p.map = "row:15 ba:2 bg:2 col:5 byte:5";
    std::vector<Access> writes;
    for (std::uint64_t i = 0; i < 10; ++i) writes.push_back({i * 256, true, 8});
    const Costs costs = run(p, list(writes), 10);
    CHECK(costs.stats.code_writes == 10 - 4);
    CHECK(costs.stats.code_reads == 0);
    CHECK(costs.stats.writes == 80 + 6);
    CHECK(costs.stats.bytes_written == 80 * 32);
    // The least recently used goes first: code 0 is kept by the read in between.
    const auto touched = [&](bool keep) {
        std::vector<Access> accesses;
        for (std::uint64_t i = 0; i < 6; ++i) {
            accesses.push_back({i * 256, true, 8});
            if (keep) accesses.push_back({0, false});
        }
        accesses.push_back({32, false});
        return run(p, list(accesses), accesses.size()).stats.code_reads;
    };
    CHECK(touched(true) == 0);
    CHECK(touched(false) == 1);
}

TEST_CASE("room for contiguous atoms with inline code is room for them in pieces") {
    for (const bool is_write : {false, true}) {
        DramParams p = with_code(8, 3);
        p.map = "row:15 col:3 ba:2 bg:2 col:2 byte:5";
        const auto model = make_dram_model(p, MemoryMode::exact);
        const std::uint32_t most = model->max_run() / 4 * 4;
        std::vector<DramCompletion> out;
        std::uint32_t sent = 0;
        for (std::uint64_t start = 128; start < 200 * 2048; start += 2048) {
            const DramRoom wish = is_write ? DramRoom{0, most} : DramRoom{most, 0};
            const DramCycles now = model->advance(dram_never, out, wish);
            for (std::uint32_t i = 0; i < most; i += 4) {
                REQUIRE_NOTHROW(model->push({start + i * 32, 4, sent++, is_write, now}));
            }
        }
        while (model->next_event() != dram_never) {
            model->advance(model->next_event() + DramCycles(1), out);
        }
        CHECK(out.size() == sent);
    }
}

TEST_CASE("inline code gives the same times however time is cut, and keeps its queues in bounds") {
    Random random(21);
    for (int round = 0; round < 30; ++round) {
        DramParams p = with_code(random.below(2) == 0 ? 8 : 16, random.below(2) == 0 ? 2 : 32);
        p.map = "row:15 ba:2 col:2 bg:2 col:3 byte:5";
        p.policy.queue = random.below(2) == 0 ? QueueKind::shared : QueueKind::split;
        p.policy.read_queue = static_cast<std::uint32_t>(random.between(16, 40));
        p.policy.write_queue = static_cast<std::uint32_t>(random.between(16, 40));
        const auto once = make_dram_model(p, MemoryMode::exact);
        const auto sliced = make_dram_model(p, MemoryMode::exact);
        std::vector<DramCompletion> a, b;
        std::uint64_t now = 0;
        for (std::uint32_t i = 0; i < 400; ++i) {
            const auto atoms = static_cast<std::uint32_t>(random.between(1, 4));
            const bool is_write = random.below(3) == 0;
            const std::uint64_t address = random.below(1 << 12) * 256 + random.below(5) * 32;
            const std::uint64_t next = now + random.below(20);
            while (now < next) {
                now = std::min(next, now + 1 + random.below(7));
                sliced->advance(DramCycles(now), b);
            }
            once->advance(DramCycles(now), a);
            REQUIRE(once->can_accept(is_write, atoms) == sliced->can_accept(is_write, atoms));
            if (!once->can_accept(is_write, atoms)) {
                const DramRoom wish = is_write ? DramRoom{0, atoms} : DramRoom{atoms, 0};
                const DramCycles room = once->advance(DramCycles(now + 100'000), a, wish);
                while (!sliced->can_accept(is_write, atoms)) {
                    sliced->advance(DramCycles(++now), b);
                }
                REQUIRE(room.count() == now);
            }
            once->push({address, atoms, i, is_write, DramCycles(now)});
            sliced->push({address, atoms, i, is_write, DramCycles(now)});
        }
        once->advance(DramCycles(now + 50'000), a);
        sliced->advance(DramCycles(now + 50'000), b);
        REQUIRE(a.size() == 400);
        REQUIRE(b.size() == 400);
        std::map<std::uint32_t, DramCycles> done;
        for (const DramCompletion& c : b) done.emplace(c.tag, c.done);
        DramCycles last{0};
        for (const DramCompletion& c : a) {
            CHECK(c.done == done.at(c.tag));
            if (c.is_write) continue;
            CHECK(c.done >= last);
            last = c.done;
        }
        CHECK(once->stats().peak_reads <= p.policy.read_queue);
    }
}
