// The commands that banks wait to issue on one of the two buses, at most one a bank, and which of
// them goes next: the earliest legal, at equal times the older request.
//
// A command may go at max(ready, limit, now): `ready` is its bank's own, the limit is that of its
// class, the commands of one kind on banks that the same pair rules bind. Limits only grow. So a
// command that is ready before its class's limit, or before now, is bound by the class from then on
// ("ripe"), and of the ripe ones of a class only the oldest can be next. The others ("green") wait
// in order of `ready`: only the first few have to be looked at.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "model/timing/dram_banks.hpp"

namespace diastole {

class DramCandidates {
  public:
    static constexpr std::uint32_t max_banks = 64;
    static constexpr std::uint32_t max_kinds = 3;
    static constexpr std::uint64_t no_rank = ~std::uint64_t{0};

    struct Choice {
        Tick at = tick_never;
        std::uint32_t bank = 0;
    };

    // `first`: the first kind of command that uses this bus; kinds follow in order of DramOp.
    explicit DramCandidates(DramOp first) : first_(static_cast<std::uint32_t>(first)) {
        oldest_.fill(no_rank);
    }

    [[nodiscard]] std::uint64_t banks() const { return banks_; }
    [[nodiscard]] bool has(std::uint32_t bank) const { return (banks_ >> bank & 1) != 0; }
    [[nodiscard]] DramOp op(std::uint32_t bank) const {
        return static_cast<DramOp>(class_[bank] / max_banks + first_);
    }
    [[nodiscard]] std::uint64_t rank(std::uint32_t bank) const { return rank_[bank]; }
    // Of all that wait for nothing but their own bank, the earliest; a bound for all of them.
    [[nodiscard]] Tick first_green() const {
        return head_ == tail_ ? tick_never : ready_[green_[head_]];
    }

    // Precondition: the bank has none. `age` orders those of equal time: of its request, or 0.
    void put(std::uint32_t bank, DramOp op, std::uint32_t group, Tick ready, std::uint64_t age,
             const DramBanks& state, Tick now) {
        const std::uint32_t kind = static_cast<std::uint32_t>(op) - first_;
        class_[bank] = static_cast<std::uint16_t>(kind * max_banks + group);
        ready_[bank] = ready;
        rank_[bank] = age << bank_bits | bank;
        banks_ |= std::uint64_t{1} << bank;
        const Tick limit = limit_of(bank, state);
        if (ready <= limit) {
            ripen(bank);
        } else {
            insert_green(bank);
        }
        if (!known_) return;
        const Tick at = std::max({ready, limit, now});
        if (at < best_.at || (at == best_.at && rank_[bank] < rank_[best_.bank]))
            best_ = {at, bank};
    }

    // Precondition: the bank has one.
    void drop(std::uint32_t bank) {
        const std::uint64_t bit = std::uint64_t{1} << bank;
        banks_ &= ~bit;
        if (best_.bank == bank) known_ = false;
        const std::uint32_t c = class_[bank];
        if ((ripe_[c] & bit) == 0) {
            remove_green(bank);
            return;
        }
        ripe_[c] &= ~bit;
        if (oldest_[c] != rank_[bank]) return;
        std::uint64_t oldest = no_rank;
        for (std::uint64_t m = ripe_[c]; m != 0; m &= m - 1) {
            oldest = std::min(oldest, rank_[static_cast<std::uint32_t>(__builtin_ctzll(m))]);
        }
        oldest_[c] = oldest;
        if (oldest == no_rank) live_[c / max_banks] &= ~(std::uint64_t{1} << c % max_banks);
    }

    // Limits have grown.
    void forget() { known_ = false; }
    // What goes next, nothing before `now`; a `now` that grows must not pass what was answered.
    [[nodiscard]] const Choice& best(const DramBanks& state, Tick now) {
        if (!known_) find_best(state, now);
        return best_;
    }

