#include "command_interpreter.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace diastole::test {
namespace {

void fail(const std::string& what) {
    throw std::runtime_error(what);
}

bool same(const Transfer& a, const Transfer& b) {
    return a.space == b.space && a.address == b.address && a.rows == b.rows &&
           a.row_bytes == b.row_bytes && a.pitch == b.pitch && a.row_addresses == b.row_addresses;
}

}  // namespace

CommandInterpreter::CommandInterpreter(CommandSource& source, const ChipParams& chip)
    : source_(source), queue_depth_(chip.issue.queue_depth), pes_(pe_count(chip)) {
    const auto& sizes = source.circular_buffers();
    const std::uint64_t sum = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
    if (sum > chip.local_memory.bytes) fail("the circular buffers exceed local memory");
    if (sizes.size() > chip.issue.circular_buffers) fail("too many circular buffers");
    for (std::uint32_t pe = 0; pe < pes_.size(); ++pe) {
        pes_[pe].queues.resize(unit_count);
        for (const std::uint32_t size : sizes) pes_[pe].buffers.push_back({size, 0, {}});
        pes_[pe].source_done = !source.participates(pe);
        if (pes_[pe].source_done) {
            Command command;
            if (source.next(pe, command)) fail("a PE that takes no part has a command");
        }
    }
}

Totals CommandInterpreter::run() {
    for (;;) {
        bool moved = false, left = false;
        for (std::uint32_t pe = 0; pe < pes_.size(); ++pe) {
            while (issue(pe)) moved = true;
            for (std::size_t unit = 0; unit < unit_count; ++unit) {
                while (try_run(pe, static_cast<Unit>(unit))) moved = true;
                left = left || !pes_[pe].queues[unit].empty();
            }
            left = left || !pes_[pe].source_done || pes_[pe].has_pending;
        }
        if (all_at_barrier()) {
            for (Pe& pe : pes_) {
                if (pe.at_barrier) pe.queues[static_cast<std::size_t>(Unit::sync)].pop_front();
                pe.at_barrier = false;
            }
            moved = true;
        }
        if (!left) break;
        if (!moved) stuck();
    }
    for (const Pe& pe : pes_) {
        for (const Buffer& buffer : pe.buffers) {
            if (buffer.held != 0) fail(std::to_string(buffer.held) + " bytes are left in a buffer");
        }
    }
    for (const auto& [key, queue] : mail_) {
        if (!queue.empty()) fail("partial sums that nobody took");
    }
    return totals_;
}

bool CommandInterpreter::issue(std::uint32_t index) {
    Pe& pe = pes_[index];
    if (!pe.has_pending) {
        if (pe.source_done) return false;
        if (!source_.next(index, pe.pending)) {
            pe.source_done = true;
            return false;
        }
        pe.has_pending = true;
    }
    // Nothing is issued past a barrier.
    if (!pe.queues[static_cast<std::size_t>(Unit::sync)].empty()) return false;
    auto& queue = pe.queues[static_cast<std::size_t>(pe.pending.unit)];
    if (queue.size() == queue_depth_) return false;
    ++totals_.commands;
    ++totals_.by_unit[pe.pending.unit];
    queue.push_back(std::move(pe.pending));
    pe.pending = Command{};
    pe.has_pending = false;
    return true;
}

bool CommandInterpreter::operands_ready(const Pe& pe, const Command& command) const {
    for (std::size_t i = 0; i < command.read_count; ++i) {
        const CbRead& read = command.reads[i];
        const Buffer& buffer = pe.buffers.at(read.cb);
        if (read.available > buffer.capacity) fail("a command waits for more than a buffer holds");
        if (read.released > read.available) fail("a command releases what it did not wait for");
        if (buffer.held < read.available) return false;
    }
    if (!command.writes) return true;
    const Buffer& buffer = pe.buffers.at(command.write.cb);
    if (command.write.bytes > buffer.capacity) fail("a command writes more than a buffer holds");
    return buffer.held + command.write.bytes <= buffer.capacity;
}

