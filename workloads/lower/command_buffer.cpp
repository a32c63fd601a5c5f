#include "workloads/lower/command_buffer.hpp"

#include <limits>
#include <utility>

#include "model/base/error.hpp"
#include "model/base/units.hpp"

namespace diastole {
namespace {

std::uint32_t narrow(std::uint64_t value) {
    if (value > std::numeric_limits<std::uint32_t>::max()) {
        throw ModelError("a command of " + std::to_string(value) + " bytes");
    }
    return static_cast<std::uint32_t>(value);
}

// Rows that touch each other are one row: the DMA engine cuts it as it likes.
void set_block(Transfer& transfer, const Block& block) {
    const bool dense = block.rows == 1 || block.pitch == block.row_bytes;
    transfer.space = block.at.space;
    transfer.address = block.at.address;
    transfer.rows = dense ? 1 : narrow(block.rows);
    transfer.row_bytes = narrow(dense ? size_of(block) : block.row_bytes);
    transfer.pitch = dense ? transfer.row_bytes : block.pitch;
}

}  // namespace

Command& CommandBuffer::add(Unit unit) {
    if (count_ == slots_.size()) slots_.emplace_back();
    Command& command = slots_[count_++];
    command.unit = unit;
    command.instructions = 1;
    command.read_count = 0;
    command.writes = false;
    return command;
}

Command& CommandBuffer::load(std::uint8_t cb, const Block& block) {
    Command& command = add(Unit::dma_in);
    set_block(command.payload.emplace<Transfer>(), block);
    produce(command, cb, size_of(block));
    return command;
}

Command& CommandBuffer::store(std::uint8_t cb, const Block& block) {
    Command& command = add(Unit::dma_out);
    set_block(command.payload.emplace<Transfer>(), block);
    consume(command, cb, size_of(block));
    return command;
}

Command& CommandBuffer::indexed(Unit unit, Space space, std::uint64_t row_bytes) {
    Command& command = add(unit);
    auto& transfer = command.payload.emplace<Transfer>();
    transfer.space = space;
    transfer.row_bytes = narrow(row_bytes);
    if (!spare_.empty()) {
        transfer.row_addresses = std::move(spare_.back());
        spare_.pop_back();
        transfer.row_addresses.clear();
    }
    return command;
}

void CommandBuffer::take(Command& out) {
    auto* old = std::get_if<Transfer>(&out.payload);
    if (old != nullptr && old->row_addresses.capacity() > 0) {
        spare_.push_back(std::move(old->row_addresses));
    }
    out = std::move(slots_[head_++]);
    if (empty()) head_ = count_ = 0;
}

void consume(Command& command, std::uint8_t cb, std::uint64_t bytes) {
    peek(command, cb, bytes, bytes, bytes);
}

void peek(Command& command, std::uint8_t cb, std::uint64_t available, std::uint64_t touched,
          std::uint64_t released) {
    command.reads.at(command.read_count++) = {cb, narrow(available), narrow(touched),
                                              narrow(released)};
}

void produce(Command& command, std::uint8_t cb, std::uint64_t bytes) {
    command.writes = true;
    command.write = {cb, narrow(bytes), narrow(bytes)};
}

void close_indexed(Command& command, std::uint8_t cb) {
    Transfer& transfer = transfer_of(command);
    transfer.rows = static_cast<std::uint32_t>(transfer.row_addresses.size());
    const std::uint64_t bytes = std::uint64_t{transfer.rows} * transfer.row_bytes;
    if (command.unit == Unit::dma_in) {
        produce(command, cb, bytes);
    } else {
        consume(command, cb, bytes);
    }
}

CbPlan::CbPlan(const ChipParams& chip, std::string user)
    : user_(std::move(user)), total_(chip.local_memory.bytes), most_(chip.issue.circular_buffers) {}

std::uint8_t CbPlan::add(std::uint64_t bytes) {
    if (used_ + bytes > total_) {
        throw ConfigError("local_memory.bytes: " + user_ + " needs at least " +
                          std::to_string(used_ + bytes) + " bytes per PE, got " +
                          std::to_string(total_));
    }
    if (sizes_.size() == most_) {
        throw ConfigError("issue.circular_buffers: " + user_ + " needs at least " +
                          std::to_string(most_ + 1) + ", got " + std::to_string(most_));
    }
    used_ += bytes;
    sizes_.push_back(narrow(bytes));
    return static_cast<std::uint8_t>(sizes_.size() - 1);
}

}  // namespace diastole
