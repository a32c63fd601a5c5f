// Jobs whose commands are written out in the test.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "model/isa/job.hpp"

namespace diastole::test {

class ScriptedSource : public CommandSource {
  public:
    explicit ScriptedSource(std::vector<std::uint32_t> buffers) : buffers_(std::move(buffers)) {}
    ScriptedSource& on(std::uint32_t pe, Command command) {
        commands_[pe].push_back(std::move(command));
        return *this;
    }
    [[nodiscard]] const std::vector<std::uint32_t>& circular_buffers() const override {
        return buffers_;
    }
    [[nodiscard]] bool participates(std::uint32_t pe) const override {
        return commands_.count(pe) != 0;
    }
    bool next(std::uint32_t pe, Command& out) override {
        std::vector<Command>& list = commands_[pe];
        std::size_t& at = position_[pe];
        if (at == list.size()) return false;
        out = list[at++];
        return true;
    }

  private:
    std::vector<std::uint32_t> buffers_;
    std::map<std::uint32_t, std::vector<Command>> commands_;
    std::map<std::uint32_t, std::size_t> position_;
};

class ScriptedJobs : public JobStream {
  public:
    Job& add(std::unique_ptr<CommandSource> commands, std::vector<std::uint64_t> deps = {}) {
        auto job = std::make_unique<Job>();
        job->id = jobs_.size();
        job->operator_index = static_cast<std::uint32_t>(jobs_.size());
        job->deps = std::move(deps);
        job->commands = std::move(commands);
        jobs_.push_back(std::move(job));
        return *jobs_.back();
    }
    std::unique_ptr<Job> next() override {
        return at_ == jobs_.size() ? nullptr : std::move(jobs_[at_++]);
    }

  private:
    std::vector<std::unique_ptr<Job>> jobs_;
    std::size_t at_ = 0;
};

inline Transfer contiguous(std::uint64_t address, std::uint32_t bytes) {
    Transfer transfer;
    transfer.address = address;
    transfer.row_bytes = bytes;
    transfer.pitch = bytes;
    return transfer;
}

inline Command read_command(std::uint64_t address, std::uint32_t bytes, std::uint8_t cb) {
    Command command;
    command.unit = Unit::dma_in;
    command.writes = true;
    command.write = {cb, bytes, bytes};
    command.payload = contiguous(address, bytes);
    return command;
}

inline Command write_command(std::uint64_t address, std::uint32_t bytes, std::uint8_t cb) {
    Command command;
    command.unit = Unit::dma_out;
    command.read_count = 1;
    command.reads[0] = {cb, bytes, bytes, bytes};
    command.payload = contiguous(address, bytes);
    return command;
}

// Consumes `in` bytes of one buffer and produces `out` of another on the SIMD engine.
inline Command simd_command(std::uint8_t from, std::uint32_t in, std::uint8_t to, std::uint32_t out,
                            std::uint64_t operations) {
    ElementOps ops;
    ops.operations = operations;
    ops.flops = operations;
    ops.type = DType::fp16;
    Command command;
    command.unit = Unit::simd;
    command.read_count = 1;
    command.reads[0] = {from, in, in, in};
    command.writes = true;
    command.write = {to, out, out};
    command.payload = ops;
    return command;
}

// A small chip with round numbers: four PEs, every latency known.
inline ChipParams small_chip() {
    ChipParams chip;
    for (DType type : {DType::fp16, DType::bf16}) chip.dpe.k_elements[type] = 16;
    for (DType type : {DType::fp16, DType::fp32}) chip.simd.ops_per_cycle[type] = 64;
    for (DType type : {DType::fp16, DType::fp32}) chip.vector.ops_per_cycle[type] = 16;
    chip.reduction.neighbour_cycles = 16;
    chip.dram.channels = 4;
    return chip;
}

}  // namespace diastole::test
