#include "workloads/lower/indexed_source.hpp"

#include <algorithm>
#include <numeric>

#include "model/base/random.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t transfers_per_block = 8;
constexpr std::uint64_t most_copy_bytes = 16 * 1024;

}  // namespace

struct IndexedSource::Buffers {
    CbPlan plan;
    std::uint64_t rows = 1, chunk = 1;
    std::uint8_t index = 0, data = 0, old = 0, out = 0, copy = 0;
};

// Local memory: indices of two blocks, rows of two transfers (two more of old rows and of sums when
// rows are added to), and two chunks of the copy.
IndexedSource::Buffers IndexedSource::lay_out(const IndexedRows& work, const ChipParams& chip) {
    const std::uint64_t memory = chip.local_memory.bytes;
    const std::uint64_t index =
        std::accumulate(work.index_bytes.begin(), work.index_bytes.end(), std::uint64_t{0});
    Buffers b{CbPlan(chip, work.user)};
    const std::uint64_t copy =
        work.before ? std::min<std::uint64_t>(most_copy_bytes, memory / 8) : 0;
    const std::uint64_t of_row =
        2 * transfers_per_block * index + (work.adds ? 6 : 2) * work.row_bytes;
    b.rows = std::clamp<std::uint64_t>((memory - 2 * copy) / of_row, 1, work.gather_rows);
    b.chunk = std::max<std::uint64_t>(copy, 1);
    if (index > 0) b.index = b.plan.add(2 * transfers_per_block * index * b.rows);
    b.data = b.plan.add(2 * work.row_bytes * b.rows);
    if (work.adds) {
        b.old = b.plan.add(2 * work.row_bytes * b.rows);
        b.out = b.plan.add(2 * work.row_bytes * b.rows);
    }
    if (copy > 0) b.copy = b.plan.add(2 * copy);
    return b;
}

IndexedSource::IndexedSource(const IndexedRows& work, const ChipParams& chip)
    : IndexedSource(work, chip, lay_out(work, chip)) {}

IndexedSource::IndexedSource(const IndexedRows& work, const ChipParams& chip,
                             const Buffers& buffers)
    : BufferedSource(pe_count(chip), buffers.plan),
      work_(work),
      grid_(chip.grid),
      pes_(pe_count(chip)),
      transfer_rows_(buffers.rows),
      blocks_(ceil_div(work.rows, buffers.rows * transfers_per_block)),
      chunk_bytes_(buffers.chunk),
      index_bytes_(
          std::accumulate(work.index_bytes.begin(), work.index_bytes.end(), std::uint64_t{0})),
      cb_index_(buffers.index),
      cb_rows_(buffers.data),
      cb_old_(buffers.old),
      cb_out_(buffers.out),
      cb_copy_(buffers.copy),
      cursors_(pe_count(chip)) {
    // Few rows: smaller blocks, so that more PEs take part.
    const std::uint64_t even = ceil_div(work.rows, pes_);
    if (blocks_ < pes_ && work.rows > 0) {
        transfer_rows_ =
            std::clamp<std::uint64_t>(ceil_div(even, transfers_per_block), 1, transfer_rows_);
        blocks_ = ceil_div(work.rows, transfer_rows_ * transfers_per_block);
    }
}

std::uint64_t IndexedSource::copy_chunks() const {
    return work_.before ? ceil_div(work_.table_bytes, chunk_bytes_) : 0;
}

bool IndexedSource::participates(std::uint32_t pe) const {
    return rank_of_pe(grid_, pe) < std::max(blocks_, copy_chunks());
}

Range IndexedSource::rows_of(std::uint64_t block) const {
    const std::uint64_t size = transfer_rows_ * transfers_per_block;
    return {std::min(block * size, work_.rows), std::min((block + 1) * size, work_.rows)};
}