bool CommandInterpreter::try_run(std::uint32_t index, Unit unit) {
    Pe& pe = pes_[index];
    auto& queue = pe.queues[static_cast<std::size_t>(unit)];
    if (queue.empty()) return false;
    const Command& command = queue.front();
    if (!operands_ready(pe, command)) return false;
    if (std::holds_alternative<Barrier>(command.payload)) {
        pe.at_barrier = true;
        return false;
    }
    if (const auto* t = std::get_if<Transfer>(&command.payload)) {
        if (t->broadcast.members > 1 && !meet(index, *t)) return false;
    }
    if (const auto* reduce = std::get_if<NeighbourReduce>(&command.payload)) {
        const auto me = static_cast<std::int32_t>(index);
        if (reduce->from != NeighbourReduce::nobody) {
            auto& box = mail_[{reduce->from, me}];
            if (box.empty()) return false;
            if (box.front() != reduce->elements) fail("a neighbour sent another number of sums");
            box.pop_front();
        }
        if (reduce->to != NeighbourReduce::nobody)
            mail_[{me, reduce->to}].push_back(reduce->elements);
    }
    complete(index, command);
    queue.pop_front();
    return true;
}

// The n-th broadcast of a group on one PE meets the n-th on every other.
bool CommandInterpreter::meet(std::uint32_t pe, const Transfer& transfer) {
    auto& of_group = meetings_[transfer.broadcast.group];
    std::size_t& count = met_[{transfer.broadcast.group, pe}];
    if (of_group.size() <= count) {
        of_group.push_back({transfer.broadcast.members, transfer, {}});
    }
    Meeting& meeting = of_group[count];
    if (meeting.members != transfer.broadcast.members || !same(meeting.transfer, transfer)) {
        fail("members of a broadcast group issue different transfers");
    }
    auto& arrived = meeting.arrived;
    if (std::find(arrived.begin(), arrived.end(), pe) == arrived.end()) arrived.push_back(pe);
    if (arrived.size() < meeting.members) return false;
    ++count;
    return true;
}

std::vector<Run> CommandInterpreter::slice(const Buffer& buffer, std::uint64_t from,
                                           std::uint64_t bytes) {
    std::vector<Run> result;
    std::uint64_t at = 0;
    for (const Run& run : buffer.runs) {
        const std::uint64_t begin = std::max(from, at),
                            end = std::min(from + bytes, at + run.bytes);
        if (begin < end) {
            result.push_back(
                {run.address == 0 ? 0 : run.address + (begin - at), end - begin, run.space});
        }
        at += run.bytes;
    }
    return result;
}

void CommandInterpreter::complete(std::uint32_t index, const Command& command) {
    Pe& pe = pes_[index];
    std::vector<Run> produced;
    if (const auto* tile = std::get_if<MatrixTile>(&command.payload)) {
        totals_.macs += std::uint64_t{tile->m} * tile->n * tile->k;
        const auto operand = [&](std::size_t i, std::uint64_t bytes) {
            const CbRead& read = command.reads.at(i);
            return slice(pe.buffers[read.cb], read.available - bytes, bytes);
        };
        if (on_tile) {
            on_tile(*tile, operand(0, std::uint64_t{tile->m} * tile->k * a_element),
                    operand(1, std::uint64_t{tile->n} * tile->k * b_element));
        }
    } else if (const auto* ops = std::get_if<ElementOps>(&command.payload)) {
        totals_.operations += ops->operations;
        totals_.flops += ops->flops;
    } else if (std::holds_alternative<LayoutMove>(command.payload)) {
        const CbRead& read = command.reads[0];
        produced = slice(pe.buffers[read.cb], 0, read.released);
    } else if (const auto* t = std::get_if<Transfer>(&command.payload)) {
        transfer(command);
        if (command.unit == Unit::dma_in && !t->prefetch) {
            if (!t->row_addresses.empty()) {
                for (const std::uint64_t a : t->row_addresses) {
                    produced.push_back({a, t->row_bytes, t->space});
                }
            } else {
                for (std::uint32_t r = 0; r < t->rows; ++r) {
                    produced.push_back({t->address + r * t->pitch, t->row_bytes, t->space});
                }
            }
        }
    }
    for (std::size_t i = 0; i < command.read_count; ++i) {
        Buffer& buffer = pe.buffers[command.reads[i].cb];
        std::uint64_t left = command.reads[i].released;
        buffer.held -= left;
        while (left > 0) {
            Run& run = buffer.runs.front();
            const std::uint64_t take = std::min(left, run.bytes);
            run.bytes -= take;
            if (run.address != 0) run.address += take;
            left -= take;
            if (run.bytes == 0) buffer.runs.pop_front();
        }
    }
    if (!command.writes) return;
    Buffer& buffer = pe.buffers[command.write.cb];
    buffer.held += command.write.bytes;
    if (produced.empty()) produced.push_back({0, command.write.bytes});
    for (const Run& run : produced) buffer.runs.push_back(run);
}

