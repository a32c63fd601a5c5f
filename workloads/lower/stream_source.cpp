#include "workloads/lower/stream_source.hpp"

#include <algorithm>
#include <utility>

namespace diastole {
namespace {

struct Buffers {
    CbPlan plan;
    std::uint8_t resident = 0, out = 0, partial = 0, sums = 0;
    std::uint8_t in[2] = {0, 0}, statistics[2] = {0, 0};
};

Buffers lay_out(const StreamRecipe& recipe, const StreamPlan& plan, const ChipParams& chip) {
    Buffers buffers{CbPlan(chip, recipe.user)};
    const auto add = [&](std::uint64_t bytes) {
        return bytes > 0 ? buffers.plan.add(bytes) : std::uint8_t{0};
    };
    buffers.in[0] = add(2 * plan.in_bytes);
    buffers.resident = add(plan.resident_bytes);
    buffers.out = add(2 * plan.out_bytes);
    buffers.partial = add(plan.sum_block);
    buffers.sums = add(plan.sum_block);
    if (recipe.reduce) {
        buffers.in[1] = add(2 * plan.in_bytes);
        for (auto& cb : buffers.statistics) cb = add(recipe.statistics_bytes * plan.chunk);
    }
    return buffers;
}

Block contiguous(const StreamOperand& operand, Range elements) {
    const std::uint64_t bytes = elements.size() * operand.element_bytes;
    return {{operand.at.space, operand.at.address + elements.begin * operand.element_bytes},
            1,
            bytes,
            bytes};
}

// What a piece of the items [begin, end) needs of an operand: one block, two where a cyclic operand
// wraps, none where the piece is empty.
template <class Use>
void for_blocks(const StreamRecipe& recipe, const StreamOperand& operand, Range items,
                std::uint64_t piece, std::uint64_t pieces, Use use) {
    const std::uint64_t all_items = recipe.groups * recipe.items;
    const auto use_range = [&](Range range) {
        const Range mine = part(range.size(), piece, pieces);
        if (mine.size() > 0) {
            use(contiguous(operand, {range.begin + mine.begin, range.begin + mine.end}));
        }
    };
    switch (operand.follows) {
        case Follows::linear:
            use_range({share(operand.elements, items.begin, all_items),
                       share(operand.elements, items.end, all_items)});
            return;
        case Follows::whole:
            use_range({0, operand.elements});
            return;
        case Follows::cyclic: {
            const std::uint64_t period = operand.elements;
            if (items.size() >= period) return use_range({0, period});
            const std::uint64_t begin = items.begin % period;
            const std::uint64_t end = begin + items.size();
            use_range({begin, std::min(end, period)});
            if (end > period) use_range({0, end - period});
            return;
        }
        case Follows::strided: {
            const Range rows = part(operand.rows, piece, pieces);
            if (rows.size() == 0) return;
            const std::uint64_t pitch = recipe.items * operand.element_bytes;
            const std::uint64_t group = items.begin / recipe.items;
            const std::uint64_t first = (group * operand.rows + rows.begin) * pitch +
                                        items.begin % recipe.items * operand.element_bytes;
            use({{operand.at.space, operand.at.address + first},
                 rows.size(),
                 items.size() * operand.element_bytes,
                 pitch});
            return;
        }
    }
}

}  // namespace

StreamSource::StreamSource(StreamRecipe recipe, const StreamPlan& plan, const ChipParams& chip)
    : BufferedSource(pe_count(chip), lay_out(recipe, plan, chip).plan),
      recipe_(std::move(recipe)),
      plan_(plan),
      grid_(chip.grid),
      pes_(pe_count(chip)),
      chunks_(ceil_div(recipe_.items, plan.chunk)),
      two_stages_(recipe_.reduce.has_value()),
      cursors_(pe_count(chip)) {
    const Buffers buffers = lay_out(recipe_, plan, chip);
    cb_resident_ = buffers.resident;
    cb_out_ = buffers.out;
    cb_partial_ = buffers.partial;
    cb_sums_ = buffers.sums;
    for (int i = 0; i < 2; ++i) {
        cb_in_[i] = buffers.in[i];
        cb_statistics_[i] = buffers.statistics[i];
    }
}

bool StreamSource::participates(std::uint32_t pe) const {
    return rank_of_pe(grid_, pe) < recipe_.groups * chunks_;
}

// Chunks of all groups, numbered through, go round-robin: rank r has r, r + PEs, r + 2 PEs, ...
bool StreamSource::refill(std::uint32_t pe, CommandBuffer& buffer) {
    Cursor& cursor = cursors_[rank_of_pe(grid_, pe)];
    const std::uint64_t rank = rank_of_pe(grid_, pe);
    const std::uint64_t all = recipe_.groups * chunks_;
    const std::uint64_t number = rank + cursor.done * pes_;
    if (number >= all) return false;
    if (number == rank && cursor.piece == 0 && !cursor.second_pass) load_resident(buffer);

    const std::uint64_t group = number / chunks_;
    const std::uint64_t chunk = number % chunks_;
    const std::uint64_t base = group * recipe_.items;
    const Step step{base + chunk * plan_.chunk,
                    base + std::min((chunk + 1) * plan_.chunk, recipe_.items), cursor.piece,
                    number + pes_ >= all};
    if (plan_.pieces == 1) {
        in_one_go(cursor, step, buffer);
    } else {
        in_pieces(cursor, step, buffer);
    }
    if (cursor.piece > 0 || cursor.second_pass) return true;  // more pieces of this chunk
    ++cursor.done;
    if (!recipe_.column_sums.empty() && chunk + pes_ >= chunks_) {
        sum_columns(rank, chunk % pes_, group, buffer);
    }
    return true;
}

ElementOps StreamSource::work(const StreamStage& stage, const Step& step) const {
    const std::uint64_t all = recipe_.groups * recipe_.items;
    const auto mine = [&](std::uint64_t total) {
        const Range whole{share(total, step.begin, all), share(total, step.end, all)};
        return part(whole.size(), step.piece, plan_.pieces).size();
    };
    return {mine(stage.operations), mine(stage.flops), stage.type};
}

std::uint64_t StreamSource::load_inputs(const Step& step, std::uint8_t cb,
                                        CommandBuffer& buffer) const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < recipe_.inputs.size(); ++i) {
        if (plan_.resident[i]) continue;
        for_blocks(recipe_, recipe_.inputs[i], {step.begin, step.end}, step.piece, plan_.pieces,
                   [&](const Block& block) {
                       buffer.load(cb, block);
                       bytes += size_of(block);
                   });
    }
    return bytes;
}

