#include "workloads/generate/lookup_profile.hpp"

#include <algorithm>
#include <utility>

namespace diastole {
namespace {

struct Touch {
    std::uint64_t row = 0;  // of all tables one after the other
    std::uint32_t bytes = 0;
};

// Sums over a range of positions (Fenwick 1994).
class PrefixSums {
  public:
    explicit PrefixSums(std::size_t size) : sums_(size + 1, 0) {}
    void add(std::size_t position, std::int64_t value) {
        for (std::size_t i = position + 1; i < sums_.size(); i += i & (~i + 1)) sums_[i] += value;
    }
    [[nodiscard]] std::int64_t before(std::size_t position) const {
        std::int64_t sum = 0;
        for (std::size_t i = position; i > 0; i -= i & (~i + 1)) sum += sums_[i];
        return sum;
    }

  private:
    std::vector<std::int64_t> sums_;
};

std::uint64_t total_lookups(const Graph& graph) {
    std::uint64_t total = 0;
    for (const Operator& op : graph.operators) {
        if (op.kind != OpKind::embedding_bag) continue;
        for (const EmbeddingTable& table : op.attrs.tables) total += table.lookups;
    }
    return total;
}

std::vector<Touch> touches(const Graph& graph, const IndexStreams& streams, double part,
                           std::uint64_t limit) {
    std::vector<Touch> result;
    std::uint64_t first_row = 0;
    for (const Operator& op : graph.operators) {
        if (op.kind != OpKind::embedding_bag) continue;
        std::uint32_t number = 0;
        for (const EmbeddingTable& table : op.attrs.tables) {
            const auto stream = streams.open(table, number++, 0);
            const auto bytes = static_cast<std::uint32_t>(table.dim * size_of(table.type));
            const auto bags = std::max<std::uint32_t>(
                1, static_cast<std::uint32_t>(part * table.bags));  // bounded by `limit` below
            for (std::uint32_t bag = 0; bag < bags && result.size() < limit; ++bag) {
                const std::uint32_t length = stream->next_bag();
                for (std::uint32_t i = 0; i < length && result.size() < limit; ++i) {
                    result.push_back({first_row + stream->next_row(), bytes});
                }
            }
            first_row += table.rows;
        }
    }
    return result;
}

constexpr std::uint32_t never_before = ~std::uint32_t{0};

// The position of each touch's previous touch of the same row; counts the reuse on the way.
std::vector<std::uint32_t> previous_touches(const std::vector<Touch>& touches,
                                            LookupProfile& profile) {
    std::vector<std::uint32_t> order(touches.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::make_pair(touches[a].row, a) < std::make_pair(touches[b].row, b);
    });
    std::vector<std::uint32_t> previous(touches.size(), never_before);
    for (std::size_t i = 0; i < order.size();) {
        std::size_t j = i + 1;
        while (j < order.size() && touches[order[j]].row == touches[order[i]].row) {
            previous[order[j]] = order[j - 1];
            ++j;
        }
        const std::uint64_t count = j - i;
        std::size_t range = 0;
        while ((std::uint64_t{1} << range) < count) ++range;
        if (profile.reuse.size() <= range) profile.reuse.resize(range + 1);
        profile.reuse[range].rows += 1;
        profile.reuse[range].lookups += count;
        profile.unique_rows += 1;
        profile.unique_bytes += Bytes(touches[order[i]].bytes);
        i = j;
    }
    for (std::size_t i = 0; i < profile.reuse.size(); ++i) {
        profile.reuse[i].high = std::uint64_t{1} << i;
        profile.reuse[i].low = i == 0 ? 0 : std::uint64_t{1} << (i - 1);
    }
    return previous;
}

}  // namespace

LookupProfile profile_lookups(const Graph& graph, const IndexStreams& streams,
                              std::uint64_t limit) {
    LookupProfile profile;
    const std::uint64_t total = total_lookups(graph);
    if (total > limit) {
        profile.part_of_batch = static_cast<double>(limit) / static_cast<double>(total);
    }
    const std::vector<Touch> all = touches(graph, streams, profile.part_of_batch, limit);
    profile.lookups = all.size();
    const std::vector<std::uint32_t> previous = previous_touches(all, profile);
    for (unsigned mib = 1; mib <= 1024; mib *= 4) {
        profile.cache.push_back({Bytes(std::uint64_t{mib} << 20), 0});
    }
    PrefixSums live(all.size());  // bytes of the rows, each at its last touch
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::uint32_t last = previous[i];
        if (last != never_before) {
            const auto needed = static_cast<std::uint64_t>(live.before(i) - live.before(last));
            for (auto point = profile.cache.rbegin(); point != profile.cache.rend(); ++point) {
                if (point->size.count() < needed) break;
                ++point->hits;
            }
            live.add(last, -static_cast<std::int64_t>(all[i].bytes));
        }
        live.add(i, all[i].bytes);
    }
    return profile;
}

}  // namespace diastole
