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

}  // namespace

PartitionCore::PartitionCore(const ChipParams& chip, std::uint32_t index, MemoryMode mode)
    : sram_(chip.sram),
      index_(index),
      line_bytes_(chip.sram.line_bytes),
      granule_(line_bytes_ == 0 ? 0 : channel_granule(chip.sram)),
      lls_bytes_(chip.sram.partitions == 0 ? 0 : chip.sram.lls_bytes / chip.sram.partitions),
      dram_bytes_(chip.sram.partitions == 0
                      ? 0
                      : channel_bytes(chip.dram.geometry) * channels_per_partition(chip)),
      atom_bytes_(chip.dram.geometry.atom_bytes),
      write_buffer_lines_(chip.sram.mshrs),
      interleave_(chip.sram),
      cache_(llc_lines(chip.sram), chip.sram.ways, dram_bytes_ / line_bytes_),
      flights_(chip.sram.mshrs),
      bank_free_(chip.sram.banks),
      max_targets_(chip.sram.mshrs * 4) {
    check_geometry(chip);
    for (std::uint32_t i = 0; i < channels_per_partition(chip); ++i)
        ports_.emplace_back(chip, mode);
}

void PartitionCore::check_geometry(const ChipParams& chip) const {
    const SramParams& s = chip.sram;
    const auto require = [](bool good, const std::string& problem) {
        if (!good) throw ConfigError(problem);
    };
    require(s.banks > 0 && s.bank_bytes_per_cycle > 0 && s.mshrs > 0 && s.queue_depth > 0,
            "sram: banks, bank_bytes_per_cycle, mshrs and queue_depth must be above zero");
    require(s.interleave_bytes % s.line_bytes == 0 && s.interleave_bytes > 0,
            "sram.interleave_bytes: expected a multiple of line_bytes " +
                std::to_string(s.line_bytes) + ", got " + std::to_string(s.interleave_bytes));
    require(atom_bytes_ > 0 && s.line_bytes % atom_bytes_ == 0,
            "sram.line_bytes: expected a multiple of the DRAM's atom of " +
                std::to_string(atom_bytes_) + " bytes, got " + std::to_string(s.line_bytes));
    require(channels_per_partition(chip) > 0 && chip.dram.channels % s.partitions == 0,
            "dram.channels: expected a multiple of sram.partitions " +
                std::to_string(s.partitions) + ", got " + std::to_string(chip.dram.channels));
    require(channel_bytes(chip.dram.geometry) % granule_ == 0,
            "sram.line_bytes: does not divide a DRAM channel");
}

PartitionCore::Channel PartitionCore::channel_of(std::uint64_t local) const {
    if (ports_.size() == 1) return {0, local};
    const std::uint64_t block = local / granule_;
    const std::uint64_t turn = block / ports_.size();
    return {static_cast<std::uint32_t>(block - turn * ports_.size()),
            turn * granule_ + local % granule_};
}

void PartitionCore::accept(const MemoryRequest& request) {
    if (request.at < last_arrival_ || request.at < reached_) {
        throw ModelError("a memory request arrived out of order");
    }
    const std::uint64_t local = interleave_.local(request.address);
    const std::uint64_t space = request.space == Space::lls ? lls_bytes_ : dram_bytes_;
    if (request.bytes == 0 || request.bytes > sram_.interleave_bytes ||
        local + request.bytes > space) {
        throw ModelError("a memory request of " + std::to_string(request.bytes) +
                         " bytes at address " + std::to_string(request.address) +
                         " is empty, too long or beyond the end of its space");
    }
    last_arrival_ = request.at;
    const std::uint32_t id = jobs_.take();
    jobs_[id].request = request;
    jobs_[id].local = local;
    if (request.space == Space::dram) cache_.prefetch(cache_.at(local / line_bytes_));
    inputs_.push_back(id);
}

// When the partition acts by itself, its DRAM channels aside.
Cycles PartitionCore::internal_event() const {
    Cycles next = never;
    if (arrived_ < inputs_.size()) next = jobs_[inputs_[arrived_]].request.at;
    if (arrived_ > 0 && block_ == Block::nothing) next = std::min(next, next_dispatch_);
    for (const DramPort& port : ports_) {
        next = std::min(next, std::min(port.next_read(), port.room_at()));
    }
    return next;
}

Cycles PartitionCore::next_event() {
    Cycles next = std::min(internal_event(), std::min(responses_.first(), credits_.first()));
    for (DramPort& port : ports_) next = std::min(next, port.effect());
    return next;
}

