#include "model/base/error.hpp"
#include "model/params/preset.hpp"
#include "tests/laws/random_case.hpp"

namespace diastole::laws {
namespace {

template <class T, std::size_t n>
std::string one_of(Random& random, const T (&values)[n]) {
    if constexpr (std::is_arithmetic_v<T>) {
        return std::to_string(values[random.below(n)]);
    } else {
        return values[random.below(n)];
    }
}

class Draw {
  public:
    explicit Draw(Random& random) : random_(random) {}

    template <class T, std::size_t n>
    void maybe(const std::string& key, const T (&values)[n]) {
        if (random_.below(2) == 0) set(key, one_of(random_, values));
    }
    void set(const std::string& key, const std::string& value) {
        settings_.push_back(key + '=' + value);
    }
    [[nodiscard]] std::vector<std::string> take() { return std::move(settings_); }

  private:
    Random& random_;
    std::vector<std::string> settings_;
};

// Every chip is small; the rest of it stays as its preset has it, or changes.
void draw_memory(Random& random, Draw& draw) {
    const std::uint64_t partitions = std::uint64_t{1} << random.below(4);
    const std::uint64_t step = 1 << 20;
    const std::uint64_t lls = random.below(3) * partitions;
    draw.set("sram.partitions", std::to_string(partitions));
    draw.set("sram.split_step", std::to_string(step));
    draw.set("sram.lls_bytes", std::to_string(lls * step));
    draw.set("sram.bytes", std::to_string((lls + random.between(1, 2) * partitions) * step));
    draw.maybe("sram.ways", {1, 2, 4, 8, 16, 32, 64});
    draw.maybe("sram.banks", {1, 2, 4, 8});
    draw.maybe("sram.bank_bytes_per_cycle", {16, 32, 64, 128, 48});
    draw.maybe("sram.latency_cycles", {1, 10, 50, 200});
    draw.maybe("sram.mshrs", {4, 16, 64, 256});
    draw.maybe("sram.queue_depth", {1, 2, 16, 64});
    draw.maybe("sram.interleave_bytes", {128, 256, 512, 1024, 2048});
    draw.maybe("sram.slice_hash", {"true", "false"});
    draw.set("dram.channels", std::to_string(partitions * random.between(1, 2)));
    if (random.below(2) == 0) {
        const std::vector<std::string> standards = memory_presets();
        const std::string standard = standards[random.below(standards.size())];
        const DramParams memory = load_memory(standard).params;
        draw.set("dram.standard", standard);
        draw.set("dram.geometry.stack_ids", std::to_string(memory.geometry.stack_ids));
        draw.set("dram.map", memory.map);
    }
    draw.maybe("dram.policy.page", {"open", "closed"});
    draw.maybe("dram.policy.scheduler", {"fr_fcfs", "fcfs"});
    draw.maybe("dram.policy.queue", {"split", "shared"});
    draw.maybe("dram.policy.refresh", {"none", "all_bank", "per_bank"});
}

void draw_pe(Draw& draw) {
    draw.maybe("dpe.arrays", {1, 2, 4});
    draw.maybe("dpe.columns", {8, 16, 32, 24});
    draw.maybe("dpe.k_elements.fp16", {8, 16, 32, 12});
    draw.maybe("dpe.overlap", {"none", "shadow", "stream"});
    draw.maybe("dpe.dataflow", {"weight_stationary", "input_stationary", "output_stationary"});
    draw.maybe("dpe.mac_latency", {1, 3});
    draw.maybe("simd.ops_per_cycle.fp32", {0, 16, 64});
    draw.maybe("simd.accumulate_rows", {1, 32, 128});
    draw.maybe("issue.cycles_per_instruction", {1, 4, 20});
    draw.maybe("issue.queue_depth", {1, 2, 8});
    draw.maybe("reduction.elements_per_cycle", {8, 64});
    draw.maybe("layout.bytes_per_cycle", {16, 64, 100});
    draw.maybe("dma.issue_interval", {1, 2, 7});
    draw.maybe("dma.outstanding", {1, 4, 64});
    draw.maybe("dma.outbox", {1, 8});
    draw.maybe("local_memory.bytes", {65536, 131072, 393216});
    draw.maybe("local_memory.bank_bytes_per_cycle", {16, 64, 128});
}

void draw_fabric(Draw& draw) {
    draw.maybe("noc.topology", {"crossbar", "mesh"});
    draw.maybe("noc.pe_link_bytes_per_cycle", {16, 32, 64, 100});
    draw.maybe("noc.mesh_link_bytes_per_cycle", {16, 64, 128});
    draw.maybe("noc.partition_link_bytes_per_cycle", {32, 64, 128});
    draw.maybe("noc.port_cycles", {2, 16, 40});
    draw.maybe("noc.queue_depth", {1, 4, 16});
    draw.maybe("noc.broadcast_reads", {"true", "false"});
    draw.maybe("control.queue_depth", {1, 2, 8});
    draw.maybe("control.job_window", {1, 4, 64});
    draw.maybe("host.bytes_per_second", {1000000000LL, 64000000000LL});
}

}  // namespace

ChipCase random_chip(Random& random, std::uint32_t& refused) {
    for (;;) {
        ChipCase chip;
        Draw draw(random);
        chip.preset = one_of(random, {"mtia-1", "mtia-2i", "mtia-2i", "mtia-300", "h100-sxm"});
        draw.set("grid.rows", std::to_string(random.between(1, 3)));
        draw.set("grid.columns", std::to_string(random.between(1, 3)));
        draw.maybe("clock_hz", {500000000LL, 1000000000LL, 2100000000LL});
        draw_memory(random, draw);
        draw_pe(draw);
        draw_fabric(draw);
        chip.settings = draw.take();
        try {
            chip.params = load_chip(chip.preset, config::parse_overrides(chip.settings)).params;
            return chip;
        } catch (const ConfigError&) {
            ++refused;
        }
    }
}

}  // namespace diastole::laws
