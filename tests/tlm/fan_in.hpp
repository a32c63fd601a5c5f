// Joins several initiators at one target: non-blocking transport from the first of them, blocking
// transport from any.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <systemc>
#include <tlm>

namespace diastole::tlm_test {

class FanIn : public sc_core::sc_module {
  public:
    tlm_utils::simple_initiator_socket<FanIn> out{"out"};
    sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<FanIn>> in;

    FanIn(const sc_core::sc_module_name& name, std::size_t ways) : sc_module(name), in("in", ways) {
        for (std::size_t i = 0; i < ways; ++i) {
            in[i].register_b_transport(this, &FanIn::block, static_cast<int>(i));
        }
        in[0].register_nb_transport_fw(this, &FanIn::forward, 0);
        out.register_nb_transport_bw(this, &FanIn::backward);
    }

  private:
    using Payload = tlm::tlm_generic_payload;

    void block(int, Payload& payload, sc_core::sc_time& delay) { out->b_transport(payload, delay); }
    tlm::tlm_sync_enum forward(int, Payload& payload, tlm::tlm_phase& phase,
                               sc_core::sc_time& delay) {
        return out->nb_transport_fw(payload, phase, delay);
    }
    tlm::tlm_sync_enum backward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
        return in[0]->nb_transport_bw(payload, phase, delay);
    }
};

}  // namespace diastole::tlm_test
