// The memory controller as a TLM-2.0 base-protocol target: any platform with an initiator socket
// can instantiate it. Addresses at the socket start at zero and end at capacity().
//
// - nb_transport: all four phases. END_REQ is the return value of BEGIN_REQ, or comes later when a
//   queue is full; it says that the queues have taken the whole transaction. BEGIN_RESP comes with
//   the last data beat (a read) or the last beat written, one response at a time.
// - b_transport: waits for the annotated delay and then until the access is done; returns with no
//   delay. Any number of threads may be waiting.
// - Data move when a request arrives, so accesses take effect in order of arrival, whatever order
//   the scheduler picks. Byte enables mask data and cost no time: DRAM has data masks.
// - transport_dbg moves data in no time. DMI is refused: it would go past the model.
//
// A broken protocol (a second request before END_REQ, a payload without memory manager, a phase
// that is not the initiator's) is an SC_ERROR report; what is wrong with a transaction itself is
// its response status. docs/tlm.md has the rest.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/tlm/memory_core.hpp"

namespace diastole {

class DataStore;

// A memory preset ("hbm3-6400") or a file, with so many pseudo-channels; without a number as many
// as the description or its map has, else one. Throws ConfigError.
inline constexpr std::uint32_t as_described = ~std::uint32_t{0};
TlmMemoryParams tlm_memory_params(const std::string& memory, std::uint32_t channels = as_described);

class MemoryTarget : public sc_core::sc_module, private tlm::tlm_fw_transport_if<> {
  public:
    tlm::tlm_target_socket<> socket{"socket"};

    // Throw ConfigError for parameters that cannot be simulated, or when the clock period is no
    // multiple of SystemC's time resolution.
    MemoryTarget(const sc_core::sc_module_name& name, const TlmMemoryParams& params);
    MemoryTarget(const sc_core::sc_module_name& name, const std::string& memory,
                 std::uint32_t channels = as_described)
        : MemoryTarget(name, tlm_memory_params(memory, channels)) {}
    ~MemoryTarget() override;

    [[nodiscard]] std::uint64_t capacity() const { return core_.capacity(); }
    [[nodiscard]] const sc_core::sc_time& clock_period() const { return tick_; }
    [[nodiscard]] std::size_t channels() const { return core_.channels(); }
    // Commands and bytes so far; accesses under way are counted as far as they have been played.
    [[nodiscard]] const DramStats& stats(std::size_t channel) const { return core_.stats(channel); }
    [[nodiscard]] DramStats stats() const;
    // Wake-ups of the target's one process so far.
    [[nodiscard]] std::uint64_t activations() const { return activations_; }

  private:
    using Payload = tlm::tlm_generic_payload;
    struct Customer {  // who waits for an access: a payload in the base protocol, or a thread
        Payload* payload = nullptr;
        sc_core::sc_event* thread = nullptr;
    };
    class Guard;

    void b_transport(Payload& payload, sc_core::sc_time& delay) override;
    tlm::tlm_sync_enum nb_transport_fw(Payload& payload, tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) override;
    bool get_direct_mem_ptr(Payload& payload, tlm::tlm_dmi& dmi) override;
    unsigned int transport_dbg(Payload& payload) override;

    tlm::tlm_sync_enum begin_request(Payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
    // True if END_REQ is due at time_of(edge()) already.
    bool arrive();
    [[nodiscard]] tlm::tlm_response_status examine(const Payload& payload) const;
    void move_data(Payload& payload);
    MemoryCore::Ticket submit(const Payload& payload, Customer customer);

    void step();
    void tell_of_accepted(DramCycles now);
    void tell_of_finished(DramCycles now);
    void respond();
    void end_request();
    void end_response(const sc_core::sc_time& delay);

    [[nodiscard]] DramCycles edge() const;  // the clock edge that is now, else the next one
    [[nodiscard]] sc_core::sc_time time_of(DramCycles tick) const;
    void arm(const sc_core::sc_time& at);
    void arm();

    MemoryCore core_;
    sc_core::sc_time tick_;
    std::unique_ptr<DataStore> store_;  // null: data are not stored
    std::vector<Customer> customers_;   // by ticket

    sc_core::sc_event wake_;
    sc_core::sc_time wake_at_ = sc_core::sc_max_time();  // earliest notification that is pending
    std::uint64_t activations_ = 0;

    Payload* request_ = nullptr;                            // between BEGIN_REQ and END_REQ
    sc_core::sc_time request_at_ = sc_core::sc_max_time();  // it arrives; sc_max_time(): it has
    struct Answer {
        Payload* payload;
        sc_core::sc_time at;
    };
    std::deque<Answer> answers_;    // whose BEGIN_RESP waits, in order of time
    Payload* response_ = nullptr;   // between BEGIN_RESP and END_RESP
    sc_core::sc_time response_at_;  // no response begins before: the last one's END_RESP
};

}  // namespace diastole
