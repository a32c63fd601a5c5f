#include "model/timing/dram_channel.hpp"

#include "model/base/error.hpp"
#include "model/timing/dram_fast.hpp"
#include "model/timing/dram_inline_ecc.hpp"

namespace diastole {
namespace {

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
    code_reads += o.code_reads;
    code_writes += o.code_writes;
    active_cycles += o.active_cycles;
    refreshing_cycles += o.refreshing_cycles;
    idle_cycles += o.idle_cycles;
    bytes_read += o.bytes_read;
    bytes_written += o.bytes_written;
    peak_reads = std::max(peak_reads, o.peak_reads);
    peak_writes = std::max(peak_writes, o.peak_writes);
    return *this;
}

std::unique_ptr<DramModel> make_dram_model(const DramParams& params, MemoryMode mode) {
    std::unique_ptr<DramModel> channel;
    if (mode == MemoryMode::fast) {
        channel = std::make_unique<DramFast>(params);
    } else {
        channel = std::make_unique<DramChannel>(params);
    }
    if (params.policy.ecc != EccKind::inline_code) return channel;
    return std::make_unique<DramInlineEcc>(params, std::move(channel));
}

DramChannel::DramChannel(const DramParams& params)
    : policy_(params.policy),
      geometry_(params.geometry),
      map_(params.map, params.geometry),
      rules_(params.geometry, params.timing, params.policy),
      banks_(rules_),
      queues_(rules_.banks, policy_.read_queue + policy_.write_queue),
      scheduler_(params.policy),
      drain_(params.policy),
      refresh_(params.policy, rules_),
      split_(params.policy.queue == QueueKind::split),
      apart_(params.policy.opened == OpenedPlace::apart),
      column_entry_(rules_.banks),
      row_entry_(rules_.banks),
      opened_for_(rules_.banks),
      overtaken_(rules_.banks),
      all_banks_(rules_.banks == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rules_.banks) - 1) {}

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
    column_floor_ = std::max(column_floor_, arrival);
    row_floor_ = std::max(row_floor_, arrival);

    const DramPlace to = map_.place(request.address);
    DramEntry entry;
    entry.age = next_age_++;
    entry.row = to.row;
    entry.column = to.column;
    entry.atoms = request.atoms;
    entry.tag = request.tag;
    entry.is_write = request.is_write;
    queues_.push(list_of(request.is_write), to.bank, entry);
    (request.is_write ? writes_ : reads_) += request.atoms;
    stats_.peak_reads = std::max(stats_.peak_reads, reads_);
    stats_.peak_writes = std::max(stats_.peak_writes, writes_);
    update_direction();
    if (refresh_.owes(to.bank)) mark(to.bank);
    if (list_of(request.is_write) != list_of(drain_.writing())) return;
    // A younger request changes its bank's candidates only if there were none, or if it is the row
    // hit, or the conflict, that was missing.
    const bool has_column = columns_.has(to.bank), has_row = rows_.has(to.bank);
    const bool hit = banks_[to.bank].row == to.row;
    const bool missing = hit ? !has_column : !has_row && !(has_column && scheduler_.keeps_rows());
    if (missing || (!has_column && !has_row)) mark(to.bank);
}

void DramChannel::update_direction() {
    if (!split_ || !drain_.update(reads_, writes_)) return;
    mark_all();
    row_floor_ = std::max(row_floor_, column_floor_);
}

DramCycles DramChannel::next_event() {
    if (idle()) return dram_never;
    return DramCycles(std::min(decide().next.at, refresh_.due()));
}

DramCycles DramChannel::room_bound(DramRoom wanted) {
    const DramCycles next = next_event();
    if (next == dram_never) return dram_never;
    std::uint32_t missing =
        std::min(room_missing(false, wanted) - 1, room_missing(true, wanted) - 1);
    // Room is there already, or activates make room as well.
    if (missing == DramQueues::none || apart_) missing = 0;
    return next + DramCycles(std::uint64_t{missing} * rules_.burst + 1);
}

DramCycles DramChannel::advance(DramCycles until_cycles, std::vector<DramCompletion>& out,
                                DramRoom wanted) {
    Tick until = until_cycles.count();
    if (has_room(wanted)) return DramCycles(reached_);
    if (decided_ && until <= quiet_until_) {
        reached_ = std::max(reached_, until);
        return until_cycles;
    }
    play(until, out, wanted);
    reached_ = std::max(reached_, until);
    return DramCycles(until);
}