// Lets the channel whose commands can have the earliest effect play them, if that is not after
// `limit`. Only that one, and no further: what comes of it may concern the others.
bool PartitionCore::step_port(Cycles limit) {
    DramPort* first = nullptr;
    Cycles earliest = never;
    for (DramPort& port : ports_) {
        const Cycles effect = port.effect();
        if (effect < earliest) {
            earliest = effect;
            first = &port;
        }
    }
    if (first == nullptr || earliest > limit) return false;
    first->step();
    return true;
}

void PartitionCore::advance(Cycles until, PartitionOutput& out) {
    if (until > reached_) {
        for (;;) {
            const Cycles next = internal_event();
            if (step_port(std::min(next, until - Cycles(1)))) continue;
            if (next >= until) break;
            handle(next);
        }
        reached_ = until;
    }
    while (responses_.first() < until) out.responses.push_back(responses_.pop());
    while (credits_.first() < until) {
        out.credits.push_back(credits_.first());
        credits_.pop();
    }
}

// Within one cycle: DRAM first (space, then data), then arrivals, then the head of the queue.
void PartitionCore::handle(Cycles now) {
    now_ = now;
    bool dram_moved = false, queue_moved = false;
    for (DramPort& port : ports_) {
        if (port.room_at() == now) {
            port.clear_room();
            port.want_read(0);
            drain(port);
            dram_moved = true;
            queue_moved = queue_moved || &port == &ports_[block_port_];
        }
        for (; port.next_read() == now; dram_moved = true) finish_read(port.pop_read());
    }
    if (dram_moved) fill_waiting();
    while (arrived_ < inputs_.size() && jobs_[inputs_[arrived_]].request.at == now) arrive();
    const bool retry =
        block_ != Block::nothing && (block_ == Block::dram_queue ? queue_moved : dram_moved);
    if (arrived_ > 0 && (retry || (block_ == Block::nothing && next_dispatch_ <= now))) {
        dispatch_head();
    }
}

void PartitionCore::arrive() {
    for (; slots_.first() <= now_; slots_.pop()) --slots_used_;
    if (slots_used_ == sram_.queue_depth) {
        throw ModelError("memory partition " + std::to_string(index_) +
                         " was sent more requests than its queue of " +
                         std::to_string(sram_.queue_depth) + " takes");
    }
    ++slots_used_;
    stats_.peak_queue = std::max(stats_.peak_queue, slots_used_);
    Job& job = jobs_[inputs_[arrived_++]];
    job.blocked_before = blocked_cycles_;
    if (block_ != Block::nothing) job.blocked_before += (now_ - blocked_since_).count();
    if (arrived_ == 1) next_dispatch_ = std::max(next_dispatch_, now_);
}

void PartitionCore::dispatch_head() {
    const std::uint32_t id = inputs_.front();
    const Block before = block_;
    if (before == Block::dram_queue) ports_[block_port_].want_read(0);
    block_ = look_up(jobs_[id], id);
    if (block_ != Block::nothing) {
        if (before == Block::nothing) blocked_since_ = now_;
        return;
    }
    if (before != Block::nothing) blocked_cycles_ += (now_ - blocked_since_).count();
    inputs_.pop_front();
    --arrived_;
    next_dispatch_ = now_ + Cycles(1);
    Job& job = jobs_[id];
    job.looked_up = now_;
    job.blocked_cycles = static_cast<std::uint32_t>(blocked_cycles_ - job.blocked_before);
    const Cycles free_at = std::max(now_, job.slot_free);
    slots_.push(free_at, true);
    credits_.push(free_at, true);
    if (job.fetches == 0) respond(id);
}

void PartitionCore::respond(std::uint32_t id) {
    const Job& job = jobs_[id];
    const MemoryRequest& q = job.request;
    MemoryResponse r;
    r.at = std::max(job.looked_up, job.data_end) + Cycles(sram_.latency_cycles);
    r.bytes = q.bytes;
    r.token = q.token;
    r.destination = q.source;
    r.partition = static_cast<std::uint16_t>(index_);
    r.kind = q.kind;
    r.shared = q.shared;
    r.issued = q.issued;
    const std::uint64_t waited =
        job.dram_end > job.looked_up ? (job.dram_end - job.looked_up).count() : 0;
    r.held = q.held;
    r.parts.dram = static_cast<std::uint32_t>(job.blocked_cycles + waited);
    r.parts.sram = static_cast<std::uint32_t>((r.at - q.at).count() - r.parts.dram);
    responses_.push(r.at, r);
    ++stats_.requests;
    jobs_.release(id);
}

PartitionStats PartitionCore::stats() {
    PartitionStats total = stats_;
    total.blocked_cycles = blocked_cycles_;
    for (DramPort& port : ports_) {
        port.sync(reached_ == never ? now_ : reached_);
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
