#include "model/memory/partition_core.hpp"

#include <algorithm>

#include "model/base/error.hpp"

namespace diastole {
namespace {

std::uint64_t llc_lines(const SramParams& s) {
    if (s.partitions == 0 || s.line_bytes == 0) {
        throw ConfigError("sram: partitions and line_bytes must be above zero");
    }
    if (s.lls_bytes > s.bytes) {
        throw ConfigError("sram.lls_bytes: " + std::to_string(s.lls_bytes) +
                          " exceeds sram.bytes " + std::to_string(s.bytes));
    }
    const std::uint64_t bytes = s.bytes - s.lls_bytes;
    const std::uint64_t unit = std::uint64_t{s.partitions} * s.line_bytes;
    if (bytes % unit != 0) {
        throw ConfigError("sram.bytes: the LLC share of " + std::to_string(bytes) +
                          " bytes does not divide into " + std::to_string(s.partitions) +
                          " partitions of whole lines");
    }
    return bytes / unit;
}

// Several channels of a partition take turns every 256 bytes (or every line, if longer).
std::uint64_t channel_granule(const SramParams& s) {
    return std::max<std::uint64_t>(s.line_bytes, 256 / s.line_bytes * s.line_bytes);
}

// The chip itself, if its partitions can be built.
const ChipParams& checked(const ChipParams& chip) {
    const SramParams& s = chip.sram;
    const auto require = [](bool good, const std::string& problem) {
        if (!good) throw ConfigError(problem);
    };
    llc_lines(s);
    require(s.banks > 0 && s.bank_bytes_per_cycle > 0 && s.mshrs > 0 && s.queue_depth > 0,
            "sram: banks, bank_bytes_per_cycle, mshrs and queue_depth must be above zero");
    require(s.interleave_bytes % s.line_bytes == 0 && s.interleave_bytes > 0,
            "sram.interleave_bytes: expected a multiple of line_bytes " +
                std::to_string(s.line_bytes) + ", got " + std::to_string(s.interleave_bytes));
    const std::uint32_t atom = chip.dram.geometry.atom_bytes;
    require(atom > 0 && s.line_bytes % atom == 0,
            "sram.line_bytes: expected a multiple of the DRAM's atom of " + std::to_string(atom) +
                " bytes, got " + std::to_string(s.line_bytes));
    require(channels_per_partition(chip) > 0 && chip.dram.channels % s.partitions == 0,
            "dram.channels: expected a multiple of sram.partitions " +
                std::to_string(s.partitions) + ", got " + std::to_string(chip.dram.channels));
    require(channel_data_bytes(chip.dram) % channel_granule(s) == 0,
            "sram.line_bytes: does not divide a DRAM channel");
    return chip;
}

}  // namespace

PartitionCore::PartitionCore(const ChipParams& chip, std::uint32_t index, MemoryMode mode)
    : cache_(llc_lines(checked(chip).sram), chip.sram.ways,
             channel_data_bytes(chip.dram) * channels_per_partition(chip) / chip.sram.line_bytes),
      bank_free_(chip.sram.banks),
      flights_(chip.sram.mshrs),
      index_(index),
      interleave_(chip.sram),
      line_bytes_(chip.sram.line_bytes),
      granule_(channel_granule(chip.sram)),
      banks_(chip.sram.banks),
      lls_bytes_(chip.sram.lls_bytes / chip.sram.partitions),
      dram_bytes_(channel_data_bytes(chip.dram) * channels_per_partition(chip)),
      atom_bytes_(chip.dram.geometry.atom_bytes),
      bank_width_(chip.sram.bank_bytes_per_cycle),
      line_cycles_(transfer_cycles(Bytes(chip.sram.line_bytes), bank_width_)),
      latency_(chip.sram.latency_cycles),
      queue_depth_(chip.sram.queue_depth),
      write_buffer_lines_(chip.sram.mshrs),
      max_targets_(chip.sram.mshrs * 4) {
    for (std::uint32_t i = 0; i < channels_per_partition(chip); ++i)
        ports_.emplace_back(chip, mode);
    longest_fetch_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        {chip.sram.mshrs, 64, line_bytes_.quotient(ports_[0].max_read_bytes())}));
}

