#include "model/fabric/dma_engine.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "model/base/error.hpp"

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
      transfers_(chip.issue.queue_depth),
      credits_(chip.dma.outbox),
      params_(chip.dma),
      link_rate_(chip.noc.pe_link_bytes_per_cycle),
      header_(chip.noc.header_bytes),
      interleave_(chip.sram),
      kind_(kind),
      source_(source),
      port_(port),
      port_cycles_(chip.noc.port_cycles) {
    control.bind(*this);
    answers.bind(*this);
    constexpr std::uint32_t most = std::numeric_limits<decltype(Answer::transfer)>::max();
    if (chip.issue.queue_depth > most) {
        throw ConfigError("issue.queue_depth: expected at most " + std::to_string(most) + ", got " +
                          std::to_string(chip.issue.queue_depth));
    }
}

void DmaEngine::end_of_elaboration() {
    noc_ = noc.operator->();
    conductor_ = wake.operator->();
}

void DmaEngine::submit(Cycles at, Transfer& transfer, Stall gap) {
    // What came before is accounted for as it was: the engine had nothing else to do yet.
    while (answers_.first() < at) take_answer();
    next_event_known_ = false;
    const std::uint64_t sequence = first_sequence_ + transfers_.size();
    const bool is_only = transfers_.empty();
    Active& active = transfers_.add();
    std::swap(active.transfer, transfer);
    const Transfer& what = active.transfer;
    const bool indexed = !what.row_addresses.empty();
    const bool contiguous = !indexed && what.pitch == what.row_bytes;
    active.rows = indexed ? what.row_addresses.size() : contiguous ? 1 : what.rows;
    active.row_bytes = contiguous ? std::uint64_t{what.rows} * what.row_bytes : what.row_bytes;
    if (active.row_bytes == 0 || active.rows == 0) {
        throw ModelError("a DMA transfer of zero bytes");
    }
    active.submitted = at;
    active.ready = at;  // start-up overlaps with the transfer before it
    if (is_only) active.ready = std::max(at, next_slot_) + Cycles(params_.startup_cycles);
    active.gap = gap;
    active.started = false;
    active.cause = Stall::wait_noc;
    active.left = active.rows * active.row_bytes;
    active.arriving = 0;
    active.last_arrival = active.finished = Cycles(0);
    active.row = 0;
    active.row_left = active.row_bytes;
    active.address = indexed ? what.row_addresses.front() : what.address;
    active.is_broadcast = what.broadcast.members > 1;
    if (active.is_broadcast) {
        BroadcastJoin join;
        join.at = active.ready + port_cycles_;
        join.broadcast = what.broadcast;
        join.address = what.address;
        join.bytes = active.left;
        join.transfer = static_cast<std::uint32_t>(sequence);
        noc_->join(port_, join);
    }
    skip_issued();
}

// Broadcast transfers are issued when they are granted, outside the order of the others.
void DmaEngine::skip_issued() {
    while (issuing_ < transfers_.size() &&
           (transfers_[issuing_].is_broadcast || transfers_[issuing_].issued())) {
        ++issuing_;
    }
}

