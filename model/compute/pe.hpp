// A processing element. Its scalar core issues the commands of the current operator in order; the
// command processor starts each on its unit when its circular-buffer operands are there; the units
// work side by side.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "model/base/bounded_queue.hpp"
#include "model/base/time_wheel.hpp"
#include "model/compute/circular_buffer.hpp"
#include "model/compute/engines.hpp"
#include "model/compute/local_memory.hpp"
#include "model/params/chip_params.hpp"
#include "model/sim/ports.hpp"
#include "model/sim/windowed.hpp"

namespace diastole {

struct PeStats {
    std::uint64_t instructions = 0;
    std::uint64_t commands = 0;
    std::uint64_t neighbour_bytes = 0;  // partial sums sent
};

class Pe : public sc_core::sc_module, public Windowed, public PeIf {
  public:
    sc_core::sc_export<PeIf> orders{"orders"};
    sc_core::sc_port<DmaIf> dma_in{"dma_in"};
    sc_core::sc_port<DmaIf> dma_out{"dma_out"};
    sc_core::sc_port<ControlIf> control{"control"};
    sc_core::sc_port<ReductionNetworkIf> neighbours{"neighbours"};
    sc_core::sc_port<WakeIf> wake{"wake"};

    Pe(const sc_core::sc_module_name& name, const ChipParams& chip, std::uint32_t index);
    void set_number(std::size_t number) { number_ = number; }

    void launch(const Launch& launch) override;
    void release_barrier(Cycles at, std::uint64_t job) override;
    void partial(Cycles at, std::uint32_t from, std::uint32_t bytes) override;

    [[nodiscard]] Cycles next_event() override;
    void advance(Cycles until) override;
    [[nodiscard]] std::string pending() const override;

    // Closes the account of every unit at the end of the run.
    void close(Cycles at);

    [[nodiscard]] const PeStats& stats() const { return stats_; }
    [[nodiscard]] const Dpe& dpe() const { return dpe_; }
    [[nodiscard]] const SimdEngine& simd() const { return simd_; }
    [[nodiscard]] const SimdEngine& vector() const { return vector_; }
    [[nodiscard]] const ReductionEngine& reduction() const { return reduction_; }
    [[nodiscard]] const LocalMemory& local_memory() const { return memory_; }
    [[nodiscard]] const StallCycles& stalls(Unit unit) const;

  private:
    enum class Core : std::uint8_t {
        no_job,      // waits for a launch
        issuing,     // busy until issue_done_
        queue_full,  // the unit of the fetched command has no room
        draining,    // a barrier waits for the units to finish
        at_barrier,  // waits for the other PEs
        finished,    // all commands issued, waits for the units
    };
    struct Order {
        enum class Kind : std::uint8_t { launch, release, partial } kind = Kind::launch;
        Launch launch;
        std::uint32_t from = 0, bytes = 0;
    };
    // A DMA engine as the command processor sees it.
    struct DmaLane {
        explicit DmaLane(std::size_t depth) : queue(depth), submitted(depth) {}
        BoundedQueue<IssuedCommand> queue;
        BoundedQueue<Effects> submitted;
        DmaIf* dma = nullptr;  // what the port is bound to
        [[nodiscard]] bool idle() const { return queue.empty() && submitted.empty(); }
    };

    void end_of_elaboration() override;
    [[nodiscard]] Cycles own_event() const {
        return std::min({inbox_.next(), issue_done_, engine_event_});
    }
    [[nodiscard]] Cycles find_engine_event() const;
    void handle(Cycles at, const Order& order);
    void dma_done(DmaLane& lane, const DmaIf::Completion& completion);
    void complete_engines(Cycles at);
    void progress(Cycles at);

    // Issue by the scalar core.
    void start_job(Cycles at);
    void fetch(Cycles at);
    void resume_core(Cycles at, Stall gap);
    bool advance_core(Cycles at);
    bool enqueue(Cycles at);
    void finish_job(Cycles at);
    [[nodiscard]] bool units_idle() const;

    // Dispatch by the command processor.
    bool try_start(Engine& engine, Cycles at);
    bool try_submit(DmaLane& lane, Cycles at);
    bool ready(IssuedCommand& issued);
    void take_operands(const Command& command);
    void apply(const Effects& effects, Stall cause);
    static void set_effects(Effects& effects, const Command& command, Cycles at);

    std::uint32_t index_;
    std::size_t number_ = 0;
    IssueParams issue_;
    Cycles sync_cycles_;

    LocalMemory memory_;
    Dpe dpe_;
    ReductionEngine reduction_;
    SimdEngine simd_;
    SimdEngine vector_;
    LayoutUnit layout_;
    std::array<Engine*, 5> engines_;
    Cycles engine_event_ = never;  // the earliest of them
    DmaLane lane_in_, lane_out_;
    std::vector<CircularBuffer> buffers_;
    std::vector<std::uint64_t> partials_;  // bytes received and not consumed, by sender

    TimeWheel<Order> inbox_;
    BoundedQueue<Launch> jobs_;  // the front one is being executed
    Core core_ = Core::no_job;
    Command fetched_;
    Cycles issue_done_ = never;
    bool core_was_blocked_ = false;
    Cycles core_resumed_;
    Stall core_gap_ = Stall::idle;
    JobShare share_;
    PeStats stats_;
};

}  // namespace diastole
