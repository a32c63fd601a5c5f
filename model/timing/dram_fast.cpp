#include "model/timing/dram_fast.hpp"

#include <algorithm>

#include "model/base/error.hpp"

namespace diastole {

DramFast::DramFast(const DramParams& params)
    : policy_(params.policy),
      geometry_(params.geometry),
      map_(params.map, params.geometry),
      rules_(params.geometry, params.timing, params.policy),
      activate_interval_(std::max({params.timing.rrd_s, params.timing.act_cycles,
                                   static_cast<std::uint32_t>(ceil_div(params.timing.faw, 4))})),
      banks_(rules_.banks) {
    // A drain turns the bus twice and opens the writes' rows, then the reads' again; about half of
    // the opening hides behind other banks' transfers. In a shared queue neighbours of a kind
    // gather by chance and by row hits: half a queue of them costs two turns. Both factors are
    // fitted to the exact model.
    const DramTiming& t = params.timing;
    const bool shared = policy_.queue == QueueKind::shared;
    const double drained = shared ? policy_.read_queue / 2.0
                                  : (policy_.write_high - policy_.write_low) * policy_.write_queue;
    const double turns = t.rtw + t.cwl + t.wtr_l - 1.0 * t.burst;
    const double rows = shared ? 0.0 : (t.rp + t.rcd_wr + t.rp + t.rcd_rd) / 2.0;
    turn_cycles_ = (turns + rows) / std::max(1.0, drained);
}

bool DramFast::can_accept(bool is_write, std::uint32_t atoms) const {
    if (policy_.queue == QueueKind::shared) return reads_ + writes_ + atoms <= policy_.read_queue;
    return is_write ? writes_ + atoms <= policy_.write_queue : reads_ + atoms <= policy_.read_queue;
}

std::uint32_t DramFast::max_run() const {
    return policy_.queue == QueueKind::shared ? policy_.read_queue
                                              : std::min(policy_.read_queue, policy_.write_queue);
}

std::uint64_t DramFast::era_of(Tick at) const {
    return policy_.refresh == RefreshMode::all_bank ? at / rules_.refresh_interval : 0;
}

// All-bank refresh blocks the channel from each multiple of the interval on, for tRP + tRFC.
// Per-bank refresh takes one bank of many and is left out.
Tick DramFast::after_refresh(Tick at) const {
    if (policy_.refresh != RefreshMode::all_bank || at < rules_.refresh_interval) return at;
    const Tick into = at % rules_.refresh_interval;
    const Tick blocked = rules_.pre_to_ref + rules_.refresh_cycles;
    return into < blocked ? at - into + blocked : at;
}

DramFast::Row& DramFast::open(Bank& bank, std::uint32_t row, Tick arrival) {
    const bool closed_page = policy_.page == PagePolicy::closed;
    for (std::uint32_t i = 0; i < recent_rows; ++i) {
        Row& recent = bank.rows[i];
        const bool waiting = recent.last > arrival;
        const bool still_open = !closed_page && i == bank.newest;
        if (recent.row == row && (waiting || still_open) &&
            recent.era == era_of(std::max(arrival, recent.last))) {
            ++stats_.row_hits;
            return recent;
        }
    }
    const Row& old = bank.rows[bank.newest];
    Tick act = std::max(arrival, bank.act_ready);
    if (old.row >= 0 && old.era == era_of(arrival)) {  // else a refresh has closed it
        const Tick precharge = closed_page ? bank.pre_ready : std::max(arrival, bank.pre_ready);
        act = std::max(act, precharge + rules_.pre_to_act);
        ++stats_.precharges;
    }
    activate_free_ = std::max(activate_free_, arrival) + activate_interval_;
    act = after_refresh(std::max(act, activate_free_ - activate_interval_));
    ++stats_.activates;
    bank.act_ready = act + rules_.act_to_act;
    bank.pre_ready = act + rules_.act_to_pre;
    bank.newest = (bank.newest + 1) % recent_rows;
    Row& opened = bank.rows[bank.newest];
    opened = {row, act + rules_.act_to_rd, act + rules_.act_to_rd, era_of(act)};
    return opened;
}

// Returns the first data beat that the bus can give.
Tick DramFast::reserve_bus(Tick arrival, std::uint32_t atoms, bool is_write) {
    const Tick latency = is_write ? rules_.write_latency : rules_.read_latency;
    const Tick first = after_refresh(std::max(bus_free_, arrival + latency));
    bus_free_ = first + Tick{atoms} * rules_.burst;
    if (is_write && reads_ > 0) {
        turn_debt_ += turn_cycles_ * atoms;
        const auto whole = static_cast<Tick>(turn_debt_);
        bus_free_ += whole;
        turn_debt_ -= static_cast<double>(whole);
    }
    return first;
}

void DramFast::push(const DramRequest& request) {
    const Tick arrival = request.arrival.count();
    if (arrival < reached_) throw ModelError("a DRAM request arrived in the channel's past");
    if (!can_accept(request.is_write, request.atoms)) {
        throw ModelError("a DRAM queue was pushed while full");
    }
    const DramPlace to = map_.place(request.address);
    Bank& bank = banks_[to.bank];
    const bool is_write = request.is_write;
    const Tick latency = is_write ? rules_.write_latency : rules_.read_latency;
    Row& row = open(bank, to.row, arrival);
    const Tick beat = reserve_bus(arrival, request.atoms, is_write);
    const Tick column = after_refresh(std::max({row.ready, arrival, beat - latency}));
    const Tick last = column + Tick{request.atoms - 1} * rules_.ccd_same;
    row.ready = last + rules_.ccd_same;
    row.last = std::max(row.last, last);
    bank.pre_ready =
        std::max(bank.pre_ready, last + (is_write ? rules_.wr_to_pre : rules_.rd_to_pre));
    stats_.row_hits += request.atoms - 1;
    (is_write ? stats_.writes : stats_.reads) += request.atoms;
    (is_write ? stats_.bytes_written : stats_.bytes_read) +=
        std::uint64_t{request.atoms} * geometry_.atom_bytes;
    stats_.bus_cycles += std::uint64_t{request.atoms} * rules_.burst;
    (is_write ? writes_ : reads_) += request.atoms;
    stats_.peak_reads = std::max(stats_.peak_reads, reads_);
    stats_.peak_writes = std::max(stats_.peak_writes, writes_);
    flights_.push_back({last, order_++, request.atoms, request.tag, is_write});
    std::push_heap(flights_.begin(), flights_.end(), later);
}

DramCycles DramFast::next_event() {
    return flights_.empty() ? dram_never : DramCycles(flights_.front().issue);
}

DramCycles DramFast::advance(DramCycles until, std::vector<DramCompletion>& out, DramRoom wanted) {
    const auto room = [&] {
        return (wanted.read_atoms > 0 && can_accept(false, wanted.read_atoms)) ||
               (wanted.write_atoms > 0 && can_accept(true, wanted.write_atoms));
    };
    if (room()) return DramCycles(reached_);
    while (!flights_.empty() && flights_.front().issue < until.count()) {
        const Flight flight = flights_.front();
        std::pop_heap(flights_.begin(), flights_.end(), later);
        flights_.pop_back();
        const Tick latency = flight.is_write ? rules_.write_latency : rules_.read_latency;
        out.push_back(
            {DramCycles(flight.issue + latency + rules_.burst), flight.tag, flight.is_write});
        (flight.is_write ? writes_ : reads_) -= flight.atoms;
        if (room()) {
            reached_ = std::max(reached_, flight.issue + 1);
            return DramCycles(reached_);
        }
    }
    reached_ = std::max(reached_, until.count());
    count_refreshes(reached_);
    return until;
}

void DramFast::count_refreshes(Tick until) {
    if (policy_.refresh == RefreshMode::none) return;
    const std::uint64_t due = until == 0 ? 0 : (until - 1) / rules_.refresh_interval;
    stats_.refreshes = due;
    stats_.refresh_cycles = due * rules_.refresh_cycles;
}

std::string DramFast::describe_pending() const {
    return std::to_string(reads_) + " reads and " + std::to_string(writes_) +
           " writes queued (atoms)";
}

}  // namespace diastole
