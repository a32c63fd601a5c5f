// Sits between an initiator and a target and holds both to the TLM-2.0 base protocol as IEEE
// 1666-2011 (clauses 14 to 16) states it: order of phases, exclusion of requests and of responses,
// what a return value may say, time annotations that never go back, attributes that nobody may
// change, response status, reference counts. Knows nothing of the target's implementation.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <string>
#include <systemc>
#include <tlm>
#include <unordered_map>
#include <vector>

namespace diastole::tlm_test {

class ProtocolChecker : public sc_core::sc_module {
  public:
    tlm_utils::simple_target_socket<ProtocolChecker> in{"in"};       // from the initiator
    tlm_utils::simple_initiator_socket<ProtocolChecker> out{"out"};  // to the target

    explicit ProtocolChecker(const sc_core::sc_module_name& name);

    // One line each, beginning with the rule; no more than a hundred are kept.
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
    [[nodiscard]] bool saw(const std::string& rule) const;
    [[nodiscard]] std::uint64_t finished() const { return finished_; }
    [[nodiscard]] std::size_t in_flight() const { return transactions_.size(); }

  private:
    using Payload = tlm::tlm_generic_payload;
    enum class Stage { requested, request_ended, responding };
    struct Attributes {
        tlm::tlm_command command;
        std::uint64_t address;
        unsigned char* data;
        unsigned char* enable;
        unsigned length, enable_length, width;
        std::uint64_t content;  // of data that are written: a hash
    };
    struct Transaction {
        Stage stage = Stage::requested;
        Attributes attributes;
        tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;  // since BEGIN_RESP
        sc_core::sc_time last;  // its latest phase took effect
    };

    static Attributes attributes_of(const Payload& payload);
    void violate(const std::string& rule, const std::string& detail = "");
    void require(bool good, const char* rule) {
        if (!good) violate(rule);
    }

    void b_transport(Payload& payload, sc_core::sc_time& delay);
    tlm::tlm_sync_enum forward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
    tlm::tlm_sync_enum backward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
    bool get_direct_mem_ptr(Payload& payload, tlm::tlm_dmi& dmi);
    unsigned transport_dbg(Payload& payload);

    void take(Payload& payload, const tlm::tlm_phase& phase, const sc_core::sc_time& delay);
    void begin_request(Payload& payload, const sc_core::sc_time& at);
    void continue_with(Payload& payload, const tlm::tlm_phase& phase, const sc_core::sc_time& at);
    void check_unchanged(const Payload& payload, const Transaction& transaction);
    void check_return(Payload& payload, const tlm::tlm_phase& sent, const sc_core::sc_time& sent_at,
                      tlm::tlm_sync_enum answer, const tlm::tlm_phase& phase,
                      const sc_core::sc_time& delay);
    void finish(Payload& payload, const sc_core::sc_time& at);

    std::unordered_map<Payload*, Transaction> transactions_;
    Payload* request_ = nullptr;   // has not ended
    Payload* response_ = nullptr;  // has not ended
    sc_core::sc_time request_free_, response_free_;
    std::uint64_t finished_ = 0;
    std::vector<std::string> violations_;
};

}  // namespace diastole::tlm_test