DmaEngine::Next DmaEngine::next_request() const {
    Next next;
    if (none_to_spare() || (credits_ == 0 && returned_.empty())) return next;
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

// Answers and outbox places matter only when something waits for them: the next request, or the
// completion of the front transfer. All others are taken in when time passes them.
Cycles DmaEngine::find_next_event() const {
    if (front_is_done()) return std::max(transfers_.front().finished, last_completion_);
    Cycles next = next_request().at;
    if (none_to_spare()) next = std::min(next, answers_.first());
    if (!transfers_.empty() && transfers_.front().all_arriving()) {
        next = std::min(next, std::max(transfers_.front().last_arrival, last_completion_));
    }
    return next;
}

std::optional<DmaIf::Completion> DmaEngine::run(Cycles limit) {
    next_event_known_ = false;
    for (;;) {
        if (front_is_done()) return complete_front();
        const Next next = next_request();
        // Answers make a difference to the next request only where it waited for one.
        const bool waits = none_to_spare();
        const Cycles until = std::min(limit, next.at == never ? never : next.at + Cycles(1));
        bool again = false;
        while (!again && answers_.first() < until) {
            take_answer();
            again = waits || front_is_done();
        }
        if (again) continue;
        if (next.at >= limit) return std::nullopt;
        issue(next);
    }
}

DmaIf::Completion DmaEngine::complete_front() {
    const Active& front = transfers_.front();
    last_completion_ = std::max(last_completion_, front.finished);
    const Completion completion{last_completion_, front.cause};
    if (front.transfer.lookups) stats_.lookups += front.rows;
    transfers_.pop();
    ++first_sequence_;
    --issuing_;
    return completion;
}

void DmaEngine::issue(const Next& next) {
    const Cycles at = next.at;
    // What holds requests up in the NoC is what the latest answers waited for.
    if (credits_ == 0) unblocked_by_ = last_cause_;
    if (next.granted) unblocked_by_ = Stall::wait_dependency;  // the last member to ask
    for (; returned_.first() <= at; returned_.pop()) ++credits_;
    Active& active = by_sequence(next.sequence);
    if (!active.started) {
        active.started = true;
        clock_.account(std::min(active.submitted, at), active.gap);
        if (active.ready >= at) clock_.account(at, Stall::busy);  // start-up
    }
    clock_.account(at, unblocked_by_);
    next_slot_ = at + Cycles(params_.issue_interval);
    clock_.account(next_slot_, Stall::busy);

    MemoryRequest request;
    request.at = at + port_cycles_;
    request.issued = at;
    request.address = active.address;
    const std::uint64_t bytes =
        std::min(active.row_left, interleave_.left_in_block(active.address));
    request.bytes = static_cast<std::uint32_t>(bytes);
    request.token = static_cast<std::uint32_t>(next.sequence);
    request.source = source_;
    request.partition = static_cast<std::uint16_t>(interleave_.partition(active.address));
    const Transfer& transfer = active.transfer;
    request.kind = transfer.prefetch ? AccessKind::prefetch : kind_;
    request.space = transfer.space;
    request.hint = transfer.hint;
    request.access = transfer.access;
    if (next.granted) request.shared = grants_.front().shared;
    ++outstanding_;
    --credits_;
    ++stats_.requests;
    if (params_.shaping && request.kind == AccessKind::read) shape(at, bytes);
    active.address += bytes;
    active.row_left -= bytes;
    if (active.row_left == 0) next_row(active);
    if (active.issued()) {
        if (next.granted) grants_.pop();
        skip_issued();
    }
    noc_->request(port_, request);
}

// A leaky bucket that drains at the rate of the PE's link, so that answers do not pile up in front
// of it and hold up those of other PEs. Counted in bytes: no fraction of a cycle is lost. What it
// adds to the issue interval is the NoC's.
void DmaEngine::shape(Cycles at, std::uint64_t bytes) {
    shaped_bytes_ = std::max(shaped_bytes_, at.count() * link_rate_) + bytes + header_;
    const Cycles drained(shaped_bytes_ / link_rate_);
    if (drained <= next_slot_) return;
    next_slot_ = drained;
    clock_.account(next_slot_, Stall::wait_noc);
}

void DmaEngine::next_row(Active& active) {
    ++active.row;
    if (active.issued()) return;
    active.row_left = active.row_bytes;
    const Transfer& transfer = active.transfer;
    active.address = transfer.row_addresses.empty() ? transfer.address + active.row * transfer.pitch
                                                    : transfer.row_addresses[active.row];
}

void DmaEngine::take_answer() {
    const Answer& answer = answers_.pop();
    last_cause_ = answer.cause;
    if (answer.is_issuers) {
        if (none_to_spare()) {
            unblocked_by_ = answer.cause;
            next_slot_ = std::max(next_slot_, answer.at);
        }
        --outstanding_;
    }
    Active& active = by_sequence(full_sequence(answer.transfer));
    active.left -= answer.bytes;
    active.arriving -= answer.bytes;
    active.finished = answer.at;
    active.cause = answer.cause;
    stats_.bytes += answer.bytes;
    if (active.is_broadcast) stats_.broadcast_bytes += answer.bytes;
    // Nothing to issue: the engine only waits.
    if (issuing_ == transfers_.size() && grants_.first() > answer.at) {
        clock_.account(answer.at, answer.cause);
    }
}

void DmaEngine::push_answer(std::uint64_t sequence, bool is_issuers,
                            const MemoryResponse& response) {
    Active& active = by_sequence(sequence);
    Stall cause = cause_of(response);
    // A member that asked long before the last one waited for the others.
    if (active.is_broadcast && response.issued > active.ready &&
        response.issued - active.ready > response.at - response.issued) {
        cause = Stall::wait_dependency;
    }
    answers_.push(
        {response.at, response.bytes, static_cast<std::uint16_t>(sequence), cause, is_issuers});
    active.arriving += response.bytes;
    active.last_arrival = std::max(active.last_arrival, response.at);
    const bool frees_number = none_to_spare() && is_issuers;
    const bool completes = sequence == first_sequence_ && active.all_arriving();
    if (none_to_spare() || completes) next_event_known_ = false;
    if (frees_number) {
        conductor_->wake(owner_, response.at);
    } else if (completes) {
        conductor_->wake(owner_, active.last_arrival);
    }
}

void DmaEngine::response(const MemoryResponse& response) {
    push_answer(full_sequence(response.token), true, response);
}

void DmaEngine::shared_response(const MemoryResponse& response, std::uint32_t transfer,
                                bool is_issuer) {
    push_answer(full_sequence(transfer), is_issuer, response);
}

void DmaEngine::grant(Cycles at, std::uint32_t transfer, std::uint32_t shared) {
    next_event_known_ = false;
    grants_.push(at, {full_sequence(transfer), shared});
    conductor_->wake(owner_, at);
}

void DmaEngine::outbox_credit(Cycles at) {
    const bool is_first = at < returned_.first();
    returned_.push(at);
    if (credits_ > 0 || !is_first) return;
    next_event_known_ = false;
    conductor_->wake(owner_, at);
}

std::string DmaEngine::pending() const {
    if (transfers_.empty()) return {};
    return std::to_string(transfers_.size()) + " transfers, " + std::to_string(outstanding_) +
           " requests unanswered, " + std::to_string(credits_) + " outbox places free";
}

}  // namespace diastole
