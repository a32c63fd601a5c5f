#include "workloads/generate/index_streams.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "model/base/error.hpp"
#include "workloads/generate/npy_stream.hpp"
#include "workloads/generate/permutation.hpp"
#include "workloads/generate/zipf.hpp"

namespace diastole {
namespace {

// Named parts of the random numbers of a table.
constexpr std::uint64_t placement_stream = 1;  // which rows are hot: the same in every batch
constexpr std::uint64_t first_batch_stream = 2;

// Bag b of B has floor((b + 1) * L / B) - floor(b * L / B) lookups, stepped without a division.
class EvenBags {
  public:
    EvenBags(std::uint64_t lookups, std::uint32_t bags)
        : bags_(bags),
          whole_(bags == 0 ? 0 : lookups / bags),
          rest_(bags == 0 ? 0 : lookups % bags) {}

    std::uint32_t next() {
        carry_ += rest_;
        const bool extra = carry_ >= bags_;
        if (extra) carry_ -= bags_;
        return static_cast<std::uint32_t>(whole_ + (extra ? 1 : 0));
    }

  private:
    std::uint64_t bags_, whole_, rest_, carry_ = 0;
};

class EvenStream : public IndexStream {
  public:
    explicit EvenStream(const EmbeddingTable& table) : bags_(table.lookups, table.bags) {}
    std::uint32_t next_bag() final { return bags_.next(); }

  private:
    EvenBags bags_;
};

class UniformStream final : public EvenStream {
  public:
    UniformStream(const EmbeddingTable& table, Random random)
        : EvenStream(table), rows_(table.rows), random_(random) {}
    std::uint64_t next_row() override { return random_.below(rows_); }

  private:
    std::uint64_t rows_;
    Random random_;
};

// Where a stream stands between two bags.
struct ZipfMark {
    std::uint32_t batch = 0, bag = 0;
    std::uint64_t rows = 0;  // before
    EvenBags bags;
    Random random;
};

}  // namespace

// The popularity of a table's rows, and how far the streams of a batch have been played: one that
// starts at a later bag need not draw again what another has skipped before it.
class ZipfTable {
  public:
    explicit ZipfTable(const EmbeddingTable& table)
        : rows_(table.rows),
          spec_(table.indices),
          ranks_(table.rows, spec_.zipf_q, spec_.zipf_s, spec_.heavy_hitters) {}

    [[nodiscard]] bool is_for(const EmbeddingTable& table) const {
        return table.rows == rows_ && table.indices.zipf_q == spec_.zipf_q &&
               table.indices.zipf_s == spec_.zipf_s &&
               table.indices.heavy_hitters == spec_.heavy_hitters;
    }
    [[nodiscard]] const RankedRows& ranks() const { return ranks_; }

    [[nodiscard]] std::optional<ZipfMark> mark(std::uint64_t lookups, std::uint32_t bags,
                                               std::uint32_t batch, std::uint32_t bag) {
        const std::lock_guard lock(mutex_);
        const auto found = marks_.find({lookups, bags});
        if (found == marks_.end()) return {};
        const ZipfMark& mark = found->second;
        return mark.batch == batch && mark.bag <= bag ? std::optional(mark) : std::nullopt;
    }
    void set_mark(std::uint64_t lookups, std::uint32_t bags, const ZipfMark& mark) {
        const std::lock_guard lock(mutex_);
        marks_.insert_or_assign({lookups, bags}, mark);
    }

  private:
    std::uint64_t rows_;
    IndexSpec spec_;
    RankedRows ranks_;
    std::mutex mutex_;
    std::map<std::pair<std::uint64_t, std::uint32_t>, ZipfMark> marks_;  // by lookups and bags
};

class ZipfTables {
  public:
    std::shared_ptr<ZipfTable> of(const EmbeddingTable& table, std::uint32_t number) {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<ZipfTable>& known = tables_[number];
        if (!known || !known->is_for(table)) known = std::make_shared<ZipfTable>(table);
        return known;
    }

  private:
    std::mutex mutex_;
    std::map<std::uint32_t, std::shared_ptr<ZipfTable>> tables_;
};

namespace {

class ZipfStream final : public IndexStream {
  public:
    ZipfStream(const EmbeddingTable& table, std::uint32_t batch, Random placement, Random random,
               std::shared_ptr<ZipfTable> shared)
        : shared_(std::move(shared)),
          ranks_(shared_->ranks()),
          place_(table.rows, placement),
          lookups_(table.lookups),
          bag_count_(table.bags),
          here_{batch, 0, 0, EvenBags(table.lookups, table.bags), random} {}

    std::uint32_t next_bag() override {
        fresh_ = false;
        return here_.bags.next();
    }
    std::uint64_t next_row() override { return place_(ranks_.draw(here_.random)); }
    std::uint64_t skip_bags(std::uint32_t bags) override {
        if (!fresh_) return IndexStream::skip_bags(bags);
        if (const auto mark = shared_->mark(lookups_, bag_count_, here_.batch, bags)) here_ = *mark;
        for (; here_.bag < bags; ++here_.bag) {
            const std::uint32_t length = here_.bags.next();
            for (std::uint32_t i = 0; i < length; ++i) ranks_.draw(here_.random);
            here_.rows += length;
        }
        shared_->set_mark(lookups_, bag_count_, here_);
        fresh_ = false;
        return here_.rows;
    }

