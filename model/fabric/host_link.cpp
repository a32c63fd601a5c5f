#include "model/fabric/host_link.hpp"

#include <algorithm>

#include "model/base/error.hpp"

namespace diastole {

HostLink::HostLink(const sc_core::sc_module_name& name, const ChipParams& chip)
    : sc_module(name),
      clock_(clock_of(chip)),
      rate_(chip.host.bytes_per_second),
      latency_(cycles_from_nanoseconds(chip.host.latency_ns, clock_of(chip))),
      port_cycles_(chip.noc.port_cycles),
      sync_cycles_(chip.control.sync_cycles),
      outstanding_limit_(chip.host.outstanding),
      pes_(pe_count(chip)),
      interleave_(chip.sram) {
    for (int i = 0; i < 2; ++i) {
        lanes_[i].owner = this;
        lanes_[i].to_host = i == 1;
        lanes_[i].credits = chip.host.outstanding;
    }
    commands.bind(*this);
    to_device_answers.bind(lanes_[0]);
    to_host_answers.bind(lanes_[1]);
}

// Blocks that follow each other without a gap are rounded to whole cycles together, not each.
Cycles HostLink::carry(Lane& lane, Cycles at, std::uint64_t bytes) {
    if (lane.link_free < at || lane.stream_bytes == 0) {
        lane.stream_start = std::max(lane.link_free, at);
        lane.stream_bytes = 0;
    }
    lane.stream_bytes += bytes;
    lane.link_free = lane.stream_start + transfer_cycles(Bytes(lane.stream_bytes), rate_, clock_);
    return lane.link_free;
}

void HostLink::copy(Cycles at, std::uint64_t job, const HostCopy& copy) {
    inbox_.push(at, {at, job, copy});
    wake->wake(number_, at);
}

void HostLink::Lane::response(const MemoryResponse& response) {
    answers.push(response.at, response.bytes);
    owner->wake->wake(owner->number_, response.at);
}

void HostLink::Lane::outbox_credit(Cycles at) {
    answers.push(at, 0);
    owner->wake->wake(owner->number_, at);
}

void HostLink::Lane::grant(Cycles, std::uint32_t, std::uint32_t) {
    throw ModelError("the host takes no part in broadcast reads");
}

void HostLink::Lane::shared_response(const MemoryResponse&, std::uint32_t, bool) {
    throw ModelError("the host takes no part in broadcast reads");
}

Cycles HostLink::next_event() {
    return std::min({inbox_.next(), lanes_[0].next_issue, lanes_[0].answers.next(),
                     lanes_[1].next_issue, lanes_[1].answers.next()});
}

void HostLink::advance(Cycles until) {
    for (;;) {
        const Cycles at = next_event();
        if (at >= until) return;
        if (inbox_.next() == at) {
            Copy copy = inbox_.pop();
            Lane& lane = lanes_[copy.what.direction == HostDirection::to_host ? 1 : 0];
            lane.copies.push_back(copy);
            if (!lane.active) start(lane, at);
            continue;
        }
        for (Lane& lane : lanes_) {
            if (lane.answers.next() == at) {
                answer(lane, at, lane.answers.pop());
                break;
            }
            if (lane.next_issue == at) {
                issue(lane, at);
                break;
            }
        }
    }
}

void HostLink::start(Lane& lane, Cycles at) {
    lane.active = true;
    lane.started = at;
    lane.issued = 0;
    lane.done = 0;
    lane.link_free = std::max(lane.link_free, at + latency_);
    lane.stream_bytes = 0;
    plan_next(lane, at);
}

// To the device a block can be written when the link has delivered it; to the host it can be read
// at once.
void HostLink::plan_next(Lane& lane, Cycles at) {
    const HostCopy& what = lane.copies.front().what;
    lane.next_issue = never;
    lane.starved = false;
    if (lane.issued == what.bytes) return;
    if (lane.credits == 0 || lane.outstanding == outstanding_limit_) {
        lane.starved = true;
        return;
    }
    if (lane.to_host) {
        lane.next_issue = at;
        return;
    }
    const std::uint64_t block = interleave_.block_bytes();
    const std::uint64_t bytes =
        std::min(what.bytes - lane.issued, block - (what.address + lane.issued) % block);
    lane.next_issue = carry(lane, at, bytes);
}

void HostLink::issue(Lane& lane, Cycles at) {
    const HostCopy& what = lane.copies.front().what;
    const std::uint64_t address = what.address + lane.issued;
    const std::uint64_t block = interleave_.block_bytes();
    MemoryRequest request;
    request.at = at + port_cycles_;
    request.issued = at;
    request.address = address;
    request.bytes =
        static_cast<std::uint32_t>(std::min(what.bytes - lane.issued, block - address % block));
    request.source = static_cast<std::uint16_t>(pes_);
    request.partition = static_cast<std::uint16_t>(interleave_.partition(address));
    request.kind = lane.to_host ? AccessKind::read : AccessKind::write;
    request.space = what.space;
    lane.issued += request.bytes;
    ++lane.outstanding;
    --lane.credits;
    noc->request(2 * pes_ + (lane.to_host ? 0 : 1), request);
    plan_next(lane, at + Cycles(lane.to_host ? 1 : 0));
}

void HostLink::answer(Lane& lane, Cycles at, std::uint32_t bytes) {
    if (bytes == 0) {
        ++lane.credits;
    } else {
        --lane.outstanding;
        lane.done += bytes;
        if (lane.to_host) {
            carry(lane, at, bytes);
            stats_.bytes_out += bytes;
        } else {
            stats_.bytes_in += bytes;
        }
        if (lane.done == lane.copies.front().what.bytes) return finish(lane, at);
    }
    if (lane.active && lane.starved) plan_next(lane, at);
}

void HostLink::finish(Lane& lane, Cycles at) {
    const Cycles ended = lane.to_host ? lane.link_free + latency_ : at;
    control->copy_done(lane.copies.front().job, lane.started, std::max(ended, at) + sync_cycles_);
    lane.copies.pop_front();
    lane.active = false;
    lane.next_issue = never;
    if (!lane.copies.empty()) start(lane, at);
}

std::string HostLink::pending() const {
    const std::size_t waiting = lanes_[0].copies.size() + lanes_[1].copies.size();
    return waiting == 0 ? std::string{} : std::to_string(waiting) + " copies unfinished";
}

}  // namespace diastole
