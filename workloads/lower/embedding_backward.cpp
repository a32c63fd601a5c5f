// The backward pass of embedding bags, fused with row-wise Adagrad. First every PE sorts its share
// of the indices and writes (row, bag) pairs back; after a barrier every PE takes a run of distinct
// rows, gathers and accumulates the gradients of their bags, and reads, updates and writes each row
// and its fp32 moment once.
#include <algorithm>
#include <utility>

#include "model/base/error.hpp"
#include "workloads/lower/embedding_forward.hpp"
#include "workloads/lower/grid.hpp"
#include "workloads/lower/kernels.hpp"
#include "workloads/lower/sorted_lookups.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t moment_bytes = 4, sum_bytes = 4;  // fp32
constexpr std::uint64_t most_sorted = 2048;               // keys of one sort command
constexpr std::uint64_t gathers_per_block = 8;            // whose pairs are loaded together
constexpr std::uint64_t rotation = 7;                     // small tables start on different PEs

struct TableInfo {
    Placement rows, moments;
    std::uint64_t row_bytes = 0, dim = 0, first_lookup = 0;
    PooledRows gradient;
};

struct Setup {
    std::vector<TableInfo> tables;
    Placement indices, offsets, weights, pairs;
    std::uint64_t index_bytes = 8, offset_bytes = 8, weight_bytes = 0, pair_bytes = 8;
    std::uint64_t lookups = 0, bags = 0;
    Engine engine;
    std::uint64_t gather_rows = 64, sort_keys = most_sorted;
    std::uint8_t cb_index = 0, cb_offset = 0, cb_weight = 0, cb_sorted = 0, cb_pairs = 0,
                 cb_gradient = 0, cb_sums = 0, cb_rows = 0, cb_moments = 0, cb_rows_out = 0;
};

class EmbeddingBackward final : public BufferedSource {
  public:
    EmbeddingBackward(Setup setup, const LowerContext& context, const Operator& op,
                      const CbPlan& buffers)
        : BufferedSource(pe_count(context.chip), buffers),
          setup_(std::move(setup)),
          pes_(pe_count(context.chip)),
          sorted_(op.attrs.tables, context.streams, context.batch),
          cursors_(pe_count(context.chip)) {}

    [[nodiscard]] bool participates(std::uint32_t) const override { return true; }

  protected:
    bool refill(std::uint32_t pe, CommandBuffer& buffer) override {
        Cursor& cursor = cursors_[pe];
        if (sort_share(pe, cursor, buffer)) return true;
        if (!cursor.passed) {
            buffer.add(Unit::sync).payload = Barrier{};
            cursor.passed = true;
            return true;
        }
        if (cursor.at == cursor.end && !next_part(pe, cursor)) return false;
        if (cursor.at < cursor.end) update_rows(cursor, buffer);
        return true;
    }

  private:
    struct Cursor {
        std::uint64_t sorted = 0;  // lookups of the PE's share
        bool passed = false;       // the barrier
        std::uint32_t table = 0;   // after the one being worked on
        std::uint64_t part = 0;    // next
        std::uint32_t in_table = 0;
        std::shared_ptr<const SortedPart> lookups;
        std::uint64_t at = 0, end = 0, loaded = 0;
    };

    bool sort_share(std::uint32_t pe, Cursor& cursor, CommandBuffer& buffer) const;
    bool next_part(std::uint32_t pe, Cursor& cursor);
    void load_pairs(Cursor& cursor, CommandBuffer& buffer) const;
    void update_rows(Cursor& cursor, CommandBuffer& buffer) const;
    void apply(const TableInfo& table, const std::vector<std::uint64_t>& rows,
               CommandBuffer& buffer) const;

    Setup setup_;
    std::uint64_t pes_;
    SortedLookups sorted_;
    std::vector<Cursor> cursors_;
};

Block dense(Placement base, std::uint64_t first, std::uint64_t count, std::uint64_t size) {
    return {{base.space, base.address + first * size}, 1, count * size, count * size};
}

bool EmbeddingBackward::sort_share(std::uint32_t pe, Cursor& cursor, CommandBuffer& buffer) const {
    const Setup& s = setup_;
    const Range mine = part(s.lookups, pe, pes_);
    if (cursor.sorted == mine.size()) return false;
    const std::uint64_t first = mine.begin + cursor.sorted;
    const std::uint64_t keys = std::min(s.sort_keys, mine.end - first);
    cursor.sorted += keys;
    // The bags of these lookups: in proportion; which bag a lookup is in, its offset tells.
    const Range bags{share(s.bags, first, s.lookups), share(s.bags, first + keys, s.lookups)};
    buffer.load(s.cb_index, dense(s.indices, first, keys, s.index_bytes));
    if (s.weight_bytes > 0) {
        buffer.load(s.cb_weight, dense(s.weights, first, keys, s.weight_bytes));
    }
    for (std::uint64_t bag = bags.begin; bag < bags.end; bag += s.sort_keys) {
        const std::uint64_t count = std::min(s.sort_keys, bags.end - bag);
        buffer.load(s.cb_offset, dense(s.offsets, bag, count, s.offset_bytes));
        Command& expand = buffer.add(s.engine.unit);  // offsets -> the bag of each lookup
        expand.payload = ElementOps{count * s.engine.multiple, 0, s.engine.type};
        consume(expand, s.cb_offset, count * s.offset_bytes);
    }
    Command& sort = buffer.add(Unit::vector);
    sort.payload = Sort{keys, static_cast<std::uint32_t>(8 * s.index_bytes)};
    consume(sort, s.cb_index, keys * s.index_bytes);
    if (s.weight_bytes > 0) consume(sort, s.cb_weight, keys * s.weight_bytes);
    produce(sort, s.cb_sorted, keys * s.pair_bytes);
    buffer.store(s.cb_sorted, dense(s.pairs, first, keys, s.pair_bytes));
    return true;
}

