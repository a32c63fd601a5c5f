// Random small chips and workloads for the laws that every result obeys. What a workload must cost
// is counted here, from the definitions in docs/formats.md and not by the code under test.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/base/random.hpp"
#include "model/params/chip_params.hpp"

namespace diastole::laws {

struct ChipCase {
    std::string preset;
    std::vector<std::string> settings;  // key=value
    ChipParams params;                  // what they resolve to
};

// A valid chip of a few PEs and partitions; draws until one is valid, and counts what was refused.
ChipCase random_chip(Random& random, std::uint32_t& refused);

struct WorkloadCase {
    std::string trace;                             // native, as text
    std::uint64_t flops = 0;                       // 2 per multiply-add of matrix products
    std::map<std::string, std::uint64_t> by_type;  // the same by type of the operands
    std::uint64_t lookups = 0;                     // of forward embedding bags
    // Of all other operators; absent with a backward of embedding bags, which works on distinct
    // rows.
    std::optional<std::uint64_t> flops_vector = 0;
    std::uint64_t operators = 0;
    std::uint64_t compulsory_bytes = 0;  // distinct operands that nothing in the trace computes
    std::uint64_t host_in = 0, host_out = 0;
    std::vector<std::vector<std::uint64_t>> deps;  // by operator: ids of those before it
};

WorkloadCase random_workload(Random& random, std::uint32_t operators);

}  // namespace diastole::laws
