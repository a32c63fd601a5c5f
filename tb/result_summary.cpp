// The result for a person at a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tb/display.hpp"
#include "tb/result.hpp"
#include "tb/text.hpp"

namespace diastole {
namespace {

double share_of(Cycles part, const RunResult& r) {
    return as_double(part.count()) / as_double((r.end - r.start).count());
}

void headline(Text& out, const RunResult& r) {
    const double time = r.counted_seconds();
    const Snapshot& s = r.counted;
    line(out, "{}, {}, batch {}, on {}", r.graph.name, name_of(r.graph.mode), r.graph.batch,
         r.chip.params.name);
    if (r.chip.params.chip_class == ChipClass::comparison_model) {
        line(out, "  (a comparison model: this chip described with Diastole's modules)");
    }
    line(out, "");
    line(out, "  throughput  {} samples/s", si(as_double(r.graph.batch * r.spec.batches) / time));
    // Batches of an inference overlap, so that a batch's share of the time is not its latency.
    line(out, "  {}  {}s a batch  ({} cycles for {} batch{} after {} of warm-up)",
         r.spec.batches == 1 ? "latency   " : "time      ", si(time / r.spec.batches),
         (r.end - r.start).count(), r.spec.batches, r.spec.batches == 1 ? "" : "es", r.spec.warmup);
    line(out, "  bound by    {}", r.bound_by);
    if (r.roofline.seconds == 0) {
        line(out, "  roofline    none: no operator has a known cost");
        return;
    }
    line(out, "  roofline    {}s, limited by {}: {:.1f} % of it reached", si(r.roofline.seconds),
         r.roofline.limited_by, 100 * r.roofline.seconds / time);
    line(out, "  work        {}FLOP in matrices ({}FLOP/s), {}FLOP elsewhere{}",
         si(as_double(s.matrix_flops())), si(as_double(s.matrix_flops()) / time),
         si(as_double(s.flops_vector)),
         s.lookups > 0 ? fmt::format(", {} lookups", si(as_double(s.lookups))) : "");
}

void shares(Text& out, const RunResult& r, const char* title, const std::vector<Share>& list) {
    line(out, "\n{}", title);
    std::size_t width = 17;
    for (const Share& share : list) width = std::max(width, share.name.size());
    const auto row = [&](const std::string& name, Cycles time, const std::string& count) {
        const double part = share_of(time, r);
        line(out, "  {:<{}} {} {:5.1f} %  {:>9}s  {}", name, width, bar(part, 30), 100 * part,
             si(seconds(time, clock_of(r.chip.params))), count);
    };
    for (const Share& share : list) {
        row(share.name, share.time,
            fmt::format("{} operator{}", share.operators, share.operators == 1 ? "" : "s"));
    }
    row("between operators", r.between_operators, "launch and synchronisation");
}

void engines(Text& out, const RunResult& r) {
    line(out, "\nWhere the engines' time goes (% of all PEs' time)");
    line(out, "  {:<10}{:>32}{:>7}{:>7}{:>7}{:>8}{:>7}{:>7}{:>7}", "", "busy", "dram", "sram",
         "noc", "local", "depend", "issue", "idle");
    for (const auto& [name, cycles] : r.counted.engine_stalls()) {
        std::uint64_t total = 0;
        for (const std::uint64_t part : cycles) total += part;
        if (total == 0 || cycles[0] == 0) continue;
        const auto percent = [&](Stall stall) {
            return 100 * as_double(cycles[static_cast<std::size_t>(stall)]) / as_double(total);
        };
        line(out, "  {:<10}{} {:5.1f}{:7.1f}{:7.1f}{:7.1f}{:8.1f}{:8.1f}{:6.1f}{:7.1f}", name,
             bar(percent(Stall::busy) / 100, 26), percent(Stall::busy), percent(Stall::wait_dram),
             percent(Stall::wait_sram), percent(Stall::wait_noc), percent(Stall::wait_local_memory),
             percent(Stall::wait_dependency), percent(Stall::wait_issue), percent(Stall::idle));
    }
}

void dearest(Text& out, const RunResult& r) {
    constexpr std::size_t most = 10;
    std::vector<const OperatorRun*> order;
    for (const OperatorRun& run : r.operators) order.push_back(&run);
    const auto time = [](const OperatorRun* run) {
        return run->record.ended - run->record.started;
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](const auto* a, const auto* b) { return time(b) < time(a); });
    order.resize(std::min(order.size(), most));
    line(out, "\nThe dearest operators (of {})", r.operators.size());
    line(out, "  {:>9} {:>7}  {:<12} {:<22} {}", "time", "share", "bound by", "kind", "operator");
    for (const OperatorRun* run : order) {
        const Operator& op = r.graph.operators[run->record.operator_index];
        line(out, "  {:>8}s {:>5.1f} %  {:<12} {:<22} {} {}",
             si(seconds(time(run), clock_of(r.chip.params))), 100 * share_of(time(run), r),
             run->bound_by, name_of(op.kind), op.id, op.name);
        const std::string& note = r.notes[run->record.operator_index];
        if (!note.empty()) line(out, "  {:<33}{}", "", note);
    }
}

void memory(Text& out, const RunResult& r) {
    const PartitionStats& m = r.counted.memory;
    const double time = r.counted_seconds();
    const double dram = as_double(m.dram.bytes_read + m.dram.bytes_written);
    line(out, "\nMemory");
    line(out, "  DRAM        {}B read, {}B written: {}B/s of {}B/s ({:.1f} %)",
         si(as_double(m.dram.bytes_read)), si(as_double(m.dram.bytes_written)), si(dram / time),
         si(dram_peak(r.chip.params.dram)), 100 * dram / time / dram_peak(r.chip.params.dram));
    line(out, "  controller  {} {}, map \"{}\"", r.chip.params.dram.standard,
         r.spec.memory == MemoryMode::fast ? "(fast: reservation model)" : "(exact)",
         r.chip.params.dram.map);
    for (const auto& [name, counts] :
         {std::pair("LLC dense", m.by_class[0]), std::pair("LLC sparse", m.by_class[1])}) {
        if (counts.accesses == 0) continue;
        line(out, "  {:<11} {} line accesses, {:.1f} % hits, {} misses merged", name,
             si(as_double(counts.accesses)),
             100 * as_double(counts.hits) / as_double(counts.accesses),
             si(as_double(counts.merged)));
    }
    if (r.counted.host_bytes_in + r.counted.host_bytes_out > 0) {
        line(out, "  host link   {}B in, {}B out", si(as_double(r.counted.host_bytes_in)),
             si(as_double(r.counted.host_bytes_out)));
    }
}

void assumptions(Text& out, const RunResult& r) {
    const Coverage c = coverage_of(r);
    line(out, "\nCoverage and assumptions");
    line(out, "  {} operators, {} opaque; {:.1f} % of FLOPs and {:.1f} % of bytes modelled{}",
         c.operators, c.opaque, 100 * c.flops_modelled, 100 * c.bytes_modelled,
         c.skipped_host_copies > 0
             ? fmt::format("; {} recorded host copies left out (--host-copies replays them)",
                           c.skipped_host_copies)
             : "");
    if (r.spec.casts.empty()) line(out, "  casts: none");
    for (const auto& [from, to] : r.spec.casts) {
        line(out, "  cast: every {} tensor is stored and computed as {}", name_of(from),
             name_of(to));
    }
    const auto spilled = std::count_if(r.notes.begin(), r.notes.end(), [](const std::string& note) {
        return note.find("spilled") != std::string::npos;
    });
    if (spilled > 0) {
        line(out, "  the activations of {} operators do not fit the LLS and go to DRAM", spilled);
    }
    const auto assumed = std::count_if(
        r.chip.settings.begin(), r.chip.settings.end(),
        [](const config::Setting& setting) { return !setting.provenance.assumed.empty(); });
    line(out, "  {} values of {} are assumed, not published: diastole show chip {}", assumed,
         r.chip.params.name, r.spec.chip);
    if (r.graph.identity_inferred) {
        line(out, r.spec.fresh_tensors
                      ? "  the trace has no tensor ids: every input is taken as a fresh tensor"
                      : "  the trace has no tensor ids: an input is the latest output of its shape "
                        "and type (--fresh-tensors does without)");
    }
    for (const std::string& note : r.graph.notes) line(out, "  {}", note);
    line(out, "  not modelled: energy, other chips and links, 2:4 sparsity, DRAM ECC");
}

void speed(Text& out, const RunResult& r) {
    line(out, "\nSimulated in {:.2f} s, {}B of memory, {} DRAM bursts, {} kernel activations{}",
         r.wall_seconds, si(as_double(r.peak_memory_bytes)), si(as_double(r.total_bursts)),
         si(as_double(r.activations)),
         r.total_lookups > 0 ? fmt::format(" ({:.2f} a lookup)",
                                           as_double(r.activations) / as_double(r.total_lookups))
                             : "");
}

}  // namespace

std::string result_summary(const RunResult& r) {
    Text out;
    headline(out, r);
    shares(out, r, "Where the time goes, by kind of operator", r.by_kind);
    if (r.by_phase.size() > 1) shares(out, r, "By phase", r.by_phase);
    engines(out, r);
    dearest(out, r);
    memory(out, r);
    assumptions(out, r);
    speed(out, r);
    return fmt::to_string(out);
}

}  // namespace diastole
