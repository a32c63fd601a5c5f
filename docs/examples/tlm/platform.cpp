// The smallest platform around the memory: an initiator that keeps it busy with random reads over
// the non-blocking transport, and a memory manager for its payloads.
//
//   platform [MEMORY [CHANNELS [READS]]]
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/tlm/memory_target.hpp"

namespace {

constexpr unsigned read_bytes = 64;

// Payloads, each with data of its own, used again once their last reference is gone.
class Pool : public tlm::tlm_mm_interface {
  public:
    tlm::tlm_generic_payload& get() {
        if (free_.empty()) {
            payloads_.push_back(std::make_unique<tlm::tlm_generic_payload>(this));
            data_.push_back(std::make_unique<unsigned char[]>(read_bytes));
            payloads_.back()->set_data_ptr(data_.back().get());
            free_.push_back(payloads_.back().get());
        }
        tlm::tlm_generic_payload& payload = *free_.back();
        free_.pop_back();
        payload.acquire();
        return payload;
    }
    void free(tlm::tlm_generic_payload* payload) override {
        payload->reset();  // its extensions
        free_.push_back(payload);
    }
    std::size_t created() const { return payloads_.size(); }
    std::size_t in_use() const { return payloads_.size() - free_.size(); }

  private:
    std::vector<std::unique_ptr<tlm::tlm_generic_payload>> payloads_;
    std::vector<std::unique_ptr<unsigned char[]>> data_;
    std::vector<tlm::tlm_generic_payload*> free_;
};

// Sends its next request as soon as the one before it has been accepted: END_REQ sets the pace.
class Initiator : public sc_core::sc_module {
  public:
    tlm_utils::simple_initiator_socket<Initiator> socket{"socket"};

    Initiator(const sc_core::sc_module_name& name, std::uint64_t capacity, std::uint64_t reads)
        : sc_module(name), capacity_(capacity), left_(reads) {
        socket.register_nb_transport_bw(this, &Initiator::nb_transport_bw);
        SC_HAS_PROCESS(Initiator);
        SC_METHOD(send);
        sensitive << accepted_;
    }

    std::uint64_t answered() const { return answered_; }
    const sc_core::sc_time& last() const { return last_; }
    const Pool& pool() const { return pool_; }

  private:
    void send() {
        while (left_ > 0) {
            --left_;
            tlm::tlm_generic_payload& payload = pool_.get();
            payload.set_read();
            payload.set_address(random() % (capacity_ / read_bytes) * read_bytes);
            payload.set_data_length(read_bytes);
            payload.set_streaming_width(read_bytes);
            payload.set_byte_enable_ptr(nullptr);
            payload.set_dmi_allowed(false);
            payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
            tlm::tlm_phase phase = tlm::BEGIN_REQ;
            sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
            if (socket->nb_transport_fw(payload, phase, delay) != tlm::TLM_UPDATED) return;
            if (delay == sc_core::SC_ZERO_TIME) continue;  // accepted at once
            accepted_.notify(delay);
            return;
        }
    }

    tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) {
        if (phase == tlm::END_REQ) accepted_.notify(delay);
        if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
        if (payload.is_response_ok()) ++answered_;
        last_ = sc_core::sc_time_stamp() + delay;
        payload.release();
        return tlm::TLM_COMPLETED;  // ends the response here and now
    }

    std::uint64_t random() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }

    std::uint64_t capacity_, left_, answered_ = 0, state_ = 88172645463325252ULL;
    Pool pool_;
    sc_core::sc_event accepted_;
    sc_core::sc_time last_;
};

int run(const std::string& name, std::uint32_t channels, std::uint64_t reads) {
    diastole::MemoryTarget memory("memory", name, channels);
    Initiator initiator("initiator", memory.capacity(), reads);
    initiator.socket.bind(memory.socket);
    sc_core::sc_start();

    const diastole::DramStats stats = memory.stats();
    const double seconds = initiator.last().to_seconds();
    std::printf("%s, %u channels: %llu of %llu reads of %u bytes in %.2f us, %.1f GB/s\n",
                name.c_str(), channels, static_cast<unsigned long long>(initiator.answered()),
                static_cast<unsigned long long>(reads), read_bytes, seconds * 1e6,
                static_cast<double>(stats.bytes_read) / seconds * 1e-9);
    std::printf("%llu activates, %llu column accesses, %zu payloads created, %zu still out\n",
                static_cast<unsigned long long>(stats.activates),
                static_cast<unsigned long long>(stats.reads), initiator.pool().created(),
                initiator.pool().in_use());
    return initiator.answered() == reads && initiator.pool().in_use() == 0 ? 0 : 1;
}

}  // namespace

int sc_main(int argc, char** argv) {
    try {
        const std::string name = argc > 1 ? argv[1] : "hbm3-6400";
        const auto channels = argc > 2 ? std::stoul(argv[2]) : 1;
        const std::uint64_t reads = argc > 3 ? std::stoull(argv[3]) : 100'000;
        return run(name, static_cast<std::uint32_t>(channels), reads);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    }
}
