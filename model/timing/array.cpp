#include "model/timing/array.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace diastole {
namespace {

// Folds come in four kinds: the last one down uses fewer rows, the last one across fewer columns.
struct FoldKind {
    std::uint64_t rows = 0, columns = 0;  // in use
    std::uint64_t interval = 1;           // q: from vector to vector
    std::uint64_t load = 0;               // g: until stationary operands are in place
    std::uint64_t unload = 0;             // until the shadow registers may take the next sums
    std::uint64_t tail = 0;               // from the first vector to the last result
    std::uint64_t ArrayAccount::*limit = &ArrayAccount::busy;  // who sets q
};

constexpr std::size_t kind_of(bool last_down, bool last_across) {
    return (last_down ? 1U : 0U) + (last_across ? 2U : 0U);
}

using Kinds = std::array<FoldKind, 4>;
// How many times a fold of one kind follows a fold of another.
using Transitions = std::array<std::array<std::uint64_t, 4>, 4>;

class Folds {
  public:
    Folds(const ArrayShape& array, Dataflow dataflow, TileShape tile, const ArrayPorts& ports)
        : array_(array),
          outputs_(dataflow == Dataflow::output_stationary),
          stationary_(dataflow == Dataflow::input_stationary ? &ArrayAccount::ifmap
                                                             : &ArrayAccount::filter),
          grid_(fold_grid(dataflow, tile)),
          down_(ceil_div(grid_.down, array.rows)),
          across_(ceil_div(grid_.across, array.columns)) {
        for (const bool last_down : {false, true}) {
            for (const bool last_across : {false, true}) {
                describe(kinds_[kind_of(last_down, last_across)], dataflow, ports, last_down,
                         last_across);
            }
        }
        // Folds that overlap follow each other at one pace unless a port slows some of them down.
        if (overlapped() && !limits(ports)) {
            pace_ = step(kinds_[0], kinds_[0]);
            return;
        }
        for (std::size_t a = 0; a < 4; ++a) {
            for (std::size_t b = 0; b < 4; ++b) steps_[a][b] = step(kinds_[a], kinds_[b]);
        }
    }

    [[nodiscard]] std::uint64_t count() const { return down_ * across_; }
    [[nodiscard]] std::uint64_t folds_down() const { return down_; }
    [[nodiscard]] std::uint64_t folds_across() const { return across_; }
    [[nodiscard]] const FoldKind& kind(std::size_t k) const { return kinds_[k]; }
    [[nodiscard]] std::uint64_t step(std::size_t a, std::size_t b) const {
        return pace_ > 0 ? pace_ : steps_[a][b];
    }
    [[nodiscard]] std::uint64_t pace() const { return pace_; }  // of all folds; 0: they differ
    [[nodiscard]] bool overlapped() const { return array_.overlap != FoldOverlap::none; }

    void charge_load(ArrayAccount& account, const FoldKind& fold, std::uint64_t times) const;
    void charge_fold(ArrayAccount& account, const FoldKind& fold, std::uint64_t times) const;
    void charge_step(ArrayAccount& account, std::size_t a, std::size_t b,
                     std::uint64_t times) const;

  private:
    static bool limits(const ArrayPorts& ports) {
        return ports.ifmap.bytes_per_cycle + ports.filter.bytes_per_cycle +
                   ports.ofmap.bytes_per_cycle >
               0;
    }
    void describe(FoldKind& fold, Dataflow dataflow, const ArrayPorts& ports, bool last_down,
                  bool last_across) const;
    [[nodiscard]] std::uint64_t step(const FoldKind& a, const FoldKind& b) const;

