// Which host operator launched which kernel, in which phase, in which order.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "workloads/graph/operator.hpp"
#include "workloads/import/kineto_events.hpp"

namespace diastole::kineto {

struct JoinedKernel {
    std::size_t device = 0;                 // in Events::device: a kernel, copy or fill
    Nanoseconds launch = 0;                 // on the host; of a kernel without a launch, its start
    std::optional<std::size_t> host_op;     // innermost that encloses the launch on its thread
    std::optional<std::size_t> collective;  // annotation (nccl:..., hccl:...) that encloses it
    Phase phase = Phase::other;
};

// A communication that the host announced and for which no kernel ran: the world has one member.
struct LoneCollective {
    std::size_t annotation = 0;
    std::optional<std::size_t> host_op;
    Nanoseconds launch = 0;
    Phase phase = Phase::other;
};

struct Joined {
    std::vector<JoinedKernel> kernels;  // in launch order
    std::vector<LoneCollective> lone;   // in launch order
};

// The result depends on times and on the profiler's own numbering, not on the order of events in
// the file or on the names of threads.
Joined join(const Events& events);

bool is_collective_name(const std::string& annotation);  // "nccl:all_reduce", "hccl:allgather"
bool is_collective_kernel(const std::string& kernel);    // "ncclKernel_AllReduce_RING_LL_Sum_float"

}  // namespace diastole::kineto
