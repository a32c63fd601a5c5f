// The other end of the memory bench: reads the traffic in order and hands each request to its
// pseudo-channel, as long as that has a place for it. A request whose pseudo-channel is full holds
// up those behind it, so that what is read ahead is bounded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "model/base/sorted_queue.hpp"
#include "model/params/channel_spread.hpp"
#include "tb/dram_lane.hpp"
#include "tb/dram_traffic.hpp"

namespace diastole {

class DramRequester : public sc_core::sc_module, public Windowed, public DramCreditIf {
  public:
    sc_core::sc_export<DramCreditIf> credits{"credits"};
    sc_core::sc_port<DramLaneIf, 0> lanes{"lanes"};
    sc_core::sc_port<WakeIf> wake{"wake"};

    // `run_bytes`: aligned blocks of so many bytes of a pseudo-channel lie in one row; `max_run`:
    // the longest request in atoms. A longer access becomes several requests.
    DramRequester(const sc_core::sc_module_name& name, DramTraffic& traffic,
                  const ChannelSpread& spread, std::uint32_t channels, std::uint32_t atom_bytes,
                  std::uint64_t run_bytes, std::uint32_t max_run);
    void set_number(std::size_t number) { number_ = number; }

    // The first requests are there when time begins. Call once, after elaboration.
    void begin();

    void credit(std::uint32_t lane, Cycles at, std::uint32_t places) override;
    [[nodiscard]] Cycles next_event() override { return returned_.first(); }
    void advance(Cycles until) override;
    [[nodiscard]] std::string pending() const override;

    [[nodiscard]] bool finished() const { return ended_; }
    [[nodiscard]] std::uint64_t requests() const { return requests_; }  // handed out

  private:
    struct Credit {
        std::uint32_t lane = 0, places = 0;
    };

    void hand_out(Cycles at);
    bool read_more();
    // How many atoms from the head of `access` on are one request.
    [[nodiscard]] std::uint64_t piece(const DramAccess& access, std::uint64_t local) const;

    DramTraffic& traffic_;
    const ChannelSpread& spread_;
    std::uint32_t atom_bytes_;
    std::uint64_t run_bytes_, granule_;
    std::uint32_t max_run_;
    std::size_t number_ = 0;

    std::array<DramAccess, 256> read_;           // ahead from the traffic
    std::size_t read_size_ = 0, read_next_ = 0;  // of the one at read_next_, what is left of it
    bool ended_ = false;
    std::uint64_t requests_ = 0;

    std::vector<std::uint32_t> places_;  // free, by pseudo-channel
    std::vector<std::vector<DramItem>> outgoing_;
    SortedQueue<Credit> returned_;
};

}  // namespace diastole