// Everything before `until`, which moves forward to where there is the room that was wanted.
void DramChannel::play(Tick& until, std::vector<DramCompletion>& out, DramRoom wanted) {
    for (;;) {
        if (idle()) skip_idle_refreshes(until);
        const Tick at = decide().next.at;
        const Tick refresh = next_refresh();
        quiet_until_ = std::min(at, refresh);
        if (quiet_until_ >= until) return;
        if (refresh <= at) {
            if (refresh_.due() <= refresh) {
                refresh_falls_due();
            } else {
                refresh_all(refresh);
            }
            continue;
        }
        issue(until, wanted, out);
        if (has_room(wanted)) {
            // Row commands up to here may still be missing.
            until = std::max(reached_, room_from_);
            wanted = {};
        }
    }
}

const DramChannel::Decision& DramChannel::decide() {
    if (decided_) return decision_;
    for (; stale_ != 0; stale_ &= stale_ - 1) find_candidates(lowest_bit(stale_));
    const DramCandidates::Choice& column = columns_.best(banks_, column_floor_);
    const DramCandidates::Choice& row = rows_.best(banks_, row_floor_);
    decision_.is_column = column.at <= row.at;
    decision_.row_at = row.at;
    decision_.next = decision_.is_column ? column : row;
    decided_ = true;
    quiet_until_ = 0;
    return decision_;
}

void DramChannel::put_column(std::uint32_t b, std::uint32_t entry) {
    const DramEntry& hit = queues_[entry];
    const DramOp op = hit.is_write ? DramOp::write : DramOp::read;
    const Tick ready = hit.is_write ? banks_[b].wr_ready : banks_[b].rd_ready;
    // Of equal time, what waits apart goes first.
    constexpr std::uint64_t in_queue = std::uint64_t{1} << 39;
    const std::uint64_t age = apart_ && !banks_[b].fresh ? hit.age | in_queue : hit.age;
    columns_.put(b, op, rules_.class_of(op, b), ready, age, banks_, column_floor_);
    column_entry_[b] = entry;
}

void DramChannel::put_row(std::uint32_t b, DramOp op, Tick ready, std::uint64_t age,
                          std::uint32_t entry) {
    rows_.put(b, op, rules_.class_of(op, b), ready, age, banks_, row_floor_);
    row_entry_[b] = entry;
}

void DramChannel::find_candidates(std::uint32_t b) {
    if (rows_.has(b)) rows_.drop(b);
    if (columns_.has(b)) columns_.drop(b);
    const DramBank& bank = banks_[b];
    const bool open = bank.row != DramBank::no_row;
    const bool held = apart_ && open && bank.fresh;
    if (draining_ && !held) return;
    if (!held && refresh_.per_bank() && refresh_.owes(b) &&
        (refresh_.must(b) || queues_.empty(b))) {
        if (open) {
            put_row(b, DramOp::precharge, bank.pre_ready, 0, DramQueues::none);
        } else {
            put_row(b, DramOp::refresh_bank, bank.ref_ready, 0, DramQueues::none);
        }
        return;
    }
    // What a row was opened for goes first, even if the direction has turned since: closing the row
    // again would waste the activate.
    if (open && bank.fresh) {
        put_column(b, opened_for_[b]);
        return;
    }
    const DramTurn turn =
        scheduler_.turn(queues_, list_of(drain_.writing()), b, bank.row, overtaken_[b]);
    if (turn.column != DramQueues::none) put_column(b, turn.column);
    if (turn.row != DramQueues::none) {
        put_row(b, open ? DramOp::precharge : DramOp::activate,
                open ? bank.pre_ready : bank.act_ready, queues_[turn.row].age, turn.row);
    }
}

void DramChannel::issue(Tick until, DramRoom wanted, std::vector<DramCompletion>& out) {
    decided_ = false;
    if (decision_.is_column) {
        issue_columns(until, wanted, out);
    } else {
        issue_row();
    }
}