    const ArrayShape& array_;
    bool outputs_;
    std::uint64_t ArrayAccount::*stationary_;  // port of the operand that is held
    FoldGrid grid_;
    std::uint64_t down_, across_;
    Kinds kinds_;
    std::uint64_t pace_ = 0;
    Transitions steps_{};  // cycles from first vector to first vector
};

void Folds::describe(FoldKind& fold, Dataflow dataflow, const ArrayPorts& ports, bool last_down,
                     bool last_across) const {
    const std::uint64_t rows = array_.rows, mac = array_.mac_latency;
    fold.rows = last_down ? grid_.down - (down_ - 1) * rows : rows;
    fold.columns = last_across ? grid_.across - (across_ - 1) * array_.columns : array_.columns;
    fold.interval = array_.mac_interval;
    const auto needs = [&](std::uint64_t beats, std::uint64_t ArrayAccount::*port) {
        if (beats <= fold.interval) return;
        fold.interval = beats;
        fold.limit = port;
    };
    if (outputs_) {
        needs(ports.ifmap.beats(fold.rows), &ArrayAccount::ifmap);
        needs(ports.filter.beats(fold.columns), &ArrayAccount::filter);
        const std::uint64_t results = fold.rows * ports.ofmap.beats(fold.columns);
        fold.unload = results + (rows - fold.rows);  // unused rows pass in one cycle each
        fold.tail =
            (grid_.streamed - 1) * fold.interval + (rows - 1) + (fold.columns - 1) + mac + results;
        return;
    }
    const bool inputs = dataflow == Dataflow::input_stationary;
    needs((inputs ? ports.filter : ports.ifmap).beats(fold.rows),
          inputs ? &ArrayAccount::filter : &ArrayAccount::ifmap);
    if (last_down || ports.partial_sums_leave) {
        needs(ports.ofmap.beats(fold.columns), &ArrayAccount::ofmap);
    }
    const Port& held = inputs ? ports.ifmap : ports.filter;
    fold.load = fold.rows * held.beats(fold.columns) + (rows - fold.rows);
    fold.tail = (grid_.streamed - 1) * fold.interval + (fold.columns - 1) + rows * mac;
}

std::uint64_t Folds::step(const FoldKind& a, const FoldKind& b) const {
    const std::uint64_t streaming = grid_.streamed * a.interval;
    switch (array_.overlap) {
        case FoldOverlap::none:
            return std::max(a.tail + b.load, streaming);  // a slow port or multiplier
        case FoldOverlap::stream:
            return streaming;
        case FoldOverlap::shadow:
            break;
    }
    if (!outputs_) {
        const std::uint64_t swap = (array_.rows - 1ULL) * array_.mac_latency + 1;
        return std::max({streaming, b.load, swap});
    }
    // The sums of b may be finished `unload` cycles after those of a; a slower b finishes later by
    // itself.
    const std::uint64_t waves = grid_.streamed - 1;
    const std::uint64_t since = a.unload + waves * a.interval;
    const std::uint64_t own = waves * b.interval;
    return std::max(streaming, since > own ? since - own : 0);
}

void Folds::charge_load(ArrayAccount& account, const FoldKind& fold, std::uint64_t times) const {
    if (outputs_) return;
    account.load += times * array_.rows;
    account.*stationary_ += times * (fold.load - array_.rows);
}

// From the first vector of a fold to its last result.
void Folds::charge_fold(ArrayAccount& account, const FoldKind& fold, std::uint64_t times) const {
    const std::uint64_t waves = grid_.streamed - 1;
    account.busy += times * (waves * array_.mac_interval + 1);
    account.*fold.limit += times * waves * (fold.interval - array_.mac_interval);
    const std::uint64_t rest = fold.tail - waves * fold.interval - 1;
    if (!outputs_) {
        account.fill_drain += times * rest;
        return;
    }
    const std::uint64_t waiting = fold.unload - array_.rows;  // for the port
    account.shift_out += times * array_.rows;
    account.ofmap += times * waiting;
    account.fill_drain += times * (rest - array_.rows - waiting);
}

void Folds::charge_step(ArrayAccount& account, std::size_t a, std::size_t b,
                        std::uint64_t times) const {
    const FoldKind& fold = kinds_[a];
    if (!overlapped()) {
        charge_fold(account, fold, times);
        charge_load(account, kinds_[b], times);
        account.*fold.limit += times * (step(a, b) - fold.tail - kinds_[b].load);
        return;
    }
    const std::uint64_t streaming = grid_.streamed * fold.interval;
    account.busy += times * grid_.streamed * array_.mac_interval;
    account.*fold.limit += times * grid_.streamed * (fold.interval - array_.mac_interval);
    const std::uint64_t waiting = step(a, b) - streaming;
    const std::uint64_t own =
        outputs_ ? array_.rows : (array_.rows - 1ULL) * array_.mac_latency + 1;
    const std::uint64_t unhidden = std::min(waiting, own > streaming ? own - streaming : 0);
    (outputs_ ? account.shift_out : account.load) += times * unhidden;
    account.*(outputs_ ? &ArrayAccount::ofmap : stationary_) += times * (waiting - unhidden);
}

// The folds a, a + A, a + 2A, ... that array a of A works on, by their position x in that series.
class Share {
  public:
    Share(const Folds& folds, std::uint64_t array, std::uint64_t arrays)
        : folds_(folds),
          first_(array),
          stride_(arrays),
          size_(ceil_div(folds.count() - array, arrays)),
          period_(folds.folds_down() / std::gcd(arrays, folds.folds_down())),
          phase_(size_) {
        const std::uint64_t down = folds.folds_down();
        for (std::uint64_t t = 0; t < arrays; ++t) {  // the first fold that is last down, if any
            const std::uint64_t fold = (down - 1) + down * t;
            if (fold < array || (fold - array) % arrays != 0) continue;
            phase_ = (fold - array) / arrays;
            break;
        }
        const std::uint64_t edge = down * (folds.folds_across() - 1);
        before_ = edge > array ? std::min(size_, ceil_div(edge - array, arrays)) : 0;
    }

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] std::size_t kind(std::uint64_t x) const {
        return kind_of((first_ + x * stride_) % folds_.folds_down() == folds_.folds_down() - 1,
                       x >= before_);
    }

    // Of the first `end` folds to their successors.
    [[nodiscard]] Transitions transitions(std::uint64_t end) const {
        Transitions result{};
        const std::uint64_t split = before_ == 0 ? 0 : std::min(end, before_ - 1);
        add(result, 0, split, false);
        std::uint64_t from = split;
        if (before_ > 0 && end >= before_) {
            ++result[kind(before_ - 1)][kind(before_)];
            from = before_;
        }
        if (end > from) add(result, from, end, true);
        return result;
    }

