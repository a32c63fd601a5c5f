// A PE's banked local memory. Engines stream their operands at the rate their work needs; addresses
// of tiles spread over all banks, so what counts is the sum of the rates. When the engines that are
// running ask for more than the banks deliver, one that starts is slowed in proportion. (Conflicts
// between single accesses, and engines that already run, are not revisited.)
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <systemc>

#include "model/base/units.hpp"
#include "model/isa/command.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

struct LocalMemoryStats {
    std::uint64_t bytes = 0;  // moved over the ports, by engines
};

class LocalMemory : public sc_core::sc_module {
  public:
    LocalMemory(const sc_core::sc_module_name& name, const LocalMemoryParams& params)
        : sc_module(name), rate_(local_memory_bytes_per_cycle(params) * fraction) {}

    // An engine moves `bytes` during work that takes `work` cycles by itself, from `at`. The
    // result, at least `work`, is how long it takes beside what the other engines are doing.
    Cycles share(Unit unit, Cycles at, Cycles work, std::uint64_t bytes) {
        stats_.bytes += bytes;
        if (bytes == 0) return work;
        const std::uint64_t least = ceil_div(bytes * fraction, rate_);
        const std::uint64_t own_time = std::max<std::uint64_t>({work.count(), least, 1});
        const std::uint64_t own_rate = bytes * fraction / own_time;
        std::uint64_t others = 0;
        for (std::size_t i = 0; i < unit_count; ++i) {
            if (i != static_cast<std::size_t>(unit) && until_[i] > at) others += rates_[i];
        }
        std::uint64_t time = own_time;
        if (others + own_rate > rate_) time = mul_div_ceil(own_time, others + own_rate, rate_);
        until_[static_cast<std::size_t>(unit)] = at + Cycles(time);
        rates_[static_cast<std::size_t>(unit)] = bytes * fraction / time;
        return Cycles(time);
    }

    [[nodiscard]] const LocalMemoryStats& stats() const { return stats_; }

  private:
    static constexpr std::uint64_t fraction = 256;  // rates are in bytes per cycle / 256

    std::uint64_t rate_;
    std::array<Cycles, unit_count> until_{};
    std::array<std::uint64_t, unit_count> rates_{};
    LocalMemoryStats stats_;
};

}  // namespace diastole
