// The part of PartitionCore that walks a request over the tags, banks and MSHRs.
#include <algorithm>

#include "model/base/error.hpp"
#include "model/memory/partition_core.hpp"

namespace diastole {
namespace {

// A read that leaves a line that it hits as it is.
bool is_plain(const MemoryRequest& request) {
    return request.kind == AccessKind::read && request.hint != CacheHint::no_write_back;
}

}  // namespace

// How much of its next line the head wants.
inline std::uint32_t PartitionCore::head_bytes() const {
    return std::min(static_cast<std::uint32_t>(line_bytes_.value()) - head_.offset, head_.left);
}

// So many lines of the head have been dealt with.
inline void PartitionCore::pass(std::uint32_t lines) {
    for (; lines > 0; --lines) {
        head_.left -= head_bytes();
        head_.offset = 0;
        ++head_.line;
        head_.cursor.next(cache_);
    }
}

inline Cycles PartitionCore::reserve_bank(std::uint64_t line, Cycles taken, Cycles& start) {
    Cycles& free_at = bank_free_[banks_.remainder(line)];
    start = std::max(now_, free_at);
    free_at = start + taken;
    stats_.bank_cycles += taken.count();
    return free_at;
}

// The head's next line takes its bank.
inline void PartitionCore::use_bank() {
    const std::uint32_t bytes = head_bytes();
    const Cycles taken =
        bytes == line_bytes_.value() ? line_cycles_ : transfer_cycles(Bytes(bytes), bank_width_);
    Cycles start;
    head_.data_end = std::max(head_.data_end, reserve_bank(head_.line, taken, start));
    head_.slot_free = std::max(head_.slot_free, start);
}

// The head's next line takes its bank and has been dealt with.
inline void PartitionCore::take_line() {
    use_bank();
    pass(1);
}

// Looks up what is left of the request. Returns what it has to wait for; it goes on from there.
PartitionCore::Block PartitionCore::look_up(const MemoryRequest& request) {
    const bool is_write = request.kind == AccessKind::write;
    if (request.space == Space::lls) {
        while (head_.left > 0) take_line();
        (is_write ? stats_.lls_bytes_written : stats_.lls_bytes_read) += request.bytes;
        return Block::nothing;
    }
    for (;;) {
        if (is_plain(request)) read_hits(request);
        if (head_.left == 0) break;
        std::uint32_t lines = 1;
        const Block block = is_write ? look_up_write(request) : look_up_read(request, lines);
        if (block != Block::nothing) return block;
        pass(lines);
    }
    (is_write ? stats_.llc_bytes_written : stats_.llc_bytes_read) +=
        request.kind == AccessKind::prefetch ? 0 : request.bytes;
    return Block::nothing;
}

// Lines of a plain read, as far as they hit: the common case in one loop.
void PartitionCore::read_hits(const MemoryRequest& request) {
    std::uint64_t hits = 0;
    for (; head_.left > 0 && cache_.touch(head_.cursor); ++hits) take_line();
    ClassStats& count = counts(request);
    count.accesses += hits;
    count.hits += hits;
}

// A read or a prefetch of one line (of a plain read: one that misses); when it misses, of the
// missing lines that follow as well.
PartitionCore::Block PartitionCore::look_up_read(const MemoryRequest& request,
                                                 std::uint32_t& lines) {
    const bool prefetch = request.kind == AccessKind::prefetch;
    const bool last_use = request.hint == CacheHint::no_write_back && !prefetch;
    ClassStats& count = counts(request);
    bool dropped = false;
    if (is_plain(request)) {
        // read_hits() has stopped here
    } else if (last_use && head_bytes() == line_bytes_.value()
                   ? cache_.touch_last(head_.cursor, dropped)
                   : cache_.touch(head_.cursor)) {
        stats_.dropped_write_backs += dropped ? 1 : 0;
        ++count.accesses;
        ++count.hits;
        if (!prefetch) use_bank();
        return Block::nothing;
    }
    std::uint32_t fetch = flights_.find(head_.line);
    if (fetch != FlightTable::none) {
        if (!prefetch) {
            const Block block = wait_for(request, fetch);
            if (block != Block::nothing) return block;
        }
        fetches_[fetch].dead &= ~(std::uint64_t{1} << (head_.line - fetches_[fetch].first));
        ++count.accesses;
        ++count.merged;
        return Block::nothing;
    }
    if (!prefetch && targets_.alive() == max_targets_) return Block::targets;
    const Block block = fetch_lines(lines_left(), lines, fetch);
    if (block != Block::nothing) return block;
    if (last_use) fetches_[fetch].dead = last_uses(lines);
    if (!prefetch) wait_for(request, fetch);
    count.accesses += lines;
    count.misses += lines;
    return Block::nothing;
}

// Starts a fetch of the missing lines from the head's next on, at most `most` and as many as lie
// contiguous in one channel, as soon as all of them find MSHRs and space in the DRAM's queue; else
// says what is short. A request longer than the MSHRs or the queue is fetched in pieces of their
// size.
PartitionCore::Block PartitionCore::fetch_lines(std::uint32_t most, std::uint32_t& lines,
                                                std::uint32_t& fetch) {
    const std::uint64_t begin = head_.line * line_bytes_.value();
    const Channel channel = channel_of(begin);
    most = std::min(most, longest_fetch_);
    if (ports_.size() > 1) {
        const std::uint64_t in_channel =
            line_bytes_.quotient(granule_.value() - granule_.remainder(begin));
        most = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, in_channel));
    }
    Cache::Cursor cursor = head_.cursor;
    for (lines = 1; lines < most; ++lines) {
        cursor.next(cache_);
        if (cache_.contains(cursor) || flights_.find(head_.line + lines) != FlightTable::none) {
            break;
        }
    }
    if (flights_.free() < lines) return Block::mshrs;
    const std::uint64_t bytes = lines * line_bytes_.value();
    DramPort& port = use(ports_[channel.port]);
    port.sync(now_);
    if (!port.can_read(bytes)) {
        port.want_read(bytes);
        block_port_ = channel.port;
        return Block::dram_queue;
    }
    fetch = fetches_.take();
    fetches_[fetch].first = head_.line;
    fetches_[fetch].cursor = head_.cursor;
    fetches_[fetch].lines = lines;
    for (std::uint32_t i = 0; i < lines; ++i) flights_.insert(head_.line + i, fetch);
    stats_.peak_mshrs = std::max(stats_.peak_mshrs, flights_.size());
    port.read(now_, channel.address, bytes, fetch);
    return Block::nothing;
}

