#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>

#include "model/params/preset.hpp"

using namespace diastole;

namespace {

// A published figure and the product of the preset's own parameters. Where they differ by more than
// 3 %, a [[conflict]] of the preset must speak of it (`about`).
struct Published {
    const char* chip;
    const char* what;
    double published;
    std::function<double(const ChipParams&)> product;
    const char* conflict = nullptr;
};

auto matrix(DType type) {
    return [type](const ChipParams& c) { return peak_matrix_flops(c, type); };
}
auto simd(DType type) {
    return [type](const ChipParams& c) { return peak_ops(c, c.simd, type); };
}
auto vector(DType type) {
    return [type](const ChipParams& c) { return peak_ops(c, c.vector, type); };
}
double sram(const ChipParams& c) {
    return static_cast<double>(sram_bytes_per_cycle(c.sram) * c.clock_hz);
}
double local(const ChipParams& c) {
    return static_cast<double>(local_memory_bytes_per_cycle(c.local_memory) * c.clock_hz);
}
double dram(const ChipParams& c) {
    return dram_peak(c.dram);
}
// Memories are sold in binary gigabytes.
double gibibytes(const ChipParams& c) {
    return static_cast<double>(dram_bytes(c.dram)) / (1ULL << 30);
}
double sram_mebibytes(const ChipParams& c) {
    return static_cast<double>(c.sram.bytes) / (1 << 20);
}
double host(const ChipParams& c) {
    return static_cast<double>(c.host.bytes_per_second);
}

// mtia-1, mtia-2i: ISCA 2025, table 2. mtia-300: ISCA 2026, table I (SIMD and vector: its text).
// h100-sxm: NVIDIA's data sheet.
const std::vector<Published> published = {
    {"mtia-1", "int8", 102.4e12, matrix(DType::int8)},
    {"mtia-1", "fp16", 51.2e12, matrix(DType::fp16)},
    {"mtia-1", "simd int8", 3.2e12, simd(DType::int8)},
    {"mtia-1", "simd fp16", 1.6e12, simd(DType::fp16)},
    {"mtia-1", "vector int8", 3.2e12, vector(DType::int8)},
    {"mtia-1", "vector fp16", 1.6e12, vector(DType::fp16)},
    {"mtia-1", "vector fp32", 0.8e12, vector(DType::fp32)},
    {"mtia-1", "local memory", 0.4e12, local},
    {"mtia-1", "sram", 0.8e12, sram},
    {"mtia-1", "sram MB", 128, sram_mebibytes},
    {"mtia-1", "dram", 176e9, dram},
    {"mtia-1", "dram GB", 64, gibibytes},
    {"mtia-1", "host", 16e9, host},
    {"mtia-2i", "int8", 354e12, matrix(DType::int8)},
    {"mtia-2i", "fp16", 177e12, matrix(DType::fp16)},
    {"mtia-2i", "bf16", 177e12, matrix(DType::bf16)},
    {"mtia-2i", "simd int8", 5.5e12, simd(DType::int8)},
    {"mtia-2i", "simd fp16", 5.5e12, simd(DType::fp16)},
    {"mtia-2i", "simd fp32", 5.5e12, simd(DType::fp32)},
    {"mtia-2i", "vector int8", 5.5e12, vector(DType::int8)},
    {"mtia-2i", "vector fp16", 2.8e12, vector(DType::fp16)},
    {"mtia-2i", "vector fp32", 1.4e12, vector(DType::fp32)},
    {"mtia-2i", "local memory", 1e12, local, "local memory bandwidth"},
    {"mtia-2i", "sram", 2.7e12, sram},
    {"mtia-2i", "sram MB", 256, sram_mebibytes},
    {"mtia-2i", "dram", 204.8e9, dram},
    {"mtia-2i", "dram GB", 128, gibibytes},
    {"mtia-2i", "host", 32e9, host},
    {"mtia-300", "fp8", 1120e12, matrix(DType::fp8)},
    {"mtia-300", "bf16", 560e12, matrix(DType::bf16)},
    {"mtia-300", "simd", 35.0e12, simd(DType::fp16)},
    {"mtia-300", "simd, table", 42.5e12, simd(DType::fp16), "SIMD engine"},
    {"mtia-300", "vector fp16", 42.5e12, vector(DType::fp16), "vector cores"},
    {"mtia-300", "vector fp32", 21.3e12, vector(DType::fp32), "vector cores"},
    {"mtia-300", "local memory", 1.9e12, local},
    {"mtia-300", "sram", 11.4e12, sram},
    {"mtia-300", "sram MB", 192, sram_mebibytes},
    {"mtia-300", "dram", 6.144e12, dram},
    {"mtia-300", "dram GB", 216, gibibytes},
    {"mtia-300", "host", 64e9, host},
    {"h100-sxm", "bf16", 989e12, matrix(DType::bf16)},
    {"h100-sxm", "fp16", 989e12, matrix(DType::fp16)},
    {"h100-sxm", "fp8", 1979e12, matrix(DType::fp8)},
    {"h100-sxm", "int8", 1979e12, matrix(DType::int8)},
    {"h100-sxm", "tf32", 494.7e12, matrix(DType::tf32)},
    {"h100-sxm", "sram MB", 50, sram_mebibytes},
    {"h100-sxm", "dram", 3.35e12, dram},
    {"h100-sxm", "dram GB", 80, gibibytes},
    {"h100-sxm", "host", 64e9, host},
};

struct MemoryFacts {
    double megabits_per_pin;
    std::uint64_t mebibytes;  // of a pseudo-channel: density of the channel over its number
};
const std::map<std::string, MemoryFacts> memories = {
    {"hbm2-2000", {2000, 512}},     // 8 Gb dies, 4-high, 8 channels: 512 MB a pseudo-channel
    {"hbm2e-3600", {3600, 1024}},   // 16 GB stack, 16 pseudo-channels
    {"hbm3-5200", {5200, 512}},     // 16 GB stack, 32 pseudo-channels
    {"hbm3-6400", {6400, 512}},     // 16 GB stack, 32 pseudo-channels
    {"hbm3e-8000", {8000, 1152}},   // 36 GB stack, 32 pseudo-channels
    {"lpddr5-5500", {5500, 4096}},  // 32 Gb
    {"lpddr5-6400", {6400, 4096}},  // 32 Gb
    {"ddr3-2133", {2133, 4096}},    // eight devices of 4 Gb
};

}  // namespace

