#include "model/fabric/noc.hpp"

#include <algorithm>

namespace diastole {

Noc::Noc(const sc_core::sc_module_name& name, const ChipParams& chip)
    : sc_module(name),
      requesters("requester", 2 * (pe_count(chip) + 1)),
      partitions("partition", chip.sram.partitions),
      port_cycles_(chip.noc.port_cycles),
      pes_(pe_count(chip)),
      links_(chip),
      is_blocked_(requesters.size(), false) {
    requests.bind(*this);
    replies.bind(*this);
    const std::size_t host_outbox = chip.host.outstanding;
    for (std::size_t port = 0; port < requesters.size(); ++port) {
        outboxes_.emplace_back(port / 2 == pes_ ? host_outbox : chip.dma.outbox);
    }
    gates_.reserve(chip.sram.partitions);
    for (std::uint32_t p = 0; p < chip.sram.partitions; ++p) gates_.emplace_back(chip);
}

void Noc::request(std::uint32_t port, const MemoryRequest& request) {
    arrivals_.push(request.at, {port, request});
    wake->wake(number_, request.at);
}

void Noc::join(std::uint32_t port, const BroadcastJoin& join) {
    joins_.push(join.at, {port, join});
    wake->wake(number_, join.at);
}

void Noc::reply(const MemoryResponse& response) {
    replies_.push(response.at, response);
    wake->wake(number_, response.at);
}

void Noc::partition_credit(std::uint32_t partition, Cycles at) {
    credits_.push(at, partition);
    wake->wake(number_, at);
}

Cycles Noc::next_event() {
    return std::min({arrivals_.next(), replies_.next(), credits_.next(), joins_.next()});
}

// At equal times room is made before requests are taken, and answers go last.
void Noc::advance(Cycles until) {
    for (;;) {
        const Cycles at = next_event();
        if (at >= until) return;
        if (credits_.next() == at) {
            const std::uint32_t partition = credits_.pop();
            ++gates_[partition].credits;
            drain(partition, at);
            resume_blocked(at);
        } else if (joins_.next() == at) {
            take_join(at, joins_.pop());
        } else if (arrivals_.next() == at) {
            take(at, arrivals_.pop());
            resume_blocked(at);
        } else {
            deliver(at, replies_.pop());
        }
    }
}

void Noc::take(Cycles at, const Arrival& arrival) {
    ++stats_.requests;
    BoundedQueue<MemoryRequest>& outbox = outboxes_[arrival.port];
    if (!outbox.empty() || !forward(at, arrival.port, arrival.request)) {
        outbox.push(arrival.request);
    }
}

// False when the queue in front of the partition is full: the port is then listed as blocked there.
bool Noc::forward(Cycles at, std::uint32_t port, MemoryRequest request) {
    Gate& gate = gates_[request.partition];
    if (gate.queue.full()) {
        if (!is_blocked_[port]) {
            is_blocked_[port] = true;
            gate.blocked.push_back(port);
        }
        return false;
    }
    request.held = static_cast<std::uint32_t>((at - request.at).count());  // blocked at the gate
    const std::uint32_t payload = request.kind == AccessKind::write ? request.bytes : 0;
    const Links::Passage passage =
        links_.reserve(links_.request_path(port / 2, request.partition), at, payload);
    stats_.write_bytes += payload;
    credit(port, passage.started);
    // A short packet behind a long one that still arrives over its sender's slower link waits for
    // it.
    gate.last_ready = std::max(gate.last_ready, passage.arrived);
    gate.queue.push({request, gate.last_ready});
    drain(request.partition, at);
    return true;
}

std::uint32_t Noc::new_shared() {
    if (free_shared_.empty()) {
        shared_.emplace_back();
        return static_cast<std::uint32_t>(shared_.size() - 1);
    }
    const std::uint32_t entry = free_shared_.back();
    free_shared_.pop_back();
    return entry;
}

// The last member to ask is the one that issues the requests. A member that runs ahead may want the
// same transfer again before the others wanted it once: every round has an entry of its own, the
// oldest first.
void Noc::take_join(Cycles at, const Joining& joining) {
    const Broadcast& broadcast = joining.join.broadcast;
    const auto [found, is_new] =
        merging_.try_emplace({joining.join.address, broadcast.group}, no_shared);
    if (is_new) found->second = new_shared();
    std::uint32_t entry = found->second;
    const auto has_joined = [&](std::uint32_t candidate) {
        const std::vector<Member>& members = shared_[candidate].members;
        return std::any_of(members.begin(), members.end(),
                           [&](const Member& member) { return member.port == joining.port; });
    };
    while (has_joined(entry)) {
        if (shared_[entry].next == no_shared) {
            const std::uint32_t later = new_shared();
            shared_[entry].next = later;
        }
        entry = shared_[entry].next;
    }
    Shared& shared = shared_[entry];
    shared.members.push_back({joining.port, joining.join.transfer});
    if (shared.members.size() < broadcast.members) return;
    // Members ask in order, so the round that is full is the oldest.
    if (shared.next == no_shared) {
        merging_.erase(found);
    } else {
        found->second = shared.next;
        shared.next = no_shared;
    }
    shared.bytes_left = joining.join.bytes;
    stats_.merged_bytes += joining.join.bytes * (broadcast.members - 1);
    requesters[joining.port]->grant(at + port_cycles_, joining.join.transfer, entry);
}

void Noc::drain(std::uint32_t partition, Cycles at) {
    Gate& gate = gates_[partition];
    while (gate.credits > 0 && !gate.queue.empty()) {
        Waiting& waiting = gate.queue.front();
        const Cycles leaves = std::max(waiting.ready, at);
        waiting.request.held += static_cast<std::uint32_t>((leaves - waiting.ready).count());
        waiting.request.at = leaves + port_cycles_;
        partitions[partition]->accept(waiting.request);
        gate.queue.pop();
        --gate.credits;
        if (!gate.blocked.empty()) roomy_.push_back(partition);
    }
}

// Lets senders go on that were blocked at gates which have room again. One that goes on need not
// take the room (a broadcast read may be absorbed), so the next one is asked until it is taken.
void Noc::resume_blocked(Cycles at) {
    while (!roomy_.empty()) {
        Gate& gate = gates_[roomy_.back()];
        if (gate.queue.full() || gate.blocked.empty()) {
            roomy_.pop_back();
            continue;
        }
        const std::uint32_t port = gate.blocked.front();
        gate.blocked.pop_front();
        is_blocked_[port] = false;
        BoundedQueue<MemoryRequest>& outbox = outboxes_[port];
        while (!outbox.empty() && forward(at, port, outbox.front())) outbox.pop();
    }
}

void Noc::credit(std::uint32_t port, Cycles at) {
    requesters[port]->outbox_credit(at + port_cycles_);
}

void Noc::deliver(Cycles at, const MemoryResponse& response) {
    if (response.shared != no_shared) return deliver_shared(at, response);
    const std::uint32_t payload = response.kind == AccessKind::read ? response.bytes : 0;
    const Links::Passage passage =
        links_.reserve(links_.response_path(response.partition, response.destination), at, payload);
    stats_.read_bytes += payload;
    MemoryResponse answer = response;
    answer.at = passage.arrived + port_cycles_;
    const std::uint32_t direction = response.kind == AccessKind::write ? 1 : 0;
    requesters[2u * response.destination + direction]->response(answer);
}

void Noc::deliver_shared(Cycles at, const MemoryResponse& response) {
    Shared& shared = shared_[response.shared];
    links_.begin_multicast();
    MemoryResponse answer = response;
    for (const Member& member : shared.members) {
        const std::uint32_t node = member.port / 2;
        const Links::Passage passage =
            links_.branch(links_.response_path(response.partition, node), at, response.bytes);
        stats_.read_bytes += response.bytes;
        answer.at = passage.arrived + port_cycles_;
        requesters[member.port]->shared_response(answer, member.transfer,
                                                 node == response.destination);
    }
    shared.bytes_left -= response.bytes;
    if (shared.bytes_left > 0) return;
    shared.members.clear();
    free_shared_.push_back(response.shared);
}

std::string Noc::pending() const {
    std::size_t queued = 0, blocked = 0;
    for (const Gate& gate : gates_) {
        queued += gate.queue.size();
        blocked += gate.blocked.size();
    }
    if (queued + blocked + merging_.size() == 0) return {};
    return std::to_string(queued) + " requests in front of partitions, " + std::to_string(blocked) +
           " senders blocked, " + std::to_string(merging_.size()) +
           " broadcast transfers waiting for members";
}

}  // namespace diastole