// Lines that the head still wants, its last perhaps in part.
std::uint32_t PartitionCore::lines_left() const {
    return static_cast<std::uint32_t>(
        line_bytes_.quotient(head_.offset + head_.left + line_bytes_.value() - 1));
}

// Which of the head's next lines it wants whole, as a mask.
std::uint64_t PartitionCore::last_uses(std::uint32_t lines) const {
    const std::uint64_t whole = line_bytes_.quotient(head_.offset + head_.left);
    std::uint64_t mask = 0;
    for (std::uint32_t i = head_.offset == 0 ? 0 : 1; i < lines && i < whole; ++i) {
        mask |= std::uint64_t{1} << i;
    }
    return mask;
}

// The head answers only when this fetch has arrived.
PartitionCore::Block PartitionCore::wait_for(const MemoryRequest& request, std::uint32_t fetch) {
    if (head_.job != none && jobs_[head_.job].last_fetch == fetch) return Block::nothing;
    if (targets_.alive() == max_targets_) return Block::targets;
    if (head_.job == none) {
        head_.job = jobs_.take();
        jobs_[head_.job].request = request;
    }
    const std::uint32_t target = targets_.take();
    targets_[target] = {head_.job, fetches_[fetch].targets};
    fetches_[fetch].targets = target;
    jobs_[head_.job].last_fetch = fetch;
    ++jobs_[head_.job].fetches;
    return Block::nothing;
}

