// The part of PartitionCore that walks a request over the tags, banks and MSHRs.
#include <algorithm>

#include "model/base/error.hpp"
#include "model/memory/partition_core.hpp"

namespace diastole {

// Looks up what is left of the request. Returns what it has to wait for; it goes on from there.
PartitionCore::Block PartitionCore::look_up(Job& job, std::uint32_t id) {
    if (job.request.space == Space::lls) return look_up_lls(job);
    const bool is_write = job.request.kind == AccessKind::write;
    while (job.position < job.request.bytes) {
        const std::uint64_t at = job.local + job.position;
        const std::uint64_t line = at / line_bytes_;
        const auto offset = static_cast<std::uint32_t>(at - line * line_bytes_);
        const auto bytes = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(line_bytes_ - offset, job.request.bytes - job.position));
        Block block = Block::nothing;
        if (is_write) {
            block = look_up_write(job, line, offset, bytes);
            if (block == Block::nothing) job.position += bytes;
        } else {
            block = look_up_read(job, id, line, bytes);
        }
        if (block != Block::nothing) return block;
    }
    (is_write ? stats_.llc_bytes_written : stats_.llc_bytes_read) +=
        job.request.kind == AccessKind::prefetch ? 0 : job.request.bytes;
    return Block::nothing;
}

PartitionCore::Block PartitionCore::look_up_lls(Job& job) {
    for (; job.position < job.request.bytes;) {
        const std::uint64_t at = job.local + job.position;
        const std::uint64_t line = at / line_bytes_;
        const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(
            (line + 1) * line_bytes_ - at, job.request.bytes - job.position));
        use_bank(job, line, bytes);
        job.position += bytes;
    }
    (job.request.kind == AccessKind::write ? stats_.lls_bytes_written : stats_.lls_bytes_read) +=
        job.request.bytes;
    return Block::nothing;
}

Cycles PartitionCore::reserve_bank(std::uint64_t line, std::uint32_t bytes, Cycles* start) {
    Cycles& free_at = bank_free_[line % bank_free_.size()];
    const Cycles begin = std::max(now_, free_at);
    const Cycles taken = transfer_cycles(Bytes(bytes), BytesPerCycle(sram_.bank_bytes_per_cycle));
    free_at = begin + taken;
    stats_.bank_cycles += taken.count();
    if (start != nullptr) *start = begin;
    return free_at;
}

void PartitionCore::use_bank(Job& job, std::uint64_t line, std::uint32_t bytes) {
    Cycles start;
    job.data_end = std::max(job.data_end, reserve_bank(line, bytes, &start));
    job.slot_free = std::max(job.slot_free, start);
}

// A read or a prefetch of one line; when it misses, of the missing lines that follow as well.
// Advances the request past what it has dealt with.
PartitionCore::Block PartitionCore::look_up_read(Job& job, std::uint32_t id, std::uint64_t line,
                                                 std::uint32_t bytes) {
    const bool prefetch = job.request.kind == AccessKind::prefetch;
    const bool last_use =
        job.request.hint == CacheHint::no_write_back && !prefetch && bytes == line_bytes_;
    const Cache::Cursor cursor = cache_.at(line);
    bool dropped = false;
    if (last_use ? cache_.touch_last(cursor, dropped) : cache_.touch(cursor)) {
        stats_.dropped_write_backs += dropped ? 1 : 0;
        ++counts(job).accesses;
        ++counts(job).hits;
        if (!prefetch) use_bank(job, line, bytes);
        job.position += bytes;
        return Block::nothing;
    }
    const std::uint32_t flight = flights_.find(line);
    if (flight != FlightTable::none) {
        if (!prefetch) {
            const Block block = wait_for(job, id, flight);
            if (block != Block::nothing) return block;
        }
        fetches_[flight].dead &= ~(std::uint64_t{1} << (line - fetches_[flight].first));
        ++counts(job).accesses;
        ++counts(job).merged;
        job.position += bytes;
        return Block::nothing;
    }
    std::uint32_t lines = 0;
    const Block block = fetch_lines(job, id, line, lines);
    if (block != Block::nothing) return block;
    const std::uint64_t end = (line + lines) * line_bytes_ - job.local;
    job.position = std::min<std::uint64_t>(end, job.request.bytes);
    counts(job).accesses += lines;
    counts(job).misses += lines;
    return Block::nothing;
}

