#include "workloads/lower/embedding_forward.hpp"

#include <algorithm>
#include <utility>

#include "workloads/lower/grid.hpp"
#include "workloads/lower/kernels.hpp"

namespace diastole {
namespace {

// Indexed transfers whose indices are loaded together, one such block ahead of its use: far enough
// for the indices to arrive before the DMA engine needs them.
constexpr std::uint64_t gathers_per_block = 8;
constexpr std::uint64_t gathers_ahead = 4;  // in local memory at a time

struct TableInfo {
    Placement at;
    std::uint64_t row_bytes = 0;
    Engine engine;
    PooledRows pooled;
    std::uint64_t first_lookup = 0, first_bag = 0;  // of all tables before
};

struct Plan {
    std::uint64_t gather_rows = 64;  // of one transfer
    std::uint8_t indices = 0, offsets = 0, weights = 0, rows = 0, pooled = 0;
};

struct Operands {
    Placement indices, offsets, weights;
    std::uint64_t index_bytes, offset_bytes, weight_bytes;
    bool weighted;
};

// Lookups of one table, read from its stream and waiting to be issued.
struct BagBlock {
    struct Segment {
        std::uint32_t rows;
        bool ends_bag;
    };
    std::size_t run = 0;
    std::uint64_t first_lookup = 0;  // within the table
    std::uint64_t first_bag = 0;     // that ends in this block
    std::uint64_t bags = 0;          // that end in it
    std::vector<std::uint64_t> rows;
    std::vector<Segment> segments;

    void restart(std::size_t of_run) {
        run = of_run;
        bags = 0;
        rows.clear();
        segments.clear();
    }
};

class EmbeddingForward final : public BufferedSource {
  public:
    EmbeddingForward(const LowerContext& context, const Operator& op, std::vector<TableInfo> info,
                     const Operands& operands, const Plan& plan, const CbPlan& buffers)
        : BufferedSource(pe_count(context.chip), buffers),
          tables_(op.attrs.tables),
          info_(std::move(info)),
          operands_(operands),
          plan_(plan),
          streams_(&context.streams),
          batch_(context.batch),
          runs_(divide_bags(tables_, pe_count(context.chip))),
          cursors_(pe_count(context.chip)) {}

    [[nodiscard]] bool participates(std::uint32_t pe) const override { return !runs_[pe].empty(); }

  protected:
    // Reads one block ahead: its indices are on their way while the block before it is gathered.
    bool refill(std::uint32_t pe, CommandBuffer& buffer) override {
        Cursor& cursor = cursors_[pe];
        std::swap(cursor.ready, cursor.ahead);
        const bool more = read_block(runs_[pe], cursor, cursor.ahead);
        if (more) load_block(runs_[pe], cursor.ahead, buffer);
        if (!cursor.ready.segments.empty()) issue_block(runs_[pe], cursor.ready, buffer);
        return more || !cursor.ready.segments.empty();
    }

  private:
    struct Cursor {
        std::size_t run = 0;
        std::unique_ptr<IndexStream> stream;
        std::uint64_t bag = 0;   // next to begin
        std::uint32_t left = 0;  // lookups of the begun bag
        bool in_bag = false;
        std::uint64_t lookup = 0;  // next, within the table
        BagBlock ready, ahead;
    };

    bool read_block(const std::vector<BagRun>& runs, Cursor& cursor, BagBlock& block) const;
    void load_block(const std::vector<BagRun>& runs, const BagBlock& block,
                    CommandBuffer& buffer) const;
    void issue_block(const std::vector<BagRun>& runs, const BagBlock& block,
                     CommandBuffer& buffer) const;
    void accumulate(const TableInfo& info, std::uint32_t dim, std::uint64_t rows,
                    std::uint64_t bags, std::uint64_t out_bytes, std::uint64_t instructions,
                    CommandBuffer& buffer) const;

