// A small base-protocol target that can be told to break one rule. It answers each request a fixed
// time later and knows of no memory.
#pragma once

#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_target_socket.h>

#include <systemc>
#include <tlm>

namespace diastole::tlm_test {

enum class Fault {
    none,
    two_request_ends,
    request_end_after_response,
    two_responses,
    responses_overlap,
    response_without_status,
    changes_address,
    changes_written_data,
    changes_status_later,
    returns_wrong_phase,
    accepts_with_new_phase,
    shortens_the_delay,
    goes_back_in_time,
    ends_the_response_itself,
    speaks_of_a_stranger,
    releases_too_often,
    completes_without_status
};

class BrokenTarget : public sc_core::sc_module {
  public:
    tlm_utils::simple_target_socket<BrokenTarget> socket{"socket"};

    BrokenTarget(const sc_core::sc_module_name& name, Fault fault)
        : sc_module(name), fault_(fault), queue_(this, &BrokenTarget::later) {
        socket.register_nb_transport_fw(this, &BrokenTarget::forward);
        socket.register_b_transport(this, &BrokenTarget::block);
    }

  private:
    using Payload = tlm::tlm_generic_payload;
    static sc_core::sc_time ns(double count) { return {count, sc_core::SC_NS}; }

    void block(Payload& payload, sc_core::sc_time& delay) {
        delay += ns(10);
        if (fault_ != Fault::completes_without_status) {
            payload.set_response_status(tlm::TLM_OK_RESPONSE);
        }
        if (fault_ == Fault::changes_address) payload.set_address(1);
    }

    tlm::tlm_sync_enum forward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
        if (phase == tlm::END_RESP) return tlm::TLM_COMPLETED;
        if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
        // One after another, so that only the fault lets responses meet.
        const bool overlap = fault_ == Fault::responses_overlap;
        answer_at_ = std::max(answer_at_, sc_core::sc_time_stamp()) + (overlap ? ns(4) : ns(20));
        const sc_core::sc_time wait = answer_at_ - sc_core::sc_time_stamp();
        if (fault_ == Fault::changes_address) payload.set_address(payload.get_address() + 4);
        if (fault_ == Fault::changes_written_data) ++*payload.get_data_ptr();
        if (fault_ == Fault::releases_too_often) payload.release();
        if (fault_ == Fault::completes_without_status) return tlm::TLM_COMPLETED;
        queue_.notify(payload, tlm::BEGIN_RESP, wait);
        if (fault_ == Fault::returns_wrong_phase) {
            phase = tlm::END_RESP;
            return tlm::TLM_UPDATED;
        }
        if (fault_ == Fault::shortens_the_delay) {
            phase = tlm::END_REQ;
            delay = sc_core::SC_ZERO_TIME;
            return tlm::TLM_UPDATED;
        }
        queue_.notify(payload, tlm::END_REQ, delay + ns(2));
        if (fault_ == Fault::accepts_with_new_phase) phase = tlm::END_REQ;
        return tlm::TLM_ACCEPTED;
    }

    void send(Payload& payload, const tlm::tlm_phase& phase,
              sc_core::sc_time delay = sc_core::SC_ZERO_TIME) {
        tlm::tlm_phase sent = phase;
        socket->nb_transport_bw(payload, sent, delay);
    }

    void later(Payload& payload, const tlm::tlm_phase& phase) {
        if (phase == tlm::END_REQ) {
            send(payload, phase, fault_ == Fault::goes_back_in_time ? ns(100) : ns(0));
            if (fault_ == Fault::two_request_ends) send(payload, phase);
            return;
        }
        if (fault_ != Fault::response_without_status) {
            payload.set_response_status(tlm::TLM_OK_RESPONSE);
        }
        if (fault_ == Fault::speaks_of_a_stranger) {
            send(stranger_, tlm::BEGIN_RESP);
        }
        send(payload, tlm::BEGIN_RESP);
        if (fault_ == Fault::two_responses) send(payload, tlm::BEGIN_RESP);
        if (fault_ == Fault::request_end_after_response) send(payload, tlm::END_REQ);
        if (fault_ == Fault::changes_status_later) {
            payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
        }
        if (fault_ == Fault::ends_the_response_itself) send(payload, tlm::END_RESP);
    }

    Fault fault_;
    tlm_utils::peq_with_cb_and_phase<BrokenTarget> queue_;
    sc_core::sc_time answer_at_;
    Payload stranger_;
};

}  // namespace diastole::tlm_test