void StreamSource::load_resident(CommandBuffer& buffer) const {
    for (std::size_t i = 0; i < recipe_.inputs.size(); ++i) {
        const StreamOperand& input = recipe_.inputs[i];
        if (plan_.resident[i] && input.elements > 0) {
            buffer.load(cb_resident_, contiguous(input, {0, input.elements}));
        }
    }
}

// Outputs of an item in pieces leave with each piece, or once with the last.
std::uint64_t StreamSource::output_bytes(const Step& step) const {
    std::uint64_t bytes = 0;
    const bool once = recipe_.output_once_per_item;
    if (once && step.piece + 1 < plan_.pieces) return 0;
    for (const StreamOperand& output : recipe_.outputs) {
        for_blocks(recipe_, output, {step.begin, step.end}, once ? 0 : step.piece,
                   once ? 1 : plan_.pieces, [&](const Block& block) { bytes += size_of(block); });
    }
    return bytes;
}

void StreamSource::store_outputs(const Step& step, CommandBuffer& buffer) const {
    const bool once = recipe_.output_once_per_item;
    if (once && step.piece + 1 < plan_.pieces) return;
    for (const StreamOperand& output : recipe_.outputs) {
        for_blocks(recipe_, output, {step.begin, step.end}, once ? 0 : step.piece,
                   once ? 1 : plan_.pieces,
                   [&](const Block& block) { buffer.store(cb_out_, block); });
    }
}

void StreamSource::map(const Step& step, std::uint8_t cb_in, std::uint64_t bytes,
                       CommandBuffer& buffer, Command*& command) const {
    command = &buffer.add(recipe_.map.unit);
    command->payload = work(recipe_.map, step);
    if (bytes > 0) consume(*command, cb_in, bytes);
    if (plan_.resident_bytes > 0) {
        const bool last = step.last_of_pe && step.piece + 1 == plan_.pieces;
        peek(*command, cb_resident_, plan_.resident_bytes, plan_.resident_bytes,
             last ? plan_.resident_bytes : 0);
    }
    const std::uint64_t out = output_bytes(step);
    if (out > 0) produce(*command, cb_out_, out);
}

