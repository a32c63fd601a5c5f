// What of a foreign trace became what: the account that every import gives.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "workloads/graph/operator.hpp"

namespace diastole {

struct CoverageAmount {
    std::uint64_t operators = 0;
    std::uint64_t flops = 0, flops_vector = 0;
    Bytes bytes;  // read and written
    double recorded_seconds = 0;
};

struct CopyCount {
    std::uint64_t requests = 0;
    Bytes bytes;
};

struct Coverage {
    std::uint64_t events = 0;          // of the trace, of all sorts
    std::uint64_t kernels = 0;         // each is one operator
    std::uint64_t without_host = 0;    // kernels whose host operator was not found: opaque
    std::uint64_t markers = 0;         // device events that are no work (waits, records): skipped
    CoverageAmount modelled, opaque;   // of the kernels
    CoverageAmount outside_embedding;  // of the kernels that are no embedding lookups
    std::array<CoverageAmount, 22> by_kind;
    std::array<CoverageAmount, 4> by_phase;
    std::map<std::string, std::uint64_t> opaque_names;  // kernels by host operator or kernel name
    CopyCount to_device, to_host, on_device;            // requests, before they are put together
    std::map<std::string, std::uint64_t> collectives;   // operators of their own, not kernels
    std::uint64_t outputs_by_argument = 0, outputs_by_rule = 0, outputs_contradicted = 0;
};

// A table for people, and one JSON object for programs. Names only what is in the coverage itself.
std::string coverage_text(const Coverage& coverage);
std::string coverage_json(const Graph& graph, const Coverage& coverage);

}  // namespace diastole