  private:
    std::shared_ptr<ZipfTable> shared_;
    const RankedRows& ranks_;
    Permutation place_;
    std::uint64_t lookups_;
    std::uint32_t bag_count_;
    ZipfMark here_;      // bag and rows: until something else than skipping is done
    bool fresh_ = true;  // nothing has been
};

// The row of an access, by its number in the batch.
class RankFinder {
  public:
    RankFinder(const std::vector<ReuseClass>& classes, std::uint64_t lookups) : classes_(classes) {
        while ((lookups >> shift_) >= first_candidate_.size()) ++shift_;
        std::uint32_t candidate = 0;
        for (std::size_t i = 0; i < first_candidate_.size(); ++i) {
            while (candidate + 1 < classes.size() &&
                   classes[candidate + 1].first_access <= std::uint64_t{i} << shift_) {
                ++candidate;
            }
            first_candidate_[i] = candidate;
        }
    }

    [[nodiscard]] std::uint64_t rank(std::uint64_t access) const {
        std::size_t i = first_candidate_[access >> shift_];
        while (i + 1 < classes_.size() && classes_[i + 1].first_access <= access) ++i;
        return classes_[i].row_of(access);
    }

  private:
    const std::vector<ReuseClass>& classes_;
    std::array<std::uint32_t, 1024> first_candidate_{};  // of the accesses with equal leading bits
    unsigned shift_ = 0;
};

class ReuseStream final : public EvenStream {
  public:
    ReuseStream(const EmbeddingTable& table, Random placement, Random random)
        : EvenStream(table),
          rows_(table.rows),
          classes_(reuse_classes(read_reuse_histogram(table.indices.histogram), table.lookups,
                                 table.bags)),
          hot_(std::min(rows_ - 1, hot_rows())),
          finder_(classes_, table.lookups),
          order_(std::max<std::uint64_t>(table.lookups, 1), random.fork(0)),
          place_(rows_, placement),
          anew_(rows_ - hot_, random.fork(1)) {}

    std::uint64_t next_row() override {
        std::uint64_t rank = finder_.rank(order_(served_++));
        if (rank >= rows_) rank %= rows_;
        return place_(rank < hot_ ? rank : hot_ + anew_(rank - hot_));
    }

  private:
    [[nodiscard]] std::uint64_t hot_rows() const {
        std::uint64_t rows = 0;
        for (const ReuseClass& c : classes_) {
            if (c.accesses > 8 * c.rows) rows = c.first_row + c.rows;
        }
        return rows;
    }

    std::uint64_t rows_;
    std::vector<ReuseClass> classes_;
    std::uint64_t hot_;
    RankFinder finder_;
    Permutation order_, place_, anew_;
    std::uint64_t served_ = 0;
};

}  // namespace

GeneratedIndexStreams::GeneratedIndexStreams(std::uint64_t seed)
    : seed_(seed), zipf_tables_(std::make_shared<ZipfTables>()) {}

std::unique_ptr<IndexStream> GeneratedIndexStreams::open(const EmbeddingTable& table,
                                                         std::uint32_t table_number,
                                                         std::uint32_t batch) const {
    const Random of_table = Random(seed_).fork(table_number);
    const Random placement = of_table.fork(placement_stream);
    const Random random = of_table.fork(first_batch_stream + batch);
    check_indices(table, "table '" + table.name + "'");
    switch (table.indices.distribution) {
        case IndexDistribution::uniform:
            return std::make_unique<UniformStream>(table, random);
        case IndexDistribution::zipf:
            return std::make_unique<ZipfStream>(table, batch, placement, random,
                                                zipf_tables_->of(table, table_number));
        case IndexDistribution::reuse_histogram:
            return std::make_unique<ReuseStream>(table, placement, random);
        case IndexDistribution::npy:
            return open_npy_stream(table, batch);
    }
    throw ModelError("table '" + table.name + "' has an unknown index distribution");
}

std::uint64_t recorded_lookups(const EmbeddingTable& table) {
    const bool offsets =
        table.indices.distribution == IndexDistribution::npy && !table.indices.offsets_path.empty();
    return offsets ? npy_lookups(table) : table.lookups;
}

void check_indices(const EmbeddingTable& table, const std::string& where) {
    const auto fail = [&](const std::string& problem) {
        throw ConfigError(where + ": " + problem);
    };
    const IndexSpec& spec = table.indices;
    if (table.rows == 0) fail("rows: expected at least 1");
    if (spec.distribution != IndexDistribution::zipf) return;
    // So that no weight overflows: 0.001^-20 = 1e60.
    if (!(spec.zipf_q >= -0.999 && spec.zipf_q <= 1e15)) {
        fail("zipf q: expected -0.999 <= q <= 1e15");
    }
    if (!(spec.zipf_s >= 0 && spec.zipf_s <= 20)) fail("zipf s: expected 0 <= s <= 20");
    if (spec.heavy_hitters.size() > table.rows) {
        fail("heavy_hitters: more of them than rows (" + std::to_string(table.rows) + ")");
    }
    double sum = 0;
    for (const double p : spec.heavy_hitters) {
        if (!(p >= 0 && p <= 1)) fail("heavy_hitters: expected probabilities from 0 to 1");
        sum += p;
    }
    if (sum > 1 + 1e-9) fail("heavy_hitters: their sum is above 1");
    if (spec.heavy_hitters.size() == table.rows && sum < 1 - 1e-9) {
        fail("heavy_hitters: every row is one, but their sum is below 1");
    }
}

}  // namespace diastole
