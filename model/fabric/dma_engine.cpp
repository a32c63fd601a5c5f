#include "model/fabric/dma_engine.hpp"

#include <algorithm>
#include <utility>

namespace diastole {
namespace {

// The part of an access that took longest owns the wait for it.
Stall cause_of(const MemoryResponse& response) {
    WaitParts parts = response.parts;
    // A request that the partition did not take waited for what the partition was busy with.
    (parts.dram >= parts.sram ? parts.dram : parts.sram) += response.held;
    parts.noc = static_cast<std::uint32_t>((response.at - response.issued).count()) - parts.sram -
                parts.dram;
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
    // What came before is accounted as it was: the engine had nothing else to do yet.
    while (answers_.first() < at) {
        const Cycles answer_at = answers_.first();
        take_answer(answer_at, answers_.pop());
    }
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
    active.left = active.rows * active.row_bytes;
    if (active.is_broadcast()) {
        BroadcastJoin join;
        join.at = active.ready + port_cycles_;
        join.broadcast = active.transfer.broadcast;
        join.address = active.transfer.address;
        join.bytes = active.left;
        join.transfer = static_cast<std::uint32_t>(first_sequence_ + transfers_.size());
        noc->join(port_, join);
    }
    transfers_.push(std::move(active));
    skip_issued();
}

// Broadcast transfers are issued when they are granted, outside the order of the others.
void DmaEngine::skip_issued() {
    while (issuing_ < transfers_.size() &&
           (transfers_[issuing_].is_broadcast() || transfers_[issuing_].issued())) {
        ++issuing_;
    }
}

DmaEngine::Next DmaEngine::next_request() const {
    Next next;
    if (free_tokens_.empty() || (credits_ == 0 && returned_.empty())) return next;
    if (issuing_ < transfers_.size()) {
        next = {transfers_[issuing_].ready, first_sequence_ + issuing_, false};
    }
    if (grants_.first() <= next.at && !grants_.empty()) {
        next = {grants_.first(), grants_.front().transfer, true};
    }
    if (next.at == never) return next;
    next.at = std::max(next.at, next_slot_);
    if (credits_ == 0) next.at = std::max(next.at, returned_.first());
    return next;
}

bool DmaEngine::front_is_done() const {
    return !transfers_.empty() && transfers_.front().left == 0;
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
        const Next next = next_request();
        if (std::min(answer_at, next.at) >= limit) return std::nullopt;
        if (answer_at <= next.at) {
            take_answer(answer_at, answers_.pop());
        } else {
            issue(next);
        }
    }
}

void DmaEngine::issue(const Next& next) {
    const Cycles at = next.at;
    // What holds requests up in the NoC is what the latest answers waited for.
    if (credits_ == 0) unblocked_by_ = last_cause_;
    if (next.granted) unblocked_by_ = Stall::wait_dependency;  // the last member to ask
    for (; returned_.first() <= at; returned_.pop()) ++credits_;
    Active& active = by_sequence(next.sequence);
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
    const std::uint64_t bytes =
        std::min(active.row_bytes - active.offset, interleave_.left_in_block(address));
    active.offset += bytes;
    if (active.offset == active.row_bytes) {
        active.offset = 0;
        ++active.row;
    }

    MemoryRequest request;
    request.at = at + port_cycles_;
    request.issued = at;
    request.address = address;
    request.bytes = static_cast<std::uint32_t>(bytes);
    request.token = free_tokens_.back();
    request.source = source_;
    request.partition = static_cast<std::uint16_t>(interleave_.partition(address));
    request.kind = transfer.prefetch ? AccessKind::prefetch : kind_;
    request.space = transfer.space;
    request.hint = transfer.hint;
    request.access = transfer.access;
    if (next.granted) request.shared = grants_.front().shared;
    free_tokens_.pop_back();
    outstanding_[request.token] = next.sequence;
    --credits_;
    ++stats_.requests;
    next_slot_ = at + Cycles(params_.issue_interval);
    if (active.issued() && next.granted) grants_.pop();
    skip_issued();
    noc->request(port_, request);
}

void DmaEngine::take_answer(Cycles at, const Answer& answer) {
    last_cause_ = answer.cause;
    if (answer.token != no_token) {
        if (free_tokens_.empty()) {
            unblocked_by_ = answer.cause;
            next_slot_ = std::max(next_slot_, at);
        }
        free_tokens_.push_back(answer.token);
    }
    Active& active = by_sequence(full_sequence(answer.transfer));
    active.left -= answer.bytes;
    active.arriving -= answer.bytes;
    active.finished = at;
    active.cause = answer.cause;
    stats_.bytes += answer.bytes;
    if (active.is_broadcast()) stats_.broadcast_bytes += answer.bytes;
    // Nothing to issue: the engine only waits.
    if (issuing_ == transfers_.size() && grants_.first() > at) clock_.account(at, answer.cause);
}

void DmaEngine::push_answer(std::uint64_t sequence, std::uint32_t token,
                            const MemoryResponse& response) {
    Active& active = by_sequence(sequence);
    Stall cause = cause_of(response);
    // A member that asked long before the last one waited for the others.
    if (active.is_broadcast() && response.issued > active.ready &&
        response.issued - active.ready > response.at - response.issued) {
        cause = Stall::wait_dependency;
    }
    answers_.push(response.at,
                  {static_cast<std::uint32_t>(sequence), token, response.bytes, cause});
    active.arriving += response.bytes;
    active.last_arrival = std::max(active.last_arrival, response.at);
    if (free_tokens_.empty() && token != no_token) {
        wake->wake(owner_, response.at);
    } else if (sequence == first_sequence_ && active.all_arriving()) {
        wake->wake(owner_, active.last_arrival);
    }
}

void DmaEngine::response(const MemoryResponse& response) {
    push_answer(outstanding_[response.token], response.token, response);
}

void DmaEngine::shared_response(const MemoryResponse& response, std::uint32_t transfer,
                                bool is_issuer) {
    const std::uint64_t sequence = full_sequence(transfer);
    push_answer(sequence, is_issuer ? response.token : no_token, response);
}

void DmaEngine::grant(Cycles at, std::uint32_t transfer, std::uint32_t shared) {
    grants_.push(at, {full_sequence(transfer), shared});
    wake->wake(owner_, at);
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
