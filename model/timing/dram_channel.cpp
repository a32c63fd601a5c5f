#include "model/timing/dram_channel.hpp"

#include "model/base/error.hpp"
#include "model/timing/dram_fast.hpp"

namespace diastole {
namespace {

// A candidate as one number, so that the least is the one to issue: ticks from now, then the age of
// its request (a refresh: 0), then the bank.
constexpr std::uint32_t bank_bits = 6, age_bits = 40;
constexpr std::uint32_t time_shift = bank_bits + age_bits;
static_assert(4ULL * longest_timing < std::uint64_t{1} << (64 - time_shift));

std::uint32_t lowest_bit(std::uint64_t mask) {
    return static_cast<std::uint32_t>(__builtin_ctzll(mask));
}

}  // namespace

DramStats& DramStats::operator+=(const DramStats& o) {
    activates += o.activates;
    precharges += o.precharges;
    refreshes += o.refreshes;
    reads += o.reads;
    writes += o.writes;
    row_hits += o.row_hits;
    refresh_cycles += o.refresh_cycles;
    bus_cycles += o.bus_cycles;
    bytes_read += o.bytes_read;
    bytes_written += o.bytes_written;
    peak_reads = std::max(peak_reads, o.peak_reads);
    peak_writes = std::max(peak_writes, o.peak_writes);
    return *this;
}

std::unique_ptr<DramModel> make_dram_model(const DramParams& params, MemoryMode mode) {
    if (mode == MemoryMode::fast) return std::make_unique<DramFast>(params);
    return std::make_unique<DramChannel>(params);
}

DramChannel::DramChannel(const DramParams& params)
    : policy_(params.policy),
      geometry_(params.geometry),
      map_(params.map, params.geometry),
      rules_(params.geometry, params.timing, params.policy),
      banks_(rules_),
      queues_(rules_.banks, policy_.read_queue + policy_.write_queue),
      drain_(params.policy),
      split_(params.policy.queue == QueueKind::split),
      all_banks_(rules_.banks == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rules_.banks) - 1) {
    if (policy_.refresh != RefreshMode::none) refresh_due_ = rules_.refresh_interval;
}

bool DramChannel::can_accept(bool is_write, std::uint32_t atoms) const {
    if (!split_) return reads_ + writes_ + atoms <= policy_.read_queue;
    return is_write ? writes_ + atoms <= policy_.write_queue : reads_ + atoms <= policy_.read_queue;
}

std::uint32_t DramChannel::max_run() const {
    return split_ ? std::min(policy_.read_queue, policy_.write_queue) : policy_.read_queue;
}

// After how many transfers of this kind the wish is met; zero: it is none, or not met by them.
std::uint32_t DramChannel::room_missing(bool is_write, DramRoom wanted) const {
    std::uint32_t missing = 0;
    const auto consider = [&](std::uint32_t atoms, std::uint32_t used, std::uint32_t capacity) {
        if (atoms == 0 || used + atoms <= capacity) return;
        const std::uint32_t short_of = used + atoms - capacity;
        missing = missing == 0 ? short_of : std::min(missing, short_of);
    };
    if (!split_) {
        consider(wanted.read_atoms, reads_ + writes_, policy_.read_queue);
        consider(wanted.write_atoms, reads_ + writes_, policy_.read_queue);
    } else if (is_write) {
        consider(wanted.write_atoms, writes_, policy_.write_queue);
    } else {
        consider(wanted.read_atoms, reads_, policy_.read_queue);
    }
    return missing;
}

bool DramChannel::has_room(DramRoom wanted) const {
    return (wanted.read_atoms > 0 && can_accept(false, wanted.read_atoms)) ||
           (wanted.write_atoms > 0 && can_accept(true, wanted.write_atoms));
}