// Starts a fetch of the missing lines from `line` on, as many as the request needs and lie
// contiguous in one channel, as soon as all of them find MSHRs and space in the DRAM's queue; else
// says what is short. A request longer than the MSHRs or the queue is fetched in pieces of their
// size.
PartitionCore::Block PartitionCore::fetch_lines(Job& job, std::uint32_t id, std::uint64_t line,
                                                std::uint32_t& lines) {
    if (job.request.kind == AccessKind::read && targets_.alive() == max_targets_) {
        return Block::targets;
    }
    const Channel channel = channel_of(line * line_bytes_);
    DramPort& port = ports_[channel.port];
    const std::uint64_t end = job.local + job.request.bytes;
    std::uint64_t most =
        std::min<std::uint64_t>({sram_.mshrs, ceil_div(end - line * line_bytes_, line_bytes_), 64,
                                 port.max_read_bytes() / line_bytes_});
    if (ports_.size() > 1) {
        most = std::min(most, (granule_ - line * line_bytes_ % granule_) / line_bytes_);
    }
    Cache::Cursor cursor = cache_.at(line);
    for (lines = 1; lines < most; ++lines) {
        cursor.next(cache_);
        if (cache_.contains(cursor) || flights_.find(line + lines) != FlightTable::none) break;
    }
    if (flights_.free() < lines) return Block::mshrs;
    port.sync(now_);
    if (!port.can_read(lines * line_bytes_)) {
        port.want_read(lines * line_bytes_);
        block_port_ = channel.port;
        return Block::dram_queue;
    }
    const std::uint32_t id_of_fetch = fetches_.take();
    Fetch& fetch = fetches_[id_of_fetch];
    fetch.first = line;
    fetch.lines = lines;
    const bool last_use =
        job.request.hint == CacheHint::no_write_back && job.request.kind == AccessKind::read;
    for (std::uint32_t i = 0; i < lines; ++i) {
        flights_.insert(line + i, id_of_fetch);
        const std::uint64_t begin = (line + i) * line_bytes_;
        if (last_use && begin >= job.local && begin + line_bytes_ <= end) {
            fetch.dead |= std::uint64_t{1} << i;
        }
    }
    stats_.peak_mshrs = std::max(stats_.peak_mshrs, flights_.size());
    fetch.runs = port.read(now_, channel.address, lines * line_bytes_, id_of_fetch);
    if (job.request.kind == AccessKind::read) wait_for(job, id, id_of_fetch);
    return Block::nothing;
}

// The request answers only when this fetch has arrived.
PartitionCore::Block PartitionCore::wait_for(Job& job, std::uint32_t id, std::uint32_t fetch) {
    if (job.last_fetch == fetch) return Block::nothing;
    if (targets_.alive() == max_targets_) return Block::targets;
    const std::uint32_t target = targets_.take();
    targets_[target] = {id, fetches_[fetch].targets};
    fetches_[fetch].targets = target;
    job.last_fetch = fetch;
    ++job.fetches;
    return Block::nothing;
}

