// The built-in address patterns. Each is a sequence of blocks, read or written in turn as the ratio
// says, and each block a sequence of atoms.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "model/base/error.hpp"
#include "model/base/math.hpp"
#include "model/base/random.hpp"
#include "tb/dram_traffic.hpp"

namespace diastole {
namespace {

// Draws ranks from 0 with weight (rank + 1)^-s by inversion of the cumulative weights, as the
// reference runs did. A guide table starts each search near its end.
class ZipfRanks {
  public:
    ZipfRanks(std::uint64_t ranks, double s) : cumulative_(ranks), guide_(guides + 1) {
        double sum = 0;
        for (std::uint64_t k = 0; k < ranks; ++k) {
            sum += s == 0 ? 1 : math::pow(static_cast<double>(k + 1), -s);
            cumulative_[k] = sum;
        }
        std::uint64_t rank = 0;
        for (std::size_t i = 0; i <= guides; ++i) {
            const double from = static_cast<double>(i) / guides * sum;
            while (rank + 1 < ranks && cumulative_[rank] < from) ++rank;
            guide_[i] = static_cast<std::uint32_t>(rank);
        }
    }

    [[nodiscard]] std::uint64_t rank(double u) const {
        const auto piece = static_cast<std::size_t>(u * guides);
        const auto begin = cumulative_.begin() + guide_[piece];
        const auto end = cumulative_.begin() + guide_[piece + 1];
        return static_cast<std::uint64_t>(std::lower_bound(begin, end, u * cumulative_.back()) -
                                          cumulative_.begin());
    }

  private:
    static constexpr std::size_t guides = 1 << 16;
    std::vector<double> cumulative_;
    std::vector<std::uint32_t> guide_;
};

// `Blocks`: std::uint64_t next(bool is_write), the address of the next block.
template <class Blocks>
class Pattern final : public DramTraffic {
  public:
    Pattern(const DramPattern& pattern, const DramSpace& space, Blocks blocks)
        : blocks_(std::move(blocks)),
          requests_(pattern.requests),
          step_(pattern.offer == DramOffer::block
                    ? static_cast<std::uint32_t>(pattern.block_bytes / space.atom_bytes)
                    : 1),
          block_steps_(static_cast<std::uint32_t>(pattern.block_bytes / space.atom_bytes / step_)),
          step_bytes_(std::uint64_t{step_} * space.atom_bytes),
          reads_(pattern.reads),
          turn_(pattern.reads + pattern.writes) {}

    std::size_t read(DramAccess* out, std::size_t capacity) override {
        std::size_t count = 0;
        while (count < capacity && done_ < requests_) {
            if (left_ == 0) next_block();
            const std::uint64_t steps = std::min<std::uint64_t>(left_, capacity - count);
            for (std::uint64_t i = 0; i < steps; ++i) {
                out[count++] = {address_, 0, step_, is_write_};
                address_ += step_bytes_;
            }
            left_ -= static_cast<std::uint32_t>(steps);
            done_ += steps * step_;
        }
        if (done_ > requests_) {  // the last block is cut short
            const std::uint64_t above = (done_ - requests_) / step_;
            count -= above;
            out[count - 1].atoms -= static_cast<std::uint32_t>((done_ - requests_) % step_);
            done_ = requests_;
        }
        return count;
    }
    [[nodiscard]] double progress() const override {
        return static_cast<double>(done_) / static_cast<double>(requests_);
    }

  private:
    void next_block() {
        is_write_ = place_ >= reads_;
        if (++place_ == turn_) place_ = 0;
        address_ = blocks_.next(is_write_);
        left_ = block_steps_;
    }

    Blocks blocks_;
    std::uint64_t requests_, done_ = 0;
    std::uint32_t step_, block_steps_;  // a step is what is offered as one: an atom or a block
    std::uint64_t step_bytes_;
    std::uint64_t reads_, turn_, place_ = 0;
    std::uint64_t address_ = 0;
    std::uint32_t left_ = 0;  // steps of the present block
    bool is_write_ = false;
};

// Reads alone, or writes alone, walk through all of the memory; of both, reads walk through its
// lower half and writes through its upper one.
class Sequential {
  public:
    Sequential(const DramPattern& p, const DramSpace& space) : block_(p.block_bytes) {
        const bool both = p.reads > 0 && p.writes > 0;
        const std::uint64_t part = both ? space.capacity / 2 : space.capacity;
        end_ = part / block_ * block_;
        writes_from_ = both ? space.capacity / 2 / block_ * block_ : 0;
    }
    std::uint64_t next(bool is_write) {
        std::uint64_t& at = at_[is_write ? 1 : 0];
        const std::uint64_t address = at + (is_write ? writes_from_ : 0);
        at += block_;
        if (at == end_) at = 0;
        return address;
    }

  private:
    std::uint64_t block_, end_, writes_from_;
    std::uint64_t at_[2] = {0, 0};
};

class RandomBlocks {
  public:
    RandomBlocks(const DramPattern& p, const DramSpace& space)
        : block_(p.block_bytes), blocks_(space.capacity / p.block_bytes), random_(p.seed) {}
    std::uint64_t next(bool) { return random_.next() % blocks_ * block_; }