TEST_CASE("published peaks equal the products of each preset's own parameters within 3 %") {
    for (const Published& fact : published) {
        const ResolvedChip chip = load_chip(fact.chip);
        const double error = fact.product(chip.params) / fact.published - 1;
        INFO(fact.chip << ", " << fact.what << ": " << fact.product(chip.params) << " for "
                       << fact.published);
        if (fact.conflict == nullptr) {
            CHECK(std::abs(error) <= 0.03);
            continue;
        }
        CHECK(std::abs(error) > 0.03);  // else it is no conflict, and not to be named
        bool named = false;
        for (const Conflict& conflict : chip.conflicts) named |= conflict.about == fact.conflict;
        CHECK(named);
    }
}

TEST_CASE("every value of every preset has a source or is marked assumed") {
    for (const std::string& name : chip_presets()) {
        const ResolvedChip chip = load_chip(name);
        CHECK(chip.params.name == name);
        for (const config::Setting& setting : chip.settings) {
            INFO(name << ": " << setting.key);
            CHECK(setting.provenance.given);
            CHECK(setting.provenance.source.empty() != setting.provenance.assumed.empty());
            // A fact about one chip is none about another: what a preset takes from its base is
            // assumed of it.
            const std::string& file = setting.provenance.where.file;
            if (file.find("presets/") == 0 && file != chip.file) {
                CHECK_FALSE(setting.provenance.assumed.empty());
            }
        }
    }
    for (const std::string& name : memory_presets()) {
        for (const config::Setting& setting : load_memory(name).settings) {
            INFO(name << ": " << setting.key);
            if (setting.key == "dram.standard" || setting.key == "dram.channels") continue;
            CHECK(setting.provenance.source.empty() != setting.provenance.assumed.empty());
        }
    }
}

