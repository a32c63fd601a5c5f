// Kineto traces (PyTorch profiler, Chrome trace JSON) of MTIA and CUDA devices -> operator graph.
// docs/formats.md says how, and what such a trace cannot tell.
#pragma once

#include <functional>
#include <string>

#include "workloads/graph/operator.hpp"
#include "workloads/import/coverage.hpp"

namespace diastole {

class ByteSource;

struct KinetoOptions {
    std::string name;             // of the graph; host and user names of the trace are never used
    std::string source, licence;  // of the trace, for the header
    std::function<void(std::uint64_t done, std::uint64_t all)>
        progress;  // bytes read; may be empty
};

struct Imported {
    Graph graph;
    Coverage coverage;
};

// Streams the text; memory grows with the number of host operators, not with the length. Throws
// TraceError with a byte offset for damaged text, and when the trace holds no work of a device.
Imported import_kineto(ByteSource& source, const KinetoOptions& options);

}  // namespace diastole