void CommandInterpreter::transfer(const Command& command) {
    const auto& t = std::get<Transfer>(command.payload);
    const bool in = command.unit == Unit::dma_in;
    auto& list = in ? totals_.reads : totals_.writes;
    const std::uint64_t rows = t.row_addresses.empty() ? t.rows : t.row_addresses.size();
    if (t.row_addresses.empty()) {
        for (std::uint32_t r = 0; r < t.rows; ++r) {
            list.push_back(
                {t.space, t.address + r * t.pitch, t.address + r * t.pitch + t.row_bytes});
        }
    } else {
        if (rows != t.rows) fail("an indexed transfer with a wrong number of rows");
        if (!in) totals_.rows_written += rows;
        for (const std::uint64_t a : t.row_addresses) list.push_back({t.space, a, a + t.row_bytes});
    }
    const std::uint64_t bytes = rows * t.row_bytes;
    if (bytes == 0) fail("a transfer of nothing");
    if (in && t.prefetch) {
        if (command.writes) fail("a prefetch fills a buffer");
        return;
    }
    if (in && (!command.writes || command.write.bytes != bytes)) fail("a load fills other bytes");
    if (!in && command.reads[0].released != bytes) fail("a store empties other bytes");
    if (t.lookups) totals_.lookups += rows;
}

bool CommandInterpreter::all_at_barrier() const {
    bool any = false;
    for (std::uint32_t index = 0; index < pes_.size(); ++index) {
        const Pe& pe = pes_[index];
        if (!source_.participates(index)) continue;
        if (!pe.at_barrier) return false;
        any = true;
        for (std::size_t unit = 0; unit + 1 < unit_count; ++unit) {
            if (!pe.queues[unit].empty()) return false;
        }
    }
    return any;
}

void CommandInterpreter::stuck() const {
    std::string text = "deadlock:";
    for (std::uint32_t pe = 0; pe < pes_.size(); ++pe) {
        for (std::size_t unit = 0; unit < unit_count; ++unit) {
            const auto& queue = pes_[pe].queues[unit];
            if (queue.empty()) continue;
            text += " PE " + std::to_string(pe) + " unit " + std::to_string(unit) + " (" +
                    std::to_string(queue.size()) + " waiting";
            const Command& command = queue.front();
            for (std::size_t i = 0; i < command.read_count; ++i) {
                const CbRead& read = command.reads[i];
                text += ", cb " + std::to_string(read.cb) + " has " +
                        std::to_string(pes_[pe].buffers[read.cb].held) + " of " +
                        std::to_string(read.available);
            }
            if (command.writes) {
                const Buffer& buffer = pes_[pe].buffers[command.write.cb];
                text += ", cb " + std::to_string(command.write.cb) + " takes " +
                        std::to_string(command.write.bytes) + " at " + std::to_string(buffer.held) +
                        " of " + std::to_string(buffer.capacity);
            }
            text += ")";
        }
        if (text.size() > 1500) break;
    }
    fail(text);
    throw std::logic_error("unreachable");
}

std::vector<Interval> united(std::vector<Interval> intervals, bool once) {
    std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) {
        return a.space != b.space ? a.space < b.space : a.begin < b.begin;
    });
    std::vector<Interval> result;
    for (const Interval& i : intervals) {
        if (!result.empty() && result.back().space == i.space && i.begin <= result.back().end) {
            if (once && i.begin < result.back().end) {
                fail("bytes at " + std::to_string(i.begin) + " are written twice");
            }
            result.back().end = std::max(result.back().end, i.end);
        } else {
            result.push_back(i);
        }
    }
    return result;
}

bool covers(const std::vector<Interval>& united, const Interval& wanted) {
    return wanted.begin == wanted.end ||
           std::any_of(united.begin(), united.end(), [&](const Interval& i) {
               return i.space == wanted.space && i.begin <= wanted.begin && wanted.end <= i.end;
           });
}

}  // namespace diastole::test
