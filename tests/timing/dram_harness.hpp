// Drives one pseudo-channel as the reference runs were driven (reference figures: docs/memory.md):
// at most one request a tick, as soon as the queue takes it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/base/random.hpp"
#include "model/timing/address_map.hpp"
#include "model/timing/dram_channel.hpp"

namespace diastole::dram_test {

// Configuration C1: one HBM2 pseudo-channel of 16 GB/s whose activate takes two row-bus cycles.
inline DramParams c1() {
    DramParams p;
    p.timing.act_cycles = 2;
    return p;
}

// Configuration C3: one HBM3-6400 pseudo-channel of 25.6 GB/s.
inline DramParams c3() {
    DramParams p;
    p.standard = "hbm3-6400";
    p.geometry = {32, 32, 2, 4, 4, 16384, 32};
    DramTiming& t = p.timing;
    t.tck_ps = 625;
    t.burst = 2;
    t.cl = 20, t.cwl = 10, t.rcd_rd = 31, t.rcd_wr = 15, t.rp = 26, t.ras = 45, t.rc = 72;
    t.wr = 33, t.rtp = 9, t.ccd_s = 2, t.ccd_l = 4, t.ccd_r = 3, t.rrd_s = 4, t.rrd_l = 5;
    t.faw = 24, t.wtr_s = 7, t.wtr_l = 10, t.rtw = 20, t.ppd = 2, t.act_cycles = 2;
    t.rfc = 560, t.rfc_pb = 320, t.rrefd = 8, t.refi = 6240;
    p.map = "row:14 sid:1 col:5 ba:2 bg:2 byte:5";
    return p;
}

struct Access {
    std::uint64_t address = 0;
    bool is_write = false;
    std::uint32_t atoms = 1;
};
using Pattern = std::function<Access(std::uint64_t index)>;

inline Pattern sequential(std::uint64_t capacity) {
    return [=](std::uint64_t i) { return Access{i * 32 % capacity, false}; };
}
inline Pattern stride(std::uint64_t capacity, std::uint64_t step) {
    return [=](std::uint64_t i) { return Access{i * step % capacity, false}; };
}
inline Pattern random64(std::uint64_t capacity) {
    auto random = std::make_shared<Random>(12345);
    auto block = std::make_shared<std::uint64_t>(0);
    return [=](std::uint64_t i) {
        if (i % 2 == 0) *block = random->next() % (capacity / 64) * 64;
        return Access{*block + i % 2 * 32, false};
    };
}
inline Pattern two_reads_one_write(std::uint64_t capacity) {
    return [=](std::uint64_t i) {
        const std::uint64_t group = i / 6, within = i % 6;
        if (within < 4) return Access{(group * 128 + within * 32) % (capacity / 2), false};
        return Access{capacity / 2 + (group * 64 + (within - 4) * 32) % (capacity / 2), true};
    };
}
inline Pattern four_streams(std::uint64_t capacity) {
    return [=](std::uint64_t i) {
        const std::uint64_t block = i / 2, stream = block % 4, step = block / 4;
        return Access{stream * (capacity / 4) + (step * 64 + i % 2 * 32) % (capacity / 4), false};
    };
}
// Rows of 128 B, Zipf with exponent 1.05 over 2^19 rows, spread by a multiplicative hash.
inline Pattern embedding(std::uint64_t row_bytes = 128) {
    const std::uint64_t rows = 1 << 19;
    auto cdf = std::make_shared<std::vector<double>>(rows);
    double sum = 0;
    for (std::uint64_t k = 0; k < rows; ++k) {
        sum += std::pow(static_cast<double>(k + 1), -1.05);
        (*cdf)[k] = sum;
    }
    auto random = std::make_shared<Random>(12345);
    auto start = std::make_shared<std::uint64_t>(0);
    const std::uint64_t atoms = row_bytes / 32;
    return [=](std::uint64_t i) {
        if (i % atoms == 0) {
            const double u = random->unit() * cdf->back();
            const auto rank = static_cast<std::uint64_t>(
                std::lower_bound(cdf->begin(), cdf->end(), u) - cdf->begin());
            *start = (rank * 2654435761ULL + 12345) % rows * row_bytes;
        }
        return Access{*start + i % atoms * 32, false};
    };
}

// Addresses that meet: few rows in few banks, runs as long as the map allows.
inline Access random_access(const DramParams& p, const AddressMap& map, Random& random) {
    const std::uint64_t atom = p.geometry.atom_bytes, run = map.run_bytes() / atom;
    const std::uint64_t space = std::min<std::uint64_t>(map.capacity(), 1 << 18);
    Access a;
    a.is_write = random.below(3) == 0;
    const std::uint64_t start = random.below(run);
    a.atoms =
        static_cast<std::uint32_t>(random.between(1, std::min<std::uint64_t>(8, run - start)));
    a.address = random.below(space / map.run_bytes()) * map.run_bytes() + start * atom;
    if (random.below(3) == 0) a.address = a.address % (4 * map.run_bytes());
    return a;
}

struct Outcome {
    std::uint64_t ticks = 0;  // to the last data beat
    double percent = 0;       // of peak
    double mean_read = 0;     // ticks from acceptance to the last data beat
    std::uint64_t p50_read = 0, p99_read = 0;
    double row_hit_rate = 0;          // 1 - ACT / column accesses
    std::vector<std::uint64_t> done;  // by request
};

inline Outcome drive(DramModel& model, const DramParams& p, const Pattern& pattern,
                     std::uint64_t requests) {
    Outcome outcome;
    outcome.done.resize(requests);
    std::vector<std::uint64_t> accepted(requests);
    std::vector<bool> is_write(requests);
    std::vector<DramCompletion> out;
    const auto collect = [&] {
        for (const DramCompletion& c : out) {
            outcome.done[c.tag] = c.done.count();
            outcome.ticks = std::max(outcome.ticks, c.done.count());
        }
        out.clear();
    };
    DramCycles now{0};
    for (std::uint64_t i = 0; i < requests; ++i) {
        const Access access = pattern(i);
        model.advance(now, out);
        if (!model.can_accept(access.is_write, access.atoms)) {
            const DramRoom wanted =
                access.is_write ? DramRoom{0, access.atoms} : DramRoom{access.atoms, 0};
            now = model.advance(dram_never, out, wanted);
            model.advance(now, out);
        }
        collect();
        accepted[i] = now.count();
        is_write[i] = access.is_write;
        model.push(
            {access.address, access.atoms, static_cast<std::uint32_t>(i), access.is_write, now});
        now += DramCycles(1);
    }
    while (model.next_event() != dram_never) model.advance(model.next_event() + DramCycles(1), out);
    collect();
    std::uint64_t sum = 0;
    std::vector<std::uint64_t> latencies;
    for (std::uint64_t i = 0; i < requests; ++i) {
        if (is_write[i]) continue;
        latencies.push_back(outcome.done[i] - accepted[i]);
        sum += latencies.back();
    }
    const std::size_t reads = latencies.size();
    const auto percentile = [&](std::size_t of_100) -> std::uint64_t {
        if (reads == 0) return 0;
        const auto at = latencies.begin() + static_cast<std::ptrdiff_t>((reads - 1) * of_100 / 100);
        std::nth_element(latencies.begin(), at, latencies.end());
        return *at;
    };
    outcome.p50_read = percentile(50);
    outcome.p99_read = percentile(99);
    const DramStats& s = model.stats();
    const std::uint64_t columns = s.reads + s.writes;
    outcome.percent =
        100.0 * static_cast<double>(columns * p.timing.burst) / static_cast<double>(outcome.ticks);
    outcome.mean_read = reads == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(reads);
    outcome.row_hit_rate = 1 - static_cast<double>(s.activates) / static_cast<double>(columns);
    return outcome;
}

}  // namespace diastole::dram_test
