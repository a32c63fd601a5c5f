// A plain base-protocol initiator: sends a list of accesses, each a given time after the request
// before it has ended, and notes when each phase took effect. Its ways of ending a response are all
// that the protocol allows.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <systemc>
#include <tlm>
#include <unordered_map>
#include <vector>

#include "tests/tlm/payload_pool.hpp"

namespace diastole::tlm_test {

struct TestAccess {
    std::uint64_t address = 0;
    std::size_t bytes = 0;
    bool is_write = false;
    sc_core::sc_time gap;    // from the end of the request before
    sc_core::sc_time delay;  // annotated at BEGIN_REQ
};

enum class EndResponse { completed, updated, later };

class TestInitiator : public sc_core::sc_module {
  public:
    tlm_utils::simple_initiator_socket<TestInitiator> socket{"socket"};

    struct Settings {
        std::vector<TestAccess> accesses;
        std::size_t most_outstanding = ~std::size_t{0};
        // How the response of the n-th access ends, and how long after it has begun.
        std::function<EndResponse(std::size_t)> end_response = [](std::size_t) {
            return EndResponse::completed;
        };
        std::function<sc_core::sc_time(std::size_t)> response_time = [](std::size_t) {
            return sc_core::SC_ZERO_TIME;
        };
        // Called before BEGIN_REQ and when the response has begun; may be empty.
        std::function<void(std::size_t, tlm::tlm_generic_payload&)> prepare, examine;
    };
    struct Record {
        sc_core::sc_time begin_req, end_req, begin_resp;
        tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;
    };

    TestInitiator(const sc_core::sc_module_name& name, Settings settings);

    [[nodiscard]] const std::vector<Record>& records() const { return records_; }
    [[nodiscard]] bool done() const { return finished_ == records_.size(); }
    [[nodiscard]] const PayloadPool& pool() const { return pool_; }

  private:
    using Payload = tlm::tlm_generic_payload;

    tlm::tlm_sync_enum backward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
    tlm::tlm_sync_enum take_response(Payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
    void send();
    void request_ended(Payload& payload, const sc_core::sc_time& delay);
    void plan_next(const sc_core::sc_time& from_now);
    void end_responses();

    Settings settings_;
    PayloadPool pool_;
    std::vector<Record> records_;
    std::unordered_map<Payload*, std::size_t> under_way_;
    std::size_t sent_ = 0, finished_ = 0;
    bool full_ = false;
    struct Ending {
        Payload* payload;
        sc_core::sc_time at;
    };
    std::deque<Ending> endings_;
    sc_core::sc_event send_event_, end_event_;
};

}  // namespace diastole::tlm_test
