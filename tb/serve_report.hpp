// What `diastole serve` found, in its two forms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tb/serve_queue.hpp"

namespace diastole {

struct ServeReport {
    std::string chip;  // empty: service times were given
    std::vector<ServedModel> models;
    ServeScenario scenario;
    ServeResult result;
    std::optional<double> bound;  // seconds, of p99
    bool found_max = false;       // the rate was searched for
    std::vector<std::string> assumptions;
    // The latency against load: rates as shares of capacity, and what they gave.
    std::vector<std::pair<double, ServeResult>> curve;
};

std::string serve_json(const ServeReport& report);  // `diastole.serve/1`, docs/serve.md
std::string serve_text(const ServeReport& report);
std::string serve_curve_svg(const ServeReport& report);  // precondition: curve is not empty

}  // namespace diastole