// Advances to the next part of any table; its share of this PE may be empty.
bool EmbeddingBackward::next_part(std::uint32_t pe, Cursor& cursor) {
    if (cursor.table == setup_.tables.size()) {
        cursor.lookups.reset();
        return false;
    }
    cursor.in_table = cursor.table;
    cursor.lookups = sorted_.part_of(cursor.table, cursor.part);
    const Range mine = cursor.lookups->share_of((pe + cursor.table * rotation) % pes_, pes_);
    cursor.at = cursor.loaded = mine.begin;
    cursor.end = mine.end;
    if (++cursor.part == sorted_.parts(cursor.table)) {
        cursor.part = 0;
        ++cursor.table;
    }
    return true;
}

void EmbeddingBackward::load_pairs(Cursor& cursor, CommandBuffer& buffer) const {
    const std::uint64_t block = setup_.gather_rows * gathers_per_block;
    while (cursor.loaded < cursor.end && cursor.loaded < cursor.at + block) {
        const std::uint64_t count = std::min(block, cursor.end - cursor.loaded);
        const std::uint64_t first =
            setup_.tables[cursor.in_table].first_lookup + cursor.lookups->first + cursor.loaded;
        buffer.load(setup_.cb_pairs, dense(setup_.pairs, first, count, setup_.pair_bytes));
        cursor.loaded += count;
    }
}

// Gradients of up to gather_rows lookups; the rows whose last lookup is among them are updated.
void EmbeddingBackward::update_rows(Cursor& cursor, CommandBuffer& buffer) const {
    const Setup& s = setup_;
    const TableInfo& table = s.tables[cursor.in_table];
    load_pairs(cursor, buffer);
    const std::uint64_t until = std::min(cursor.at + s.gather_rows, cursor.end);
    const std::vector<Lookup>& lookups = cursor.lookups->lookups;
    const std::uint64_t count = until - cursor.at;

    Command& gather =
        buffer.indexed(Unit::dma_in, table.gradient.at.space, table.gradient.row_bytes);
    Transfer& transfer = transfer_of(gather);
    std::vector<std::uint64_t> finished;
    std::uint64_t instructions = 0, run = 0;
    for (std::uint64_t i = cursor.at; i < until; ++i) {
        transfer.row_addresses.push_back(table.gradient.at.address +
                                         lookups[i].bag * table.gradient.pitch);
        ++run;
        const bool ends = i + 1 == cursor.end || lookups[i + 1].row != lookups[i].row;
        if (ends) finished.push_back(lookups[i].row);
        if (ends || i + 1 == until) {
            instructions += ceil_div(run, s.engine.accumulate_rows);
            run = 0;
        }
    }
    consume(gather, s.cb_pairs, count * s.pair_bytes);
    close_indexed(gather, s.cb_gradient);

    const std::uint64_t flops = count * table.dim * (s.weight_bytes > 0 ? 2 : 1);
    Command& add = buffer.add(s.engine.unit);
    add.instructions = static_cast<std::uint32_t>(instructions);
    add.payload = ElementOps{flops * s.engine.multiple, flops, s.engine.type};
    consume(add, s.cb_gradient, count * table.gradient.row_bytes);
    if (!finished.empty()) {
        produce(add, s.cb_sums, finished.size() * table.dim * sum_bytes);
        apply(table, finished, buffer);
    }
    cursor.at = until;
}

void EmbeddingBackward::apply(const TableInfo& table, const std::vector<std::uint64_t>& rows,
                              CommandBuffer& buffer) const {
    const Setup& s = setup_;
    const auto access = [&](Unit unit, Placement base, std::uint64_t bytes, std::uint8_t cb) {
        Command& command = buffer.indexed(unit, base.space, bytes);
        Transfer& transfer = transfer_of(command);
        transfer.access = AccessClass::sparse;
        for (const std::uint64_t row : rows) {
            transfer.row_addresses.push_back(base.address + row * bytes);
        }
        close_indexed(command, cb);
    };
    const std::uint64_t count = rows.size();
    access(Unit::dma_in, table.rows, table.row_bytes, s.cb_rows);
    access(Unit::dma_in, table.moments, moment_bytes, s.cb_moments);
    // Mean square of the gradient, root, division and step: see work_of.
    const std::uint64_t flops = count * (4 * table.dim + 4);
    const std::uint64_t roots = count * 2 * (s.engine.transcendental_ops - 1);
    Command& update = buffer.add(s.engine.unit);
    update.instructions = static_cast<std::uint32_t>(count);
    update.payload = ElementOps{(flops + roots) * s.engine.multiple, flops, s.engine.type};
    consume(update, s.cb_sums, count * table.dim * sum_bytes);
    consume(update, s.cb_rows, count * table.row_bytes);
    consume(update, s.cb_moments, count * moment_bytes);
    produce(update, s.cb_rows_out, count * (table.row_bytes + moment_bytes));
    access(Unit::dma_out, table.rows, table.row_bytes, s.cb_rows_out);
    access(Unit::dma_out, table.moments, moment_bytes, s.cb_rows_out);
}