    std::vector<EmbeddingTable> tables_;
    std::vector<TableInfo> info_;
    Operands operands_;
    Plan plan_;
    const IndexStreams* streams_;
    std::uint32_t batch_;
    std::vector<std::vector<BagRun>> runs_;
    std::vector<Cursor> cursors_;
};

bool EmbeddingForward::read_block(const std::vector<BagRun>& runs, Cursor& cursor,
                                  BagBlock& block) const {
    block.restart(cursor.run);
    if (cursor.run == runs.size()) return false;
    const BagRun& run = runs[cursor.run];
    if (!cursor.stream) {
        cursor.stream = streams_->open(tables_[run.table], run.table, batch_);
        cursor.lookup = cursor.stream->skip_bags(static_cast<std::uint32_t>(run.begin));
        cursor.bag = run.begin;
    }
    const std::uint64_t most = plan_.gather_rows * gathers_per_block;
    block.first_lookup = cursor.lookup;
    block.first_bag = cursor.in_bag ? cursor.bag - 1 : cursor.bag;
    while (block.rows.size() < most && block.segments.size() < most) {
        if (!cursor.in_bag) {
            if (cursor.bag == run.end) break;
            cursor.left = cursor.stream->next_bag();
            ++cursor.bag;
            cursor.in_bag = true;
        }
        const auto take = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(cursor.left, most - block.rows.size()));
        for (std::uint32_t i = 0; i < take; ++i) block.rows.push_back(cursor.stream->next_row());
        cursor.left -= take;
        cursor.in_bag = cursor.left > 0;
        block.segments.push_back({take, !cursor.in_bag});
        if (!cursor.in_bag) ++block.bags;
    }
    cursor.lookup += block.rows.size();
    if (!cursor.in_bag && cursor.bag == run.end) {
        cursor.stream.reset();
        ++cursor.run;
    }
    return !block.segments.empty();
}

void EmbeddingForward::load_block(const std::vector<BagRun>& runs, const BagBlock& block,
                                  CommandBuffer& buffer) const {
    const std::uint32_t table = runs[block.run].table;
    const TableInfo& info = info_[table];
    const auto load = [&](std::uint8_t cb, Placement base, std::uint64_t first, std::uint64_t count,
                          std::uint64_t size) {
        if (count == 0) return;
        base.address += first * size;
        buffer.load(cb, {base, 1, count * size, count * size});
    };
    const std::uint64_t lookup = info.first_lookup + block.first_lookup;
    load(plan_.indices, operands_.indices, lookup, block.rows.size(), operands_.index_bytes);
    if (operands_.weighted) {
        load(plan_.weights, operands_.weights, lookup, block.rows.size(), operands_.weight_bytes);
    }
    load(plan_.offsets, operands_.offsets, info.first_bag + block.first_bag, block.bags,
         operands_.offset_bytes);
}

// Cuts a block into transfers of at most gather_rows rows and as many finished bags.
void EmbeddingForward::issue_block(const std::vector<BagRun>& runs, const BagBlock& block,
                                   CommandBuffer& buffer) const {
    const std::uint32_t table = runs[block.run].table;
    const TableInfo& info = info_[table];
    std::uint64_t row = 0, bag = block.first_bag;
    std::size_t segment = 0;
    std::uint32_t used = 0;  // rows of the segment already issued
    while (segment < block.segments.size()) {
        std::uint64_t rows = 0, bags = 0, instructions = 0;
        while (segment < block.segments.size() && rows < plan_.gather_rows &&
               bags < plan_.gather_rows) {
            const BagBlock::Segment& s = block.segments[segment];
            const auto take = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(s.rows - used, plan_.gather_rows - rows));
            rows += take;
            instructions += std::max<std::uint64_t>(1, ceil_div(take, info.engine.accumulate_rows));
            used += take;
            if (used < s.rows) break;
            if (s.ends_bag) ++bags;
            ++segment;
            used = 0;
        }
        if (rows > 0) {
            Command& gather = buffer.indexed(Unit::dma_in, info.at.space, info.row_bytes);
            Transfer& transfer = transfer_of(gather);
            transfer.access = AccessClass::sparse;
            transfer.lookups = true;
            for (std::uint64_t i = 0; i < rows; ++i) {
                transfer.row_addresses.push_back(info.at.address +
                                                 block.rows[row + i] * info.row_bytes);
            }
            consume(gather, plan_.indices, rows * operands_.index_bytes);
            close_indexed(gather, plan_.rows);
        }
        const Block out = info.pooled.block(bag, bags);
        accumulate(info, tables_[table].dim, rows, bags, size_of(out), instructions, buffer);
        if (size_of(out) > 0) buffer.store(plan_.pooled, out);
        row += rows;
        bag += bags;
    }
}

