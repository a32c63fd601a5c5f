// Transactions per second through the TLM target; hidden, run with: diastole_tests "bench: the TLM
// target". The initiator is as lean as the protocol allows, so that the memory and the kernel are
// what is measured.
#include <catch2/catch.hpp>
#include <cstdio>
#include <ctime>
#include <memory>

#include "model/base/random.hpp"
#include "tests/tlm/blocking_initiator.hpp"
#include "tests/tlm/platform.hpp"

using namespace diastole;
using namespace diastole::tlm_test;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

namespace {

constexpr std::size_t transactions = 200'000;

// Sends reads as fast as they are accepted, from a moment on.
class LeanInitiator : public sc_core::sc_module {
  public:
    tlm_utils::simple_initiator_socket<LeanInitiator> socket{"socket"};
    std::size_t answered = 0;
    sc_time last;

    LeanInitiator(const sc_core::sc_module_name& name, const std::vector<std::uint64_t>& addresses,
                  std::size_t bytes, const sc_time& start, const sc_time& gap)
        : sc_module(name), addresses_(addresses), bytes_(bytes), gap_(gap) {
        socket.register_nb_transport_bw(this, &LeanInitiator::backward);
        SC_HAS_PROCESS(LeanInitiator);
        SC_METHOD(send);
        sensitive << event_;
        dont_initialize();
        event_.notify(start);
    }

  private:
    class Pool : public tlm::tlm_mm_interface {
      public:
        std::vector<tlm::tlm_generic_payload*> free_list;
        std::vector<std::unique_ptr<tlm::tlm_generic_payload>> all;
        void free(tlm::tlm_generic_payload* payload) override { free_list.push_back(payload); }
    };

    void send() {
        if (next_ == addresses_.size()) return;
        if (pool_.free_list.empty()) {
            pool_.all.push_back(std::make_unique<tlm::tlm_generic_payload>(&pool_));
            pool_.free_list.push_back(pool_.all.back().get());
        }
        tlm::tlm_generic_payload& payload = *pool_.free_list.back();
        pool_.free_list.pop_back();
        payload.acquire();
        payload.set_read();
        payload.set_address(addresses_[next_++]);
        payload.set_data_length(static_cast<unsigned>(bytes_));
        payload.set_streaming_width(static_cast<unsigned>(bytes_));
        payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        tlm::tlm_phase phase = tlm::BEGIN_REQ;
        sc_time delay = SC_ZERO_TIME;
        if (socket->nb_transport_fw(payload, phase, delay) == tlm::TLM_UPDATED) {
            event_.notify(delay + gap_);
        }
    }
    tlm::tlm_sync_enum backward(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                sc_time& delay) {
        if (phase == tlm::END_REQ) {
            event_.notify(delay + gap_);
            return tlm::TLM_ACCEPTED;
        }
        ++answered;
        last = sc_core::sc_time_stamp();
        payload.release();
        return tlm::TLM_COMPLETED;
    }

    const std::vector<std::uint64_t>& addresses_;
    std::size_t bytes_, next_ = 0;
    sc_time gap_;
    Pool pool_;
    sc_core::sc_event event_;
};

struct Run {
    const char* name;
    const char* memory;
    std::uint32_t channels;
    std::size_t bytes;
    bool random;
    MemoryMode mode = MemoryMode::exact;
    const char* map = nullptr;

    std::vector<std::uint64_t> addresses{};
    std::unique_ptr<MemoryTarget> target{};
    std::unique_ptr<LeanInitiator> initiator{};
};

void build(Run& run, std::size_t number) {
    TlmMemoryParams params = tlm_memory_params(run.memory, run.channels);
    params.mode = run.mode;
    params.store_data = false;
    if (run.map != nullptr) params.dram.map = run.map;
    const std::uint64_t blocks = dram_bytes(params.dram) / run.bytes;
    Random random(1);
    for (std::size_t i = 0; i < transactions; ++i) {
        run.addresses.push_back((run.random ? random.below(blocks) : i % blocks) * run.bytes);
    }
    const std::string name = "run" + std::to_string(number);
    run.target = std::make_unique<MemoryTarget>((name + "_target").c_str(), params);
    // One request a cycle on a single channel, else as many as are taken; a second between runs.
    const sc_time gap = run.channels == 1 ? run.target->clock_period() : SC_ZERO_TIME;
    run.initiator =
        std::make_unique<LeanInitiator>((name + "_initiator").c_str(), run.addresses, run.bytes,
                                        sc_time(static_cast<double>(number), sc_core::SC_SEC), gap);
    run.initiator->socket.bind(run.target->socket);
}

}  // namespace

TEST_CASE("bench: the TLM target", "[.bench]") {
    const char* const row_map = "row:15 ba:2 bg:2 col:5 byte:5";  // of hbm2-2000
    const auto fast = MemoryMode::fast;
    std::vector<Run> runs;
    runs.push_back({"sequential 32 B, map A", "hbm2-2000", 1, 32, false});
    runs.push_back({"random 32 B, map A", "hbm2-2000", 1, 32, true});
    runs.push_back({"random 64 B, map A", "hbm2-2000", 1, 64, true});
    runs.push_back({"random 64 B, map A, fast", "hbm2-2000", 1, 64, true, fast});
    runs.push_back(
        {"random 256 B within a row", "hbm2-2000", 1, 256, true, MemoryMode::exact, row_map});
    runs.push_back({"random 256 B within a row, fast", "hbm2-2000", 1, 256, true, fast, row_map});
    runs.push_back({"random 64 B, 32 channels", "hbm3-6400", 32, 64, true});
    runs.push_back({"random 4096 B, 32 channels", "hbm3-6400", 32, 4096, true});
    for (std::size_t i = 0; i < runs.size(); ++i) build(runs[i], i);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::clock_t start = std::clock();
        sc_core::sc_start(1, sc_core::SC_SEC);
        const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        const Run& run = runs[i];
        const double count = static_cast<double>(run.initiator->answered);
        const double busy = run.initiator->last.to_seconds() - static_cast<double>(i);
        std::printf(
            "%-32s %5.2f M transactions/s, %6.2f M bursts/s, %4.2f activations each, "
            "%6.1f GB/s\n",
            run.name, count / seconds * 1e-6,
            static_cast<double>(run.target->stats().reads) / seconds * 1e-6,
            static_cast<double>(run.target->activations()) / count,
            static_cast<double>(run.target->stats().bytes_read) / busy * 1e-9);
        CHECK(run.initiator->answered == transactions);
    }
}