CbPlan lay_out(const LowerContext& context, const std::string& user, Setup& s) {
    std::uint64_t row = 1, gradient = 1, sums = 1;
    for (const TableInfo& table : s.tables) {
        row = std::max(row, table.row_bytes);
        gradient = std::max(gradient, table.gradient.row_bytes);
        sums = std::max(sums, table.dim * sum_bytes);
    }
    const std::uint64_t memory = context.chip.local_memory.bytes;
    const std::uint64_t of_key =
        2 * (s.index_bytes + s.offset_bytes + s.weight_bytes + s.pair_bytes);
    s.sort_keys = std::clamp<std::uint64_t>(memory / 4 / of_key, 1, most_sorted);
    const std::uint64_t of_row =
        4 * gradient + 2 * sums + 4 * (row + moment_bytes) + 2 * gathers_per_block * s.pair_bytes;
    s.gather_rows = std::clamp<std::uint64_t>(memory / 4 * 3 / of_row, 1,
                                              std::max(1U, context.params.gather_rows));
    CbPlan plan(context.chip, user);
    s.cb_index = plan.add(2 * s.sort_keys * s.index_bytes);
    s.cb_offset = plan.add(2 * s.sort_keys * s.offset_bytes);
    if (s.weight_bytes > 0) s.cb_weight = plan.add(2 * s.sort_keys * s.weight_bytes);
    s.cb_sorted = plan.add(2 * s.sort_keys * s.pair_bytes);
    s.cb_pairs = plan.add(2 * gathers_per_block * s.gather_rows * s.pair_bytes);
    s.cb_gradient = plan.add(4 * s.gather_rows * gradient);
    s.cb_sums = plan.add(2 * s.gather_rows * sums);
    s.cb_rows = plan.add(2 * s.gather_rows * row);
    s.cb_moments = plan.add(2 * s.gather_rows * moment_bytes);
    s.cb_rows_out = plan.add(2 * s.gather_rows * (row + moment_bytes));
    return plan;
}

}  // namespace

std::unique_ptr<CommandSource> lower_embedding_backward(const LowerContext& context,
                                                        const Operator& op, std::string& note) {
    const std::string user = describe_operator(op);
    const EmbeddingOperands found = embedding_operands(context.graph, op);
    if (!found.gradient.found()) throw ConfigError(user + ": expected the gradient as input 0");
    Setup setup;
    setup.lookups = total_lookups(op);
    setup.bags = total_bags(op);
    if (setup.lookups == 0) {
        note = "no lookups: nothing to do";
        return nullptr;
    }
    const Placement scratch = context.memory.scratch();
    const auto place = [&](const OperandRef& ref, std::uint64_t offset) {
        if (ref.found()) return context.memory.input(op, static_cast<std::size_t>(ref.input));
        return Placement{scratch.space, scratch.address + offset};
    };
    setup.indices = place(found.indices, 0);
    setup.weights = place(found.weights, setup.lookups * 8);
    setup.pairs = {scratch.space, scratch.address + setup.lookups * 16};
    setup.offsets = place(found.offsets, setup.lookups * 28);
    setup.index_bytes = found.index_bytes;
    setup.offset_bytes = found.offset_bytes;
    setup.weight_bytes = op.attrs.weighted ? found.weight_bytes : 0;
    setup.pair_bytes = op.attrs.weighted ? 12 : 8;
    setup.engine = pick_engine(context.chip, DType::fp32, user);
    const std::vector<PooledRows> gradients =
        pooled_rows(context, op, {op.inputs[0]}, {context.memory.input(op, 0)});
    std::uint64_t first = 0;
    for (std::size_t t = 0; t < op.attrs.tables.size(); ++t) {
        const EmbeddingTable& table = op.attrs.tables[t];
        setup.tables.push_back({context.memory.table(op, t), context.memory.moment(op, t),
                                table.dim * size_of(table.type), table.dim, first, gradients[t]});
        first += table.lookups;
    }
    const CbPlan plan = lay_out(context, user, setup);
    note = "sorted shares, distinct rows over PEs, gathers of " +
           std::to_string(setup.gather_rows) + " rows";
    return std::make_unique<EmbeddingBackward>(std::move(setup), context, op, plan);
}

}  // namespace diastole