    // From the first vector of the first fold to that of fold x.
    [[nodiscard]] std::uint64_t entry(std::uint64_t x) const {
        if (folds_.pace() > 0) return x * folds_.pace();
        const Transitions times = transitions(x);
        std::uint64_t cycles = 0;
        for (std::size_t a = 0; a < 4; ++a) {
            for (std::size_t b = 0; b < 4; ++b) cycles += times[a][b] * folds_.step(a, b);
        }
        return cycles;
    }

    // A ragged last fold may end before a full one in front of it: the last of each kind counts.
    [[nodiscard]] std::uint64_t latest_end() const {
        std::uint64_t latest = 0;
        const auto consider = [&](std::uint64_t begin, std::uint64_t end) {
            if (begin >= end) return;
            const auto try_fold = [&](std::uint64_t x) {
                latest = std::max(latest, entry(x) + folds_.kind(kind(x)).tail);
            };
            try_fold(end - 1);
            if (end - begin > 1) try_fold(end - 2);
            if (const std::uint64_t ragged = ragged_before(end); ragged > 0) {
                const std::uint64_t last = phase_ + (ragged - 1) * period_;
                if (last >= begin) try_fold(last);
            }
        };
        consider(0, before_);
        consider(before_, size_);
        return latest;
    }

  private:
    // Folds that are last down among the first x.
    [[nodiscard]] std::uint64_t ragged_before(std::uint64_t x) const {
        return x > phase_ ? (x - 1 - phase_) / period_ + 1 : 0;
    }
    // The transitions from folds [begin, end), all of them within one kind across.
    void add(Transitions& to, std::uint64_t begin, std::uint64_t end, bool last_across) const {
        const std::size_t full = kind_of(false, last_across), ragged = kind_of(true, last_across);
        const std::uint64_t all = end - begin;
        const std::uint64_t from = ragged_before(end) - ragged_before(begin);
        if (period_ == 1) {  // all of one kind
            to[from > 0 ? ragged : full][from > 0 ? ragged : full] += all;
            return;
        }
        const std::uint64_t into = ragged_before(end + 1) - ragged_before(begin + 1);
        to[ragged][full] += from;
        to[full][ragged] += into;
        to[full][full] += all - from - into;
    }

    const Folds& folds_;
    std::uint64_t first_, stride_, size_;
    std::uint64_t period_, phase_;  // x of the folds that are last down: phase + i period
    std::uint64_t before_ = 0;      // folds that are not last across
};

TileTime time_of(const Folds& folds, const Share& share) {
    const std::uint64_t load = folds.kind(share.kind(0)).load;
    const std::uint64_t latency = load + share.latest_end();
    if (!folds.overlapped()) return {Cycles(latency), Cycles(latency)};
    const std::uint64_t last = share.size() - 1;
    return {Cycles(share.entry(last) + folds.step(share.kind(last), share.kind(0))),
            Cycles(latency)};
}

ArrayAccount account_of(const Folds& folds, const Share& share, std::uint64_t latency) {
    ArrayAccount account;
    folds.charge_load(account, folds.kind(share.kind(0)), 1);
    const std::uint64_t last = share.size() - 1;
    const Transitions times = share.transitions(last);
    for (std::size_t a = 0; a < 4; ++a) {
        for (std::size_t b = 0; b < 4; ++b) folds.charge_step(account, a, b, times[a][b]);
    }
    folds.charge_fold(account, folds.kind(share.kind(last)), 1);
    account.fill_drain += latency - account.total();  // of a fold that outlasts the last one
    return account;
}

}  // namespace

TileTime tile_time(const ArrayShape& array, Dataflow dataflow, TileShape tile) {
    if (tile.m == 0 || tile.n == 0 || tile.k == 0) return {};
    const Folds folds(array, dataflow, tile, {});
    TileTime slowest;
    for (std::uint64_t a = 0; a < std::min<std::uint64_t>(array.arrays, folds.count()); ++a) {
        const TileTime time = time_of(folds, Share(folds, a, array.arrays));
        slowest.occupied = std::max(slowest.occupied, time.occupied);
        slowest.latency = std::max(slowest.latency, time.latency);
    }
    return slowest;
}

ArrayTime array_time(const ArrayShape& array, Dataflow dataflow, TileShape tile,
                     const ArrayPorts& ports) {
    if (tile.m == 0 || tile.n == 0 || tile.k == 0) return {};
    const Folds folds(array, dataflow, tile, ports);
    ArrayTime result;
    for (std::uint64_t a = 0; a < std::min<std::uint64_t>(array.arrays, folds.count()); ++a) {
        const Share share(folds, a, array.arrays);
        const TileTime time = time_of(folds, share);
        result.time.occupied = std::max(result.time.occupied, time.occupied);
        if (result.time.latency < time.latency) {
            result.time.latency = time.latency;
            result.account = account_of(folds, share, time.latency.count());
        }
    }
    return result;
}

}  // namespace diastole
