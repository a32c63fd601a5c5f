// One pseudo-channel of the memory bench: the requests that wait for it, in order, and the
// controller that takes them, at most one a cycle and each as soon as its queue has room.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "model/base/error.hpp"
#include "model/sim/windowed.hpp"
#include "model/timing/dram_channel.hpp"
#include "tb/latency_histogram.hpp"

namespace diastole {

// Cycles on the bench are those of the memory's command clock.
//
// What passes between requester and pseudo-channels takes this long. It is one window, so that a
// pseudo-channel handles hundreds of requests per call, and it is hidden: a pseudo-channel holds
// `dram_lookahead` requests and reports free places after a quarter of that, so that the next ones
// arrive three windows later, before it can run dry.
inline constexpr Cycles dram_bench_window{256};
inline constexpr std::uint32_t dram_lookahead = 1024;
inline constexpr std::uint32_t dram_credit_batch = dram_lookahead / 4;
static_assert(dram_credit_batch + 2 * dram_bench_window.count() <= dram_lookahead);

struct DramItem {
    static constexpr std::uint64_t address_mask = (std::uint64_t{1} << 44) - 1;
    static constexpr std::uint64_t atoms_mask = (std::uint64_t{1} << 19) - 1;

    std::uint64_t address : 44;  // within the pseudo-channel
    std::uint64_t atoms : 19;
    std::uint64_t is_write : 1;
    std::uint64_t arrival;  // it is not offered earlier
};

// Into a pseudo-channel. The sender has a credit for each item; they arrive at `at`.
class DramLaneIf : public virtual sc_core::sc_interface {
  public:
    virtual void offer(Cycles at, const std::vector<DramItem>& items) = 0;
};

// Back to the requester.
class DramCreditIf : public virtual sc_core::sc_interface {
  public:
    virtual void credit(std::uint32_t lane, Cycles at, std::uint32_t places) = 0;
};

// Of every command, as it was issued; commands of one pseudo-channel come in order.
class DramCommandSink {
  public:
    virtual ~DramCommandSink() = default;
    virtual void write(std::uint32_t lane, const std::vector<DramCommand>& commands) = 0;
};

// From acceptance to the last data beat, in cycles. Indices: 0 reads, 1 writes.
struct DramLatency {
    std::uint64_t count = 0, sum = 0;
    std::uint32_t max = 0;

    DramLatency& operator+=(const DramLatency& other);
    [[nodiscard]] double mean() const {
        return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count);
    }
};
using DramHistograms = std::array<LatencyHistogram, 2>;  // of all pseudo-channels together

struct DramLaneStats {
    std::array<DramLatency, 2> latency;
    std::uint64_t atoms = 0;        // requested
    std::uint64_t turns = 0;        // a read finished after a write, or a write after a read
    std::uint64_t idle_cycles = 0;  // no request was in the controller, and no data on the bus
    Cycles end;                     // of the last data beat
};

// The requests that wait, a ring of `dram_lookahead`.
class DramWaiting {
  public:
    DramWaiting() : ring_(dram_lookahead) {}
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] std::size_t size() const { return end_ - begin_; }
    [[nodiscard]] const DramItem& front() const { return ring_[begin_ & mask]; }
    void pop() { ++begin_; }  // precondition: not empty
    void push(const std::vector<DramItem>& items) {
        if (size() + items.size() > ring_.size()) {
            throw ModelError("a pseudo-channel was offered more requests than it had places for");
        }
        for (const DramItem& item : items) ring_[end_++ & mask] = item;
    }

  private:
    static constexpr std::size_t mask = dram_lookahead - 1;
    static_assert((dram_lookahead & mask) == 0);
    std::vector<DramItem> ring_;
    std::size_t begin_ = 0, end_ = 0;
};

class DramLane : public sc_core::sc_module, public Windowed, public DramLaneIf {
  public:
    sc_core::sc_export<DramLaneIf> requests{"requests"};
    sc_core::sc_port<DramCreditIf> credits{"credits"};
    sc_core::sc_port<WakeIf> wake{"wake"};

    DramLane(const sc_core::sc_module_name& name, const DramParams& params, MemoryMode mode,
             std::uint32_t index, DramHistograms& histograms);
    void set_number(std::size_t number) { number_ = number; }
    // Every command goes to `sink`, which must outlive the run. Throws ModelError in fast mode.
    void log_to(DramCommandSink& sink);

    void offer(Cycles at, const std::vector<DramItem>& items) override;
    [[nodiscard]] Cycles next_event() override;
    void advance(Cycles until) override;
    [[nodiscard]] std::string pending() const override;

    // The longest request that the controller can ever take, in atoms.
    [[nodiscard]] std::uint32_t max_run() const { return model_->max_run(); }
    [[nodiscard]] bool idle() { return waiting_.empty() && model_->next_event() == dram_never; }
    // Lets the controller go on alone (it refreshes) until the end of the whole run.
    void finish(Cycles end);
    [[nodiscard]] const DramLaneStats& stats() const { return stats_; }
    [[nodiscard]] const DramStats& dram() const { return model_->stats(); }

  private:
    static constexpr std::size_t no_kind = 2;

    void offer_waiting(Tick until);
    [[nodiscard]] DramRequest accept(const DramItem& item, Tick at);
    Tick play(Tick until, DramRoom wanted);
    Tick play_logged(Tick until, DramRoom wanted);
    void collect();
    void flush_log();

    std::uint32_t index_;
    std::size_t number_ = 0;
    std::unique_ptr<DramModel> model_;
    DramHistograms& histograms_;
    DramWaiting waiting_;
    Tick next_offer_ = 0;
    std::uint32_t taken_ = 0;          // since the last credit
    std::size_t last_kind_ = no_kind;  // of what finished last
    std::uint64_t in_queue_ = 0;       // requests that the controller has taken and not finished
    std::vector<DramCompletion> completions_;
    DramLaneStats stats_;
    DramCommandSink* sink_ = nullptr;
    std::vector<DramCommand> commands_;
    Tick logged_until_ = 0;
};

}  // namespace diastole
