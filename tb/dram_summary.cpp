// The memory bench's result for a person at a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tb/display.hpp"
#include "tb/dram_result.hpp"
#include "tb/text.hpp"

namespace diastole {
namespace {

void headline(Text& out, const DramRun& r) {
    const DramParams& p = r.memory.params;
    const double achieved = as_double(r.bytes()) / r.seconds();
    line(out, "{}, {} pseudo-channel{} of {}B/s: {}", p.standard, p.channels,
         p.channels == 1 ? "" : "s", si(channel_peak(p)), traffic_text(r.spec));
    line(out, "");
    line(out, "  bandwidth      {}B/s of {}B/s: {:.2f} %", si(achieved), si(dram_peak(p)),
         100 * achieved / dram_peak(p));
    if (p.channels > 1) {
        std::uint64_t least = ~std::uint64_t{0}, most = 0;
        for (const DramChannelRun& c : r.channels) {
            least = std::min(least, c.lane.atoms);
            most = std::max(most, c.lane.atoms);
        }
        const double rate = p.geometry.atom_bytes / r.seconds();
        line(out, "  a channel      {}B/s of {}B/s, the least used {}B/s, the most used {}B/s",
             si(achieved / p.channels), si(channel_peak(p)), si(as_double(least) * rate),
             si(as_double(most) * rate));
    }
    line(out, "  time           {}s, {} cycles of {} ns, for {} requests of {} B", si(r.seconds()),
         r.cycles, as_double(p.timing.tck_ps) / 1000, r.requests, p.geometry.atom_bytes);
}

void latency(Text& out, const char* what, const DramRun& r, std::size_t kind) {
    if (r.latency[kind].count == 0) return;
    const double ns = as_double(r.memory.params.timing.tck_ps) / 1000;
    line(out, "  {:<13}  mean {:.1f} ns, p50 {:.1f}, p99 {:.1f}, max {:.1f}", what,
         r.latency[kind].mean() * ns, r.percentile(kind, 0.5) * ns, r.percentile(kind, 0.99) * ns,
         r.latency[kind].max * ns);
}

void work(Text& out, const DramRun& r) {
    latency(out, "read latency", r, 0);
    latency(out, "write latency", r, 1);
    const DramStats& s = r.total;
    line(out, "  row hits       {:.2f} %  (1 - activates / column accesses)",
         100 * row_hit_rate(s));
    line(out, "  commands       {} ACT, {} PRE, {} RD, {} WR, {} REF", s.activates, s.precharges,
         s.reads, s.writes, s.refreshes);
}

// What is counted of the data bus's time; of the rest only what it may be.
void bus(Text& out, const DramRun& r) {
    const DramParams& p = r.memory.params;
    const double all = as_double(r.cycles) * p.channels;
    const bool all_bank = p.policy.refresh == RefreshMode::all_bank;
    const double data = as_double(r.total.bus_cycles) / all;
    const double refresh = all_bank ? as_double(r.total.refresh_cycles) / all : 0;
    const double idle = as_double(r.idle_cycles) / all;
    line(out, "\nWhere the data bus's time goes");
    const auto row = [&](const char* name, double share, const std::string& what) {
        line(out, "  {:<13}  {} {:6.2f} %  {}", name, bar(share, 30), 100 * share, what);
    };
    row("data", data, "");
    if (all_bank) {
        row("refresh", refresh,
            idle > 0.005 ? "tRFC of every refresh, some of it while no request waited"
                         : "tRFC of every refresh");
    }
    row("no request", idle, "nothing was queued");
    row("the rest", std::max(0.0, 1 - data - refresh - idle), "not told apart; what may cause it:");
    line(out, "  {:>53}  rows opened {} times for {} column accesses", "", r.total.activates,
         r.total.reads + r.total.writes);
    line(out, "  {:>53}  {} turns between reads and writes", "", r.turns);
    line(out, "  {:>53}  bank-group and activation limits{}", "",
         all_bank || p.policy.refresh == RefreshMode::none ? "" : ", banks under refresh");
    if (r.spec.mode == MemoryMode::fast) return;
    line(out,
         "  rows: open somewhere {:.2f} % of the time, all closed under refresh {:.2f} %, all "
         "closed else {:.2f} %",
         100 * as_double(r.total.active_cycles) / all,
         100 * as_double(r.total.refreshing_cycles) / all,
         100 * as_double(r.total.idle_cycles) / all);
}

void wrapped(Text& out, const std::string& words) {
    constexpr std::size_t width = 98;
    std::string row;
    for (std::size_t begin = 0; begin < words.size();) {
        const std::size_t end = std::min(words.find(' ', begin), words.size());
        if (!row.empty() && row.size() + 1 + end - begin > width) {
            line(out, "  {}", row);
            row.clear();
        }
        row += (row.empty() ? "" : " ") + words.substr(begin, end - begin);
        begin = end + 1;
    }
    if (!row.empty()) line(out, "  {}", row);
}

void policies(Text& out, const DramRun& r) {
    const std::string table = "dram.policy.";
    line(out, "\nPolicies");
    std::string words;
    for (const config::Setting& setting : r.memory.settings) {
        if (setting.key.rfind(table, 0) != 0) continue;
        words +=
            (words.empty() ? "" : ", ") + setting.key.substr(table.size()) + ' ' + setting.value;
    }
    wrapped(out, words);
    line(out, "  map \"{}\"; addresses spread over pseudo-channels: {}", r.memory.map, r.spread);
    line(out, "  controller model {}",
         r.spec.mode == MemoryMode::fast ? "fast: an estimate (docs/memory.md has its error)"
                                         : "exact: every command at its earliest legal time");
}

void assumptions(Text& out, const DramRun& r) {
    std::string keys;
    std::size_t count = 0;
    for (const config::Setting& setting : r.memory.settings) {
        if (setting.provenance.assumed.empty()) continue;
        ++count;
        keys += (keys.empty() ? "" : ", ") + setting.key.substr(setting.key.find('.') + 1);
    }
    if (count == 0) return;
    line(out, "\nAssumed, not published: {} of {} values (diastole show memory {})", count,
         r.memory.settings.size(), r.spec.memory);
    wrapped(out, keys);
}

}  // namespace

std::string_view name_of(DramPatternKind kind) {
    switch (kind) {
        case DramPatternKind::sequential:
            return "sequential";
        case DramPatternKind::random:
            return "random";
        case DramPatternKind::embedding:
            return "embedding";
        case DramPatternKind::stride:
            return "stride";
        case DramPatternKind::streams:
            return "streams";
    }
    return "";
}

std::string traffic_text(const DramSpec& spec) {
    if (!spec.trace.empty()) return "trace " + spec.trace;
    const DramPattern& p = spec.pattern;
    std::string text(name_of(p.kind));
    if (p.writes == 0) {
        text += " reads";
    } else if (p.reads == 0) {
        text += " writes";
    } else {
        text += fmt::format(", {}:{} reads:writes", p.reads, p.writes);
    }
    if (p.kind == DramPatternKind::embedding) {
        text += fmt::format(", {} rows of {} B, zipf {}, seed {}", p.rows, p.block_bytes, p.zipf,
                            p.seed);
    } else {
        text += fmt::format(", blocks of {} B", p.block_bytes);
    }
    if (p.kind == DramPatternKind::random) text += fmt::format(", seed {}", p.seed);
    if (p.kind == DramPatternKind::stride) text += fmt::format(" every {} B", p.stride_bytes);
    if (p.kind == DramPatternKind::streams) text += fmt::format(", {} streams", p.streams);
    if (p.offer == DramOffer::block) text += ", offered whole";
    return text;
}

std::string dram_summary(const DramRun& r) {
    Text out;
    headline(out, r);
    work(out, r);
    bus(out, r);
    policies(out, r);
    assumptions(out, r);
    line(out, "\nSimulated in {:.2f} s: {}requests/s, {} kernel activations, {}B of memory",
         r.wall_seconds, si(as_double(r.requests) / std::max(r.wall_seconds, 1e-9)), r.activations,
         si(as_double(r.peak_memory_bytes)));
    return fmt::to_string(out);
}

}  // namespace diastole
