#include "tb/dram_requester.hpp"

#include <algorithm>

namespace diastole {

DramRequester::DramRequester(const sc_core::sc_module_name& name, DramTraffic& traffic,
                             const ChannelSpread& spread, std::uint32_t channels,
                             std::uint32_t atom_bytes, std::uint64_t run_bytes,
                             std::uint32_t max_run)
    : sc_module(name),
      traffic_(traffic),
      spread_(spread),
      atom_bytes_(atom_bytes),
      run_bytes_(run_bytes),
      granule_(spread.granule()),
      max_run_(max_run),
      places_(channels, dram_lookahead),
      outgoing_(channels) {
    credits.bind(*this);
}

void DramRequester::begin() {
    hand_out(Cycles(0));
}

void DramRequester::credit(std::uint32_t lane, Cycles at, std::uint32_t places) {
    returned_.push(at, {lane, places});
    wake->wake(number_, at);
}

void DramRequester::advance(Cycles until) {
    while (returned_.first() < until) {
        const Cycles now = returned_.first();
        const Credit credit = returned_.pop();
        places_[credit.lane] += credit.places;
        hand_out(now + dram_bench_window);
    }
}

// Everything that finds a place, to arrive at `at`.
void DramRequester::hand_out(Cycles at) {
    while (read_next_ < read_size_ || read_more()) {
        DramAccess& access = read_[read_next_];
        const ChannelSpread::Place place = spread_.place(access.address);
        if (places_[place.channel] == 0) break;
        --places_[place.channel];
        const std::uint64_t atoms = access.atoms == 1 ? 1 : piece(access, place.local);
        outgoing_[place.channel].push_back(
            {place.local & DramItem::address_mask, atoms & DramItem::atoms_mask,
             std::uint64_t{access.is_write}, std::max(access.arrival, at.count())});
        ++requests_;
        access.address += atoms * atom_bytes_;
        access.atoms -= static_cast<std::uint32_t>(atoms);
        if (access.atoms == 0) ++read_next_;
    }
    for (std::size_t lane = 0; lane < outgoing_.size(); ++lane) {
        if (outgoing_[lane].empty()) continue;
        lanes[static_cast<int>(lane)]->offer(at, outgoing_[lane]);
        outgoing_[lane].clear();
    }
}

bool DramRequester::read_more() {
    if (ended_) return false;
    read_size_ = traffic_.read(read_.data(), read_.size());
    read_next_ = 0;
    ended_ = read_size_ == 0;
    return !ended_;
}

std::uint64_t DramRequester::piece(const DramAccess& access, std::uint64_t local) const {
    const std::uint64_t in_granule = granule_ - access.address % granule_;
    const std::uint64_t in_run = run_bytes_ - local % run_bytes_;
    return std::min({std::uint64_t{access.atoms}, in_granule / atom_bytes_, in_run / atom_bytes_,
                     std::uint64_t{max_run_}});
}

std::string DramRequester::pending() const {
    return ended_ ? std::string() : "its next request waits for a place";
}

}  // namespace diastole