PartitionCore::Block PartitionCore::look_up_write(Job& job, std::uint64_t line,
                                                  std::uint32_t offset, std::uint32_t bytes) {
    const bool dead = job.request.hint == CacheHint::no_write_back;
    const Cache::Cursor cursor = cache_.at(line);
    if (cache_.touch_write(cursor, dead)) {
        ++counts(job).hits;
    } else if (const std::uint32_t flight = flights_.find(line); flight != FlightTable::none) {
        Fetch& fetch = fetches_[flight];
        const std::uint64_t bit = std::uint64_t{1} << (line - fetch.first);
        fetch.dirty |= bit;
        fetch.dead_dirty = dead ? fetch.dead_dirty | bit : fetch.dead_dirty & ~bit;
        fetch.dead &= ~bit;
        ++counts(job).merged;
        ++counts(job).accesses;
        return Block::nothing;  // waits in the MSHR; the fill writes it
    } else if (!cache_.enabled()) {
        if (write_buffer_full()) return Block::write_buffer;
        const std::uint64_t begin = line * line_bytes_ + offset / atom_bytes_ * atom_bytes_;
        const std::uint64_t end = line * line_bytes_ + round_up(offset + bytes, atom_bytes_);
        stats_.bypassed_write_bytes += end - begin;
        buffer_write(begin, static_cast<std::uint32_t>(end - begin));
        ++counts(job).allocations;
    } else if (bytes == line_bytes_) {
        if (cache_.victim(cursor).write_back && write_buffer_full()) return Block::write_buffer;
        const Cache::Victim victim = cache_.insert(cursor, true, dead);
        if (victim.write_back) write_back(victim.line);
        stats_.dropped_write_backs += victim.dropped ? 1 : 0;
        ++counts(job).allocations;
    } else {
        std::uint32_t lines = 0;
        Job one;  // a fetch of this line alone, that nobody waits for
        one.request = job.request;
        one.request.bytes = 1;
        one.local = line * line_bytes_;
        const Block block = fetch_lines(one, none, line, lines);
        if (block != Block::nothing) return block;
        Fetch& fetch = fetches_[flights_.find(line)];
        fetch.dirty = 1;
        fetch.dead_dirty = dead ? 1 : 0;
        ++counts(job).misses;
        ++counts(job).accesses;
        return Block::nothing;
    }
    ++counts(job).accesses;
    use_bank(job, line, bytes);
    return Block::nothing;
}

void PartitionCore::finish_read(std::uint32_t fetch) {
    if (--fetches_[fetch].runs == 0) fills_.push_back(fetch);
}

// Puts arrived lines into the LLC, in order of arrival, and wakes who waits for them. A dirty
// victim that finds no space in the write buffer holds up the rest.
void PartitionCore::fill_waiting() {
    while (!fills_.empty()) {
        const std::uint32_t id = fills_.front();
        if (!fill(fetches_[id])) return;
        const Fetch fetch = fetches_[id];
        for (std::uint32_t target = fetch.targets; target != none;) {
            Job& job = jobs_[targets_[target].job];
            job.dram_end = std::max(job.dram_end, now_);
            job.data_end = std::max(job.data_end, fetch.data_end);
            if (job.last_fetch == id) job.last_fetch = none;
            const std::uint32_t next = targets_[target].next;
            const bool looked_up = job.position >= job.request.bytes;
            if (--job.fetches == 0 && looked_up) respond(targets_[target].job);
            targets_.release(target);
            target = next;
        }
        fills_.pop_front();
        fetches_.release(id);
    }
}

bool PartitionCore::fill(Fetch& fetch) {
    for (; fetch.filled < fetch.lines; ++fetch.filled) {
        const std::uint64_t line = fetch.first + fetch.filled;
        const std::uint64_t bit = std::uint64_t{1} << fetch.filled;
        const bool dirty = (fetch.dirty & bit) != 0;
        const bool keep = cache_.enabled() && (fetch.dead & bit) == 0;
        if (keep) {
            const Cache::Cursor cursor = cache_.at(line);
            if (cache_.victim(cursor).write_back && write_buffer_full()) return false;
            const Cache::Victim victim =
                cache_.insert(cursor, dirty, (fetch.dead_dirty & bit) != 0);
            if (victim.write_back) write_back(victim.line);
            stats_.dropped_write_backs += victim.dropped ? 1 : 0;
            fetch.data_end = std::max(fetch.data_end,
                                      reserve_bank(line, static_cast<std::uint32_t>(line_bytes_)));
        } else if (dirty) {
            if (write_buffer_full()) return false;
            write_back(line);
        }
        flights_.erase(line);
    }
    fetch.data_end = std::max(fetch.data_end, now_);
    return true;
}

void PartitionCore::write_back(std::uint64_t line) {
    ++stats_.write_backs;
    reserve_bank(line, static_cast<std::uint32_t>(line_bytes_));
    buffer_write(line * line_bytes_, static_cast<std::uint32_t>(line_bytes_));
}

void PartitionCore::buffer_write(std::uint64_t local, std::uint32_t bytes) {
    const Channel channel = channel_of(local);
    DramPort& port = ports_[channel.port];
    port.write(now_, channel.address, bytes);
    ++buffered_;
    drain(port);
    stats_.peak_write_buffer = std::max(stats_.peak_write_buffer, buffered_);
}

void PartitionCore::drain(DramPort& port) {
    buffered_ -= port.drain(now_);
}

}  // namespace diastole
