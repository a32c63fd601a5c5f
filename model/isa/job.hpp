// What the control core launches: operators as sources of commands, produced lazily.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/isa/command.hpp"

namespace diastole {

// The commands of one operator, for all PEs. Memory does not grow with the number of commands.
class CommandSource {
  public:
    virtual ~CommandSource() = default;

    // Capacity in bytes of each circular buffer, the same on every PE. Their sum fits local memory.
    [[nodiscard]] virtual const std::vector<std::uint32_t>& circular_buffers() const = 0;

    // Whether the PE has any command at all. PE index = row * columns + column.
    [[nodiscard]] virtual bool participates(std::uint32_t pe) const = 0;

    // Writes the next command of this PE; false after the last. PEs ask in any interleaving, and
    // what one gets does not depend on it. `out` holds the PE's previous command: its vectors may
    // be reused.
    virtual bool next(std::uint32_t pe, Command& out) = 0;
};

enum class HostDirection : std::uint8_t { to_device, to_host };

struct HostCopy {
    HostDirection direction = HostDirection::to_device;
    Space space = Space::dram;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
};

// One operator, ready to launch. Neither commands, host copy nor a duration: it costs nothing (a
// view, a collective of one).
struct Job {
    std::uint64_t id = 0;              // increases in launch order
    std::uint32_t operator_index = 0;  // in the operator graph, for the report
    std::uint32_t batch = 0;           // which repetition of the graph
    std::vector<std::uint64_t> deps;   // ids of earlier jobs
    bool launch = false;  // the host launches it by itself; else it belongs to a running program
    bool drain_before = false;  // waits until every earlier job is done (end of the warm-up)
    std::unique_ptr<CommandSource> commands;
    std::optional<HostCopy> host_copy;
    std::optional<std::uint64_t> fixed_cycles;  // a recorded duration; occupies the grid
};

// Jobs in launch order. The next one is asked for only when the control core can queue it.
class JobStream {
  public:
    virtual ~JobStream() = default;
    virtual std::unique_ptr<Job> next() = 0;  // null after the last
};

}  // namespace diastole
