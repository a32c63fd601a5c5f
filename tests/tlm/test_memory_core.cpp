// The memory behind the TLM target without the kernel.
#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "model/params/preset.hpp"
#include "model/tlm/data_store.hpp"
#include "model/tlm/memory_core.hpp"
#include "tests/tlm/clocked_memory.hpp"

using namespace diastole;
using tlm_test::ClockedMemory;

namespace {

struct Job {
    std::uint64_t address = 0, bytes = 0, gap = 0;  // gap: ticks after the one before was accepted
    bool is_write = false;
};

std::vector<Job> random_jobs(Random& random, std::uint64_t capacity, std::size_t count) {
    std::vector<Job> jobs(count);
    const std::uint64_t window = std::min<std::uint64_t>(capacity, 1 << (14 + random.below(12)));
    const std::uint64_t longest = std::uint64_t{1} << random.between(4, 13);
    const std::uint64_t writes = random.below(101), idle = random.below(3) == 0 ? 400 : 6;
    for (Job& job : jobs) {
        job.bytes = random.between(1, longest);
        job.address = random.below(window - std::min(window, job.bytes) + 1);
        job.bytes = std::min(job.bytes, window - job.address);
        job.gap = random.below(idle);
        job.is_write = random.below(100) < writes;
    }
    return jobs;
}

// Drives the core by its own events, one access at a time at the door.
std::vector<ClockedMemory::Times> drive(MemoryCore& core, const std::vector<Job>& jobs) {
    std::vector<ClockedMemory::Times> times(jobs.size());
    std::vector<std::size_t> owner;
    const auto listen = [&](DramCycles now) {
        for (MemoryCore::Ticket t = 0; core.pop_accepted(now, t);) {
            times[owner[t]].accepted = now.count() + 1;
        }
        for (MemoryCore::Ticket t = 0; core.pop_finished(now, t);) {
            times[owner[t]].done = now.count();
        }
    };
    const auto step = [&] {
        const DramCycles now = core.next_event();
        core.advance(now);
        listen(now);
        return now;
    };
    DramCycles now{0};
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const DramCycles at = now + DramCycles(jobs[i].gap);
        while (core.next_event() < at) step();
        const auto ticket = core.submit(at, jobs[i].address, jobs[i].bytes, jobs[i].is_write);
        owner.resize(std::max<std::size_t>(owner.size(), ticket + 1));
        owner[ticket] = i;
        listen(at);
        now = at;
        while (times[i].accepted == 0) now = step();
    }
    while (core.next_event() != dram_never) step();
    return times;
}

std::vector<ClockedMemory::Times> drive(ClockedMemory& oracle, const std::vector<Job>& jobs) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        for (std::uint64_t tick = 0; tick < jobs[i].gap; ++tick) oracle.next_tick();
        oracle.submit(jobs[i].address, jobs[i].bytes, jobs[i].is_write);
        while (!oracle.accepted(i)) oracle.next_tick();
    }
    while (oracle.busy()) oracle.next_tick();
    return oracle.times;
}

TlmMemoryParams random_memory(Random& random) {
    const std::vector<std::string> names = memory_presets();
    TlmMemoryParams params;
    params.dram = load_memory(names[random.below(names.size())]).params;
    params.dram.channels = static_cast<std::uint32_t>(random.between(1, 5));
    params.interleave_bytes = 64ULL << random.below(5);
    if (random.below(3) == 0) {  // channels in the map, at random places below its topmost field
        for (const char* field : {" ch:1", " pc:1", " ch:1"}) {
            std::string& map = params.dram.map;
            const auto places = static_cast<std::uint64_t>(std::count(map.begin(), map.end(), ' '));
            std::size_t at = 0;
            for (std::uint64_t n = random.between(1, places); n > 0; --n)
                at = map.find(' ', at + 1);
            map.insert(at, field);
        }
        params.dram.channels = 8;
    }
    params.mode = random.below(4) == 0 ? MemoryMode::fast : MemoryMode::exact;
    if (random.below(2) == 0) params.dram.policy.queue = QueueKind::shared;
    if (random.below(3) == 0) {
        params.dram.policy.read_queue = static_cast<std::uint32_t>(random.between(2, 20));
        params.dram.policy.write_queue = static_cast<std::uint32_t>(random.between(2, 20));
    }
    return params;
}

}  // namespace

