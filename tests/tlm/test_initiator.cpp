#include "tests/tlm/test_initiator.hpp"

#include <utility>

namespace diastole::tlm_test {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

TestInitiator::TestInitiator(const sc_core::sc_module_name& name, Settings settings)
    : sc_module(name), settings_(std::move(settings)), records_(settings_.accesses.size()) {
    socket.register_nb_transport_bw(this, &TestInitiator::backward);
    SC_HAS_PROCESS(TestInitiator);
    SC_METHOD(send);
    sensitive << send_event_;
    dont_initialize();
    SC_METHOD(end_responses);
    sensitive << end_event_;
    dont_initialize();
    if (!records_.empty()) send_event_.notify(settings_.accesses[0].gap);
}

void TestInitiator::send() {
    if (sent_ - finished_ >= settings_.most_outstanding) {
        full_ = true;  // a response sends it on
        return;
    }
    const std::size_t index = sent_++;
    const TestAccess& access = settings_.accesses[index];
    Payload& payload = pool_.get(access.bytes);
    payload.set_address(access.address);
    payload.set_command(access.is_write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    if (settings_.prepare) settings_.prepare(index, payload);
    under_way_[&payload] = index;
    records_[index].begin_req = sc_time_stamp() + access.delay;
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_time delay = access.delay;
    if (socket->nb_transport_fw(payload, phase, delay) == tlm::TLM_UPDATED) {
        request_ended(payload, delay);
    }
}

void TestInitiator::request_ended(Payload& payload, const sc_time& delay) {
    const auto found = under_way_.find(&payload);
    if (found == under_way_.end()) return;  // only broken targets
    records_[found->second].end_req = sc_time_stamp() + delay;
    plan_next(delay);
}

void TestInitiator::plan_next(const sc_time& from_now) {
    if (sent_ < settings_.accesses.size()) {
        send_event_.notify(from_now + settings_.accesses[sent_].gap);
    }
}

tlm::tlm_sync_enum TestInitiator::backward(Payload& payload, tlm::tlm_phase& phase,
                                           sc_time& delay) {
    if (phase == tlm::END_REQ) {
        request_ended(payload, delay);
        return tlm::TLM_ACCEPTED;
    }
    if (phase == tlm::BEGIN_RESP) return take_response(payload, phase, delay);
    return tlm::TLM_ACCEPTED;
}

tlm::tlm_sync_enum TestInitiator::take_response(Payload& payload, tlm::tlm_phase& phase,
                                                sc_time& delay) {
    const auto found = under_way_.find(&payload);
    if (found == under_way_.end()) return tlm::TLM_ACCEPTED;  // only broken targets
    const std::size_t index = found->second;
    under_way_.erase(found);
    Record& record = records_[index];
    record.begin_resp = sc_time_stamp() + delay;
    record.status = payload.get_response_status();
    if (settings_.examine) settings_.examine(index, payload);
    const EndResponse how = settings_.end_response(index);
    const sc_time end = delay + settings_.response_time(index);
    if (how == EndResponse::later) {
        endings_.push_back({&payload, sc_time_stamp() + end});
        end_event_.notify(endings_.front().at - sc_time_stamp());
        return tlm::TLM_ACCEPTED;
    }
    ++finished_;
    delay = end;
    payload.release();
    if (std::exchange(full_, false)) send_event_.notify(sc_core::SC_ZERO_TIME);
    if (how == EndResponse::completed) return tlm::TLM_COMPLETED;
    phase = tlm::END_RESP;
    return tlm::TLM_UPDATED;
}

void TestInitiator::end_responses() {
    while (!endings_.empty() && endings_.front().at <= sc_time_stamp()) {
        Payload& payload = *endings_.front().payload;
        endings_.pop_front();
        ++finished_;
        tlm::tlm_phase phase = tlm::END_RESP;
        sc_time delay = sc_core::SC_ZERO_TIME;
        socket->nb_transport_fw(payload, phase, delay);
        payload.release();
        if (std::exchange(full_, false)) send_event_.notify(sc_core::SC_ZERO_TIME);
    }
    if (!endings_.empty()) end_event_.notify(endings_.front().at - sc_time_stamp());
}

}  // namespace diastole::tlm_test
