#include "workloads/import/kineto_events.hpp"

#include <simdjson.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"
#include "workloads/import/json_stream.hpp"
#include "workloads/import/kineto_arguments.hpp"

namespace diastole::kineto {

std::uint32_t Names::number(std::string_view text) {
    const auto [found, fresh] =
        numbers_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
    if (fresh) texts_.emplace_back(text);
    return found->second;
}

namespace {

using simdjson::SUCCESS;
using simdjson::dom::element;
using simdjson::dom::object;

// The keys of an event that count, found in one pass; null where absent.
struct Keys {
    std::optional<element> phase, category, name, time, duration, process, thread;
    std::optional<object> arguments;

    explicit Keys(const object& event) {
        for (const auto& field : event) {
            if (field.key == "ph") phase = field.value;
            if (field.key == "cat") category = field.value;
            if (field.key == "name") name = field.value;
            if (field.key == "pid") process = field.value;
            if (field.key == "tid") thread = field.value;
            if (field.key == "ts") time = field.value;
            if (field.key == "dur") duration = field.value;
            object nested;
            if (field.key == "args" && field.value.get(nested) == SUCCESS) arguments = nested;
        }
    }
};

bool get_text(const std::optional<element>& value, std::string_view& text) {
    return value && value->get(text) == SUCCESS;
}

template <class T>
bool get_argument(const Keys& keys, std::string_view key, T& value) {
    return keys.arguments && (*keys.arguments)[key].get(value) == SUCCESS;
}

enum class Category : std::uint8_t { other, host_op, annotation, runtime, device };

Category category_of(std::string_view name) {
    if (name == "cpu_op") return Category::host_op;
    if (name == "user_annotation") return Category::annotation;
    if (name == "mtia_runtime" || name == "cuda_runtime" || name == "cuda_driver") {
        return Category::runtime;
    }
    if (name == "kernel" || name == "gpu_memcpy" || name == "gpu_memset" ||
        name == "mtia_ccp_events") {
        return Category::device;
    }
    return Category::other;
}

class EventReader {
  public:
    EventReader(ByteSource& source, const Progress& progress)
        : source_(source), stream_(source), progress_(progress) {
        events_.words.push_back(0);  // the arguments of an operator without any
    }

    Events read() {
        JsonStream::Handlers handlers;
        handlers.element = [this](std::string_view text, std::uint64_t offset) {
            read_event(text, offset);
        };
        handlers.other = [this](std::string_view key, std::string_view text, std::uint64_t offset) {
            read_other(key, text, offset);
        };
        if (!stream_.read("traceEvents", handlers)) {
            throw TraceError(source_.name() +
                             ": not a Kineto trace: the file has no list 'traceEvents'");
        }
        if (events_.all == 0)
            throw TraceError(source_.name() + ": the list 'traceEvents' is empty");
        return std::move(events_);
    }

  private:
    element parse(std::string_view text, std::uint64_t offset) {
        element value;
        // The stream keeps the padding that simdjson wants behind every value.
        if (parser_.parse(text.data(), text.size(), false).get(value) == SUCCESS) return value;
        // Say exactly where: a second parser that keeps count.
        std::uint64_t byte = 0;
        try {
            const auto twice = nlohmann::json::parse(text);  // throws
        } catch (const nlohmann::json::parse_error& error) {
            byte = error.byte > 0 ? error.byte - 1 : 0;
        } catch (const nlohmann::json::exception&) {  // a number out of range: no place
        }
        stream_.fail(offset + byte, "malformed JSON");
    }

    void read_other(std::string_view key, std::string_view text, std::uint64_t offset) {
        if (key == "trace" && text.substr(0, 10) == "\"diastole/") {
            stream_.fail(offset, "this is a native Diastole trace already");
        }
        const element value = parse(text, offset);
        if (key != "distributedInfo") return;  // the others hold names of hosts and users
        std::uint64_t world = 0;
        if (value["world_size"].get(world) != SUCCESS) return;
        if (world < 1 || world > 1 << 24) stream_.fail(offset, "world_size: expected 1 to 2^24");
        events_.world_size = static_cast<std::uint32_t>(world);
    }

    void read_event(std::string_view text, std::uint64_t offset) {
        if (++events_.all % 4096 == 0) {
            if (interrupted()) throw Interrupted();
            if (progress_) progress_(source_.position(), source_.size());
        }
        object event;
        if (parse(text, offset).get(event) != SUCCESS) {
            stream_.fail(offset, "expected an event {...}");
        }
        const Keys keys(event);
        std::string_view phase, category;
        if (!get_text(keys.phase, phase) || phase != "X") return;
        if (!get_text(keys.category, category)) return;
        offset_ = offset;
        switch (category_of(category)) {
            case Category::host_op:
                return add_host_op(keys, events_.host_ops);
            case Category::annotation:
                return add_host_op(keys, events_.annotations);
            case Category::runtime:
                return add_launch(keys);
            case Category::device:
                return add_device_event(keys, category);
            case Category::other:
                return;
        }
    }