PartitionCore::Channel PartitionCore::channel_of(std::uint64_t local) const {
    if (ports_.size() == 1) return {0, local};
    const std::uint64_t block = granule_.quotient(local);
    const std::uint64_t turn = block / ports_.size();
    return {static_cast<std::uint32_t>(block - turn * ports_.size()),
            turn * granule_.value() + granule_.remainder(local)};
}

void PartitionCore::accept(const MemoryRequest& request) {
    if (request.at < last_arrival_ || request.at < reached_) {
        throw ModelError("a memory request arrived out of order");
    }
    const std::uint64_t local = interleave_.local(request.address);
    const std::uint64_t space = request.space == Space::lls ? lls_bytes_ : dram_bytes_;
    if (request.bytes == 0 || request.bytes > interleave_.block_bytes() ||
        local + request.bytes > space) {
        throw ModelError("a memory request of " + std::to_string(request.bytes) +
                         " bytes at address " + std::to_string(request.address) +
                         " is empty, too long or beyond the end of its space");
    }
    last_arrival_ = request.at;
    if (arrived_ == inputs_.size()) next_arrival_ = request.at;
    Input& input = inputs_.add();
    input.request = request;
    input.local = local;
    if (request.space == Space::lls) return;
    const std::uint64_t first = line_bytes_.quotient(local);
    input.cursor = cache_.at(first);
    Cache::Cursor cursor = input.cursor;
    cache_.prefetch(cursor);
    for (std::uint64_t line = line_bytes_.quotient(local + request.bytes - 1); line > first;
         --line) {
        cursor.next(cache_);
        cache_.prefetch(cursor);
    }
}

// When the queue acts by itself, the DRAM channels aside.
Cycles PartitionCore::queue_event() const {
    const bool dispatches = arrived_ > 0 && block_ == Block::nothing;
    return dispatches ? std::min(next_arrival_, next_dispatch_) : next_arrival_;
}

void PartitionCore::survey_ports() {
    if (!ports_used_) return;
    ports_used_ = false;
    ports_event_ = ports_effect_ = never;
    for (std::uint32_t i = 0; i < ports_.size(); ++i) {
        DramPort& port = ports_[i];
        ports_event_ = std::min(ports_event_, std::min(port.next_read(), port.room_at()));
        if (port.effect() >= ports_effect_) continue;
        ports_effect_ = port.effect();
        first_port_ = i;
    }
}

Cycles PartitionCore::next_event() {
    survey_ports();
    return std::min(
        {queue_event(), ports_event_, ports_effect_, responses_.first(), credits_.first()});
}

void PartitionCore::advance(Cycles until, PartitionSink& out) {
    if (until > reached_) {
        for (;;) {
            survey_ports();
            const Cycles next = std::min(queue_event(), ports_event_);
            if (ports_effect_ <= next && ports_effect_ < until) {
                // Only the port with the earliest effect plays, and no further than that: what
                // comes of it may concern the others.
                use(ports_[first_port_]).step();
                continue;
            }
            if (next >= until) break;
            handle(next, out);
        }
        reached_ = until;
    }
    for (; responses_.first() < until; responses_.pop()) out.respond(responses_.front());
    for (; credits_.first() < until; free_slot(out)) {
    }
}

// Within one cycle: DRAM first (space, then data), then arrivals, then the head of the queue.
void PartitionCore::handle(Cycles now, PartitionSink& out) {
    now_ = now;
    bool retry = false;
    if (ports_event_ == now) {
        const bool queue_moved = handle_dram();
        retry = block_ == Block::dram_queue ? queue_moved : block_ != Block::nothing;
    }
    while (next_arrival_ == now) arrive(out);
    if (arrived_ > 0 && (retry || (block_ == Block::nothing && next_dispatch_ <= now))) {
        dispatch_head();
    }
}

// True when there is space now in the DRAM queue that the head may be waiting for.
bool PartitionCore::handle_dram() {
    bool queue_moved = false;
    for (DramPort& port : ports_) {
        if (port.room_at() == now_) {
            use(port).clear_room();
            port.want_read(0);
            drain(port);
            queue_moved = queue_moved || &port == &ports_[block_port_];
        }
        while (port.next_read() == now_) fills_.add() = use(port).pop_read();
    }
    fill_waiting();
    return queue_moved;
}

void PartitionCore::free_slot(PartitionSink& out) {
    out.credit(credits_.first());
    credits_.pop();
    --slots_used_;
}