void DramChannel::issue_row() {
    const std::uint32_t b = decision_.next.bank;
    const Tick at = decision_.next.at;
    row_floor_ = at;
    column_floor_ = std::max(column_floor_, at);
    switch (rows_.op(b)) {
        case DramOp::activate: {
            const DramEntry& entry = queues_[row_entry_[b]];
            const std::uint32_t row = entry.row;
            banks_.activate(b, row, at);
            opened_for_[b] = row_entry_[b];
            overtaken_[b] = 0;
            if (apart_) {
                ++held_;
                --(entry.is_write ? writes_ : reads_);
                room_from_ = at + 1;
            }
            activity_.activate(at);
            ++stats_.activates;
            log(at, DramLogOp::activate, b, row, 0);
            break;
        }
        case DramOp::precharge:
            banks_.precharge(b, at);
            activity_.close(at);
            ++stats_.precharges;
            log(at, DramLogOp::precharge, b, 0, 0);
            break;
        default:
            banks_.refresh_bank(b, at);
            refresh_.done(b);
            activity_.refresh(at, at + rules_.refresh_cycles);
            ++stats_.refreshes;
            log(at, DramLogOp::refresh_bank, b, 0, 0);
            break;
    }
    mark(b);
    rows_.forget();
    if (apart_ && split_ && drain_.update(reads_, writes_)) {
        mark_all();
        column_floor_ = std::max(column_floor_, at + 1);
    }
}

// When the next refresh falls due, or one that is owed is made up for while nothing else waits.
Tick DramChannel::next_refresh() const {
    if (refresh_.per_bank() || !refresh_.owes_any() || !idle()) return refresh_.due();
    return std::min(refresh_.due(), banks_.refresh_start(std::max(idle_from_, row_floor_)));
}

void DramChannel::refresh_falls_due() {
    const Tick due = refresh_.due();
    const std::uint32_t bank = refresh_.fall_due();
    if (refresh_.per_bank()) {
        row_floor_ = std::max(row_floor_, due);
        mark(bank);
    } else if (refresh_.must(0)) {
        row_floor_ = std::max(row_floor_, due);
        draining_ = true;
        if (held_ == 0) {
            refresh_all(std::max(row_floor_, column_floor_));
        } else {
            mark_all();
        }
    } else {
        row_floor_ = std::max(row_floor_, due);
    }
}

void DramChannel::refresh_all(Tick from) {
    const DramBanks::AllBankRefresh done = banks_.refresh_all(from);
    if (done.rows_closed > 0) log(done.precharge_at, DramLogOp::precharge_all, 0, 0, 0);
    log(done.refresh_at, DramLogOp::refresh_all, 0, 0, 0);
    for (std::uint32_t i = 0; i < done.rows_closed; ++i) activity_.close(done.precharge_at);
    activity_.refresh(done.refresh_at, done.refresh_at + rules_.refresh_cycles);
    stats_.precharges += done.rows_closed;
    ++stats_.refreshes;
    row_floor_ = std::max(row_floor_, done.refresh_at);
    rows_.forget();
    refresh_.done(0);
    draining_ = false;
    mark_all();
}

// With nothing queued and every row closed, one round of refreshes leaves the banks as the next one
// does: all but the last rounds before `until` are counted instead of played.
void DramChannel::skip_idle_refreshes(Tick until) {
    if (refresh_.due() >= until || refresh_.owes_any() || log_ != nullptr) return;
    const Tick span = refresh_.round_cycles();
    if (until - refresh_.due() <= 2 * span || !banks_.all_closed()) return;
    const std::uint64_t skipped = (until - refresh_.due()) / span - 1;
    refresh_.skip_rounds(skipped);
    const std::uint64_t refreshes = skipped * refresh_.round();
    stats_.refreshes += refreshes;
    activity_.skip_refreshes(skipped * span,
                             refreshes * std::min(rules_.refresh_interval, rules_.refresh_cycles));
}

const DramStats& DramChannel::stats() const {
    stats_.refresh_cycles = stats_.refreshes * rules_.refresh_cycles;
    const std::uint64_t columns = stats_.reads + stats_.writes;
    stats_.bytes_read = stats_.reads * geometry_.atom_bytes;
    stats_.bytes_written = stats_.writes * geometry_.atom_bytes;
    stats_.bus_cycles = columns * rules_.burst;
    stats_.active_cycles = activity_.active(reached_);
    stats_.refreshing_cycles = activity_.refreshing(reached_);
    stats_.idle_cycles = reached_ - stats_.active_cycles - stats_.refreshing_cycles;
    return stats_;
}

// Column commands may have run ahead of row commands: the log is kept by time.
void DramChannel::log(Tick at, DramLogOp op, std::uint32_t bank, std::uint32_t row,
                      std::uint32_t column, bool auto_precharge) {
    if (log_ == nullptr) return;
    auto place = log_->end();
    while (place != log_->begin() && std::prev(place)->at > at) --place;
    log_->insert(place, {at, op, auto_precharge, bank, row, column});
}

std::string DramChannel::describe_pending() const {
    return std::to_string(reads_) + " reads and " + std::to_string(writes_) +
           " writes queued (atoms), everything before tick " + std::to_string(reached_) + " done";
}

}  // namespace diastole