  private:
    std::uint64_t block_, blocks_;
    Random random_;
};

// Rows of a table, popular ones spread over it by a multiplicative hash.
class Embedding {
  public:
    explicit Embedding(const DramPattern& p)
        : ranks_(p.rows, p.zipf), rows_(p.rows), block_(p.block_bytes), random_(p.seed) {}
    std::uint64_t next(bool) {
        constexpr std::uint64_t hash = 2654435761, offset = 12345;
        return (ranks_.rank(random_.unit()) * hash + offset) % rows_ * block_;
    }

  private:
    ZipfRanks ranks_;
    std::uint64_t rows_, block_;
    Random random_;
};

class Stride {
  public:
    Stride(const DramPattern& p, const DramSpace& space)
        : step_(p.stride_bytes % space.capacity),
          capacity_(space.capacity),
          block_(p.block_bytes) {}
    std::uint64_t next(bool) {
        const std::uint64_t address = at_;
        at_ = at_ + step_ >= capacity_ ? at_ + step_ - capacity_ : at_ + step_;
        return std::min(address, capacity_ - block_);  // a block never wraps around the end
    }

  private:
    std::uint64_t step_, capacity_, block_, at_ = 0;
};

// Sequential streams that start evenly spread over the memory and take turns, a block each.
class Streams {
  public:
    Streams(const DramPattern& p, const DramSpace& space)
        : block_(p.block_bytes),
          count_(p.streams),
          part_(space.capacity / p.streams / p.block_bytes * p.block_bytes) {}
    std::uint64_t next(bool) {
        const std::uint64_t address = stream_ * part_ + at_;
        if (++stream_ == count_) {
            stream_ = 0;
            at_ += block_;
            if (at_ == part_) at_ = 0;
        }
        return address;
    }

  private:
    std::uint64_t block_, count_, part_, stream_ = 0, at_ = 0;
};

void require(bool good, const char* option, const std::string& problem) {
    if (!good) throw ConfigError(fmt::format("{}: {}", option, problem));
}

void check(const DramPattern& p, const DramSpace& space) {
    constexpr std::uint64_t most_turns = 1'000'000, most_rows = std::uint64_t{1} << 24;
    constexpr double steepest = 20;
    const std::uint64_t atom = space.atom_bytes, capacity = space.capacity;
    const bool rows = p.kind == DramPatternKind::embedding;
    const char* block = rows ? "--row-bytes" : "--block";
    require(p.requests > 0, "--requests", "expected at least 1, got 0");
    require(p.reads + p.writes > 0 && p.reads <= most_turns && p.writes <= most_turns, "--ratio",
            fmt::format("expected reads:writes from 0 to {}, not both 0, got {}:{}", most_turns,
                        p.reads, p.writes));
    const bool both = p.kind == DramPatternKind::sequential && p.reads > 0 && p.writes > 0;
    require(
        p.block_bytes > 0 && p.block_bytes % atom == 0, block,
        fmt::format("expected a multiple of the atom of {} bytes, got {}", atom, p.block_bytes));
    require(p.block_bytes <= capacity / (both ? 2 : 1), block,
            fmt::format("expected at most {}, got {}", capacity / (both ? 2 : 1), p.block_bytes));
    if (p.kind == DramPatternKind::stride) {
        require(p.stride_bytes > 0 && p.stride_bytes % atom == 0, "--stride",
                fmt::format("expected a multiple of the atom of {} bytes, got {}", atom,
                            p.stride_bytes));
        require(p.stride_bytes < capacity, "--stride",
                fmt::format("expected less than the memory's {} bytes, got {}", capacity,
                            p.stride_bytes));
    }
    if (p.kind == DramPatternKind::streams) {
        require(p.streams > 0 && p.streams <= capacity / p.block_bytes, "--streams",
                fmt::format("expected 1 to {}, so that each has a block, got {}",
                            capacity / p.block_bytes, p.streams));
    }
    if (rows) {
        const std::uint64_t most = std::min(most_rows, capacity / p.block_bytes);
        require(
            p.rows > 0 && p.rows <= most, "--rows",
            fmt::format("expected 1 to {} rows of {} bytes, got {}", most, p.block_bytes, p.rows));
        require(p.zipf >= 0 && p.zipf <= steepest, "--zipf",
                fmt::format("expected 0 to {}, got {}", steepest, p.zipf));
    }
}

template <class Blocks>
std::unique_ptr<DramTraffic> make(const DramPattern& p, const DramSpace& space, Blocks blocks) {
    return std::make_unique<Pattern<Blocks>>(p, space, std::move(blocks));
}

}  // namespace

std::unique_ptr<DramTraffic> make_pattern(const DramPattern& p, const DramSpace& space) {
    check(p, space);
    switch (p.kind) {
        case DramPatternKind::sequential:
            return make(p, space, Sequential(p, space));
        case DramPatternKind::random:
            return make(p, space, RandomBlocks(p, space));
        case DramPatternKind::embedding:
            return make(p, space, Embedding(p));
        case DramPatternKind::stride:
            return make(p, space, Stride(p, space));
        case DramPatternKind::streams:
            return make(p, space, Streams(p, space));
    }
    throw ModelError("an address pattern of no kind");
}

}  // namespace diastole
