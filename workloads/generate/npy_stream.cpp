#include "workloads/generate/npy_stream.hpp"

#include <limits>
#include <optional>

#include "model/base/error.hpp"
#include "workloads/generate/npy.hpp"

namespace diastole {
namespace {

[[noreturn]] void fail(const NpyReader& file, std::uint64_t position, const EmbeddingTable& table,
                       const std::string& problem) {
    throw TraceError(file.path() + ": position " + std::to_string(position) + ", table '" +
                     table.name + "': " + problem);
}

// Bag lengths from an offsets array of at least bags + 1 entries.
class Offsets {
  public:
    Offsets(const EmbeddingTable& table, std::uint32_t batch)
        : table_(table), file_(table.indices.offsets_path) {
        if (file_.size() < std::uint64_t{table.bags} + 1) {
            throw TraceError(file_.path() + ": " + std::to_string(file_.size()) +
                             " offsets, but table '" + table.name + "' with " +
                             std::to_string(table.bags) + " bags needs one more than bags");
        }
        const std::uint64_t batches = table.bags == 0 ? 1 : (file_.size() - 1) / table.bags;
        file_.seek(batch % batches * table.bags);
        last_ = read();
    }
    [[nodiscard]] std::uint64_t start() const { return last_; }
    std::uint32_t next() {
        const std::uint64_t position = file_.position();
        const std::uint64_t offset = read();
        if (offset < last_) {
            fail(file_, position, table_,
                 "offset " + std::to_string(offset) + " is below the one before it, " +
                     std::to_string(last_));
        }
        const std::uint64_t length = offset - last_;
        if (length > std::numeric_limits<std::uint32_t>::max()) {
            fail(file_, position, table_, "bag of " + std::to_string(length) + " lookups");
        }
        last_ = offset;
        return static_cast<std::uint32_t>(length);
    }

  private:
    std::uint64_t read() {
        const std::uint64_t position = file_.position();
        const std::int64_t offset = file_.next();
        if (offset < 0) {
            fail(file_, position, table_, "offset " + std::to_string(offset) + " is negative");
        }
        return static_cast<std::uint64_t>(offset);
    }

    const EmbeddingTable& table_;
    NpyReader file_;
    std::uint64_t last_ = 0;
};

class NpyStream final : public IndexStream {
  public:
    NpyStream(const EmbeddingTable& table, std::uint32_t batch)
        : table_(table), indices_(table.indices.indices_path) {
        if (!table_.indices.offsets_path.empty()) {
            offsets_.emplace(table_, batch);
            seek(offsets_->start());
        } else {
            const std::uint64_t batches =
                table_.lookups == 0 ? 1 : indices_.size() / table_.lookups;
            if (batches == 0) {
                throw TraceError(indices_.path() + ": " + std::to_string(indices_.size()) +
                                 " indices, but a batch of table '" + table_.name + "' has " +
                                 std::to_string(table_.lookups) + " lookups");
            }
            seek(batch % batches * table_.lookups);
        }
    }

    std::uint32_t next_bag() override {
        if (offsets_) return offsets_->next();
        const std::uint64_t before = even_start(bag_);
        return static_cast<std::uint32_t>(even_start(++bag_) - before);
    }

    std::uint64_t next_row() override {
        const std::uint64_t position = indices_.position();
        if (position >= indices_.size()) {
            fail(indices_, position, table_, "the offsets ask for more indices than there are");
        }
        const std::int64_t index = indices_.next();
        if (index < 0 || static_cast<std::uint64_t>(index) >= table_.rows) {
            fail(indices_, position, table_,
                 "index " + std::to_string(index) + " is outside its " +
                     std::to_string(table_.rows) + " rows");
        }
        return static_cast<std::uint64_t>(index);
    }

  private:
    [[nodiscard]] std::uint64_t even_start(std::uint64_t bag) const {
        return mul_div_floor(bag, table_.lookups, table_.bags);
    }
    void seek(std::uint64_t element) {
        if (element > indices_.size()) {
            fail(indices_, element, table_, "the offsets begin beyond the last index");
        }
        indices_.seek(element);
    }

    const EmbeddingTable table_;
    NpyReader indices_;
    std::optional<Offsets> offsets_;
    std::uint64_t bag_ = 0;
};

}  // namespace

std::unique_ptr<IndexStream> open_npy_stream(const EmbeddingTable& table, std::uint32_t batch) {
    return std::make_unique<NpyStream>(table, batch);
}

std::uint64_t npy_lookups(const EmbeddingTable& table) {
    Offsets offsets(table, 0);
    std::uint64_t lookups = 0;
    for (std::uint32_t bag = 0; bag < table.bags; ++bag) lookups += offsets.next();
    return lookups;
}

}  // namespace diastole
