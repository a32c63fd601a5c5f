#include "tb/dram_log.hpp"

#include <array>
#include <charconv>

#include "workloads/graph/byte_source.hpp"

namespace diastole {
namespace {

constexpr std::size_t buffered = 1 << 20;

void append(std::string& text, std::uint64_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text += ' ';
    text.append(digits.data(), end);
}

struct Form {
    const char* name;
    int operands;  // of bank, row and column, how many apply
};

Form form_of(const DramCommand& command) {
    switch (command.op) {
        case DramLogOp::read:
            return {command.auto_precharge ? "RDA" : "RD", 3};
        case DramLogOp::write:
            return {command.auto_precharge ? "WRA" : "WR", 3};
        case DramLogOp::activate:
            return {"ACT", 2};
        case DramLogOp::precharge:
            return {"PRE", 1};
        case DramLogOp::refresh_bank:
            return {"REFPB", 1};
        case DramLogOp::precharge_all:
            return {"PREA", 0};
        case DramLogOp::refresh_all:
            return {"REFAB", 0};
    }
    return {"?", 0};
}

}  // namespace

DramLog::DramLog(const std::string& path) : file_(path), compressed_(has_gzip_name(path)) {
    buffer_ = "# diastole.dramlog/1: COMMAND CYCLE CHANNEL [BANK [ROW [COLUMN]]]\n";
}

void DramLog::write(std::uint32_t lane, const std::vector<DramCommand>& commands) {
    for (const DramCommand& command : commands) {
        const Form form = form_of(command);
        buffer_ += form.name;
        append(buffer_, command.at);
        append(buffer_, lane);
        if (form.operands > 0) append(buffer_, command.bank);
        if (form.operands > 1) append(buffer_, command.row);
        if (form.operands > 2) append(buffer_, command.column);
        buffer_ += '\n';
        if (buffer_.size() >= buffered) flush();
    }
}

void DramLog::flush() {
    file_.write(compressed_ ? gzip(buffer_) : buffer_);
    buffer_.clear();
}

void DramLog::commit() {
    flush();
    file_.commit();
}

}  // namespace diastole
