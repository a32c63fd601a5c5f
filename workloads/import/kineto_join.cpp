#include "workloads/import/kineto_join.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace diastole::kineto {
namespace {

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

// For each of `times` on `thread`, the innermost span of `spans` that encloses it.
class Enclosing {
  public:
    struct Query {
        std::uint32_t thread;
        Nanoseconds time;
        std::size_t answer = nowhere;
    };

    // Sweeps a thread's spans and queries together, with the open spans on a stack. Spans with the
    // same beginning nest by their end, and with the same end too by the profiler's numbering: the
    // outer one was counted first.
    static void answer(const Events& events, const std::vector<HostOp>& spans,
                       const std::vector<std::size_t>& chosen, std::vector<Query*> queries) {
        std::vector<std::size_t> order = chosen;
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return key(events, spans[a]) < key(events, spans[b]);
        });
        std::sort(queries.begin(), queries.end(), [](const Query* a, const Query* b) {
            return std::tie(a->thread, a->time) < std::tie(b->thread, b->time);
        });
        std::vector<std::size_t> open;
        std::size_t next = 0;
        std::uint32_t thread = 0;
        for (Query* query : queries) {
            if (query->thread != thread) open.clear();
            thread = query->thread;
            for (; next < order.size(); ++next) {
                const HostOp& span = spans[order[next]];
                if (std::tie(span.thread, span.start) > std::tie(thread, query->time)) break;
                if (span.thread == thread && span.end >= query->time) open.push_back(order[next]);
            }
            while (!open.empty() && spans[open.back()].end < query->time) open.pop_back();
            if (!open.empty()) query->answer = open.back();
        }
    }

  private:
    using Key =
        std::tuple<std::uint32_t, Nanoseconds, Nanoseconds, std::int64_t, const std::string&>;
    static Key key(const Events& events, const HostOp& span) {
        return {span.thread, span.start, -span.end, span.order, events.names.text(span.name)};
    }
};

struct PhaseWindow {
    Nanoseconds start, end;
    Phase phase;
};

std::vector<PhaseWindow> phase_windows(const Events& events) {
    std::vector<PhaseWindow> windows;
    for (const Annotation& annotation : events.annotations) {
        const std::string& name = events.names.text(annotation.name);
        std::optional<Phase> phase;
        if (name == "## forward ##") phase = Phase::forward;
        if (name == "## backward ##") phase = Phase::backward;
        if (name == "## optimizer ##") phase = Phase::optimizer;
        if (phase) windows.push_back({annotation.start, annotation.end, *phase});
    }
    std::sort(windows.begin(), windows.end(), [](const PhaseWindow& a, const PhaseWindow& b) {
        return std::tie(a.start, a.end, a.phase) < std::tie(b.start, b.end, b.phase);
    });
    return windows;
}

// Of nested windows the inner one, which begins later.
Phase phase_at(const std::vector<PhaseWindow>& windows, Nanoseconds time) {
    Phase phase = Phase::other;
    for (const PhaseWindow& window : windows) {
        if (window.start <= time && time <= window.end) phase = window.phase;
    }
    return phase;
}

// The launch of each correlation; of several the first in time.
std::map<std::int64_t, Launch> launches_of(const Events& events) {
    std::map<std::int64_t, Launch> launches;
    for (const Launch& launch : events.launches) {
        const auto [found, fresh] = launches.emplace(launch.correlation, launch);
        if (!fresh && launch.start < found->second.start) found->second = launch;
    }
    return launches;
}

bool is_work(const DeviceEvent& event) {
    return event.kind != DeviceKind::marker && event.kind != DeviceKind::dma_request;
}

std::optional<std::size_t> optional(std::size_t index) {
    if (index == nowhere) return std::nullopt;
    return index;
}

}  // namespace

bool is_collective_name(const std::string& annotation) {
    const bool library = annotation.rfind("nccl:", 0) == 0 || annotation.rfind("hccl:", 0) == 0;
    return library && annotation.find("barrier") == std::string::npos;
}

bool is_collective_kernel(const std::string& kernel) {
    return kernel.find("nccl") != std::string::npos || kernel.find("hccl") != std::string::npos;
}

Joined join(const Events& events) {
    const std::map<std::int64_t, Launch> launches = launches_of(events);
    const std::vector<PhaseWindow> windows = phase_windows(events);

    Joined joined;
    std::vector<Enclosing::Query> queries;
    for (std::size_t i = 0; i < events.device.size(); ++i) {
        const DeviceEvent& event = events.device[i];
        if (!is_work(event)) continue;
        const auto launch = event.correlation ? launches.find(*event.correlation) : launches.end();
        const bool found = launch != launches.end();
        JoinedKernel kernel;
        kernel.device = i;
        kernel.launch = found ? launch->second.start : event.start;
        kernel.phase = phase_at(windows, kernel.launch);
        joined.kernels.push_back(kernel);
        // No thread has the number -1: a kernel without a launch finds nothing.
        queries.push_back({found ? launch->second.thread : static_cast<std::uint32_t>(-1),
                           kernel.launch, nowhere});
    }

    std::vector<std::size_t> all_ops(events.host_ops.size()), collectives;
    std::iota(all_ops.begin(), all_ops.end(), std::size_t{0});
    for (std::size_t i = 0; i < events.annotations.size(); ++i) {
        if (is_collective_name(events.names.text(events.annotations[i].name)))
            collectives.push_back(i);
    }
    std::vector<Enclosing::Query> announced = queries;
    for (const std::size_t i : collectives) {
        queries.push_back({events.annotations[i].thread, events.annotations[i].start, nowhere});
    }
    const auto pointers = [](std::vector<Enclosing::Query>& list) {
        std::vector<Enclosing::Query*> result;
        for (Enclosing::Query& query : list) result.push_back(&query);
        return result;
    };
    Enclosing::answer(events, events.host_ops, all_ops, pointers(queries));
    Enclosing::answer(events, events.annotations, collectives, pointers(announced));

    std::vector<bool> has_kernel(events.annotations.size(), false);
    for (std::size_t i = 0; i < joined.kernels.size(); ++i) {
        joined.kernels[i].host_op = optional(queries[i].answer);
        joined.kernels[i].collective = optional(announced[i].answer);
        const DeviceEvent& event = events.device[joined.kernels[i].device];
        const bool communicates = is_collective_kernel(events.names.text(event.name));
        if (announced[i].answer != nowhere && communicates) has_kernel[announced[i].answer] = true;
    }
    for (std::size_t i = 0; i < collectives.size(); ++i) {
        if (has_kernel[collectives[i]]) continue;
        const Nanoseconds start = events.annotations[collectives[i]].start;
        joined.lone.push_back({collectives[i], optional(queries[joined.kernels.size() + i].answer),
                               start, phase_at(windows, start)});
    }

    std::sort(joined.kernels.begin(), joined.kernels.end(),
              [&](const JoinedKernel& a, const JoinedKernel& b) {
                  const DeviceEvent &x = events.device[a.device], &y = events.device[b.device];
                  return std::tie(a.launch, x.correlation, x.start, events.names.text(x.name)) <
                         std::tie(b.launch, y.correlation, y.start, events.names.text(y.name));
              });
    std::sort(joined.lone.begin(), joined.lone.end(),
              [&](const LoneCollective& a, const LoneCollective& b) {
                  const Annotation &x = events.annotations[a.annotation],
                                   &y = events.annotations[b.annotation];
                  return std::tie(a.launch, x.order, events.names.text(x.name)) <
                         std::tie(b.launch, y.order, events.names.text(y.name));
              });
    return joined;
}

}  // namespace diastole::kineto
