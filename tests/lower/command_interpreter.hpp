// Executes the commands of all PEs without time, strictly: units in order, circular buffers with
// their capacities, broadcast reads only when every member has come to them, neighbour chains by
// message, barriers. Written from the contract in model/isa, independently of any kernel. It keeps
// what lies in every buffer, so that a test can ask which bytes met in a multiplication.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/isa/job.hpp"

namespace diastole::test {

struct Interval {
    Space space;
    std::uint64_t begin, end;
};

struct Run {
    std::uint64_t address, bytes;  // where these buffered bytes were read; 0: computed
    Space space = Space::dram;
};

struct Totals {
    std::uint64_t macs = 0, operations = 0, flops = 0, lookups = 0, commands = 0;
    std::uint64_t rows_written = 0;       // of indexed stores
    std::vector<Interval> reads, writes;  // strided and indexed
    std::map<Unit, std::uint64_t> by_unit;
};

class CommandInterpreter {
  public:
    CommandInterpreter(CommandSource& source, const ChipParams& chip);

    // Runs to the end; throws std::runtime_error with the reason when it cannot.
    Totals run();

    // Called for every MatrixTile with the source bytes of its two operands.
    std::function<void(const MatrixTile&, const std::vector<Run>&, const std::vector<Run>&)>
        on_tile;
    std::uint32_t a_element = 2, b_element = 2;  // bytes; to cut the operands of a tile

  private:
    struct Buffer {
        std::uint64_t capacity = 0, held = 0;
        std::deque<Run> runs;
    };
    struct Pe {
        std::vector<Buffer> buffers;
        std::vector<std::deque<Command>> queues;
        bool source_done = false, has_pending = false, at_barrier = false;
        Command pending;
    };
    struct Meeting {
        std::uint32_t members = 0;
        Transfer transfer;
        std::vector<std::uint32_t> arrived;
    };

    bool issue(std::uint32_t pe);
    bool try_run(std::uint32_t pe, Unit unit);
    bool operands_ready(const Pe& pe, const Command& command) const;
    bool meet(std::uint32_t pe, const Transfer& transfer);
    void complete(std::uint32_t pe, const Command& command);
    void transfer(const Command& command);
    bool all_at_barrier() const;
    static std::vector<Run> slice(const Buffer& buffer, std::uint64_t from, std::uint64_t bytes);
    [[noreturn]] void stuck() const;

    CommandSource& source_;
    std::uint32_t queue_depth_;
    std::vector<Pe> pes_;
    std::map<std::pair<std::int32_t, std::int32_t>, std::deque<std::uint32_t>> mail_;
    std::map<std::uint32_t, std::vector<Meeting>> meetings_;              // by group, in order
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> met_;  // (group, PE): how many
    Totals totals_;
};

// The intervals, sorted and joined; throws std::runtime_error when two overlap and `once`.
std::vector<Interval> united(std::vector<Interval> intervals, bool once);
bool covers(const std::vector<Interval>& united, const Interval& wanted);

}  // namespace diastole::test