void DramChannel::push(const DramRequest& request) {
    const Tick arrival = request.arrival.count();
    if (arrival < reached_) throw ModelError("a DRAM request arrived in the channel's past");
    if (!can_accept(request.is_write, request.atoms)) {
        throw ModelError("a DRAM queue was pushed while full");
    }
    if (request.address >= map_.capacity()) {
        throw ModelError("DRAM address " + std::to_string(request.address) +
                         " lies beyond the pseudo-channel's " + std::to_string(map_.capacity()) +
                         " bytes");
    }
    advance(request.arrival, unexpected_);
    if (!unexpected_.empty()) throw ModelError("a DRAM channel was pushed before it was advanced");
    floor_ = std::max(floor_, arrival);

    const DramLocation to = map_.decode(request.address);
    const std::uint32_t bank = (to.sid * geometry_.bank_groups + to.bg) * geometry_.banks + to.bank;
    DramEntry entry;
    entry.age = next_age_++;
    entry.row = to.row;
    entry.column = to.column;
    entry.atoms = request.atoms;
    entry.tag = request.tag;
    entry.is_write = request.is_write;
    queues_.push(list_of(request.is_write), bank, entry);
    (request.is_write ? writes_ : reads_) += request.atoms;
    stats_.peak_reads = std::max(stats_.peak_reads, reads_);
    stats_.peak_writes = std::max(stats_.peak_writes, writes_);
    update_direction();
    if (list_of(request.is_write) != list_of(drain_.writing())) return;
    // A younger request changes its bank's candidate only if there was none, or if it saves the
    // row.
    const std::uint64_t bit = std::uint64_t{1} << bank;
    if (((columns_ | rows_) & bit) == 0 ||
        (op_[bank] == DramOp::precharge && banks_[bank].row == to.row)) {
        mark(bank);
    }
}

void DramChannel::update_direction() {
    if (split_ && drain_.update(reads_, writes_)) mark_all();
}

DramCycles DramChannel::next_event() {
    if (idle()) return dram_never;
    return DramCycles(std::min(decide().at, refresh_due_));
}

DramCycles DramChannel::room_bound(DramRoom wanted) {
    const DramCycles next = next_event();
    if (next == dram_never) return dram_never;
    std::uint32_t missing =
        std::min(room_missing(false, wanted) - 1, room_missing(true, wanted) - 1);
    if (missing == DramQueues::none) missing = 0;  // room is there already
    return next + DramCycles(std::uint64_t{missing} * rules_.burst + 1);
}

DramCycles DramChannel::advance(DramCycles until_cycles, std::vector<DramCompletion>& out,
                                DramRoom wanted) {
    const Tick until = until_cycles.count();
    if (has_room(wanted)) return DramCycles(reached_);
    for (;;) {
        if (idle()) skip_idle_refreshes(until);
        const Tick at = decide().at;
        if (std::min(at, refresh_due_) >= until) break;
        if (refresh_due_ <= at) {
            refresh();
            continue;
        }
        issue(until, wanted, out);
        if (has_room(wanted)) {
            reached_ = std::max(reached_, floor_ + 1);
            return DramCycles(reached_);
        }
    }
    reached_ = std::max(reached_, until);
    return until_cycles;
}

const DramChannel::Decision& DramChannel::decide() {
    if (decided_) return decision_;
    for (; stale_ != 0; stale_ &= stale_ - 1) find_candidate(lowest_bit(stale_));
    if (!rows_known_) {
        row_choice_ = best_of(rows_);
        rows_known_ = true;
    }
    const Choice column = best_of(columns_);
    if (column.at <= row_choice_.at) {
        decision_ = {column.at, std::min(column.second, row_choice_.at), column.bank};
    } else {
        decision_ = {row_choice_.at, std::min(row_choice_.second, column.at), row_choice_.bank};
    }
    decided_ = true;
    return decision_;
}

DramChannel::Choice DramChannel::best_of(std::uint64_t banks) const {
    constexpr std::uint64_t nothing = ~std::uint64_t{0};
    std::uint64_t best = nothing, second = nothing;
    for (; banks != 0; banks &= banks - 1) {
        const std::uint32_t b = lowest_bit(banks);
        const Tick at = std::max({ready_[b], banks_.limit(limit_[b]), floor_});
        const std::uint64_t key = (at - floor_) << time_shift | rank_[b];
        second = std::min(second, std::max(best, key));
        best = std::min(best, key);
    }
    Choice choice;
    if (best != nothing) choice.at = floor_ + (best >> time_shift);
    if (second != nothing) choice.second = floor_ + (second >> time_shift);
    choice.bank = static_cast<std::uint32_t>(best & (max_banks - 1));
    return choice;
}

