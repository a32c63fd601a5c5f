#include "tb/dram_bench.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"
#include "model/params/channel_spread.hpp"
#include "model/sim/conductor.hpp"
#include "tb/dram_requester.hpp"

namespace diastole {
namespace {

// The memory with everything the command line says.
ResolvedMemory describe_memory(const DramSpec& spec) {
    std::vector<config::Override> overrides = config::parse_overrides(spec.settings);
    if (spec.pseudo_channels) {
        overrides.push_back({"dram.channels", std::to_string(*spec.pseudo_channels)});
    }
    if (!spec.map) return load_memory(spec.memory, overrides);
    // With its own map first, for the geometry: then AddressMap says which bits are wrong.
    const ResolvedMemory memory = load_memory(spec.memory, overrides);
    const AddressMap check(read_channel_map(*spec.map).inner, memory.params.geometry);
    overrides.push_back({"dram.map", *spec.map});
    return load_memory(spec.memory, overrides);
}

std::unique_ptr<DramTraffic> make_traffic(const DramSpec& spec, const DramParams& params) {
    const DramSpace space{dram_bytes(params), params.geometry.atom_bytes};
    if (spec.trace.empty()) return make_pattern(spec.pattern, space);
    return open_dram_trace(spec.trace, space, spec.trace_requests.value_or(~std::uint64_t{0}));
}

// The modules and how they are wired.
class Bench : public sc_core::sc_module {
  public:
    Bench(const sc_core::sc_module_name& name, const DramParams& params, MemoryMode mode,
          DramTraffic& traffic, const ChannelSpread& spread, std::uint32_t run_bytes,
          DramHistograms& histograms)
        : sc_module(name),
          // The kernel's time only orders windows; it follows tCK to a part in 10^9.
          conductor_("conductor", Hertz(1'000'000'000'000 / params.timing.tck_ps),
                     dram_bench_window) {
        for (std::uint32_t i = 0; i < params.channels; ++i) {
            const std::string label = "channel_" + std::to_string(i);
            lanes_.push_back(
                std::make_unique<DramLane>(label.c_str(), params, mode, i, histograms));
        }
        requester_ = std::make_unique<DramRequester>("requester", traffic, spread, params.channels,
                                                     params.geometry.atom_bytes, run_bytes,
                                                     lanes_.front()->max_run());
        requester_->wake(conductor_.wake_export);
        requester_->set_number(conductor_.add(*requester_, "the requester"));
        for (std::uint32_t i = 0; i < params.channels; ++i) {
            DramLane& lane = *lanes_[i];
            lane.wake(conductor_.wake_export);
            lane.credits(requester_->credits);
            requester_->lanes(lane.requests);
            lane.set_number(conductor_.add(lane, "pseudo-channel " + std::to_string(i)));
        }
    }
    void start_of_simulation() override { requester_->begin(); }

    void run(std::function<void(Cycles)> monitor) {
        conductor_.set_monitor(std::move(monitor));
        conductor_.set_finished([this] {
            return requester_->finished() &&
                   std::all_of(lanes_.begin(), lanes_.end(),
                               [](const auto& lane) { return lane->idle(); });
        });
        sc_core::sc_start();
        conductor_.rethrow();
    }

    std::vector<std::unique_ptr<DramLane>>& lanes() { return lanes_; }
    [[nodiscard]] const Conductor& conductor() const { return conductor_; }
    [[nodiscard]] std::uint64_t handed_out() const { return requester_->requests(); }

  private:
    Conductor conductor_;
    std::unique_ptr<DramRequester> requester_;
    std::vector<std::unique_ptr<DramLane>> lanes_;
};

void collect(DramRun& run, Bench& bench) {
    for (const auto& lane : bench.lanes()) {
        run.cycles = std::max(run.cycles, lane->stats().end.count());
    }
    for (const auto& lane : bench.lanes()) {
        lane->finish(Cycles(run.cycles));
        run.channels.push_back({lane->dram(), lane->stats()});
        run.total += lane->dram();
        run.requests += lane->stats().atoms;
        for (std::size_t kind = 0; kind < run.latency.size(); ++kind) {
            run.latency[kind] += lane->stats().latency[kind];
        }
        run.idle_cycles += lane->stats().idle_cycles;
        run.turns += lane->stats().turns;
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    run.peak_memory_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    run.activations = bench.conductor().activations();
    const std::uint64_t done = run.latency[0].count + run.latency[1].count;
    if (done != bench.handed_out()) {
        throw ModelError("of " + std::to_string(bench.handed_out()) + " DRAM requests " +
                         std::to_string(done) + " were completed");
    }
}

}  // namespace

double row_hit_rate(const DramStats& stats) {
    const std::uint64_t accesses = stats.reads + stats.writes;
    if (accesses == 0) return 0;
    return 1 - static_cast<double>(stats.activates) / static_cast<double>(accesses);
}

DramRun simulate_dram(const DramSpec& spec, DramCommandSink* log,
                      const std::function<void(double)>& progress) {
    DramRun run;
    run.spec = spec;
    run.memory = describe_memory(spec);
    const DramParams& params = run.memory.params;
    const ChannelSpread spread(run.memory.channel_map, params.channels, spec.interleave_bytes,
                               channel_data_bytes(params), params.geometry.atom_bytes);
    run.spread = spread.description();
    if (run.spec.pattern.block_bytes == 0)
        run.spec.pattern.block_bytes = params.geometry.atom_bytes;
    run.run_bytes = AddressMap(params.map, params.geometry).run_bytes();
    const std::unique_ptr<DramTraffic> traffic = make_traffic(run.spec, params);

    Bench bench("bench", params, spec.mode, *traffic, spread, run.run_bytes, run.histograms);
    if (log != nullptr) {
        for (auto& lane : bench.lanes()) lane->log_to(*log);
    }
    const auto began = std::chrono::steady_clock::now();
    bench.run([&](Cycles) {
        if (interrupted()) throw Interrupted();
        progress(traffic->progress());
    });
    run.wall_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    collect(run, bench);
    return run;
}

}  // namespace diastole
