// The oracle for accesses over several channels: asks every channel at every tick, and pushes what
// has room, in order. Nothing is skipped and nothing is predicted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "model/timing/address_map.hpp"
#include "model/timing/dram_model.hpp"
#include "model/tlm/memory_core.hpp"

namespace diastole::tlm_test {

class ClockedMemory {
  public:
    struct Times {
        std::uint64_t accepted = 0, done = 0;  // ticks
    };

    explicit ClockedMemory(const TlmMemoryParams& params)
        : params_(params), channels_(params.dram.channels) {
        DramParams dram = params.dram;
        dram.map.clear();
        std::istringstream words(params.dram.map);
        for (std::string word; words >> word;) {
            const bool chooses = word.rfind("ch:", 0) == 0 || word.rfind("pc:", 0) == 0;
            fields_.append(std::stoul(word.substr(word.find(':') + 1)), chooses ? word[0] : '-');
            if (!chooses) dram.map += word + " ";
        }
        for (auto& channel : channels_) channel.model = make_dram_model(dram, params.mode);
        run_bytes_ = AddressMap(dram.map, dram.geometry).run_bytes();
        const std::uint64_t most =
            std::uint64_t{channels_[0].model->max_run()} * params.dram.geometry.atom_bytes;
        while (run_bytes_ > most) run_bytes_ /= 2;
    }

    // The access gets the next number; it may start at the current tick.
    void submit(std::uint64_t address, std::uint64_t bytes, bool is_write) {
        const std::uint64_t atom = params_.dram.geometry.atom_bytes;
        const auto number = static_cast<std::uint32_t>(times.size());
        times.push_back({});
        left_.push_back(0);
        for (std::uint64_t at = address / atom * atom; at < address + bytes; at += atom) {
            append(at, number, is_write);
        }
        feed();
    }
    [[nodiscard]] bool accepted(std::size_t number) const { return times[number].accepted > 0; }
    [[nodiscard]] bool busy() const {
        return std::any_of(left_.begin(), left_.end(), [](std::uint32_t n) { return n > 0; });
    }
    void next_tick() {
        ++now_;
        for (auto& channel : channels_) channel.model->advance(DramCycles(now_), out_);
        for (const DramCompletion& c : out_) {
            times[c.tag].done = std::max(times[c.tag].done, c.done.count());
            --left_[c.tag];
        }
        out_.clear();
        feed();
    }

    std::vector<Times> times;  // by number; accepted: plus one, so that zero means not yet

  private:
    struct Channel {
        std::unique_ptr<DramModel> model;
        std::deque<DramRequest> waiting;
    };

    // Channel and address in it, bit by bit as the map has them, or block by block in turn.
    [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> place(std::uint64_t address) const {
        const std::uint64_t block = params_.interleave_bytes, count = channels_.size();
        if (fields_.find_first_of("cp") == std::string::npos) {
            if (count == 1) return {0, address};
            return {address / block % count, address / block / count * block + address % block};
        }
        std::uint64_t ch = 0, pc = 0, local = 0;
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            std::uint64_t& value = fields_[i] == 'c' ? ch : fields_[i] == 'p' ? pc : local;
            value = value << 1 | (address >> (fields_.size() - 1 - i) & 1);
        }
        return {ch << std::count(fields_.begin(), fields_.end(), 'p') | pc, local};
    }

    // Atom by atom; joins what may go as one run.
    void append(std::uint64_t address, std::uint32_t number, bool is_write) {
        const std::uint64_t atom = params_.dram.geometry.atom_bytes;
        const auto [index, local] = place(address);
        Channel& channel = channels_[index];
        if (!channel.waiting.empty()) {
            DramRequest& last = channel.waiting.back();
            const bool follows = last.tag == number && last.address + last.atoms * atom == local;
            if (follows && local / run_bytes_ == last.address / run_bytes_) {
                ++last.atoms;
                return;
            }
        }
        channel.waiting.push_back({local, 1, number, is_write, DramCycles(0)});
        ++left_[number];
    }

    void feed() {
        std::vector<bool> waits(times.size() - told_, false);
        for (auto& channel : channels_) {
            while (!channel.waiting.empty()) {
                DramRequest& request = channel.waiting.front();
                if (!channel.model->can_accept(request.is_write, request.atoms)) break;
                request.arrival = DramCycles(now_);
                channel.model->push(request);
                channel.waiting.pop_front();
            }
            for (const DramRequest& request : channel.waiting) waits[request.tag - told_] = true;
        }
        for (const bool wait : waits) {
            if (wait) break;
            times[told_++].accepted = now_ + 1;
        }
    }

    TlmMemoryParams params_;
    std::vector<Channel> channels_;
    std::string fields_;  // a letter for each bit of an address: c(h), p(c), or - within a channel
    std::uint64_t run_bytes_ = 0, now_ = 0;
    std::size_t told_ = 0;
    std::vector<std::uint32_t> left_;  // runs, by number
    std::vector<DramCompletion> out_;
};

}  // namespace diastole::tlm_test