// Two stages take turns between two sets of buffers: the statistics of one chunk fill their buffer,
// so the reduction of the next but one waits for the map of this one, and each reader finds the
// read pointer where it expects it.
void StreamSource::in_one_go(Cursor& cursor, const Step& step, CommandBuffer& buffer) const {
    const std::size_t set = two_stages_ ? cursor.done % 2 : 0;
    const std::uint64_t bytes = load_inputs(step, cb_in_[set], buffer);
    const std::uint64_t statistics = recipe_.statistics_bytes * plan_.chunk;
    if (two_stages_) {
        Command& reduce = buffer.add(recipe_.reduce->unit);
        reduce.payload = work(*recipe_.reduce, step);
        peek(reduce, cb_in_[set], bytes, bytes, 0);
        produce(reduce, cb_statistics_[set], statistics);
    }
    Command* command = nullptr;
    map(step, cb_in_[set], bytes, buffer, command);
    if (two_stages_) consume(*command, cb_statistics_[set], statistics);
    store_outputs(step, buffer);
}

// First all pieces pass the reduction, then, loaded again, the map; each pass has its own buffer.
void StreamSource::in_pieces(Cursor& cursor, const Step& step, CommandBuffer& buffer) const {
    const bool last = step.piece + 1 == plan_.pieces;
    const std::uint64_t statistics = recipe_.statistics_bytes * plan_.chunk;
    if (two_stages_ && !cursor.second_pass) {
        const std::uint64_t bytes = load_inputs(step, cb_in_[0], buffer);
        Command& reduce = buffer.add(recipe_.reduce->unit);
        reduce.payload = work(*recipe_.reduce, step);
        if (bytes > 0) consume(reduce, cb_in_[0], bytes);
        if (last) produce(reduce, cb_statistics_[0], statistics);
        cursor.second_pass = last;
    } else {
        const std::uint8_t cb = cb_in_[two_stages_ ? 1 : 0];
        const std::uint64_t bytes = load_inputs(step, cb, buffer);
        Command* command = nullptr;
        map(step, cb, bytes, buffer, command);
        if (two_stages_) {
            peek(*command, cb_statistics_[0], statistics, statistics, last ? statistics : 0);
        }
        store_outputs(step, buffer);
        if (last) cursor.second_pass = false;
    }
    cursor.piece = last ? 0 : cursor.piece + 1;
}

// The PEs of a group form a chain in rank order, `place` counts along it; the last one stores. Sums
// are fp32 on the way and leave in the type of their tensor.
void StreamSource::sum_columns(std::uint64_t rank, std::uint64_t place, std::uint64_t group,
                               CommandBuffer& buffer) const {
    const std::uint64_t members = std::min(pes_, chunks_);
    const auto neighbour = [&](std::uint64_t other) {
        return static_cast<std::int32_t>(
            pe_of_rank(grid_, static_cast<std::uint32_t>(other % pes_)));
    };
    const std::uint64_t block = plan_.sum_block / 8;  // elements of up to 8 bytes
    for (const StreamOperand& column : recipe_.column_sums) {
        for (std::uint64_t first = 0; first < column.elements; first += block) {
            const std::uint64_t elements = std::min(block, column.elements - first);
            Command& flush = buffer.add(recipe_.map.unit);
            flush.payload = ElementOps{elements, 0, recipe_.map.type};
            produce(flush, cb_partial_, elements * 4);
            NeighbourReduce reduce;
            if (place > 0) reduce.from = neighbour(rank + pes_ - 1);
            if (place + 1 < members) reduce.to = neighbour(rank + 1);
            reduce.elements = static_cast<std::uint32_t>(elements);
            reduce.bytes = static_cast<std::uint32_t>(elements * 4);
            Command& command = buffer.add(Unit::reduction);
            command.payload = reduce;
            consume(command, cb_partial_, elements * 4);
            if (place + 1 < members) continue;
            produce(command, cb_sums_, elements * column.element_bytes);
            const std::uint64_t at = group * column.elements + first;
            buffer.store(cb_sums_, contiguous(column, {at, at + elements}));
        }
    }
}

}  // namespace diastole
