#include "model/fabric/dma_engine.hpp"

#include <algorithm>
#include <utility>

namespace diastole {
namespace {

// The part of an access that took longest owns the wait for it.
Stall dominant(const WaitParts& parts) {
    if (parts.dram >= parts.sram && parts.dram >= parts.noc) return Stall::wait_dram;
    return parts.sram >= parts.noc ? Stall::wait_sram : Stall::wait_noc;
}

}  // namespace

DmaEngine::DmaEngine(const sc_core::sc_module_name& name, const ChipParams& chip, AccessKind kind,
                     std::uint16_t source, std::uint32_t port)
    : sc_module(name),
      params_(chip.dma),
      interleave_(chip.sram),
      kind_(kind),
      source_(source),
      port_(port),
      port_cycles_(chip.noc.port_cycles),
      transfers_(chip.issue.queue_depth),
      outstanding_(chip.dma.outstanding),
      credits_(chip.dma.outbox) {
    control.bind(*this);
    answers.bind(*this);
    for (std::uint32_t token = chip.dma.outstanding; token > 0; --token) {
        free_tokens_.push_back(token - 1);
    }
}

void DmaEngine::submit(Cycles at, Transfer& transfer, Stall gap) {
    Active active;
    active.submitted = at;
    active.ready = std::max(at, next_slot_) + Cycles(params_.startup_cycles);
    if (!transfers_.empty()) active.ready = at;  // start-up overlaps with the transfer before it
    active.gap = gap;
    const bool indexed = !transfer.row_addresses.empty();
    const bool contiguous = !indexed && transfer.pitch == transfer.row_bytes;
    active.rows = indexed ? transfer.row_addresses.size() : contiguous ? 1 : transfer.rows;
    active.row_bytes =
        contiguous ? std::uint64_t{transfer.rows} * transfer.row_bytes : transfer.row_bytes;
    if (active.row_bytes == 0 || active.rows == 0) {
        throw ModelError("a DMA transfer of zero bytes");
    }
    if (!spare_.empty()) {
        active.transfer = std::move(spare_.back());
        spare_.pop_back();
    }
    std::swap(active.transfer, transfer);
    transfers_.push(std::move(active));
}

Cycles DmaEngine::issue_time() const {
    if (issuing_ == transfers_.size() || free_tokens_.empty()) return never;
    const Cycles free = std::max(next_slot_, transfers_[issuing_].ready);
    if (credits_ > 0) return free;
    return returned_.empty() ? never : std::max(free, returned_.first());
}

bool DmaEngine::front_is_done() const {
    return !transfers_.empty() && transfers_.front().issued() && transfers_.front().unanswered == 0;
}

// Answers and outbox places matter only when something waits for them: the next request, or the
// completion of the front transfer. All others are taken in when time passes them.
Cycles DmaEngine::next_event() const {
    if (front_is_done()) return std::max(transfers_.front().finished, last_completion_);
    Cycles next = issue_time();
    if (free_tokens_.empty()) next = std::min(next, answers_.first());
    if (!transfers_.empty() && transfers_.front().all_arriving()) {
        next = std::min(next, std::max(transfers_.front().last_arrival, last_completion_));
    }
    return next;
}

std::optional<DmaIf::Completion> DmaEngine::run(Cycles limit) {
    for (;;) {
        if (front_is_done()) {
            Active& front = transfers_.front();
            last_completion_ = std::max(last_completion_, front.finished);
            const Completion completion{last_completion_, front.cause};
            if (front.transfer.lookups) stats_.lookups += front.rows;
            spare_.push_back(std::move(front.transfer));
            transfers_.pop();
            ++first_sequence_;
            --issuing_;
            return completion;
        }
        const Cycles answer_at = answers_.first();
        const Cycles issue_at = issue_time();
        if (std::min(answer_at, issue_at) >= limit) return std::nullopt;
        if (answer_at <= issue_at) {
            take_answer(answer_at, answers_.pop());
        } else {
            issue(issue_at);
        }
    }
}

void DmaEngine::issue(Cycles at) {
    // What holds requests up in the NoC is what the latest answers waited for.
    if (credits_ == 0) unblocked_by_ = last_cause_;
    for (; returned_.first() <= at; returned_.pop()) ++credits_;
    Active& active = transfers_[issuing_];
    const Transfer& transfer = active.transfer;
    if (!active.started) {
        active.started = true;
        clock_.account(std::min(active.submitted, at), active.gap);
        if (active.ready >= at) clock_.account(at, Stall::busy);  // start-up
    }
    clock_.account(at, unblocked_by_);
    clock_.account(at + Cycles(params_.issue_interval), Stall::busy);

    const std::uint64_t base = transfer.row_addresses.empty()
                                   ? transfer.address + active.row * transfer.pitch
                                   : transfer.row_addresses[active.row];
    const std::uint64_t address = base + active.offset;
    const std::uint64_t block = interleave_.block_bytes();
    const std::uint64_t bytes = std::min(active.row_bytes - active.offset, block - address % block);
    active.offset += bytes;
    if (active.offset == active.row_bytes) {
        active.offset = 0;
        ++active.row;
    }
    ++active.unanswered;

    MemoryRequest request;
    request.at = at + port_cycles_;
    request.address = address;
    request.bytes = static_cast<std::uint32_t>(bytes);
    request.token = free_tokens_.back();
    request.source = source_;
    request.partition = static_cast<std::uint16_t>(interleave_.partition(address));
    request.kind = transfer.prefetch ? AccessKind::prefetch : kind_;
    request.space = transfer.space;
    request.hint = transfer.hint;
    request.access = transfer.access;
    request.broadcast = transfer.broadcast;
    free_tokens_.pop_back();
    outstanding_[request.token] = {first_sequence_ + issuing_, at};
    --credits_;
    ++stats_.requests;
    next_slot_ = at + Cycles(params_.issue_interval);
    if (active.issued()) ++issuing_;
    noc->request(port_, request);
}

void DmaEngine::take_answer(Cycles at, const Answer& answer) {
    const Outstanding& request = outstanding_[answer.token];
    WaitParts parts = answer.parts;
    // A request that the partition did not take waited for what the partition was busy with.
    (parts.dram >= parts.sram ? parts.dram : parts.sram) += answer.held;
    parts.noc = static_cast<std::uint32_t>((at - request.issued).count()) - parts.sram - parts.dram;
    const Stall cause = dominant(parts);
    last_cause_ = cause;
    if (free_tokens_.empty()) {
        unblocked_by_ = cause;
        next_slot_ = std::max(next_slot_, at);
    }
    free_tokens_.push_back(answer.token);

    Active& active = by_sequence(request.transfer);
    --active.unanswered;
    --active.arriving;
    active.finished = at;
    active.cause = cause;
    stats_.bytes += answer.bytes;
    if (active.transfer.broadcast.members > 1) stats_.broadcast_bytes += answer.bytes;
    if (issuing_ == transfers_.size()) clock_.account(at, cause);  // all issued: it only waits
}

void DmaEngine::response(const MemoryResponse& response) {
    answers_.push(response.at, {response.token, response.bytes, response.held, response.parts});
    const std::uint64_t sequence = outstanding_[response.token].transfer;
    Active& active = by_sequence(sequence);
    ++active.arriving;
    active.last_arrival = std::max(active.last_arrival, response.at);
    if (free_tokens_.empty()) {
        wake->wake(owner_, response.at);
    } else if (sequence == first_sequence_ && active.all_arriving()) {
        wake->wake(owner_, active.last_arrival);
    }
}

void DmaEngine::outbox_credit(Cycles at) {
    returned_.push(at, true);
    if (credits_ == 0) wake->wake(owner_, at);
}

std::string DmaEngine::pending() const {
    if (transfers_.empty()) return {};
    return std::to_string(transfers_.size()) + " transfers, " +
           std::to_string(outstanding_.size() - free_tokens_.size()) + " requests unanswered, " +
           std::to_string(credits_) + " outbox places free";
}

}  // namespace diastole
