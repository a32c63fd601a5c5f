#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "model/base/names.hpp"
#include "model/params/validate.hpp"

namespace diastole {
namespace {

class Findings {
  public:
    void require(bool good, const char* key, std::string message) {
        if (!good) list_.push_back({std::string("dram.") + key, std::move(message)});
    }
    [[nodiscard]] std::vector<Finding> take() { return std::move(list_); }

  private:
    std::vector<Finding> list_;
};

std::uint32_t bits_for(std::uint64_t values) {
    std::uint32_t bits = 0;
    while ((std::uint64_t{1} << bits) < values) ++bits;
    return bits;
}

void check_timing(Findings& out, const DramTiming& t) {
    const auto at_least = [&](const char* key, std::uint32_t value, std::uint64_t low,
                              const char* what) {
        out.require(value >= low, key,
                    fmt::format("expected at least {} = {}, got {}", what, low, value));
    };
    at_least("timing.rc", t.rc, std::uint64_t{t.ras} + t.rp, "ras + rp");
    at_least("timing.ccd_s", t.ccd_s, t.burst, "burst");
    at_least("timing.ccd_l", t.ccd_l, t.ccd_s, "ccd_s");
    at_least("timing.rrd_l", t.rrd_l, t.rrd_s, "rrd_s");
    at_least("timing.wtr_l", t.wtr_l, t.wtr_s, "wtr_s");
    at_least("timing.rp", t.rp, t.act_cycles, "act_cycles");
    at_least("timing.ras", t.ras, t.rcd_rd, "rcd_rd");
}

void check_refresh(Findings& out, const DramParams& d) {
    const DramTiming& t = d.timing;
    const DramGeometry& g = d.geometry;
    const std::uint64_t banks = std::uint64_t{g.stack_ids} * g.bank_groups * g.banks;
    if (d.policy.refresh == RefreshMode::all_bank) {
        // A refresh, and one row cycle with its access around it, within each interval.
        const std::uint64_t busy =
            std::uint64_t{t.rfc} + t.rp + t.ras + t.wr + t.cwl + t.burst + t.rcd_rd + t.cl;
        out.require(t.refi > busy, "timing.refi",
                    fmt::format("expected above {}, so that work is possible between refreshes of "
                                "rfc = {}, got {}",
                                busy, t.rfc, t.refi));
    }
    if (d.policy.refresh == RefreshMode::per_bank) {
        const std::uint64_t busy = 2 * (std::uint64_t{t.rfc_pb} + t.rc);
        out.require(t.refi / banks > t.rrefd && t.refi > busy, "timing.refi",
                    fmt::format("expected above {} banks x rrefd = {} and above 2 x (rfc_pb + rc) "
                                "= {} for per-bank refresh, got {}",
                                banks, banks * t.rrefd, busy, t.refi));
    }
}

void check_geometry(Findings& out, const DramParams& d) {
    const DramGeometry& g = d.geometry;
    const std::uint64_t banks = std::uint64_t{g.stack_ids} * g.bank_groups * g.banks;
    out.require(banks <= 64, "geometry.banks",
                fmt::format("expected at most 64 banks in a pseudo-channel, got {} stack_ids x {} "
                            "bank_groups x {} banks = {}",
                            g.stack_ids, g.bank_groups, g.banks, banks));
    // Data pins move a whole number of bits per command clock: 2 in HBM2 and DDR3, 4 in HBM3, 8 in
    // LPDDR5.
    const std::uint64_t pins = std::uint64_t{g.data_bits} * d.timing.burst;
    out.require(std::uint64_t{g.atom_bytes} * 8 % pins == 0, "geometry.atom_bytes",
                fmt::format("expected a multiple of data_bits x burst / 8 = {} bytes, got {}",
                            static_cast<double>(pins) / 8, g.atom_bytes));
    out.require(bits_for(g.rows) + bits_for(row_bytes(g)) + bits_for(banks) <= 40, "geometry.rows",
                "expected a pseudo-channel of at most 1 TiB");
    // Its data, its code atoms, and those that make place for them.
    const std::uint32_t queue = d.policy.queue == QueueKind::shared
                                    ? d.policy.read_queue
                                    : std::min(d.policy.read_queue, d.policy.write_queue);
    out.require(d.policy.ecc != EccKind::inline_code || queue >= 3, "policy.ecc",
                "inline_code: expected queues of at least 3 atoms");
    out.require(channel_data_bytes(d) > 0, "policy.ecc_ratio",
                "expected a pseudo-channel that holds the data and its inline code");
    out.require(d.policy.row_hit_cap == 0 || d.policy.scheduler == SchedulerKind::fr_fcfs,
                "policy.row_hit_cap", "expected 0 unless scheduler is fr_fcfs");
    out.require(d.policy.write_low <= d.policy.write_high, "policy.write_low",
                fmt::format("expected at most write_high = {}, got {}", d.policy.write_high,
                            d.policy.write_low));
}

struct MapField {
    std::string_view name;
    std::uint64_t values;
    std::uint32_t bits = 0, parts = 0;
    std::uint32_t place = 0;  // of its last part, from the top
    bool lowest = false, hashed = false;
};

// Takes one hash such as `bg^row` or `ba^row>>2`; false with a problem when it is not one.
bool read_hash(const std::string& token, std::array<MapField, 6>& fields, std::string& problem) {
    const std::size_t hat = token.find('^'), by = token.find(">>");
    const std::string name = token.substr(0, hat);
    const std::string with = token.substr(hat + 1, by == std::string::npos ? by : by - hat - 1);
    const std::string digits = by == std::string::npos ? "0" : token.substr(by + 2);
    const bool number = !digits.empty() && digits.size() <= 2 &&
                        digits.find_first_not_of("0123456789") == std::string::npos;
    const bool banks = name == "sid" || name == "ba" || name == "bg";
    if (!number || !banks || with != "row") {
        problem = fmt::format("expected a hash such as bg^row or ba^row>>2, got \"{}\"", token);
        return false;
    }
    const auto row = std::find_if(fields.begin(), fields.end(),
                                  [](const MapField& f) { return f.name == "row"; });
    for (MapField& field : fields) {
        if (field.name != name) continue;
        const std::size_t last = std::stoul(digits) + bits_for(field.values);
        if (field.hashed) problem = fmt::format("expected one hash of {}, got two", name);
        if ((field.values & (field.values - 1)) != 0) {
            problem = fmt::format("{} has {} values, not a power of two: it cannot be hashed", name,
                                  field.values);
        } else if (last > bits_for(row->values)) {
            problem = fmt::format("{} needs {} bits of row, the geometry has {}", token, last,
                                  bits_for(row->values));
        }
        field.hashed = true;
    }
    return problem.empty();
}

// Adds one `name:bits` of the map; false with a problem when it is not one.
bool read_token(const std::string& token, std::uint32_t& place, std::array<MapField, 6>& fields,
                std::string& problem) {
    if (token.find('^') != std::string::npos) return read_hash(token, fields, problem);
    const std::size_t colon = token.find(':');
    const std::string name = token.substr(0, colon);
    const std::string digits = colon == std::string::npos ? "" : token.substr(colon + 1);
    const bool number = !digits.empty() && digits.size() <= 2 &&
                        digits.find_first_not_of("0123456789") == std::string::npos;
    std::vector<std::string> names;
    for (MapField& field : fields) {
        names.emplace_back(field.name);
        if (field.name != name || !number) continue;
        const auto bits = static_cast<std::uint32_t>(std::stoul(digits));
        if (bits == 0) return true;
        for (MapField& other : fields) other.lowest = false;
        field.bits += bits;
        ++field.parts;
        field.place = place++;
        field.lowest = true;
        return true;
    }
    problem = fmt::format("expected fields such as row:15, got \"{}\"", token) +
              (number ? did_you_mean(name, names) : "");
    return false;
}

void check_map(Findings& out, const DramParams& d) {
    const DramGeometry& g = d.geometry;
    std::array<MapField, 6> fields = {{{"sid", g.stack_ids},
                                       {"row", g.rows},
                                       {"ba", g.banks},
                                       {"bg", g.bank_groups},
                                       {"col", g.columns},
                                       {"byte", g.atom_bytes}}};
    std::istringstream words(d.map);
    std::string problem;
    std::uint32_t place = 0;
    for (std::string word; words >> word;) {
        if (!read_token(word, place, fields, problem)) {
            out.require(false, "map", problem);
            return;
        }
    }
    const MapField& byte = fields.back();
    out.require(byte.bits == 0 || (byte.lowest && byte.parts == 1), "map",
                "expected byte last and in one part: an atom is contiguous");
    for (const MapField& field : fields) {
        constexpr std::uint32_t most_parts = 4;  // of the address map's tables
        out.require(field.parts <= most_parts, "map",
                    fmt::format("expected at most {} parts of {}, got {}", most_parts, field.name,
                                field.parts));
        const std::uint32_t needed = bits_for(field.values);
        const std::string size = fmt::format("the geometry has {}, {} bits", field.values, needed);
        out.require(field.bits >= needed, "map",
                    fmt::format("{} bits {} to {} are missing ({})", field.name, field.bits,
                                needed - 1, size));
        out.require(field.bits <= needed, "map",
                    fmt::format("{} bits {} to {} do not exist, or are covered twice ({})",
                                field.name, needed, field.bits - 1, size));
        const auto odd = [](const MapField& f) {
            return (f.values & (f.values - 1)) != 0 && f.parts <= 1;
        };
        // On top, or below another such field.
        const bool below_odd =
            field.place == 1 && std::any_of(fields.begin(), fields.end(), [&](const MapField& f) {
                return f.place == 0 && f.parts > 0 && odd(f);
            });
        const bool on_top = field.parts <= 1 && (field.place == 0 || below_odd);
        out.require((field.values & (field.values - 1)) == 0 || on_top, "map",
                    fmt::format("{} has {} values, not a power of two: expected it first, or "
                                "second below another such field",
                                field.name, field.values));
    }
}

}  // namespace

std::vector<Finding> check(const DramParams& dram) {
    Findings findings;
    check_timing(findings, dram.timing);
    check_refresh(findings, dram);
    check_geometry(findings, dram);
    check_map(findings, dram);
    return findings.take();
}

}  // namespace diastole
