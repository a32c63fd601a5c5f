// Inline ECC in front of a pseudo-channel: check bits live in the memory they protect, as in LPDDR
// and GDDR without pins for them. The top of the channel holds a code atom for every `ecc_ratio`
// data atoms, in order; a small cache keeps the code atoms used last.
//
// A read needs its code atoms: what the cache lacks is read from memory, and the read is over when
// both have arrived. A write changes them: those it covers whole are made anew, others are read
// first, and changed ones go back to memory when the cache needs their place. All of these are
// requests to the channel like any other; they compete for its queues, banks and bus.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/timing/dram_model.hpp"

namespace diastole {

class DramInlineEcc final : public DramModel {
  public:
    // `channel` has the capacity of the geometry; addresses here end before the code atoms.
    DramInlineEcc(const DramParams& params, std::unique_ptr<DramModel> channel);

    // Room for the data and for all that the code atoms may need; also for contiguous atoms that
    // are pushed in several runs.
    [[nodiscard]] bool can_accept(bool is_write, std::uint32_t atoms) const override;
    [[nodiscard]] std::uint32_t max_run() const override { return max_run_; }
    void push(const DramRequest& request) override;
    [[nodiscard]] DramCycles next_event() override { return channel_->next_event(); }
    DramCycles advance(DramCycles until, std::vector<DramCompletion>& out,
                       DramRoom wanted = {}) override;
    [[nodiscard]] DramCycles read_latency() const override { return channel_->read_latency(); }
    // bytes_read and bytes_written are of data; reads, writes and row hits include code atoms.
    [[nodiscard]] const DramStats& stats() const override;
    [[nodiscard]] std::string describe_pending() const override {
        return channel_->describe_pending();
    }

  private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    // Something the channel works on: a request of the sender, or the read of a code atom.
    struct Job {
        std::uint32_t tag = 0;
        std::uint32_t missing = 0;  // parts that have not arrived: its data, code atoms being read
        bool is_write = false, is_code = false;
        std::vector<std::uint32_t> waiting;  // of a code read: the jobs that need it
    };
    struct Line {
        std::uint64_t code = 0;    // number of the code atom
        std::uint64_t used = 0;    // when last, in requests; 0: empty
        std::uint32_t job = none;  // that reads it at present
        bool dirty = false;
    };

    [[nodiscard]] std::uint32_t codes_of(std::uint32_t atoms) const {
        return (atoms + ratio_ - 2) / ratio_ + 1;  // at most, wherever the run starts
    }
    [[nodiscard]] bool has_room(DramRoom wanted) const;
    void touch(std::uint64_t code, bool whole, bool is_write, std::uint32_t job, DramCycles now);
    Line& take_line(std::uint64_t code, DramCycles now);
    std::uint32_t new_job(std::uint32_t tag, bool is_write, bool is_code);
    void finish(const DramCompletion& part, std::vector<DramCompletion>& out);
    [[nodiscard]] std::uint64_t address_of(std::uint64_t code) const {
        return code_base_ + code * atom_bytes_;
    }

    std::unique_ptr<DramModel> channel_;
    std::uint32_t atom_bytes_, ratio_;
    std::uint64_t code_base_;
    bool shared_;
    std::uint32_t max_run_ = 0;
    std::vector<Line> lines_;
    std::uint64_t clock_ = 0;
    std::vector<Job> jobs_;
    std::vector<std::uint32_t> free_jobs_;
    std::vector<DramCompletion> parts_;
    std::uint64_t code_reads_ = 0, code_writes_ = 0;
    mutable DramStats stats_;
};

}  // namespace diastole
