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

void Noc::reply(const MemoryResponse& response) {
    replies_.push(response.at, response);
    wake->wake(number_, response.at);
}

void Noc::partition_credit(std::uint32_t partition, Cycles at) {
    credits_.push(at, partition);
    wake->wake(number_, at);
}

Cycles Noc::next_event() {
    return std::min({arrivals_.next(), replies_.next(), credits_.next()});
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
    if (request.broadcast.members > 1 && !join(port, request)) {
        credit(port, at);
        return true;
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

// Adds a broadcast read to those it will be answered with. True when it is the last one and goes on
// for all; its token then names the shared read. A member that runs ahead may ask for the same
// bytes again before the others asked once: every round has an entry of its own, the oldest first.
bool Noc::join(std::uint32_t port, MemoryRequest& request) {
    const auto [found, is_new] =
        merging_.try_emplace({request.address, request.broadcast.group}, Shared::nothing);
    if (is_new) found->second = new_shared();
    std::uint32_t entry = found->second;
    const auto has_joined = [&](std::uint32_t candidate) {
        const std::vector<Member>& members = shared_[candidate].members;
        return std::any_of(members.begin(), members.end(),
                           [port](const Member& member) { return member.port == port; });
    };
    while (has_joined(entry)) {
        if (shared_[entry].next == Shared::nothing) {
            const std::uint32_t later = new_shared();
            shared_[entry].next = later;
        }
        entry = shared_[entry].next;
    }
    Shared& shared = shared_[entry];
    shared.members.push_back({port, request.token});
    if (shared.members.size() < request.broadcast.members) {
        ++stats_.merged;
        return false;
    }
    // Members ask in order, so the round that is full is the oldest.
    request.token = entry;
    if (shared.next == Shared::nothing) {
        merging_.erase(found);
    } else {
        found->second = shared.next;
        shared.next = Shared::nothing;
    }
    return true;
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
    if (response.broadcast.members > 1) return deliver_shared(at, response);
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
    Shared& shared = shared_[response.token];
    links_.begin_multicast();
    for (const Member& member : shared.members) {
        const Links::Passage passage = links_.branch(
            links_.response_path(response.partition, member.port / 2), at, response.bytes);
        stats_.read_bytes += response.bytes;
        MemoryResponse answer = response;
        answer.at = passage.arrived + port_cycles_;
        answer.token = member.token;
        answer.destination = static_cast<std::uint16_t>(member.port / 2);
        requesters[member.port]->response(answer);
    }
    shared.members.clear();
    free_shared_.push_back(response.token);
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
           " broadcast reads waiting for members";
}

}  // namespace diastole
