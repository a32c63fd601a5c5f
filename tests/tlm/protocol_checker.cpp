#include "tests/tlm/protocol_checker.hpp"

#include <algorithm>

namespace diastole::tlm_test {

using sc_core::sc_time;

ProtocolChecker::ProtocolChecker(const sc_core::sc_module_name& name) : sc_module(name) {
    in.register_b_transport(this, &ProtocolChecker::b_transport);
    in.register_nb_transport_fw(this, &ProtocolChecker::forward);
    in.register_get_direct_mem_ptr(this, &ProtocolChecker::get_direct_mem_ptr);
    in.register_transport_dbg(this, &ProtocolChecker::transport_dbg);
    out.register_nb_transport_bw(this, &ProtocolChecker::backward);
}

bool ProtocolChecker::saw(const std::string& rule) const {
    return std::any_of(violations_.begin(), violations_.end(),
                       [&](const std::string& text) { return text.rfind(rule, 0) == 0; });
}

void ProtocolChecker::violate(const std::string& rule, const std::string& detail) {
    if (violations_.size() >= 100) return;
    violations_.push_back(rule + (detail.empty() ? "" : ": " + detail) + ", at " +
                          sc_core::sc_time_stamp().to_string());
}

ProtocolChecker::Attributes ProtocolChecker::attributes_of(const Payload& payload) {
    std::uint64_t content = 0;
    if (payload.is_write() && payload.get_data_ptr() != nullptr) {
        content = 0xcbf29ce484222325ULL;  // FNV-1a
        for (unsigned i = 0; i < payload.get_data_length(); ++i) {
            content = (content ^ payload.get_data_ptr()[i]) * 0x100000001b3ULL;
        }
    }
    return {payload.get_command(),         payload.get_address(),
            payload.get_data_ptr(),        payload.get_byte_enable_ptr(),
            payload.get_data_length(),     payload.get_byte_enable_length(),
            payload.get_streaming_width(), content};
}

void ProtocolChecker::check_unchanged(const Payload& payload, const Transaction& transaction) {
    const Attributes now = attributes_of(payload);
    const Attributes& then = transaction.attributes;
    require(now.command == then.command && now.address == then.address && now.data == then.data &&
                now.enable == then.enable && now.length == then.length &&
                now.enable_length == then.enable_length && now.width == then.width,
            "attributes changed");
    require(now.content == then.content, "written data changed");
    require(transaction.stage != Stage::responding ||
                payload.get_response_status() == transaction.status,
            "status changed after BEGIN_RESP");
}

void ProtocolChecker::begin_request(Payload& payload, const sc_time& at) {
    require(transactions_.count(&payload) == 0, "BEGIN_REQ of a transaction under way");
    require(request_ == nullptr && at >= request_free_, "request exclusion");
    require(payload.has_mm(), "no memory manager");
    require(payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE,
            "status not incomplete at BEGIN_REQ");
    require(!payload.is_dmi_allowed(), "DMI hint set at BEGIN_REQ");
    Transaction transaction;
    transaction.attributes = attributes_of(payload);
    transaction.last = at;
    transactions_[&payload] = transaction;
    request_ = &payload;
}

// Every phase but the first.
void ProtocolChecker::continue_with(Payload& payload, const tlm::tlm_phase& phase,
                                    const sc_time& at) {
    const auto found = transactions_.find(&payload);
    if (found == transactions_.end()) {
        violate("phase of an unknown transaction", phase.get_name());
        return;
    }
    Transaction& transaction = found->second;
    check_unchanged(payload, transaction);
    require(at >= transaction.last, "back in time");
    transaction.last = at;
    if (phase == tlm::END_REQ) {
        require(transaction.stage == Stage::requested, "END_REQ out of order");
    }
    if (phase == tlm::END_REQ || (phase == tlm::BEGIN_RESP && request_ == &payload)) {
        if (request_ == &payload) request_ = nullptr;
        request_free_ = at;
        if (transaction.stage == Stage::requested) transaction.stage = Stage::request_ended;
    }
    if (phase == tlm::BEGIN_RESP) {
        require(transaction.stage != Stage::responding, "BEGIN_RESP out of order");
        require((response_ == nullptr || response_ == &payload) && at >= response_free_,
                "response exclusion");
        require(payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE,
                "status incomplete at BEGIN_RESP");
        transaction.stage = Stage::responding;
        transaction.status = payload.get_response_status();
        response_ = &payload;
    }
    if (phase == tlm::END_RESP) {
        const bool in_order = transaction.stage == Stage::responding;
        require(in_order, "END_RESP out of order");
        if (in_order) finish(payload, at);
    }
}

void ProtocolChecker::finish(Payload& payload, const sc_time& at) {
    if (request_ == &payload) {
        request_ = nullptr;
        request_free_ = at;
    }
    if (response_ == &payload) {
        response_ = nullptr;
        response_free_ = at;
    }
    transactions_.erase(&payload);
    ++finished_;
}

void ProtocolChecker::take(Payload& payload, const tlm::tlm_phase& phase, const sc_time& delay) {
    const sc_time at = sc_core::sc_time_stamp() + delay;
    require(!payload.has_mm() || payload.get_ref_count() > 0, "no reference held");
    if (phase == tlm::BEGIN_REQ) {
        begin_request(payload, at);
    } else {
        continue_with(payload, phase, at);
    }
}

void ProtocolChecker::check_return(Payload& payload, const tlm::tlm_phase& sent,
                                   const sc_time& sent_delay, tlm::tlm_sync_enum answer,
                                   const tlm::tlm_phase& phase, const sc_time& delay) {
    if (answer == tlm::TLM_ACCEPTED) {
        require(phase == sent && delay == sent_delay, "TLM_ACCEPTED with a new phase or time");
        return;
    }
    require(delay >= sent_delay, "time annotation made shorter");
    if (answer == tlm::TLM_UPDATED) {
        const bool legal =
            (sent == tlm::BEGIN_REQ && (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP)) ||
            (sent == tlm::BEGIN_RESP && phase == tlm::END_RESP);
        require(legal, "TLM_UPDATED to a phase that does not follow");
        if (legal) take(payload, phase, delay);
        return;
    }
    require(sent != tlm::END_REQ, "TLM_COMPLETED in answer to END_REQ");
    if (sent == tlm::BEGIN_REQ || sent == tlm::BEGIN_RESP) {
        const auto found = transactions_.find(&payload);
        if (found == transactions_.end()) return;
        check_unchanged(payload, found->second);
        require(payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE,
                "status incomplete at completion");
        finish(payload, sc_core::sc_time_stamp() + delay);
    }
}

tlm::tlm_sync_enum ProtocolChecker::forward(Payload& payload, tlm::tlm_phase& phase,
                                            sc_time& delay) {
    const tlm::tlm_phase sent = phase;
    const sc_time sent_delay = delay;
    require(sent == tlm::BEGIN_REQ || sent == tlm::END_RESP, "not a phase of the initiator");
    take(payload, sent, delay);
    const tlm::tlm_sync_enum answer = out->nb_transport_fw(payload, phase, delay);
    check_return(payload, sent, sent_delay, answer, phase, delay);
    return answer;
}

tlm::tlm_sync_enum ProtocolChecker::backward(Payload& payload, tlm::tlm_phase& phase,
                                             sc_time& delay) {
    const tlm::tlm_phase sent = phase;
    const sc_time sent_delay = delay;
    require(sent == tlm::END_REQ || sent == tlm::BEGIN_RESP, "not a phase of the target");
    take(payload, sent, delay);
    const tlm::tlm_sync_enum answer = in->nb_transport_bw(payload, phase, delay);
    check_return(payload, sent, sent_delay, answer, phase, delay);
    return answer;
}

void ProtocolChecker::b_transport(Payload& payload, sc_time& delay) {
    require(payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE,
            "status not incomplete at b_transport");
    const sc_time began = sc_core::sc_time_stamp() + delay;
    Transaction transaction;
    transaction.attributes = attributes_of(payload);
    out->b_transport(payload, delay);
    check_unchanged(payload, transaction);
    require(sc_core::sc_time_stamp() + delay >= began, "back in time");
    require(payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE,
            "status incomplete at completion");
    ++finished_;
}

bool ProtocolChecker::get_direct_mem_ptr(Payload& payload, tlm::tlm_dmi& dmi) {
    const bool granted = out->get_direct_mem_ptr(payload, dmi);
    require(granted == !dmi.is_none_allowed(), "DMI answer contradicts its access");
    return granted;
}

unsigned ProtocolChecker::transport_dbg(Payload& payload) {
    const unsigned bytes = out->transport_dbg(payload);
    require(bytes <= payload.get_data_length(), "transport_dbg moved more than was asked for");
    return bytes;
}

}  // namespace diastole::tlm_test