void DramChannel::set_candidate(std::uint32_t bank, DramOp op, Tick ready, std::uint64_t age,
                                std::uint32_t entry) {
    const std::uint64_t bit = std::uint64_t{1} << bank;
    if (op == DramOp::read || op == DramOp::write) {
        columns_ |= bit;
    } else {
        rows_ |= bit;
        rows_known_ = false;
    }
    op_[bank] = op;
    ready_[bank] = ready;
    rank_[bank] = age << bank_bits | bank;
    entry_[bank] = entry;
    limit_[bank] = banks_.limit_index(op, bank);
}

void DramChannel::find_candidate(std::uint32_t b) {
    const DramBank& bank = banks_[b];
    const bool open = bank.row != DramBank::no_row;
    const std::uint64_t bit = std::uint64_t{1} << b;
    if ((rows_ & bit) != 0) rows_known_ = false;
    columns_ &= ~bit;
    rows_ &= ~bit;
    if ((refreshing_ & bit) != 0) {
        if (open) {
            set_candidate(b, DramOp::precharge, bank.pre_ready, 0, DramQueues::none);
        } else {
            set_candidate(b, DramOp::refresh_bank, bank.ref_ready, 0, DramQueues::none);
        }
        return;
    }
    const std::uint32_t list = list_of(drain_.writing());
    const std::uint32_t head = queues_.head(list, b);
    if (head == DramQueues::none) return;
    const std::uint64_t age = queues_[head].age;
    if (!open) {
        set_candidate(b, DramOp::activate, bank.act_ready, age, head);
        return;
    }
    std::uint32_t hit = head;
    if (policy_.scheduler == SchedulerKind::fr_fcfs) {
        hit = queues_.oldest_to(list, b, bank.row);
    } else if (queues_[head].row != bank.row) {
        hit = DramQueues::none;
    }
    if (hit == DramQueues::none) {
        set_candidate(b, DramOp::precharge, bank.pre_ready, age, head);
    } else if (queues_[hit].is_write) {
        set_candidate(b, DramOp::write, bank.wr_ready, queues_[hit].age, hit);
    } else {
        set_candidate(b, DramOp::read, bank.rd_ready, queues_[hit].age, hit);
    }
}

void DramChannel::issue(Tick until, DramRoom wanted, std::vector<DramCompletion>& out) {
    const std::uint32_t b = decision_.bank;
    const Tick at = decision_.at;
    floor_ = at;
    switch (op_[b]) {
        case DramOp::read:
        case DramOp::write:
            issue_column(until, wanted, out);
            return;
        case DramOp::activate:
            banks_.activate(b, queues_[entry_[b]].row, at);
            ++stats_.activates;
            log(at, DramLogOp::activate, b, queues_[entry_[b]].row, 0);
            break;
        case DramOp::precharge:
            banks_.precharge(b, at);
            ++stats_.precharges;
            log(at, DramLogOp::precharge, b, 0, 0);
            break;
        case DramOp::refresh_bank:
            banks_.refresh_bank(b, at);
            refreshing_ &= ~(std::uint64_t{1} << b);
            ++stats_.refreshes;
            stats_.refresh_cycles += rules_.refresh_cycles;
            log(at, DramLogOp::refresh_bank, b, 0, 0);
            break;
    }
    mark(b);
    rows_known_ = false;
}

// Atoms of the run that go before anything else can: each at least one, the last before `until`,
// the next refresh, the earliest rival (whose own time may only grow meanwhile), a turn of
// direction, and the moment a waiting sender gets its room.
std::uint32_t DramChannel::run_length(const DramEntry& entry, Tick until, DramRoom wanted) const {
    const Tick horizon = std::min({until, refresh_due_, decision_.rival});
    if (entry.atoms == 1 || horizon <= decision_.at + rules_.ccd_same) return 1;
    const Tick fit = 1 + (horizon - 1 - decision_.at) / rules_.ccd_same;
    auto count = static_cast<std::uint32_t>(std::min<Tick>(entry.atoms, fit));
    if (split_ && entry.is_write) {
        count = std::min(count, drain_.writes_before_turn(reads_, writes_));
    }
    if (const std::uint32_t missing = room_missing(entry.is_write, wanted); missing > 0) {
        count = std::min(count, missing);
    }
    return count;
}