void EmbeddingForward::accumulate(const TableInfo& info, std::uint32_t dim, std::uint64_t rows,
                                  std::uint64_t bags, std::uint64_t out_bytes,
                                  std::uint64_t instructions, CommandBuffer& buffer) const {
    const std::uint64_t flops = rows * dim * (operands_.weighted ? 2 : 1);
    Command& command = buffer.add(info.engine.unit);
    command.instructions = static_cast<std::uint32_t>(instructions);
    command.payload = ElementOps{flops * info.engine.multiple, flops, info.engine.type};
    if (rows > 0) consume(command, plan_.rows, rows * info.row_bytes);
    if (rows > 0 && operands_.weighted) {
        consume(command, plan_.weights, rows * operands_.weight_bytes);
    }
    if (bags > 0) consume(command, plan_.offsets, bags * operands_.offset_bytes);
    if (out_bytes > 0) produce(command, plan_.pooled, out_bytes);
}

// As many rows in a transfer as asked for, fewer where local memory is small.
CbPlan lay_out(const LowerContext& context, const std::vector<TableInfo>& tables,
               const Operands& operands, const std::string& user, Plan& plan) {
    std::uint64_t row = 1, pooled = 1;
    for (const TableInfo& table : tables) {
        row = std::max(row, table.row_bytes);
        pooled = std::max(pooled, table.pooled.row_bytes);
    }
    const std::uint64_t weight = operands.weighted ? operands.weight_bytes : 0;
    const std::uint64_t of_block =
        2 * gathers_per_block * (operands.index_bytes + operands.offset_bytes + weight);
    const std::uint64_t of_row = gathers_ahead * row + 2 * pooled + of_block;
    plan.gather_rows = std::clamp<std::uint64_t>(context.chip.local_memory.bytes / of_row, 1,
                                                 std::max(1U, context.params.gather_rows));
    CbPlan buffers(context.chip, user);
    const std::uint64_t block = 2 * gathers_per_block * plan.gather_rows;
    plan.indices = buffers.add(block * operands.index_bytes);
    plan.offsets = buffers.add(block * operands.offset_bytes);
    if (operands.weighted) plan.weights = buffers.add(block * operands.weight_bytes);
    plan.rows = buffers.add(gathers_ahead * plan.gather_rows * row);
    plan.pooled = buffers.add(2 * plan.gather_rows * pooled);
    return buffers;
}

}  // namespace

std::vector<std::vector<BagRun>> divide_bags(const std::vector<EmbeddingTable>& tables,
                                             std::uint32_t pes) {
    std::uint64_t total = 0;
    for (const EmbeddingTable& table : tables) total += table.lookups + table.bags;
    std::vector<std::vector<BagRun>> runs(pes);
    std::uint64_t before = 0;  // weight of earlier tables
    for (std::uint32_t t = 0; t < tables.size(); ++t) {
        const EmbeddingTable& table = tables[t];
        const std::uint64_t weight = table.lookups + table.bags;
        std::uint64_t begin = 0;
        for (std::uint32_t pe = 0; pe < pes && begin < table.bags; ++pe) {
            const std::uint64_t until = share(total, pe + 1, pes);
            if (until <= before && pe + 1 < pes) continue;
            const bool rest = until >= before + weight || pe + 1 == pes;
            const std::uint64_t end =
                rest ? table.bags : mul_div_floor(until - before, table.bags, weight);
            if (end > begin) runs[pe].push_back({t, begin, end});
            begin = std::max(begin, end);
        }
        before += weight;
    }
    return runs;
}

Block PooledRows::block(std::uint64_t bag, std::uint64_t count) const {
    if (elements == 0) return {{at.space, at.address + bag * pitch}, count, row_bytes, pitch};
    const std::uint64_t begin = share(elements, first_bag + bag, all_bags);
    const std::uint64_t end = share(elements, first_bag + bag + count, all_bags);
    const std::uint64_t bytes = (end - begin) * element_bytes;
    return {{at.space, at.address + begin * element_bytes}, 1, bytes, bytes};
}