void PartitionCore::arrive(PartitionSink& out) {
    while (credits_.first() <= now_) free_slot(out);
    if (slots_used_ == queue_depth_) {
        throw ModelError("memory partition " + std::to_string(index_) +
                         " was sent more requests than its queue of " +
                         std::to_string(queue_depth_) + " takes");
    }
    ++slots_used_;
    stats_.peak_queue = std::max(stats_.peak_queue, slots_used_);
    Input& input = inputs_[arrived_++];
    input.blocked_before = blocked_cycles_;
    if (block_ != Block::nothing) input.blocked_before += (now_ - blocked_since_).count();
    if (arrived_ == 1) next_dispatch_ = std::max(next_dispatch_, now_);
    next_arrival_ = arrived_ < inputs_.size() ? inputs_[arrived_].request.at : never;
}

void PartitionCore::dispatch_head() {
    const Block before = block_;
    if (before == Block::nothing) begin_head();
    if (before == Block::dram_queue) use(ports_[block_port_]).want_read(0);
    block_ = look_up(inputs_.front().request);
    if (block_ != Block::nothing) {
        if (before == Block::nothing) blocked_since_ = now_;
        return;
    }
    if (before != Block::nothing) blocked_cycles_ += (now_ - blocked_since_).count();
    finish_head();
}

void PartitionCore::begin_head() {
    const Input& input = inputs_.front();
    head_.line = line_bytes_.quotient(input.local);
    head_.cursor = input.cursor;
    head_.offset = static_cast<std::uint32_t>(line_bytes_.remainder(input.local));
    head_.left = input.request.bytes;
    head_.job = none;
    head_.data_end = head_.slot_free = now_;
}

void PartitionCore::finish_head() {
    const Input& input = inputs_.front();
    credits_.push(std::max(now_, head_.slot_free));
    Timing timing;
    timing.looked_up = now_;
    timing.data_end = head_.data_end;
    timing.blocked_cycles = blocked_cycles_ - input.blocked_before;
    if (head_.job == none) {
        respond(input.request, timing);
    } else {
        Job& job = jobs_[head_.job];
        timing.dram_end = job.timing.dram_end;
        timing.data_end = std::max(timing.data_end, job.timing.data_end);
        job.timing = timing;
        if (job.fetches == 0) {
            respond(job.request, timing);
            jobs_.release(head_.job);
        }
    }
    inputs_.pop();
    --arrived_;
    next_dispatch_ = now_ + Cycles(1);
}

void PartitionCore::respond(const MemoryRequest& q, const Timing& timing) {
    MemoryResponse r;
    r.at = std::max(timing.looked_up, timing.data_end) + latency_;
    r.bytes = q.bytes;
    r.token = q.token;
    r.destination = q.source;
    r.partition = static_cast<std::uint16_t>(index_);
    r.kind = q.kind;
    r.shared = q.shared;
    r.held = q.held;
    r.issued = q.issued;
    const std::uint64_t waited =
        timing.dram_end > timing.looked_up ? (timing.dram_end - timing.looked_up).count() : 0;
    r.parts.dram = static_cast<std::uint32_t>(timing.blocked_cycles + waited);
    r.parts.sram = static_cast<std::uint32_t>((r.at - q.at).count() - r.parts.dram);
    responses_.push(r.at, r);
    ++stats_.requests;
}

PartitionStats PartitionCore::stats() {
    PartitionStats total = stats_;
    total.blocked_cycles = blocked_cycles_;
    for (DramPort& port : ports_) {
        use(port).sync(reached_ == never ? now_ : reached_);
        total.dram += port.stats();
    }
    return total;
}

std::string PartitionCore::describe_pending() const {
    static const char* const reasons[] = {"nothing", "a free MSHR", "a free MSHR target",
                                          "space in a DRAM queue", "space in the write buffer"};
    std::string text = "memory partition " + std::to_string(index_) + ": " +
                       std::to_string(inputs_.size()) + " requests in the queue, head waits for " +
                       reasons[static_cast<std::size_t>(block_)] + ", " +
                       std::to_string(flights_.size()) + " lines on their way from DRAM";
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        text += "; channel " + std::to_string(i) + ": " + ports_[i].describe_pending();
    }
    return text;
}

}  // namespace diastole
