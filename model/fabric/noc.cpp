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

void Noc::end_of_elaboration() {
    for (std::size_t port = 0; port < requesters.size(); ++port) {
        requester_.push_back(requesters[port].operator->());
    }
    for (std::size_t p = 0; p < partitions.size(); ++p) {
        partition_.push_back(partitions[p].operator->());
    }
    conductor_ = wake.operator->();
}

// The conductor knows of an event that comes no later already.
void Noc::request(std::uint32_t port, const MemoryRequest& request) {
    if (request.at < arrivals_.next()) conductor_->wake(number_, request.at);
    Arrival& arrival = arrivals_.add(request.at);
    arrival.port = port;
    arrival.request = request;
}

void Noc::join(std::uint32_t port, const BroadcastJoin& join) {
    joins_.push(join.at, {port, join});
    conductor_->wake(number_, join.at);
}

void Noc::reply(const MemoryResponse& response) {
    if (response.at < replies_.next()) conductor_->wake(number_, response.at);
    replies_.add(response.at) = response;
}

// Takes a credit that has come: at this time, only if the partition's turn is over.
inline bool Noc::take_credit(Gate& gate, std::uint32_t partition, Cycles at) {
    if (gate.credits > 0) {
        --gate.credits;
        return true;
    }
    const Cycles first = gate.returned.first();
    if (first > at || (first == at && partition >= turn_)) return false;
    gate.returned.pop();
    return true;
}

inline void Noc::await_credit(Gate& gate, std::uint32_t partition) {
    if (gate.awaits_credit || gate.returned.empty()) return;
    gate.awaits_credit = true;
    credits_.push(gate.returned.first(), partition);
}

inline void Noc::hand_over(Gate& gate, std::uint32_t partition, MemoryRequest& request,
                           Cycles ready, Cycles at) {
    const Cycles leaves = std::max(ready, at);
    request.held += static_cast<std::uint32_t>((leaves - ready).count());
    request.at = leaves + port_cycles_;
    partition_[partition]->accept(request);
    if (!gate.blocked.empty()) roomy_.push_back(partition);
}

// A credit is an event only while requests wait for it.
void Noc::partition_credit(std::uint32_t partition, Cycles at) {
    Gate& gate = gates_[partition];
    gate.returned.push(at);
    if (gate.queue.empty() || gate.awaits_credit) return;
    if (at < credits_.next()) conductor_->wake(number_, at);
    await_credit(gate, partition);
}

Cycles Noc::next_event() {
    return std::min({arrivals_.next(), replies_.next(), credits_.next(), joins_.next()});
}

// At equal times room is made before requests are taken, and answers go last.
void Noc::advance(Cycles until) {
    for (;;) {
        const Cycles at = next_event();
        if (at >= until) return;
        if (credits_.next() == at) return_credits(at);
        while (joins_.next() == at) take_join(at, joins_.pop());
        for (; arrivals_.next() == at; arrivals_.drop()) {
            take(at, arrivals_.front());
            if (!roomy_.empty()) resume_blocked(at);
        }
        for (; replies_.next() == at; replies_.drop()) deliver(at, replies_.front());
    }
}

void Noc::take(Cycles at, Arrival& arrival) {
    ++stats_.requests;
    BoundedQueue<MemoryRequest>& outbox = outboxes_[arrival.port];
    if (!outbox.empty() || !forward(at, arrival.port, arrival.request)) {
        outbox.add() = arrival.request;
    }
}

// False when the queue in front of the partition is full: the port is then listed as blocked there.
bool Noc::forward(Cycles at, std::uint32_t port, MemoryRequest& request) {
    const std::uint32_t partition = request.partition;
    Gate& gate = gates_[partition];
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
        links_.reserve(links_.request_path(port / 2, partition), at, payload);
    stats_.write_bytes += payload;
    requester_[port]->outbox_credit(passage.started + port_cycles_);
    // A short packet behind a long one that still arrives over its sender's slower link waits for
    // it.
    gate.last_ready = std::max(gate.last_ready, passage.arrived);
    if (gate.queue.empty() && take_credit(gate, partition, at)) {
        hand_over(gate, partition, request, gate.last_ready, at);
        return true;
    }
    Waiting& waiting = gate.queue.add();
    waiting.request = request;
    waiting.ready = gate.last_ready;
    drain(gate, partition, at);
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
    requester_[joining.port]->grant(at + port_cycles_, joining.join.transfer, entry);
}

// Credits that come at one time are handled one by one, in the order of the partitions: each may
// let a blocked sender go on.
void Noc::return_credits(Cycles at) {
    for (;;) {
        while (credits_.next() == at) credited_.push_back(credits_.pop());
        if (credited_.empty()) break;
        const auto next = std::min_element(credited_.begin(), credited_.end());
        turn_ = *next;
        *next = credited_.back();
        credited_.pop_back();
        Gate& gate = gates_[turn_];
        gate.awaits_credit = false;
        gate.returned.pop();
        ++gate.credits;
        drain(gate, turn_, at);
        if (!roomy_.empty()) resume_blocked(at);
    }
    turn_ = no_turn;
}

void Noc::drain(Gate& gate, std::uint32_t partition, Cycles at) {
    while (!gate.queue.empty() && take_credit(gate, partition, at)) {
        hand_over(gate, partition, gate.queue.front().request, gate.queue.front().ready, at);
        gate.queue.pop();
    }
    if (!gate.queue.empty()) await_credit(gate, partition);
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

void Noc::deliver(Cycles at, MemoryResponse& response) {
    if (response.shared != no_shared) return deliver_shared(at, response);
    const std::uint32_t payload = response.kind == AccessKind::read ? response.bytes : 0;
    const Links::Passage passage =
        links_.reserve(links_.response_path(response.partition, response.destination), at, payload);
    stats_.read_bytes += payload;
    response.at = passage.arrived + port_cycles_;
    const std::uint32_t direction = response.kind == AccessKind::write ? 1 : 0;
    requester_[2u * response.destination + direction]->response(response);
}

void Noc::deliver_shared(Cycles at, MemoryResponse& response) {
    Shared& shared = shared_[response.shared];
    links_.begin_multicast();
    for (const Member& member : shared.members) {
        const std::uint32_t node = member.port / 2;
        const Links::Passage passage =
            links_.branch(links_.response_path(response.partition, node), at, response.bytes);
        stats_.read_bytes += response.bytes;
        response.at = passage.arrived + port_cycles_;
        requester_[member.port]->shared_response(response, member.transfer,
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
