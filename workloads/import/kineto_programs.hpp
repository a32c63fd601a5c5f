// The programs of a served model in a Kineto trace: what was submitted to the device when, with the
// copies and the programs that each waited for, and when it ran. Compiled programs hide their
// operators, so there is nothing to lower; the trace says how a device and its host link queue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace diastole {

class ByteSource;

struct RecordedCopy {
    std::optional<std::int64_t> submitted;  // nanoseconds of the trace's clock, like all below
    std::int64_t start = 0, duration = 0;
    std::uint64_t bytes = 0;
    bool to_device = false;
};

struct RecordedProgram {
    std::string name;
    std::int64_t stream = 0;
    std::optional<std::int64_t> submitted;  // absent: submitted before the host was recorded
    std::int64_t start = 0, duration = 0;
    std::vector<RecordedCopy> in, out;     // its stream's copies before it and after it
    std::optional<std::size_t> follows;    // the stream's program before
    std::optional<std::size_t> waits_for;  // a program of another stream, through an event
};

// In the order in which they ran. Copies belong to the next program of their stream when they go to
// the device, to the one before when they go to the host. Throws TraceError as read_events() does,
// and when no program has a submission.
std::vector<RecordedProgram> read_programs(ByteSource& source);

}  // namespace diastole