std::vector<PooledRows> pooled_rows(const LowerContext& context, const Operator& op,
                                    const std::vector<TensorIndex>& tensors,
                                    const std::vector<Placement>& places) {
    const auto& tables = op.attrs.tables;
    std::vector<PooledRows> result(tables.size());
    const auto pooled_elements = [](const EmbeddingTable& table) {
        return std::uint64_t{table.bags} * table.dim;
    };
    std::uint64_t pooled = 0;
    for (const EmbeddingTable& table : tables) pooled += pooled_elements(table);
    const auto elements_of = [&](std::size_t i) {
        return element_count(context.graph.tensors[tensors[i]]);
    };
    if (tensors.size() == tables.size() && (tables.size() > 1 || elements_of(0) == pooled)) {
        for (std::size_t t = 0; t < tables.size(); ++t) {
            const std::uint64_t bytes =
                tables[t].dim * size_of(context.graph.tensors[tensors[t]].type);
            result[t].at = places[t];
            result[t].pitch = result[t].row_bytes = bytes;
        }
        return result;
    }
    if (tensors.empty()) return result;
    const Tensor& tensor = context.graph.tensors[tensors[0]];
    const std::uint64_t size = size_of(tensor.type);
    if (element_count(tensor) != pooled) {
        const std::uint64_t bags = total_bags(op);
        std::uint64_t first = 0;
        for (std::size_t t = 0; t < tables.size(); ++t) {
            const std::uint64_t most = ceil_div(element_count(tensor), bags) + 1;
            result[t] = {places[0], most * size, most * size, element_count(tensor),
                         size,      first,       bags};
            first += tables[t].bags;
        }
        return result;
    }
    std::uint64_t width = 0;
    for (const EmbeddingTable& table : tables) width += table.dim * size;
    const bool by_table = tensor.shape.size() == 3 && tensor.shape[0] == tables.size();
    std::uint64_t offset = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        const std::uint64_t bytes = tables[t].dim * size;
        result[t].at = {places[0].space, places[0].address + offset};
        result[t].pitch = by_table ? bytes : width;
        result[t].row_bytes = bytes;
        offset += by_table ? bytes * tables[t].bags : bytes;
    }
    return result;
}

std::unique_ptr<CommandSource> lower_embedding_forward(const LowerContext& context,
                                                       const Operator& op, std::string& note) {
    const std::string user = describe_operator(op);
    const EmbeddingOperands found = embedding_operands(context.graph, op);
    const auto place = [&](const OperandRef& ref, std::uint64_t scratch) {
        if (ref.found()) return context.memory.input(op, static_cast<std::size_t>(ref.input));
        const Placement base = context.memory.scratch();
        return Placement{base.space, base.address + scratch};
    };
    const std::uint64_t lookups = total_lookups(op);
    const Operands operands{place(found.indices, 0),
                            place(found.offsets, lookups * 28),
                            place(found.weights, lookups * 8),
                            found.index_bytes,
                            found.offset_bytes,
                            found.weight_bytes,
                            op.attrs.weighted};
    std::vector<Placement> places;
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
        places.push_back(context.memory.output(op, i));
    }
    const std::vector<PooledRows> pooled = pooled_rows(context, op, op.outputs, places);
    std::vector<TableInfo> info;
    std::uint64_t first_lookup = 0, first_bag = 0;
    for (std::size_t t = 0; t < op.attrs.tables.size(); ++t) {
        const EmbeddingTable& table = op.attrs.tables[t];
        info.push_back({context.memory.table(op, t), table.dim * size_of(table.type),
                        pick_engine(context.chip, table.type, user), pooled[t], first_lookup,
                        first_bag});
        first_lookup += table.lookups;
        first_bag += table.bags;
    }
    Plan plan;
    const CbPlan buffers = lay_out(context, info, operands, user, plan);
    note = "bags by lookups, gathers of " + std::to_string(plan.gather_rows) + " rows";
    if (!info.empty() && !info[0].engine.note.empty()) note += ", " + info[0].engine.note;
    return std::make_unique<EmbeddingForward>(context, op, std::move(info), operands, plan,
                                              buffers);
}

}  // namespace diastole