TEST_CASE("a memory's name equals the product of its fields, and its geometry its density") {
    CHECK(memory_presets().size() == memories.size());
    for (const auto& [name, facts] : memories) {
        INFO(name);
        const DramParams d = load_memory(name).params;
        CHECK(d.standard == name);
        CHECK(name.find(std::to_string(static_cast<int>(facts.megabits_per_pin))) !=
              std::string::npos);
        const double megabits = channel_peak(d) * 8 / d.geometry.data_bits / 1e6;
        CHECK(std::abs(megabits / facts.megabits_per_pin - 1) < 0.002);
        CHECK(channel_bytes(d.geometry) == facts.mebibytes << 20);
    }
}

TEST_CASE("memory presets of the same timings agree in nanoseconds") {
    const DramTiming a = load_memory("hbm3-6400").params.timing;
    for (const char* name : {"hbm3-5200", "hbm3e-8000", "hbm2e-3600"}) {
        const DramTiming b = load_memory(name).params.timing;
        const std::pair<std::uint32_t, std::uint32_t> intervals[] = {
            {a.rcd_rd, b.rcd_rd}, {a.rp, b.rp},   {a.ras, b.ras}, {a.rc, b.rc},
            {a.cl, b.cl},         {a.faw, b.faw}, {a.rfc, b.rfc}, {a.wr, b.wr}};
        for (const auto& [x, y] : intervals) {
            const auto ns_a = static_cast<double>(x * a.tck_ps),
                       ns_b = static_cast<double>(y * b.tck_ps);
            INFO(name << ": " << ns_a << " and " << ns_b << " ps");
            CHECK(ns_b >= ns_a);  // rounded up to whole cycles, never down
            CHECK(ns_b < ns_a + 2 * static_cast<double>(b.tck_ps));
        }
    }
}

TEST_CASE(
    "HBM2-2000 and HBM3-6400 are the configurations of the comparison with other simulators") {
    const DramParams c1 = load_memory("hbm2-2000").params, c3 = load_memory("hbm3-6400").params;
    const DramTiming &a = c1.timing, &b = c3.timing;
    CHECK(std::vector<std::uint32_t>{a.cl,    a.cwl,   a.rcd_rd, a.rcd_wr, a.rp,    a.ras,   a.rc,
                                     a.wr,    a.rtp,   a.ccd_s,  a.ccd_l,  a.rrd_s, a.rrd_l, a.faw,
                                     a.wtr_s, a.wtr_l, a.rtw,    a.rfc,    a.refi,  a.rfc_pb} ==
          std::vector<std::uint32_t>{14, 5, 14, 12, 14, 34, 48, 16,  5,    2,
                                     4,  4, 4,  15, 6,  8,  13, 260, 3900, 160});
    CHECK(std::vector<std::uint32_t>{b.cl,    b.cwl,   b.rcd_rd, b.rcd_wr, b.rp,    b.ras,
                                     b.rc,    b.wr,    b.rtp,    b.ccd_s,  b.ccd_l, b.ccd_r,
                                     b.rrd_s, b.rrd_l, b.faw,    b.wtr_s,  b.wtr_l, b.rtw,
                                     b.ppd,   b.rfc,   b.rfc_pb, b.rrefd,  b.refi} ==
          std::vector<std::uint32_t>{20, 10, 31, 15, 26, 45, 72, 33,  9,   2, 4,   3,
                                     4,  5,  24, 7,  10, 20, 2,  560, 320, 8, 6240});
    CHECK(c1.map == "row:15 col:5 ba:2 bg:2 byte:5");
    CHECK(c3.map == "row:14 sid:1 col:5 ba:2 bg:2 byte:5");
    CHECK(channel_peak(c1) == Approx(16e9));
    CHECK(channel_peak(c3) == Approx(25.6e9));
}
