// A published measurement: what was run on which chip, and what was measured. Read from TOML files,
// docs/validate.md; the bundled ones are in workloads/validation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/config/problems.hpp"
#include "tb/simulation.hpp"

namespace diastole {

enum class Metric : std::uint8_t {
    time,         // seconds of one counted batch, or of one operator in it
    flop_rate,    // matrix FLOP per second
    sample_rate,  // samples per second
    dram_rate,    // bytes per second, read and written
    peak_share,   // time that the matrix engines need at their peak, of the whole
    dram_share,   // bytes read and written, of what the DRAM's peak would have moved
    stall_share,  // of an engine's time: busy or a named wait
    array_share,  // of the arrays' time, divided as the TPU's counters divide it
};

// Vectors stream past; weights shift in while none do; weights are waited for; all the rest.
enum class ArrayPart : std::uint8_t { active, weight_shift, weight_stall, non_matrix };

enum class Relation : std::uint8_t { equals, more_than, less_than };

struct Measure {
    Metric metric = Metric::time;
    std::string engine, stall;           // of a stall share
    ArrayPart part = ArrayPart::active;  // of an array share
    std::string op;  // of a time: this operator's, from its first start to its end
    Relation relation = Relation::equals;
    double measured = 0;  // in seconds, FLOP/s, samples/s, bytes/s; shares from 0 to 1
    std::string source;
    std::string fitted;  // which value of the chip was chosen with it in view; empty: none
};

struct ValidationCase {
    std::string name;
    RunSpec spec;
    ResolvedChip chip;  // with the case's own settings
    std::vector<Measure> measures;
    std::string assumed;  // of the workload, where the source does not say everything
    std::string missing;  // the mechanism that the model lacks
    config::Location where;
};

// `name`: of a bundled file, or the path of one. Throws ConfigError with one line per problem; what
// a chip or workload is refused for is said at the key that names it.
std::vector<ValidationCase> load_cases(const std::string& name);
const char* key_of(ArrayPart part);
std::vector<std::string> case_files();  // the bundled ones, sorted

bool is_share(Metric metric);
const char* unit_of(Metric metric);           // "seconds", "flop_per_second", ..., "share"
std::string name_of(const Measure& measure);  // "time", "share of peak", "matrix wait_dram", ...
const char* key_of(Metric metric);            // as in a file: "peak_share"

// What a run says, and what the roofline alone would have said: nothing where it has no opinion.
double modelled(const Measure& measure, const RunResult& result);
std::optional<double> by_roofline(const Measure& measure, const RunResult& result);

}  // namespace diastole