PartitionCore::Block PartitionCore::look_up_write(const MemoryRequest& request) {
    const bool dead = request.hint == CacheHint::no_write_back;
    const std::uint32_t bytes = head_bytes();
    ClassStats& count = counts(request);
    if (cache_.touch_write(head_.cursor, dead)) {
        ++count.hits;
    } else if (const std::uint32_t flight = flights_.find(head_.line);
               flight != FlightTable::none) {
        Fetch& fetch = fetches_[flight];
        const std::uint64_t bit = std::uint64_t{1} << (head_.line - fetch.first);
        fetch.dirty |= bit;
        fetch.dead_dirty = dead ? fetch.dead_dirty | bit : fetch.dead_dirty & ~bit;
        fetch.dead &= ~bit;
        ++count.merged;
        ++count.accesses;
        return Block::nothing;  // waits in the MSHR; the fill writes it
    } else if (!cache_.enabled()) {
        if (write_buffer_full()) return Block::write_buffer;
        const std::uint64_t line = head_.line * line_bytes_.value();
        const std::uint64_t begin = line + head_.offset / atom_bytes_ * atom_bytes_;
        const std::uint64_t end = line + round_up(head_.offset + bytes, atom_bytes_);
        stats_.bypassed_write_bytes += end - begin;
        buffer_write(begin, static_cast<std::uint32_t>(end - begin));
        ++count.allocations;
    } else if (bytes == line_bytes_.value()) {
        if (!put_line(head_.cursor, true, dead)) return Block::write_buffer;
        ++count.allocations;
    } else {
        // A fetch of this line alone, that nobody waits for.
        std::uint32_t lines = 0, fetch = 0;
        const Block block = fetch_lines(1, lines, fetch);
        if (block != Block::nothing) return block;
        fetches_[fetch].dirty = 1;
        fetches_[fetch].dead_dirty = dead ? 1 : 0;
        ++count.misses;
        ++count.accesses;
        return Block::nothing;
    }
    ++count.accesses;
    use_bank();
    return Block::nothing;
}

// Puts an absent line into the LLC; false when its dirty victim finds no space in the write buffer.
bool PartitionCore::put_line(const Cache::Cursor& cursor, bool dirty, bool dead) {
    if (write_buffer_full() && cache_.victim(cursor).write_back) return false;
    const Cache::Victim victim = cache_.insert(cursor, dirty, dead);
    if (victim.write_back) write_back(victim.line);
    stats_.dropped_write_backs += victim.dropped ? 1 : 0;
    return true;
}

// Puts arrived lines into the LLC, in order of arrival, and wakes who waits for them. A dirty
// victim that finds no space in the write buffer holds up the rest.
void PartitionCore::fill_waiting() {
    while (!fills_.empty()) {
        const std::uint32_t id = fills_.front();
        if (!fill(fetches_[id])) return;
        wake_targets(fetches_[id], id);
        fills_.pop();
        fetches_.release(id);
    }
}

bool PartitionCore::fill(Fetch& fetch) {
    for (; fetch.filled < fetch.lines; ++fetch.filled, fetch.cursor.next(cache_)) {
        const std::uint64_t line = fetch.first + fetch.filled;
        const std::uint64_t bit = std::uint64_t{1} << fetch.filled;
        const bool dirty = (fetch.dirty & bit) != 0;
        if (cache_.enabled() && (fetch.dead & bit) == 0) {
            if (!put_line(fetch.cursor, dirty, (fetch.dead_dirty & bit) != 0)) return false;
            fetch.data_end = std::max(fetch.data_end, reserve_bank(line));
        } else if (dirty) {
            if (write_buffer_full()) return false;
            write_back(line);
        }
        flights_.erase(line);
    }
    fetch.data_end = std::max(fetch.data_end, now_);
    return true;
}

void PartitionCore::wake_targets(const Fetch& fetch, std::uint32_t id) {
    for (std::uint32_t target = fetch.targets; target != none;) {
        const Target waiting = targets_[target];
        Job& job = jobs_[waiting.job];
        job.timing.dram_end = std::max(job.timing.dram_end, now_);
        job.timing.data_end = std::max(job.timing.data_end, fetch.data_end);
        if (job.last_fetch == id) job.last_fetch = none;
        if (--job.fetches == 0 && job.timing.looked_up != never) {
            respond(job.request, job.timing);
            jobs_.release(waiting.job);
        }
        targets_.release(target);
        target = waiting.next;
    }
}

void PartitionCore::write_back(std::uint64_t line) {
    ++stats_.write_backs;
    reserve_bank(line);
    buffer_write(line * line_bytes_.value(), static_cast<std::uint32_t>(line_bytes_.value()));
}

void PartitionCore::buffer_write(std::uint64_t local, std::uint32_t bytes) {
    const Channel channel = channel_of(local);
    DramPort& port = use(ports_[channel.port]);
    port.write(now_, channel.address, bytes);
    ++buffered_;
    drain(port);
    stats_.peak_write_buffer = std::max(stats_.peak_write_buffer, buffered_);
}

}  // namespace diastole