TEST_CASE("accesses over channels enter and end when a memory asked at every tick says") {
    Random random(2026);
    for (int round = 0; round < 60; ++round) {
        const TlmMemoryParams params = random_memory(random);
        MemoryCore core(params);
        ClockedMemory oracle(params);
        const std::vector<Job> jobs = random_jobs(random, core.capacity(), 150);
        const auto got = drive(core, jobs);
        const auto expected = drive(oracle, jobs);
        INFO("round " << round << ": " << params.dram.standard << ", " << params.dram.channels
                      << " channels");
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            INFO("access " << i << " of " << jobs[i].bytes << " bytes at " << jobs[i].address);
            REQUIRE(got[i].accepted == expected[i].accepted);
            REQUIRE(got[i].done == expected[i].done);
        }
    }
}

TEST_CASE("an access touches each atom that it has a byte in, once") {
    TlmMemoryParams params;
    params.dram.channels = 3;
    params.interleave_bytes = 128;
    MemoryCore core(params);
    const std::uint64_t atom = params.dram.geometry.atom_bytes;
    struct Case {
        std::uint64_t address, bytes, atoms;
    };
    std::uint64_t columns = 0;
    DramCycles start{0};
    for (const Case c : {Case{0, 1, 1}, Case{atom - 1, 2, 2}, Case{5, atom, 2}, Case{0, 1024, 32},
                         Case{127, 258, 10}, Case{core.capacity() - 1, 1, 1}}) {
        core.submit(start, c.address, c.bytes, false);
        start += DramCycles(1000);  // longer than any of them takes
        MemoryCore::Ticket ticket = 0;
        while (core.next_event() != dram_never) {
            const DramCycles now = core.next_event();
            core.advance(now);
            while (core.pop_accepted(now, ticket) || core.pop_finished(now, ticket)) {
            }
        }
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < core.channels(); ++i) sum += core.stats(i).reads;
        CHECK(sum - columns == c.atoms);
        columns = sum;
    }
}

TEST_CASE("an interleave that splits atoms or does not fill the channels is refused") {
    TlmMemoryParams params;
    params.dram.channels = 2;
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{48}, std::uint64_t{96}}) {
        params.interleave_bytes = bytes;
        CHECK_THROWS_AS(MemoryCore(params), ConfigError);
    }
    params.dram.channels = 1;
    CHECK_NOTHROW(MemoryCore(params));
    params.dram.map = "row:15 ch:2 col:5 ba:2 bg:2 byte:5";
    CHECK_THROWS_WITH(MemoryCore(params), Catch::Contains("tell 4 apart, got 1"));
    params.dram.channels = 4;
    CHECK_NOTHROW(MemoryCore(params));
    params.dram.timing.rc = 1;
    CHECK_THROWS_AS(MemoryCore(params), ConfigError);
}

TEST_CASE("the data store keeps what was written and only the pages of it") {
    DataStore store;
    std::vector<unsigned char> data(3 * DataStore::page_bytes), back(data.size());
    Random random(7);
    for (unsigned char& byte : data) byte = static_cast<unsigned char>(random.next());
    const std::uint64_t address = (std::uint64_t{1} << 40) + DataStore::page_bytes - 3;
    store.write(address, data.data(), data.size());
    CHECK(store.pages() == 4);
    store.read(address, back.data(), back.size());
    CHECK(back == data);
    store.read(address - 1, back.data(), 2);
    CHECK(back[0] == 0);  // nobody wrote it
    CHECK(back[1] == data[0]);
    store.read(5, back.data(), back.size());
    CHECK(std::all_of(back.begin(), back.end(), [](unsigned char c) { return c == 0; }));
    CHECK(store.pages() == 4);  // reading makes none
}
