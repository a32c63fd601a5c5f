#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tb/display.hpp"
#include "tb/serve_replay.hpp"
#include "tb/text.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* left_out[] = {
    "what a device spends between two programs beyond the chip's launch and replace times",
    "programs submitted before the recording began: they hold the device when the trace says so",
    "the host's own waits: submissions come when they were recorded, however the device does"};

}  // namespace

std::string replay_json(const Replay& replay, const std::string& trace, const std::string& chip,
                        double scale) {
    Json json = {
        {"schema", "diastole.replay/1"},
        {"version", DIASTOLE_VERSION},
        {"trace", trace},
        {"chip", chip},
        {"scale", scale},
        {"programs_without_submission", replay.without_submission},
        {"time_seconds", replay.seconds},
        {"device_busy", {{"recorded", replay.recorded_busy}, {"modelled", replay.modelled_busy}}}};
    for (const ReplaySummary& s : replay.summaries) {
        json["summaries"].push_back(
            {{"name", s.name},
             {"programs", s.programs},
             {"submit_to_start_median_seconds",
              {{"recorded", s.recorded_wait}, {"modelled", s.modelled_wait}}},
             {"start_error_seconds",
              {{"median", s.start_error_median},
               {"p95", s.start_error_p95},
               {"mean_signed", s.start_bias}}}});
    }
    for (const TransferClass& t : replay.transfers) {
        json["transfers"].push_back({{"to_device", t.to_device},
                                     {"bytes_from", t.from},
                                     {"bytes_below", t.below},
                                     {"copies", t.copies},
                                     {"recorded_bytes_per_second", t.recorded_rate},
                                     {"modelled_bytes_per_second", t.modelled_rate}});
    }
    for (const ReplayedProgram& p : replay.programs) {
        json["programs"].push_back({{"name", p.name},
                                    {"submitted_seconds", p.submitted},
                                    {"ready_seconds", p.ready},
                                    {"recorded_start_seconds", p.recorded_start},
                                    {"modelled_start_seconds", p.modelled_start}});
    }
    for (const char* text : left_out) json["not_modelled"].push_back(text);
    return json.dump(2) + '\n';
}

std::string replay_text(const Replay& replay, const std::string& chip, double scale) {
    Text out;
    line(out, "{} programs with their submission, {} without, behind the host link of {}{}",
         replay.programs.size(), replay.without_submission, chip,
         scale == 1 ? "" : fmt::format("; device times x {:g}", scale));
    line(out, "  device busy   recorded {:.1f} %   modelled {:.1f} %", 100 * replay.recorded_busy,
         100 * replay.modelled_busy);
    line(out, "\n  {:<16}{:>10}{:>24}{:>30}", "", "", "submission to start", "error of the start");
    line(out, "  {:<16}{:>10}{:>12}{:>12}{:>10}{:>10}{:>10}", "program", "runs", "recorded",
         "modelled", "median", "p95", "mean");
    for (const ReplaySummary& s : replay.summaries) {
        line(out, "  {:<16}{:>10}{:>12}{:>12}{:>10}{:>10}{:>10}", s.name, s.programs,
             si(s.recorded_wait) + "s", si(s.modelled_wait) + "s", si(s.start_error_median) + "s",
             si(s.start_error_p95) + "s", si(s.start_bias) + "s");
    }
    line(out, "\n  {:<34}{:>8}{:>14}{:>14}", "copies of one request", "", "recorded", "modelled");
    for (const TransferClass& t : replay.transfers) {
        const std::string range = t.below == ~std::uint64_t{0}
                                      ? fmt::format("from {} bytes", t.from)
                                      : fmt::format("{} to {} bytes", t.from, t.below - 1);
        line(out, "  {:<10}{:<24}{:>8}{:>14}{:>14}", t.to_device ? "to device" : "to host", range,
             t.copies, si(t.recorded_rate) + "B/s", si(t.modelled_rate) + "B/s");
    }
    line(out, "\n  not modelled");
    for (const char* text : left_out) line(out, "  - {}", text);
    return fmt::to_string(out);
}

}  // namespace diastole
