// The control core: takes jobs from the host's stream, launches each when those it depends on are
// done, hands PEs operators ahead of their work, joins barriers, and keeps the record of what ran
// when.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <unordered_map>
#include <vector>

#include "model/base/time_wheel.hpp"
#include "model/compute/job_record.hpp"
#include "model/params/chip_params.hpp"
#include "model/sim/ports.hpp"
#include "model/sim/windowed.hpp"

namespace diastole {

class ControlCore : public sc_core::sc_module, public Windowed, public ControlIf {
  public:
    sc_core::sc_export<ControlIf> reports{"reports"};
    sc_core::sc_vector<sc_core::sc_port<PeIf>> pes;
    sc_core::sc_port<HostLinkIf> host_link{"host_link"};
    sc_core::sc_port<WakeIf> wake{"wake"};

    ControlCore(const sc_core::sc_module_name& name, const ChipParams& chip);
    void set_number(std::size_t number) { number_ = number; }

    // What to run; must outlive the run. `on_record` gets every job as it ends, in that order;
    // `on_drained` is called when a job with drain_before is about to start, with the time.
    void set_work(JobStream& stream, std::function<void(const JobRecord&)> on_record,
                  std::function<void(Cycles)> on_drained);

    void job_done(std::uint32_t pe, Cycles at, const JobShare& share) override;
    void barrier_reached(std::uint32_t pe, std::uint64_t job, Cycles at) override;
    void copy_done(std::uint64_t job, Cycles started, Cycles at) override;

    [[nodiscard]] Cycles next_event() override;
    void advance(Cycles until) override;
    [[nodiscard]] std::string pending() const override;

    [[nodiscard]] bool finished() const { return stream_ended_ && live_.empty(); }
    [[nodiscard]] Cycles last_end() const { return last_end_; }  // of any job so far

  private:
    struct Live {
        std::unique_ptr<Job> job;
        std::uint32_t unmet = 0;             // dependencies not done
        std::vector<std::uint64_t> waiters;  // jobs that wait for this one
        std::uint32_t participants = 0, reports = 0, at_barrier = 0;
        JobRecord record;
    };
    struct Report {
        enum class Kind : std::uint8_t {
            done,
            barrier,
            copy,
            timer,
            nothing,
            check
        } kind = Kind::check;
        std::uint32_t pe = 0;
        std::uint64_t job = 0;
        JobShare share;
    };

    void post(Cycles at, const Report& report);
    void handle(Cycles at, const Report& report);
    void pull();
    void launch_ready(Cycles at);
    bool try_launch(Live& live, Cycles at);
    void launch_on_pes(Live& live, Cycles at);
    void end_job(std::uint64_t id, Cycles at);
    [[nodiscard]] Live& live(std::uint64_t id);
    [[nodiscard]] bool room_on_pes(const CommandSource& commands) const;

    std::size_t number_ = 0;
    Hertz clock_;
    Cycles launch_cycles_, replace_cycles_, sync_cycles_;
    std::uint32_t queue_depth_;
    std::uint32_t job_window_;
    JobStream* stream_ = nullptr;
    std::function<void(const JobRecord&)> on_record_;
    std::function<void(Cycles)> on_drained_;
    TimeWheel<Report> inbox_;
    std::unordered_map<std::uint64_t, Live> live_;
    std::deque<std::uint64_t> order_;    // jobs not launched, in launch order; bounded
    std::vector<std::uint32_t> queued_;  // operators handed to each PE and not done
    std::uint32_t on_grid_ = 0;          // jobs launched on PEs and not done
    bool timer_running_ = false;         // a recorded duration occupies the grid
    bool first_launch_ = true;
    bool stream_ended_ = false;
    Cycles last_end_;
};

}  // namespace diastole