    // Microseconds, whole or with a fraction. 285 years fit.
    Nanoseconds time(const element& value, const char* key) {
        std::int64_t whole = 0;
        constexpr std::int64_t most = 9'000'000'000'000'000;
        if (value.get(whole) == SUCCESS && whole > -most && whole < most) return whole * 1000;
        double real = 0;
        if (value.get(real) == SUCCESS && std::abs(real) < static_cast<double>(most)) {
            return std::llround(real * 1000);
        }
        stream_.fail(offset_, std::string("event: '") + key + "': expected microseconds");
    }

    void set_times(const Keys& keys, Nanoseconds& start, Nanoseconds& duration) {
        if (!keys.time) stream_.fail(offset_, "event: the key 'ts' is missing");
        start = time(*keys.time, "ts");
        duration = keys.duration ? time(*keys.duration, "dur") : 0;
        if (duration < 0) stream_.fail(offset_, "event: 'dur': expected microseconds from 0");
    }

    std::uint32_t name(const Keys& keys) {
        std::string_view text;
        if (!get_text(keys.name, text)) stream_.fail(offset_, "event: the name is missing");
        return events_.names.number(text);
    }

    // Process and thread, numbers or texts, tell threads apart and mean nothing else.
    std::uint32_t thread(const Keys& keys) {
        key_.clear();
        if (keys.process) key_ += simdjson::to_string(*keys.process);
        key_ += '/';
        if (keys.thread) key_ += simdjson::to_string(*keys.thread);
        return threads_.number(key_);
    }

    void add_host_op(const Keys& keys, std::vector<HostOp>& list) {
        HostOp op;
        Nanoseconds duration = 0;
        set_times(keys, op.start, duration);
        op.end = op.start + duration;
        op.name = name(keys);
        op.thread = thread(keys);
        if (keys.arguments) add_arguments(*keys.arguments, op);
        list.push_back(op);
    }

    void add_arguments(const object& arguments, HostOp& op) {
        std::optional<element> dims, types, concretes;
        for (const auto& field : arguments) {
            if (field.key == "Input Dims") dims = field.value;
            if (field.key == "Input type") types = field.value;
            if (field.key == "Concrete Inputs") concretes = field.value;
            if (field.key == "Ev Idx" && field.value.get(op.order) != SUCCESS) op.order = 0;
        }
        if (!dims) return;
        op.arguments = events_.words.size();
        const std::string problem =
            pack_arguments(&*dims, types ? &*types : nullptr, concretes ? &*concretes : nullptr,
                           events_.names, events_.words);
        if (!problem.empty()) stream_.fail(offset_, "event: " + problem);
    }

    void add_launch(const Keys& keys) {
        Launch launch;
        if (!get_argument(keys, "correlation", launch.correlation)) return;
        Nanoseconds duration = 0;
        set_times(keys, launch.start, duration);
        launch.thread = thread(keys);
        events_.launches.push_back(launch);
    }

    void add_device_event(const Keys& keys, std::string_view category) {
        DeviceEvent event;
        set_times(keys, event.start, event.duration);
        event.name = name(keys);
        event.stream = thread(keys);
        std::int64_t correlation = 0;
        if (get_argument(keys, "correlation", correlation)) event.correlation = correlation;
        std::int64_t number = 0;
        if (get_argument(keys, "stream", number)) event.device_stream = number;
        if (get_argument(keys, "wait_on_stream", number)) event.waits_on = number;
        const std::string& text = events_.names.text(event.name);
        if (category == "gpu_memcpy") {
            event.kind = DeviceKind::copy;
            if (text.find("HtoD") != std::string::npos) event.direction = Direction::to_device;
            if (text.find("DtoH") != std::string::npos) event.direction = Direction::to_host;
            event.bytes = bytes(keys, "bytes");
        } else if (category == "gpu_memset") {
            event.kind = DeviceKind::fill;
            event.bytes = bytes(keys, "bytes");
        } else if (text == "dma_request") {
            event.kind = DeviceKind::dma_request;
            event.direction = direction(keys);
            event.bytes = bytes(keys, "size");
        } else if (text == "event_wait" || text == "event_record") {
            event.kind = DeviceKind::marker;
        }
        events_.device.push_back(event);
    }

    std::uint64_t bytes(const Keys& keys, std::string_view key) {
        std::uint64_t count = 0;
        if (!get_argument(keys, key, count) || count >> 48 != 0) {
            stream_.fail(offset_, "copy: '" + std::string(key) + "': expected a number of bytes");
        }
        return count;
    }

    static Direction direction(const Keys& keys) {
        std::string_view text;
        get_argument(keys, "direction", text);
        if (text == "HOST_TO_DEVICE") return Direction::to_device;
        if (text == "DEVICE_TO_HOST") return Direction::to_host;
        return Direction::on_device;
    }

    ByteSource& source_;
    JsonStream stream_;
    const Progress& progress_;
    simdjson::dom::parser parser_;
    Names threads_;
    std::string key_;
    std::uint64_t offset_ = 0;  // of the event that is being read
    Events events_;
};

}  // namespace

Events read_events(ByteSource& source, const Progress& progress) {
    return EventReader(source, progress).read();
}

}  // namespace diastole::kineto
