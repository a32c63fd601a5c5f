// The preset `tpu-v1` against what was published of the chip (ISCA 2017).
#include <catch2/catch.hpp>

#include "model/params/preset.hpp"

using namespace diastole;

TEST_CASE("tpu-v1's published peaks and sizes are products of its own parameters") {
    const ChipParams c = load_chip("tpu-v1").params;
    CHECK(peak_matrix_flops(c, DType::int8) == Approx(92e12).epsilon(0.01));
    // Products of 8 by 16 bits run at half speed; fp16 stands for them.
    CHECK(2 * peak_matrix_flops(c, DType::fp16) == peak_matrix_flops(c, DType::int8));
    CHECK(c.clock_hz == 700'000'000);
    CHECK(macs_per_cycle(c.dpe, DType::int8) == 65536);
    CHECK(dram_peak(c.dram) == Approx(34e9).epsilon(0.01));
    CHECK(dram_bytes(c.dram) == 8ULL << 30);
    CHECK(c.sram.lls_bytes == 24ULL << 20);
    CHECK(c.noc.pe_link_bytes_per_cycle == 256);
    CHECK(static_cast<double>(c.host.bytes_per_second) == Approx(15.75e9));
    // The ridge of its roofline, multiply-adds over a byte of weights: about 1350.
    CHECK(peak_matrix_flops(c, DType::int8) / 2 / dram_peak(c.dram) == Approx(1350).epsilon(0.01));
    // A tile's 64 KiB take 1.93 us out of DRAM, and 256 cycles into the array.
    CHECK(65536 / dram_peak(c.dram) == Approx(1.93e-6).epsilon(0.01));
    CHECK(c.dpe.k_elements[DType::int8] == 256);
    // Local memory holds the accumulators, four tiles of weights, and a batch on its way.
    CHECK(c.local_memory.bytes >= (4ULL << 20) + 4 * 65536);
}
