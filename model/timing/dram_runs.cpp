// Which column commands of a pseudo-channel go at once. A run of atoms of one row is a command
// every tCCD_L (`step`); between two of them there is room for one of another bank group. So the
// steady state under load is one run, or two that alternate, and it lasts until one of them ends or
// something else could come in between.
#include <algorithm>
#include <limits>

#include "model/timing/dram_channel.hpp"

namespace diastole {
namespace {

// Commands every `step` from `first` on that come before `horizon`.
std::uint32_t before(Tick horizon, Tick first, std::uint32_t step, std::uint32_t most) {
    if (horizon <= first) return 0;
    return static_cast<std::uint32_t>(std::min<Tick>(most, 1 + (horizon - 1 - first) / step));
}

}  // namespace

void DramChannel::issue_columns(Tick until, DramRoom wanted, std::vector<DramCompletion>& out) {
    const auto [at, bank] = decision_.next;
    Plan plan;
    const DramEntry& entry = queues_[column_entry_[bank]];
    // What waits apart changes its rank with its first atom, and activates make room.
    if (entry.atoms > 1 && goes_with_direction(entry) && !apart_) plan = plan_run(until, wanted);
    row_floor_ = std::max(row_floor_, at);
    transfer(bank, at, plan.count, out);
    if (plan.partner_count > 0) transfer(plan.partner, plan.partner_at, plan.partner_count, out);
    columns_.forget();
    room_from_ = column_floor_ + 1;
    if (idle()) idle_from_ = column_floor_ + 1;
    update_direction();
    if (draining_ && held_ == 0) refresh_all(std::max(row_floor_, column_floor_ + 1));
}

void DramChannel::transfer(std::uint32_t b, Tick first, std::uint32_t count,
                           std::vector<DramCompletion>& out) {
    const std::uint32_t index = column_entry_[b];
    DramEntry& entry = queues_[index];
    const bool is_write = entry.is_write;
    const std::uint32_t list = list_of(is_write);
    const Tick last = first + Tick{count - 1} * rules_.ccd_same;
    column_floor_ = std::max(column_floor_, last);
    stats_.row_hits += count - (banks_[b].fresh ? 1 : 0);
    (is_write ? stats_.writes : stats_.reads) += count;
    if (apart_ && banks_[b].fresh) {
        --held_;
    } else {
        (is_write ? writes_ : reads_) -= count;
    }
    const bool overtakes = queues_[queues_.head(list, b)].row != entry.row;
    if (overtakes) overtaken_[b] += count;
    const bool was_fresh = banks_[b].fresh;
    const std::uint32_t row = entry.row, column = entry.column;
    const bool finished = entry.atoms == count;
    bool close = false;
    if (finished) {
        const Tick latency = is_write ? rules_.write_latency : rules_.read_latency;
        out.push_back({DramCycles(last + latency + rules_.burst), entry.tag, is_write});
        queues_.remove(list, b, index);
        close = policy_.page == PagePolicy::closed &&
                queues_.oldest_to(list, b, row) == DramQueues::none;
    } else {
        entry.atoms -= count;
        entry.column += count;
    }
    banks_.column(is_write ? DramOp::write : DramOp::read, b, last, close);
    if (close) {
        ++stats_.precharges;
        activity_.close(banks_[b].pre_ready);
    }
    // Else the same request stays its bank's oldest hit.
    if (finished || rows_.has(b) || !goes_with_direction(entry) || (apart_ && was_fresh) ||
        (overtakes && scheduler_.may_overtake(overtaken_[b]) == 0)) {
        mark(b);
    }
    for (std::uint32_t i = 0; i < count && log_ != nullptr; ++i) {
        log(first + Tick{i} * rules_.ccd_same, is_write ? DramLogOp::write : DramLogOp::read, b,
            row, column + i, close && i + 1 == count);
    }
}

// The decided run, and another that takes turns with it, as far as no other command could go
// between them: before `until`, the next refresh, the next bank that gets ready, what row commands
// will have brought about, a turn of direction, and the moment a waiting sender gets its room.
DramChannel::Plan DramChannel::plan_run(Tick until, DramRoom wanted) const {
    const auto [at, bank] = decision_.next;
    const DramEntry& entry = queues_[column_entry_[bank]];
    Tick horizon = std::min({until, refresh_.due(), columns_.first_green()});
    Plan plan;
    if (horizon <= at + 1) return plan;
    Tick rival = tick_never;
    const bool pair = find_partner(plan, rival);
    const std::uint32_t own = may_go(bank), other = pair ? may_go(plan.partner) : 0;
    horizon = std::min(horizon, row_horizon(own + other));
    const std::uint32_t most = most_columns(entry.is_write, wanted);
    if (!pair) {
        return plan_alone(std::min(horizon, rival), std::min(most, own));
    }
    // They alternate until the first of them ends.
    const std::uint32_t step = rules_.ccd_same;
    plan.count = std::max(1U, before(horizon, at, step, std::min(own, other)));
    plan.partner_count = before(horizon, plan.partner_at, step, own <= other ? own - 1 : other);
    if (plan.count + plan.partner_count > most) {
        plan.count = (most + 1) / 2;
        plan.partner_count = most / 2;
    }
    return plan;
}

// Atoms of the bank's row hit that may go before the bank's candidate is another.
std::uint32_t DramChannel::may_go(std::uint32_t b) const {
    const DramEntry& entry = queues_[column_entry_[b]];
    const std::uint32_t list = list_of(entry.is_write);
    if (queues_[queues_.head(list, b)].row == entry.row) return entry.atoms;
    return std::min(entry.atoms, scheduler_.may_overtake(overtaken_[b]));
}

DramChannel::Plan DramChannel::plan_alone(Tick horizon, std::uint32_t most) const {
    Plan plan;
    plan.count = std::max(1U, before(horizon, decision_.next.at, rules_.ccd_same, most));
    return plan;
}

// The command that goes after the decided one if its class lets it (`rival`: when), and whether the
// two alternate from then on, whatever else waits. Younger commands of their own classes lose
// against them at equal times; those of other classes must not fit in between.
bool DramChannel::find_partner(Plan& plan, Tick& rival) const {
    // Not as a structured binding, which no lambda may capture in C++17.
    const Tick at = decision_.next.at;
    const std::uint32_t bank = decision_.next.bank;
    const DramOp op = columns_.op(bank);
    const std::uint32_t stride = rules_.stride(), step = rules_.ccd_same;
    const std::uint32_t own = static_cast<std::uint32_t>(op) * stride + rules_.class_of(op, bank);
    const std::int32_t* after = rules_.delays(op, rules_.group_of(bank));
    const auto delayed = [stride](const std::int32_t* delays, std::uint32_t index) {
        return static_cast<Tick>(delays[index]);
    };
    std::uint64_t second = DramCandidates::no_rank;
    columns_.each_ripe_class([&](std::uint32_t kind, std::uint32_t group, std::uint64_t oldest) {
        const std::uint32_t index = kind * stride + group;
        if (index == own) return;
        const Tick time = std::max(banks_.limit(kind, group), at + delayed(after, index));
        if (time > rival || (time == rival && oldest > second)) return;
        rival = time;
        second = oldest;
    });
    if (second == DramCandidates::no_rank) return false;
    plan.partner = DramCandidates::bank_of(second);
    plan.partner_at = rival;
    const DramOp other = columns_.op(plan.partner);
    const std::int32_t* then = rules_.delays(other, rules_.group_of(plan.partner));
    if (other != op || rival + delayed(then, own) > at + step) return false;
    const std::uint32_t partner_class =
        static_cast<std::uint32_t>(other) * stride + rules_.class_of(other, plan.partner);
    const std::uint64_t first = columns_.rank(bank);
    bool alternate = true;
    columns_.each_ripe_class([&](std::uint32_t kind, std::uint32_t group, std::uint64_t oldest) {
        const std::uint32_t index = kind * stride + group;
        if (index == own || index == partner_class) return;
        const auto comes_before = [oldest = oldest](Tick time, Tick turn, std::uint64_t rank) {
            return time < turn || (time == turn && oldest < rank);
        };
        alternate = alternate && !comes_before(at + delayed(after, index), rival, second) &&
                    !comes_before(rival + delayed(then, index), at + step, first);
    });
    return alternate;
}

// Before when no row command changes anything for column commands of so many atoms: an activate
// opens its row only after its delay. Not so if precharges may take rows that are hit, or if the
// atoms could turn the direction, after which row commands are others.
Tick DramChannel::row_horizon(std::uint32_t atoms) const {
    const Tick at = decision_.row_at;
    if (at == tick_never) return at;
    const bool writing = split_ && drain_.writing();
    const bool may_turn =
        split_ && (writing ? reads_ > 0 || writes_ <= atoms : writes_ > 0 && reads_ <= atoms);
    if (may_turn || !scheduler_.keeps_rows()) return at;
    return at + std::min(rules_.act_to_rd, rules_.act_to_wr);
}

// How many can go before the direction may turn or a waiting sender has its room.
std::uint32_t DramChannel::most_columns(bool is_write, DramRoom wanted) const {
    std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    if (split_ && is_write) most = drain_.writes_before_turn(reads_, writes_);
    if (const std::uint32_t missing = room_missing(is_write, wanted); missing > 0) {
        most = std::min(most, missing);
    }
    return most;
}

}  // namespace diastole
