// A chip that serves queries: they arrive, wait to be put into batches, and batches queue for the
// host link and the device. Service times are given; what they come from is the caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/base/units.hpp"
#include "workloads/generate/arrivals.hpp"

namespace diastole {

enum class ServiceKind : std::uint8_t { model, constant, exponential };

// What a batch of up to `samples` samples costs; a smaller one is padded to it.
struct BatchCost {
    std::uint64_t samples = 1;
    Picoseconds warm, cold;          // device time: the last batch was of this model, or of another
    Picoseconds to_device, to_host;  // on the host link
};

struct ServedModel {
    std::string name;
    std::uint64_t share = 1;        // of the queries, against the other models' shares
    std::vector<BatchCost> ladder;  // ascending in samples; the last is the largest batch
    QuerySizes sizes;               // none larger than the largest batch
};

struct ServeScenario {
    double qps = 0;  // of all models; 0: offline, everything is there at the start
    std::uint64_t queries = 0;
    Picoseconds window;           // how long the oldest query waits for others at most
    std::uint32_t in_flight = 2;  // batches handed to the chip and not answered
    ServiceKind service = ServiceKind::model;
    std::uint64_t seed = 1;
};

struct ServeResult {
    std::uint64_t arrivals = 0, samples = 0, batches = 0, batch_samples = 0, full_batches = 0;
    double seconds = 0;       // from the first arrival's schedule (0) to the last completion
    double mean_latency = 0;  // seconds, from scheduled arrival to completion
    double p50 = 0, p95 = 0, p99 = 0, p999 = 0, max = 0;
    double mean_wait = 0;                   // of that: neither on the link nor on the device
    double mean_wait_ci95 = 0;              // half width, by batch means; 0 with too few arrivals
    double device_busy = 0, link_busy = 0;  // shares of `seconds`; of the busier direction
    [[nodiscard]] double samples_per_second() const {
        return static_cast<double>(samples) / seconds;
    }
};

// The same for the same arguments, whoever asks. Memory grows with the queries (8 bytes each).
// `progress` is called now and then with the share of queries that arrived; it may throw.
ServeResult serve_queries(const std::vector<ServedModel>& models, const ServeScenario& scenario,
                          const std::function<void(double)>& progress);

// Queries per second that the device alone could serve, with nothing but largest batches.
double capacity_qps(const std::vector<ServedModel>& models);

}  // namespace diastole
