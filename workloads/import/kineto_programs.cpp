#include "workloads/import/kineto_programs.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "model/base/error.hpp"
#include "workloads/import/kineto_events.hpp"

namespace diastole {
namespace {

using kineto::DeviceEvent;
using kineto::DeviceKind;
using kineto::Direction;
using kineto::Events;

// What a stream has seen so far, in the order of its device events.
struct Stream {
    std::vector<RecordedCopy> in;
    std::optional<std::int64_t> waits_on;  // the stream of the last event_wait
    std::optional<std::int64_t> wait_submitted;
    std::optional<std::size_t> last;
};

class ProgramReader {
  public:
    explicit ProgramReader(const Events& events) : events_(events) {
        for (const kineto::Launch& launch : events.launches) {
            submissions_.emplace(launch.correlation, launch.start);
        }
    }

    std::vector<RecordedProgram> read() {
        std::vector<const DeviceEvent*> order;
        for (const DeviceEvent& event : events_.device) order.push_back(&event);
        std::stable_sort(
            order.begin(), order.end(),
            [](const DeviceEvent* a, const DeviceEvent* b) { return a->start < b->start; });
        for (const DeviceEvent* event : order) take(*event);
        for (std::size_t i = 0; i < programs_.size(); ++i) resolve_wait(i);
        return std::move(programs_);
    }

  private:
    [[nodiscard]] std::optional<std::int64_t> submission(const DeviceEvent& event) const {
        if (!event.correlation) return std::nullopt;
        const auto found = submissions_.find(*event.correlation);
        if (found == submissions_.end()) return std::nullopt;
        return found->second;
    }

    void take(const DeviceEvent& event) {
        Stream& stream = streams_[stream_of(event)];
        switch (event.kind) {
            case DeviceKind::kernel:
                add_program(event, stream);
                return;
            case DeviceKind::copy:
            case DeviceKind::dma_request:
                add_copy(event, stream);
                return;
            case DeviceKind::marker:
                if (event.waits_on) {
                    stream.waits_on = event.waits_on;
                    stream.wait_submitted = submission(event);
                }
                return;
            case DeviceKind::fill:
                return;
        }
    }

    static std::int64_t stream_of(const DeviceEvent& event) {
        return event.device_stream.value_or(event.stream);
    }

    void add_program(const DeviceEvent& event, Stream& stream) {
        RecordedProgram program;
        program.name = events_.names.text(event.name);
        program.stream = stream_of(event);
        program.submitted = submission(event);
        program.start = event.start;
        program.duration = event.duration;
        program.in = std::move(stream.in);
        program.follows = stream.last;
        waits_.push_back({stream.waits_on, stream.wait_submitted});
        stream.in.clear();
        stream.waits_on.reset();
        stream.last = programs_.size();
        programs_.push_back(std::move(program));
    }

    void add_copy(const DeviceEvent& event, Stream& stream) {
        const RecordedCopy copy{submission(event), event.start, event.duration, event.bytes,
                                event.direction == Direction::to_device};
        if (copy.to_device) {
            stream.in.push_back(copy);
        } else if (stream.last && event.direction == Direction::to_host) {
            programs_[*stream.last].out.push_back(copy);
        }
    }

    // The event that is waited for was recorded behind the other stream's last program that had
    // been submitted by then.
    void resolve_wait(std::size_t number) {
        const auto& [stream, submitted] = waits_[number];
        if (!stream || !submitted) return;
        for (std::size_t i = 0; i < number; ++i) {
            const RecordedProgram& other = programs_[i];
            if (other.stream != *stream || !other.submitted) continue;
            if (*other.submitted <= *submitted) programs_[number].waits_for = i;
        }
    }

    const Events& events_;
    std::map<std::int64_t, std::int64_t> submissions_;  // by correlation
    std::map<std::int64_t, Stream> streams_;
    std::vector<RecordedProgram> programs_;
    std::vector<std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>>> waits_;
};

}  // namespace

std::vector<RecordedProgram> read_programs(ByteSource& source) {
    const Events events = kineto::read_events(source, {});
    std::vector<RecordedProgram> programs = ProgramReader(events).read();
    const bool submitted =
        std::any_of(programs.begin(), programs.end(),
                    [](const RecordedProgram& program) { return program.submitted.has_value(); });
    if (!submitted) {
        throw TraceError(source.name() + ": no program on a device with the host's submission");
    }
    return programs;
}

}  // namespace diastole
