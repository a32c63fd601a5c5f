// Feeds one memory partition as a sender that obeys its credits would.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <vector>

#include "model/base/random.hpp"
#include "model/memory/partition_core.hpp"

namespace diastole::memory_test {

inline ChipParams small_chip() {
    ChipParams c;
    c.clock_hz = 1'350'000'000;
    c.sram.partitions = 1;
    c.sram.bytes = 64 * 1024;
    c.sram.lls_bytes = 16 * 1024;
    c.sram.ways = 4;
    c.sram.mshrs = 16;
    c.sram.queue_depth = 8;
    c.dram.channels = 1;
    c.dram.policy.read_queue = 32;
    c.dram.policy.write_queue = 32;
    c.dram.map = "row:15 ba:2 bg:2 col:5 byte:5";
    return c;
}

inline MemoryRequest request(std::uint64_t at, std::uint64_t address, std::uint32_t bytes,
                             AccessKind kind = AccessKind::read, Space space = Space::dram) {
    MemoryRequest r;
    r.at = Cycles(at);
    r.address = address;
    r.bytes = bytes;
    r.kind = kind;
    r.space = space;
    return r;
}

// What has left a partition.
struct PartitionOutput final : PartitionSink {
    std::vector<MemoryResponse> responses;
    std::vector<Cycles> credits;

    void respond(const MemoryResponse& response) override { responses.push_back(response); }
    void credit(Cycles at) override { credits.push_back(at); }
    void clear() {
        responses.clear();
        credits.clear();
    }
};

struct Run {
    std::vector<MemoryResponse> responses;
    std::vector<std::uint64_t> credits;
    PartitionStats stats;
    std::uint64_t end = 0;
};

// Random traffic within `footprint` bytes, reads, writes and prefetches, dense bursts and pauses.
inline std::vector<MemoryRequest> random_requests(const ChipParams& c, Random& random,
                                                  std::size_t count, std::uint64_t footprint) {
    std::vector<MemoryRequest> requests;
    const std::uint64_t interleave = c.sram.interleave_bytes;
    for (std::size_t i = 0; i < count; ++i) {
        const bool lls = random.below(8) == 0 && c.sram.lls_bytes > 0;
        const std::uint64_t space = lls ? c.sram.lls_bytes / c.sram.partitions : footprint;
        const std::uint64_t sizes[] = {32, 64, 128, 256, 512};
        const std::uint64_t bytes = std::min(sizes[random.below(5)], interleave);
        std::uint64_t local = random.below(space / bytes) * bytes;
        if (random.below(16) == 0) local += random.below(bytes);  // not aligned
        const std::uint64_t left = interleave - local % interleave;
        MemoryRequest r = request(0, local, static_cast<std::uint32_t>(std::min(bytes, left)));
        const std::uint64_t kind = random.below(10);
        r.kind = kind < 6 ? AccessKind::read : kind < 9 ? AccessKind::write : AccessKind::prefetch;
        r.space = lls ? Space::lls : Space::dram;
        r.hint = random.below(6) == 0 ? CacheHint::no_write_back : CacheHint::normal;
        r.access = random.below(2) == 0 ? AccessClass::dense : AccessClass::sparse;
        r.token = static_cast<std::uint32_t>(i);
        r.held = static_cast<std::uint32_t>(random.below(100));
        r.shared = static_cast<std::uint32_t>(random.below(4));
        requests.push_back(r);
    }
    return requests;
}

// Sends each request as soon as there is a credit and `gap` cycles have passed; `slice` says how
// far each call of advance() goes. Rewrites the requests' times to those of arrival.
template <class Slice>
Run closed_loop(PartitionCore& core, std::vector<MemoryRequest>& requests, std::uint32_t depth,
                Random gaps, std::uint64_t gap_bound, Slice&& slice) {
    Run run;
    PartitionOutput out;
    std::uint32_t credits = depth;
    std::uint64_t now = 0, ready = 0;
    std::size_t next = 0;
    while (run.responses.size() < requests.size()) {
        out.clear();
        bool sent = false;
        if (next < requests.size() && credits > 0 && ready <= now) {
            requests[next].at = Cycles(now);
            core.accept(requests[next++]);
            --credits;
            ready = now + gaps.below(gap_bound + 1);
            sent = true;
        }
        if (!sent) {
            // To the next moment at which the sender can act: exactly there, in slices.
            std::uint64_t stop = core.next_event().count() + 1;
            if (next < requests.size() && credits > 0) stop = std::min(stop, ready);
            if (stop <= now) stop = now + 1;
            REQUIRE(stop < std::uint64_t{1} << 22);  // else it stands still
            while (now < stop) {
                now = std::min(stop, now + slice());
                core.advance(Cycles(now), out);
            }
        }
        for (const MemoryResponse& r : out.responses) run.responses.push_back(r);
        for (Cycles c : out.credits) run.credits.push_back(c.count());
        credits += static_cast<std::uint32_t>(out.credits.size());
    }
    run.end = now;
    run.stats = core.stats();
    return run;
}

// The same requests at fixed times; `early`: all handed over at once.
template <class Slice>
Run replay(PartitionCore& core, const std::vector<MemoryRequest>& requests, bool early,
           Slice&& slice) {
    Run run;
    PartitionOutput out;
    std::size_t next = 0;
    std::uint64_t now = 0;
    while (run.responses.size() < requests.size()) {
        const std::uint64_t stop = now + slice();
        while (next < requests.size() && (early || requests[next].at.count() < stop)) {
            core.accept(requests[next++]);
        }
        now = stop;
        core.advance(Cycles(now), out);
        for (const MemoryResponse& r : out.responses) run.responses.push_back(r);
        for (Cycles c : out.credits) run.credits.push_back(c.count());
        out.clear();
        REQUIRE(now < std::uint64_t{1} << 22);
    }
    run.end = now;
    run.stats = core.stats();
    return run;
}

}  // namespace diastole::memory_test
