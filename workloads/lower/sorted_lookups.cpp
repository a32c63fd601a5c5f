#include "workloads/lower/sorted_lookups.hpp"

#include <algorithm>

namespace diastole {
namespace {

constexpr std::uint64_t part_lookups = 1 << 18;  // 4 MB
constexpr std::size_t kept_parts = 16;           // PEs whose rows repeat much run some tables ahead

}  // namespace

Range SortedPart::share_of(std::uint64_t party, std::uint64_t parties) const {
    const auto boundary = [&](std::uint64_t p) {
        std::uint64_t at = share(lookups.size(), p, parties);
        while (at > 0 && at < lookups.size() && lookups[at].row == lookups[at - 1].row) ++at;
        return at;
    };
    return {boundary(party), boundary(party + 1)};
}

std::uint64_t SortedLookups::parts(std::uint32_t table) const {
    const EmbeddingTable& t = tables_[table];
    const std::uint64_t wanted = ceil_div(t.lookups, part_lookups);
    return std::clamp<std::uint64_t>(wanted, 1, std::max<std::uint64_t>(1, t.bags));
}

std::shared_ptr<const SortedPart> SortedLookups::part_of(std::uint32_t table,
                                                         std::uint64_t number) {
    for (auto it = kept_.begin(); it != kept_.end(); ++it) {
        if (it->table != table || it->number != number) continue;
        kept_.splice(kept_.begin(), kept_, it);
        return kept_.front().part;
    }
    kept_.push_front({table, number, std::make_shared<const SortedPart>(draw(table, number))});
    if (kept_.size() > kept_parts) kept_.pop_back();
    return kept_.front().part;
}

SortedPart SortedLookups::draw(std::uint32_t table, std::uint64_t number) const {
    const EmbeddingTable& t = tables_[table];
    const Range bags = part(t.bags, number, parts(table));
    const auto stream = streams_->open(t, table, batch_);
    SortedPart result;
    result.first = stream->skip_bags(static_cast<std::uint32_t>(bags.begin));
    for (std::uint64_t bag = bags.begin; bag < bags.end; ++bag) {
        for (std::uint32_t left = stream->next_bag(); left > 0; --left) {
            result.lookups.push_back({stream->next_row(), bag});
        }
    }
    std::sort(result.lookups.begin(), result.lookups.end(), [](const Lookup& a, const Lookup& b) {
        return a.row != b.row ? a.row < b.row : a.bag < b.bag;
    });
    return result;
}

}  // namespace diastole