    // Calls f(kind, group, rank of the oldest) for every class that has a ripe command.
    template <class F>
    void each_ripe_class(F&& f) const {
        for (std::uint32_t kind = 0; kind < max_kinds; ++kind) {
            for (std::uint64_t m = live_[kind]; m != 0; m &= m - 1) {
                const auto group = static_cast<std::uint32_t>(__builtin_ctzll(m));
                f(kind, group, oldest_[kind * max_banks + group]);
            }
        }
    }

    static std::uint32_t bank_of(std::uint64_t rank) {
        return static_cast<std::uint32_t>(rank) & (max_banks - 1);
    }

  private:
    // A command as one number, so that the least goes next: ticks from now, then the age of its
    // request, then the bank.
    static constexpr std::uint32_t bank_bits = 6, age_bits = 40;
    static constexpr std::uint32_t time_shift = bank_bits + age_bits;
    static constexpr std::uint64_t nothing = ~std::uint64_t{0};
    static_assert(4ULL * longest_timing < std::uint64_t{1} << (64 - time_shift));

    [[nodiscard]] Tick limit_of(std::uint32_t bank, const DramBanks& state) const {
        const std::uint32_t c = class_[bank];
        return state.limit(c / max_banks + first_, c % max_banks);
    }
    void find_best(const DramBanks& state, Tick now) {
        while (head_ != tail_ &&
               ready_[green_[head_]] <= std::max(now, limit_of(green_[head_], state))) {
            ripen(green_[head_++]);
        }
        std::uint64_t least = nothing;
        each_ripe_class([&](std::uint32_t kind, std::uint32_t group, std::uint64_t oldest) {
            const Tick at = std::max(state.limit(kind + first_, group), now);
            least = std::min(least, (at - now) << time_shift | oldest);
        });
        for (std::uint32_t i = head_; i != tail_; ++i) {
            const std::uint32_t bank = green_[i];
            if (ready_[bank] - now > least >> time_shift) break;
            const Tick at = std::max(ready_[bank], limit_of(bank, state));
            least = std::min(least, (at - now) << time_shift | rank_[bank]);
        }
        best_ = Choice{};
        if (least != nothing) best_ = {now + (least >> time_shift), bank_of(least)};
        known_ = true;
    }
    void ripen(std::uint32_t bank) {
        const std::uint32_t c = class_[bank];
        ripe_[c] |= std::uint64_t{1} << bank;
        oldest_[c] = std::min(oldest_[c], rank_[bank]);
        live_[c / max_banks] |= std::uint64_t{1} << c % max_banks;
    }
    void insert_green(std::uint32_t bank) {
        if (tail_ == green_.size()) {
            std::memmove(green_.data(), green_.data() + head_, tail_ - head_);
            tail_ -= head_;
            head_ = 0;
        }
        std::uint32_t i = tail_++;
        for (; i != head_ && ready_[green_[i - 1]] > ready_[bank]; --i) green_[i] = green_[i - 1];
        green_[i] = static_cast<std::uint8_t>(bank);
    }
    void remove_green(std::uint32_t bank) {
        std::uint32_t i = head_;
        while (green_[i] != bank) ++i;
        for (--tail_; i != tail_; ++i) green_[i] = green_[i + 1];
    }

    std::uint32_t first_;
    std::uint64_t banks_ = 0;
    std::array<std::uint64_t, max_kinds> live_{};  // groups with a ripe command, by kind
    std::array<Tick, max_banks> ready_{};
    std::array<std::uint64_t, max_banks> rank_{};
    std::array<std::uint16_t, max_banks> class_{};  // kind * max_banks + group
    // By class: its ripe banks, and the rank of the oldest of them.
    std::array<std::uint64_t, max_kinds * max_banks> ripe_{}, oldest_{};
    std::array<std::uint8_t, 2 * max_banks> green_{};  // [head_, tail_): by `ready`
    std::uint32_t head_ = 0, tail_ = 0;
    Choice best_;  // the answer, as long as it stands
    bool known_ = false;
};

}  // namespace diastole