bool IndexedSource::refill(std::uint32_t pe, CommandBuffer& buffer) {
    const std::uint64_t rank = rank_of_pe(grid_, pe);
    if (!participates(pe)) return false;
    Cursor& cursor = cursors_[rank];
    if (copy_table(rank, cursor, buffer)) return true;
    if (!cursor.passed) {
        cursor.passed = true;
        if (work_.before) {
            buffer.add(Unit::sync).payload = Barrier{};
            return true;
        }
    }
    if (rank + cursor.block * pes_ >= blocks_) return false;
    while (cursor.loaded <= cursor.block + 1) load_indices(rank, cursor, buffer);
    work_on(rows_of(rank + cursor.block * pes_), buffer);
    ++cursor.block;
    return true;
}

bool IndexedSource::copy_table(std::uint64_t rank, Cursor& cursor, CommandBuffer& buffer) const {
    const std::uint64_t chunk = rank + cursor.copied * pes_;
    if (chunk >= copy_chunks()) return false;
    ++cursor.copied;
    const std::uint64_t begin = chunk * chunk_bytes_;
    const std::uint64_t bytes = std::min(chunk_bytes_, work_.table_bytes - begin);
    const auto at = [&](Placement base) {
        return Block{{base.space, base.address + begin}, 1, bytes, bytes};
    };
    buffer.load(cb_copy_, at(*work_.before));
    buffer.store(cb_copy_, at(work_.table));
    return true;
}

void IndexedSource::load_indices(std::uint64_t rank, Cursor& cursor, CommandBuffer& buffer) const {
    const Range rows = rows_of(rank + cursor.loaded * pes_);
    ++cursor.loaded;
    if (rows.size() == 0) return;
    for (std::size_t i = 0; i < work_.indices.size(); ++i) {
        const std::uint64_t size = work_.index_bytes[i];
        const Placement base = work_.indices[i];
        buffer.load(cb_index_, {{base.space, base.address + rows.begin * size},
                                1,
                                rows.size() * size,
                                rows.size() * size});
    }
}

void IndexedSource::append_addresses(Range rows, Transfer& transfer) const {
    for (std::uint64_t row = rows.begin; row < rows.end; ++row) {
        Random random = Random(work_.seed).fork(row);
        transfer.row_addresses.push_back(work_.table.address +
                                         random.below(work_.table_rows) * work_.row_bytes);
    }
    transfer.access = AccessClass::sparse;
}

void IndexedSource::work_on(Range block, CommandBuffer& buffer) const {
    for (std::uint64_t begin = block.begin; begin < block.end; begin += transfer_rows_) {
        const Range rows{begin, std::min(begin + transfer_rows_, block.end)};
        const std::uint64_t bytes = rows.size() * work_.row_bytes;
        const std::uint64_t indices = rows.size() * index_bytes_;
        const Block dense{
            {work_.dense.space, work_.dense.address + begin * work_.row_bytes}, 1, bytes, bytes};
        if (!work_.scatter) {
            Command& gather = buffer.indexed(Unit::dma_in, work_.table.space, work_.row_bytes);
            append_addresses(rows, transfer_of(gather));
            if (indices > 0) consume(gather, cb_index_, indices);
            close_indexed(gather, cb_rows_);
            buffer.store(cb_rows_, dense);
            continue;
        }
        buffer.load(cb_rows_, dense);
        std::uint8_t ready = cb_rows_;
        if (work_.adds) {
            Command& old = buffer.indexed(Unit::dma_in, work_.table.space, work_.row_bytes);
            append_addresses(rows, transfer_of(old));
            close_indexed(old, cb_old_);
            const auto share_of = [&](std::uint64_t total) {
                return share(total, rows.end, work_.rows) - share(total, rows.begin, work_.rows);
            };
            const std::uint64_t flops = share_of(work_.flops);
            Command& add = buffer.add(work_.engine.unit);
            add.payload = ElementOps{flops * work_.engine.multiple, flops, work_.engine.type};
            consume(add, cb_rows_, bytes);
            consume(add, cb_old_, bytes);
            produce(add, cb_out_, bytes);
            ready = cb_out_;
        }
        Command& scatter = buffer.indexed(Unit::dma_out, work_.table.space, work_.row_bytes);
        append_addresses(rows, transfer_of(scatter));
        close_indexed(scatter, ready);
        if (indices > 0) consume(scatter, cb_index_, indices);
    }
}

}  // namespace diastole
