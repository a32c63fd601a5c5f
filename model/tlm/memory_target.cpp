#include "model/tlm/memory_target.hpp"

#include <algorithm>
#include <cmath>

#include "model/base/error.hpp"
#include "model/params/preset.hpp"
#include "model/tlm/data_store.hpp"

namespace diastole {
namespace {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

void report(const sc_core::sc_object& where, const std::string& problem) {
    SC_REPORT_ERROR("/diastole/memory_target",
                    (std::string(where.name()) + ": " + problem).c_str());
}

sc_time clock_period(std::uint64_t tck_ps) {
    const double resolution = sc_core::sc_get_time_resolution().to_seconds() * 1e12;
    if (const auto whole = static_cast<std::uint64_t>(std::llround(resolution));
        whole > 1 && tck_ps % whole != 0) {
        throw ConfigError(
            "dram.timing.tck_ps: expected a multiple of SystemC's time resolution of " +
            std::to_string(whole) + " ps, got " + std::to_string(tck_ps));
    }
    return {static_cast<double>(tck_ps), sc_core::SC_PS};
}

bool accesses(const tlm::tlm_generic_payload& payload) {
    return payload.get_command() != tlm::TLM_IGNORE_COMMAND;
}

}  // namespace

TlmMemoryParams tlm_memory_params(const std::string& memory, std::uint32_t channels) {
    std::vector<config::Override> overrides;
    if (channels != as_described) overrides = {{"dram.channels", std::to_string(channels)}};
    const ResolvedMemory resolved = load_memory(memory, overrides);
    TlmMemoryParams params;
    params.dram = resolved.params;
    params.dram.map = resolved.map;
    return params;
}

// Keeps the event of a waiting thread out of reach once the thread is gone: killed, for example.
class MemoryTarget::Guard {
  public:
    Guard(std::vector<Customer>& customers, MemoryCore::Ticket ticket)
        : customers_(customers), ticket_(ticket), event_(customers[ticket].thread) {}
    ~Guard() {
        if (customers_[ticket_].thread == event_) customers_[ticket_] = {};
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

  private:
    std::vector<Customer>& customers_;
    MemoryCore::Ticket ticket_;
    sc_core::sc_event* event_;
};

MemoryTarget::MemoryTarget(const sc_core::sc_module_name& name, const TlmMemoryParams& params)
    : sc_module(name),
      core_(params),
      tick_(diastole::clock_period(params.dram.timing.tck_ps)),
      store_(params.store_data ? std::make_unique<DataStore>() : nullptr) {
    socket.bind(*this);
    SC_HAS_PROCESS(MemoryTarget);
    SC_METHOD(step);
    sensitive << wake_;
    dont_initialize();
}

MemoryTarget::~MemoryTarget() = default;

DramStats MemoryTarget::stats() const {
    DramStats sum;
    for (std::size_t i = 0; i < core_.channels(); ++i) sum += core_.stats(i);
    return sum;
}

DramCycles MemoryTarget::edge() const {
    return DramCycles(ceil_div(sc_core::sc_time_stamp().value(), tick_.value()));
}

sc_time MemoryTarget::time_of(DramCycles tick) const {
    return sc_time::from_value(tick.count() * tick_.value());
}

void MemoryTarget::arm(const sc_time& at) {
    if (at >= wake_at_) return;  // an early wake-up arms the later one
    wake_at_ = at;
    wake_.notify(at - sc_core::sc_time_stamp());
}

void MemoryTarget::arm() {
    if (const DramCycles next = core_.next_event(); next != dram_never) {
        arm(std::max(time_of(next), sc_core::sc_time_stamp()));
    }
    if (!answers_.empty() && response_ == nullptr) {
        arm(std::max({answers_.front().at, response_at_, sc_core::sc_time_stamp()}));
    }
    if (request_ != nullptr) arm(request_at_);
}

// What is wrong with a transaction that the memory cannot carry out.
tlm::tlm_response_status MemoryTarget::examine(const Payload& payload) const {
    const std::uint64_t bytes = payload.get_data_length();
    if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_OK_RESPONSE;
    if (!payload.is_read() && !payload.is_write()) return tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (bytes == 0 || payload.get_streaming_width() < bytes) return tlm::TLM_BURST_ERROR_RESPONSE;
    if (payload.get_address() >= capacity() || bytes > capacity() - payload.get_address()) {
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    }
    if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0) {
        return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    }
    if (store_ && payload.get_data_ptr() == nullptr) return tlm::TLM_GENERIC_ERROR_RESPONSE;
    return tlm::TLM_OK_RESPONSE;
}

void MemoryTarget::move_data(Payload& payload) {
    if (!store_) return;
    const std::uint64_t address = payload.get_address();
    const std::uint64_t bytes = payload.get_data_length();
    unsigned char* const data = payload.get_data_ptr();
    const unsigned char* const enable = payload.get_byte_enable_ptr();
    const std::uint64_t period = payload.get_byte_enable_length();
    const auto enabled = [&](std::uint64_t i) {
        return enable == nullptr || enable[i % period] != TLM_BYTE_DISABLED;
    };
    for (std::uint64_t begin = 0; begin < bytes;) {
        std::uint64_t end = begin + 1;
        if (enable == nullptr) end = bytes;
        while (end < bytes && enabled(end) == enabled(begin)) ++end;
        if (enabled(begin) && payload.is_read()) {
            store_->read(address + begin, data + begin, end - begin);
        } else if (enabled(begin)) {
            store_->write(address + begin, data + begin, end - begin);
        }
        begin = end;
    }
}

MemoryCore::Ticket MemoryTarget::submit(const Payload& payload, Customer customer) {
    const MemoryCore::Ticket ticket =
        core_.submit(edge(), payload.get_address(), payload.get_data_length(), payload.is_write());
    if (ticket >= customers_.size()) customers_.resize(ticket + 1);
    customers_[ticket] = customer;
    return ticket;
}

void MemoryTarget::b_transport(Payload& payload, sc_time& delay) {
    if (delay != SC_ZERO_TIME) {
        sc_core::wait(delay);
        delay = SC_ZERO_TIME;
    }
    const tlm::tlm_response_status status = examine(payload);
    if (status == tlm::TLM_OK_RESPONSE && accesses(payload)) {
        move_data(payload);
        sc_core::sc_event done;
        const Guard guard(customers_, submit(payload, {nullptr, &done}));
        arm();
        sc_core::wait(done);
    }
    payload.set_response_status(status);
}

tlm::tlm_sync_enum MemoryTarget::nb_transport_fw(Payload& payload, tlm::tlm_phase& phase,
                                                 sc_time& delay) {
    if (phase == tlm::BEGIN_REQ) return begin_request(payload, phase, delay);
    if (phase == tlm::END_RESP) {
        if (response_ != &payload) {
            report(*this, "END_RESP of a transaction without BEGIN_RESP");
            return tlm::TLM_ACCEPTED;
        }
        end_response(delay);
        return tlm::TLM_COMPLETED;
    }
    if (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP || phase == tlm::UNINITIALIZED_PHASE) {
        report(*this, std::string("the phase ") + phase.get_name() + " on the forward path");
    }
    return tlm::TLM_ACCEPTED;  // other phases may be ignored
}

tlm::tlm_sync_enum MemoryTarget::begin_request(Payload& payload, tlm::tlm_phase& phase,
                                               sc_time& delay) {
    if (request_ != nullptr || !payload.has_mm()) {
        report(*this, request_ != nullptr ? "BEGIN_REQ before END_REQ of the request before"
                                          : "a payload without memory manager");
        return tlm::TLM_ACCEPTED;
    }
    payload.acquire();
    request_ = &payload;
    request_at_ = sc_core::sc_time_stamp() + delay;
    const bool at_once = delay == SC_ZERO_TIME && arrive();
    if (at_once) request_ = nullptr;
    arm();
    if (!at_once) return tlm::TLM_ACCEPTED;
    phase = tlm::END_REQ;
    delay = time_of(edge()) - sc_core::sc_time_stamp();
    return tlm::TLM_UPDATED;
}

bool MemoryTarget::arrive() {
    request_at_ = sc_core::sc_max_time();
    const tlm::tlm_response_status status = examine(*request_);
    if (status != tlm::TLM_OK_RESPONSE || !accesses(*request_)) {
        request_->set_response_status(status);
        answers_.push_back({request_, time_of(edge())});
        return true;
    }
    move_data(*request_);
    submit(*request_, {request_, nullptr});
    // Of the payloads, only this one can be among them: it is the only request.
    bool accepted = false;
    for (MemoryCore::Ticket ticket = 0; core_.pop_accepted(edge(), ticket);) {
        accepted = accepted || customers_[ticket].payload != nullptr;
    }
    return accepted;
}

void MemoryTarget::step() {
    ++activations_;
    wake_at_ = sc_core::sc_max_time();
    const sc_time& now = sc_core::sc_time_stamp();
    if (request_ != nullptr && request_at_ <= now && arrive()) end_request();
    const DramCycles tick(now.value() / tick_.value());
    core_.advance(tick);
    tell_of_accepted(tick);
    tell_of_finished(tick);
    respond();
    arm();
}

void MemoryTarget::tell_of_accepted(DramCycles now) {
    for (MemoryCore::Ticket ticket = 0; core_.pop_accepted(now, ticket);) {
        if (customers_[ticket].payload != nullptr) end_request();
    }
}

void MemoryTarget::tell_of_finished(DramCycles now) {
    for (MemoryCore::Ticket ticket = 0; core_.pop_finished(now, ticket);) {
        const Customer customer = customers_[ticket];
        customers_[ticket] = {};
        if (customer.thread != nullptr) customer.thread->notify();
        if (customer.payload == nullptr) continue;
        customer.payload->set_response_status(tlm::TLM_OK_RESPONSE);
        answers_.push_back({customer.payload, sc_core::sc_time_stamp()});
    }
}

// A request that arrived between two edges ends with the next one.
void MemoryTarget::end_request() {
    Payload& payload = *request_;
    request_ = nullptr;  // before the call: the initiator may send its next request in it
    tlm::tlm_phase phase = tlm::END_REQ;
    sc_time delay = time_of(edge()) - sc_core::sc_time_stamp();
    socket->nb_transport_bw(payload, phase, delay);
}

void MemoryTarget::respond() {
    const sc_time& now = sc_core::sc_time_stamp();
    while (response_ == nullptr && response_at_ <= now && !answers_.empty() &&
           answers_.front().at <= now) {
        Payload& payload = *answers_.front().payload;
        answers_.pop_front();
        response_ = &payload;
        tlm::tlm_phase phase = tlm::BEGIN_RESP;
        sc_time delay = SC_ZERO_TIME;
        const tlm::tlm_sync_enum answer = socket->nb_transport_bw(payload, phase, delay);
        const bool ended =
            answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::END_RESP);
        if (ended && response_ == &payload) end_response(delay);
    }
}

void MemoryTarget::end_response(const sc_time& delay) {
    Payload& payload = *response_;
    response_ = nullptr;
    response_at_ = sc_core::sc_time_stamp() + delay;
    payload.release();
    if (!answers_.empty()) arm();
}

bool MemoryTarget::get_direct_mem_ptr(Payload& payload, tlm::tlm_dmi& dmi) {
    payload.set_dmi_allowed(false);
    dmi.init();  // everywhere: no need to ask again
    return false;
}

unsigned int MemoryTarget::transport_dbg(Payload& payload) {
    if (!store_ || payload.get_address() >= capacity()) return 0;
    const std::uint64_t bytes =
        std::min<std::uint64_t>(payload.get_data_length(), capacity() - payload.get_address());
    if (payload.is_read()) {
        store_->read(payload.get_address(), payload.get_data_ptr(), bytes);
    } else if (payload.is_write()) {
        store_->write(payload.get_address(), payload.get_data_ptr(), bytes);
    } else {
        return 0;
    }
    return static_cast<unsigned int>(bytes);
}

}  // namespace diastole
