// What the importer keeps of a Kineto trace (Chrome trace JSON of the PyTorch profiler): a few
// dozen bytes per event, however long the text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/base/dtype.hpp"
#include "workloads/graph/byte_source.hpp"

namespace diastole::kineto {

// Texts that occur again and again, each kept once.
class Names {
  public:
    std::uint32_t number(std::string_view text);
    [[nodiscard]] const std::string& text(std::uint32_t number) const { return texts_[number]; }

  private:
    std::vector<std::string> texts_;
    std::unordered_map<std::string, std::uint32_t> numbers_;  // looked up, never iterated
};

using Nanoseconds = std::int64_t;
using Shape = std::vector<std::uint64_t>;

enum class ArgumentKind : std::uint8_t { none, scalar, tensor, foreign_tensor, tensor_list };
struct Argument {
    ArgumentKind kind = ArgumentKind::none;
    DType type = DType::fp32;        // tensor
    std::uint8_t element_bytes = 0;  // foreign_tensor: of a type that Diastole does not have
    std::string concrete;            // what the profiler wrote of a scalar
    Shape shape;                     // tensor, foreign_tensor
    std::vector<Shape> shapes;       // tensor_list, where the profiler wrote them
};

struct HostOp {
    Nanoseconds start = 0, end = 0;
    std::uint32_t thread = 0, name = 0;
    std::int64_t order = 0;  // the profiler's count of events: the inner of two equals is later
    std::uint64_t arguments = 0;  // where they begin in Events::words
};

using Annotation = HostOp;  // a named stretch of time on a host thread

struct Launch {
    std::int64_t correlation = 0;
    Nanoseconds start = 0;
    std::uint32_t thread = 0;
};

enum class DeviceKind : std::uint8_t { kernel, copy, fill, dma_request, marker };
enum class Direction : std::uint8_t { on_device, to_device, to_host };
struct DeviceEvent {
    Nanoseconds start = 0, duration = 0;
    DeviceKind kind = DeviceKind::kernel;
    Direction direction = Direction::on_device;
    std::uint32_t name = 0, stream = 0;
    std::optional<std::int64_t> correlation;
    std::uint64_t bytes = 0;
    // As the device numbers its streams, where the trace says it; a marker may wait for another.
    std::optional<std::int64_t> device_stream, waits_on;
};

struct Events {
    Names names;
    std::vector<std::uint64_t> words;  // the arguments of host operators, packed
    std::vector<HostOp> host_ops;
    std::vector<Annotation> annotations;
    std::vector<Launch> launches;
    std::vector<DeviceEvent> device;
    std::uint32_t world_size = 1;
    std::uint64_t all = 0;  // events of every kind, also those that are not kept
};

// Called now and then with bytes of the file read so far and in all.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

// Throws TraceError, with the byte offset in the unpacked text, when this is not a Kineto trace or
// a damaged one; Interrupted when the user asks for it.
Events read_events(ByteSource& source, const Progress& progress);

// The arguments of a host operator or annotation; empty where the profiler recorded no shapes.
std::vector<Argument> arguments_of(const Events& events, const HostOp& op);

}  // namespace diastole::kineto
