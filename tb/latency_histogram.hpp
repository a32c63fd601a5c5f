// Latencies in constant memory: each cycle has a counter of its own up to 4096; above, 2048
// counters share each power of two, so that a percentile is never below the true one and less than
// 0.05 % above it.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

namespace diastole {

class LatencyHistogram {
  public:
    LatencyHistogram() : counts_(first_shared + (32 - exact_bits) * shares) {}

    void add(std::uint32_t cycles) { ++counts_[index_of(cycles)]; }

    [[nodiscard]] std::uint64_t count() const {
        return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
    }
    // The least latency that at least this share of all do not exceed. Precondition: count() > 0.
    [[nodiscard]] std::uint32_t percentile(double share) const {
        const double wanted = static_cast<double>(count()) * share;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > 0 && static_cast<double>(seen) >= wanted) return last_of(i);
        }
        return last_of(counts_.size() - 1);
    }

  private:
    static constexpr std::uint32_t exact_bits = 12, share_bits = 11;
    static constexpr std::uint32_t first_shared = 1U << exact_bits, shares = 1U << share_bits;

    static std::uint32_t index_of(std::uint32_t cycles) {
        if (__builtin_expect(cycles < first_shared, 1)) return cycles;
        const auto top = 31 - static_cast<std::uint32_t>(__builtin_clz(cycles));
        const std::uint32_t share = (cycles >> (top - share_bits)) - shares;
        return first_shared + (top - exact_bits) * shares + share;
    }
    // The largest latency that counts at `index`.
    static std::uint32_t last_of(std::size_t index) {
        if (index < first_shared) return static_cast<std::uint32_t>(index);
        const std::size_t above = index - first_shared;
        const std::size_t top = exact_bits + above / shares;
        const std::uint64_t next = (shares + above % shares + 1) << (top - share_bits);
        return static_cast<std::uint32_t>(next - 1);
    }

    std::vector<std::uint64_t> counts_;
};

}  // namespace diastole