void DramChannel::issue_column(Tick until, DramRoom wanted, std::vector<DramCompletion>& out) {
    const std::uint32_t b = decision_.bank;
    const DramOp op = op_[b];
    const bool is_write = op == DramOp::write;
    const std::uint32_t list = list_of(is_write);
    DramEntry& entry = queues_[entry_[b]];
    const std::uint32_t count = run_length(entry, until, wanted);
    const Tick last = decision_.at + Tick{count - 1} * rules_.ccd_same;
    floor_ = last;
    stats_.row_hits += count - (banks_[b].fresh ? 1 : 0);
    (is_write ? stats_.writes : stats_.reads) += count;
    (is_write ? stats_.bytes_written : stats_.bytes_read) +=
        std::uint64_t{count} * geometry_.atom_bytes;
    stats_.bus_cycles += std::uint64_t{count} * rules_.burst;

    const std::uint32_t row = entry.row, column = entry.column;
    const bool finished = entry.atoms == count;
    if (finished) {
        const Tick latency = is_write ? rules_.write_latency : rules_.read_latency;
        out.push_back({DramCycles(last + latency + rules_.burst), entry.tag, is_write});
        queues_.remove(list, b, entry_[b]);
    } else {
        entry.atoms -= count;
        entry.column += count;
    }
    (is_write ? writes_ : reads_) -= count;
    const bool close = finished && policy_.page == PagePolicy::closed &&
                       queues_.oldest_to(list, b, row) == DramQueues::none;
    banks_.column(op, b, last, close);
    if (close) ++stats_.precharges;
    if (log_ != nullptr) {
        for (std::uint32_t i = 0; i < count; ++i) {
            log(decision_.at + Tick{i} * rules_.ccd_same,
                is_write ? DramLogOp::write : DramLogOp::read, b, row, column + i,
                close && i + 1 == count);
        }
    }
    decided_ = false;
    if (finished) mark(b);  // else the same request stays its bank's oldest hit
    update_direction();
}

void DramChannel::refresh() {
    const Tick due = refresh_due_;
    refresh_due_ += rules_.refresh_interval;
    if (policy_.refresh == RefreshMode::per_bank) {
        refreshing_ |= std::uint64_t{1} << refresh_next_;
        floor_ = std::max(floor_, due);
        mark(refresh_next_);
        refresh_next_ = refresh_next_ + 1 == rules_.banks ? 0 : refresh_next_ + 1;
        return;
    }
    const DramBanks::AllBankRefresh done = banks_.refresh_all(std::max(due, floor_));
    if (done.rows_closed > 0) log(done.precharge_at, DramLogOp::precharge_all, 0, 0, 0);
    log(done.refresh_at, DramLogOp::refresh_all, 0, 0, 0);
    stats_.precharges += done.rows_closed;
    ++stats_.refreshes;
    stats_.refresh_cycles += rules_.refresh_cycles;
    mark_all();
}

// With nothing queued and every row closed, one round of refreshes leaves the banks as the next one
// does: all but the last rounds before `until` are counted instead of played.
void DramChannel::skip_idle_refreshes(Tick until) {
    if (refresh_due_ >= until || refreshing_ != 0 || log_ != nullptr) return;
    const std::uint64_t round = policy_.refresh == RefreshMode::per_bank ? rules_.banks : 1;
    const Tick span = round * rules_.refresh_interval;
    if (until - refresh_due_ <= 2 * span || !banks_.all_closed()) return;
    const std::uint64_t skipped = (until - refresh_due_) / span - 1;
    refresh_due_ += skipped * span;
    stats_.refreshes += skipped * round;
    stats_.refresh_cycles += skipped * round * rules_.refresh_cycles;
}

void DramChannel::log(Tick at, DramLogOp op, std::uint32_t bank, std::uint32_t row,
                      std::uint32_t column, bool auto_precharge) {
    if (log_ != nullptr) log_->push_back({at, op, auto_precharge, bank, row, column});
}

std::string DramChannel::describe_pending() const {
    return std::to_string(reads_) + " reads and " + std::to_string(writes_) +
           " writes queued (atoms), everything before tick " + std::to_string(reached_) + " done";
}

}  // namespace diastole
