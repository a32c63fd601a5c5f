// Cases, simulated: what the model says of each measurement, and how far that hangs on values that
// nobody published.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tb/progress.hpp"
#include "tb/validate_case.hpp"

namespace diastole {

struct MeasureResult {
    double modelled = 0;
    std::optional<double> roofline;
};

struct CaseResult {
    std::vector<MeasureResult> measures;  // in the case's order
    double time_seconds = 0, roofline_seconds = 0;
    std::string bound_by;
    std::vector<std::string> lowering;  // of each operator that says something
};

// The case again with one value changed: what it gives, or why the chip or the workload refuses it.
struct Variant {
    std::string value;
    std::vector<double> modelled;  // in the order of the measures; empty: refused
    std::string refused;
};
struct AssumedValue {
    std::string key, value;
    std::optional<Variant> halved, doubled;  // absent: it is the same number
};

struct ValidatedCase {
    ValidationCase what;
    CaseResult result;
    std::vector<AssumedValue> assumed;    // with --sensitivity: each assumed number of the chip
    std::vector<std::string> not_varied;  // assumed names, texts and switches
};

struct Validation {
    bool sensitivity = false;
    std::vector<ValidatedCase> cases;
};

// Every simulation runs in a child process, `at_once` at a time. Throws ConfigError or ModelError,
// with the case's place, when a case cannot be run as it stands.
Validation validate_cases(std::vector<ValidationCase> cases, bool sensitivity, unsigned at_once,
                          Progress& progress);

// How far off: of a share in points of 1, else relative. A bound that holds is off by nothing.
double error_of(const Measure& measure, double value);
bool holds(const Measure& measure, double value);  // of a bound

std::string validation_json(const Validation& validation);  // `diastole.validate/1`
std::string validation_text(const Validation& validation);  // for a terminal

}  // namespace diastole
