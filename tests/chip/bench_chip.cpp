// What the chip model costs, without lowering. Hidden from normal runs: `diastole_tests
// "[.bench]"`.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>

#include "model/chip/chip.hpp"
#include "model/chip/snapshot.hpp"
#include "model/params/preset.hpp"
#include "tests/chip/scripted_jobs.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

// Every PE gathers random 256-byte rows, 64 to a transfer, or streams 16 KB chunks.
class LoadSource : public CommandSource {
  public:
    LoadSource(std::uint32_t pes, std::uint64_t transfers, bool gather)
        : left_(pes, transfers), gather_(gather), reads_next_(pes, true), random_(5) {}
    [[nodiscard]] const std::vector<std::uint32_t>& circular_buffers() const override {
        return buffers_;
    }
    [[nodiscard]] bool participates(std::uint32_t) const override { return true; }
    bool next(std::uint32_t pe, Command& out) override {
        if (left_[pe] == 0) return false;
        reads_next_[pe] = !reads_next_[pe];
        if (!reads_next_[pe]) {
            out = read_command(position_, 16384, 0);
            position_ += 16384;
            if (gather_) {
                auto& transfer = std::get<Transfer>(out.payload);
                transfer.row_bytes = 256;
                for (int i = 0; i < 64; ++i) {
                    transfer.row_addresses.push_back(random_.below(1ULL << 27) * 256);
                }
            }
            return true;
        }
        out = simd_command(0, 16384, 1, 0, 8192);
        --left_[pe];
        return true;
    }

  private:
    std::vector<std::uint32_t> buffers_ = {65536, 1024};
    std::vector<std::uint64_t> left_;
    bool gather_;
    std::vector<bool> reads_next_;
    std::uint64_t position_ = 0;
    Random random_;
};

void measure(const char* name, const char* preset, bool gather, std::uint64_t transfers) {
    const ChipParams params = load_chip(preset).params;
    Chip chip("chip", params, MemoryMode::exact);
    ScriptedJobs jobs;
    jobs.add(std::make_unique<LoadSource>(pe_count(params), transfers, gather));
    const auto began = std::chrono::steady_clock::now();
    chip.run(jobs, {}, {}, {});
    const double wall =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const Snapshot s = take_snapshot(chip, chip.control().last_end());
    std::printf(
        "%s on %s: %.2f s, %.0f ns a request, %llu requests, %llu cycles, %llu activations, "
        "%llu module steps, %.1f B a cycle\n",
        name, preset, wall, 1e9 * wall / static_cast<double>(s.dma_requests),
        static_cast<unsigned long long>(s.dma_requests),
        static_cast<unsigned long long>(s.at.count()),
        static_cast<unsigned long long>(chip.conductor().activations()),
        static_cast<unsigned long long>(chip.conductor().module_steps()),
        static_cast<double>(s.dma_read_bytes) / static_cast<double>(s.at.count()));
}

}  // namespace

TEST_CASE("cost of gathers on mtia-2i", "[.bench]") {
    measure("gather", "mtia-2i", true, 200);
}
TEST_CASE("cost of gathers on mtia-300", "[.bench]") {
    measure("gather", "mtia-300", true, 200);
}
TEST_CASE("cost of streams on mtia-2i", "[.bench]") {
    measure("stream", "mtia-2i", false, 500);
}
