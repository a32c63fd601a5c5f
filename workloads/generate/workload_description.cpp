#include "workloads/generate/workload_description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include "workloads/generate/footprint.hpp"
#include "workloads/generate/index_streams.hpp"
#include "workloads/generate/lookup_profile.hpp"
#include "workloads/graph/work.hpp"

namespace diastole {
namespace {

// 52271254528 -> "52.3 GB": three digits, decimal prefixes.
std::string scaled(double value, const char* unit) {
    static constexpr std::array<std::string_view, 7> prefixes = {"", "k", "M", "G", "T", "P", "E"};
    std::size_t i = 0;
    while (value >= 999.5 && i + 1 < prefixes.size()) {
        value /= 1000;
        ++i;
    }
    const int digits = value >= 99.95 || (i == 0 && value == static_cast<int>(value)) ? 0
                       : value >= 9.995                                               ? 1
                                                                                      : 2;
    return fmt::format("{:.{}f} {}{}", value, digits, prefixes[i], unit);
}

std::string bytes(Bytes size) {
    return scaled(static_cast<double>(size.count()), "B");
}

// 204184588 -> "204,184,588"
std::string grouped(std::uint64_t value) {
    std::string text = std::to_string(value);
    for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, 1, ',');
    return text;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    return fmt::format(
        "{:.1f} %",
        whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string distribution(const IndexSpec& spec) {
    const auto file = [](const std::string& path) {
        return std::filesystem::path(path).filename().string();
    };
    switch (spec.distribution) {
        case IndexDistribution::uniform:
            return "uniform";
        case IndexDistribution::zipf: {
            std::string text = fmt::format("zipf q={} s={}", spec.zipf_q, spec.zipf_s);
            if (!spec.heavy_hitters.empty()) {
                text += fmt::format(", {} heavy hitters", spec.heavy_hitters.size());
            }
            return text;
        }
        case IndexDistribution::reuse_histogram:
            return "reuse of " + spec.histogram.substr(spec.histogram.rfind('#') + 1);
        case IndexDistribution::npy:
            return "read from " + file(spec.indices_path);
    }
    return "unknown";
}

class Writer {
  public:
    Writer(const Graph& graph, std::uint64_t seed) : graph_(graph), seed_(seed) {}

    std::string write() {
        head();
        memory();
        work();
        operators();
        tables();
        lookups();
        notes();
        return std::move(text_);
    }

  private:
    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
        text_ += '\n';
    }
    // Words of `text` in lines of at most 100 columns; the first begins with `lead`, the others
    // with as many spaces.
    void wrapped(std::string lead, const std::string& text);
    void head();
    void memory();
    void work();
    void operators();
    void tables();
    void lookups();
    void notes();

    const Graph& graph_;
    std::uint64_t seed_;
    std::string text_;
};

void Writer::wrapped(std::string lead, const std::string& text) {
    constexpr std::size_t columns = 100;
    const std::string indent(lead.size(), ' ');
    bool empty = true;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (!empty && lead.size() + 1 + word.size() > columns) {
            line("{}", lead);
            lead = indent;
            empty = true;
        }
        lead += (empty ? "" : " ") + word;
        empty = false;
    }
    line("{}", lead);
}

void Writer::head() {
    line("{}: {}, batch {}", graph_.name, name_of(graph_.mode), grouped(graph_.batch));
    if (!graph_.source.empty()) wrapped("  source   ", graph_.source);
    if (!graph_.licence.empty()) wrapped("  licence  ", graph_.licence);
    line("  tensors  {}", graph_.identity_inferred
                              ? "identity inferred, the trace has no tensor ids"
                              : "identity given");
    if (graph_.eager) line("  launch   eager: the host launches every operator by itself");
}

void Writer::memory() {
    const Footprint need = footprint(graph_);
    line("\nMemory               {:>10}", bytes(need.total()));
    line("  tables             {:>10}", bytes(need.tables));
    line("  dense parameters   {:>10}{}", bytes(need.parameters),
         graph_.identity_inferred ? "   whatever is read before it is written" : "");
    line("  optimizer state    {:>10}", bytes(need.state));
    line("  activations        {:>10}   at their peak, in launch order",
         bytes(need.peak_activations));
}

void Writer::work() {
    double flops = 0, vector = 0, read_rows = 0, host_in = 0, host_out = 0, row_bytes = 0;
    double requests = 0;  // recorded ones, replayed only when asked for
    for (const Operator& op : graph_.operators) {
        const Work work = work_of(graph_, op);
        flops += static_cast<double>(work.flops);
        vector += static_cast<double>(work.flops_vector);
        if (op.kind == OpKind::embedding_bag) {
            read_rows += static_cast<double>(work.lookups);
            for (const EmbeddingTable& table : op.attrs.tables) {
                row_bytes += static_cast<double>(table.lookups) * table.dim *
                             static_cast<double>(size_of(table.type));
            }
        }
        if (op.attrs.host_copy_request) {
            requests += static_cast<double>(std::max(work.read, work.written).count());
            continue;
        }
        if (op.kind == OpKind::copy && op.attrs.from_host) {
            host_in += static_cast<double>(work.written.count());
        }
        if (op.kind == OpKind::copy && op.attrs.to_host) {
            host_out += static_cast<double>(work.read.count());
        }
    }
    const auto samples = static_cast<double>(graph_.batch);
    line("\nPer sample");
    line("  matrix operations  {:>12}", scaled(flops / samples, "FLOP"));
    line("  vector operations  {:>12}", scaled(vector / samples, "FLOP"));
    line("  lookups            {:>12.5g}   {} of rows", read_rows / samples,
         scaled(row_bytes / samples, "B"));
    line("  from and to host   {:>12} / {}", scaled(host_in / samples, "B"),
         scaled(host_out / samples, "B"));
    if (requests > 0) {
        line("  recorded copies    {:>12}   replayed only with --host-copies",
             scaled(requests / samples, "B"));
    }
}

void Writer::operators() {
    struct Count {
        std::uint64_t operators = 0, flops = 0, bytes = 0;
    };
    std::map<OpKind, Count> kinds;
    std::map<Phase, std::uint64_t> phases;
    for (const Operator& op : graph_.operators) {
        Count& count = kinds[op.kind];
        const Work work = work_of(graph_, op);
        count.operators += 1;
        count.flops += work.flops + work.flops_vector;
        count.bytes += work.read.count() + work.written.count();
        phases[op.phase] += 1;
    }
    std::string by_phase;
    for (const auto& [phase, count] : phases) {
        by_phase += fmt::format("{}{} {}", by_phase.empty() ? "" : ", ", count, name_of(phase));
    }
    line("\nOperators            {:>10}   {}", graph_.operators.size(), by_phase);
    for (const auto& [kind, count] : kinds) {
        line("  {:<24} {:>6}   {:>12}   {:>10}", name_of(kind), count.operators,
             scaled(static_cast<double>(count.flops), "FLOP"), bytes(Bytes(count.bytes)));
    }
}

void Writer::tables() {
    struct Group {
        const EmbeddingTable* table = nullptr;
        std::string key;
        std::uint64_t count = 0;
    };
    std::vector<Group> groups;
    std::uint64_t count = 0, rows = 0;
    for (const Operator& op : graph_.operators) {
        if (op.kind != OpKind::embedding_bag) continue;
        for (const EmbeddingTable& table : op.attrs.tables) {
            const double pooling = table.bags == 0 ? 0
                                                   : static_cast<double>(table.lookups) /
                                                         static_cast<double>(table.bags);
            const std::string key = fmt::format(
                "{:>13} rows x {:<4} {:<5} {:>8.4g} lookups a bag   {}", grouped(table.rows),
                table.dim, name_of(table.type), pooling, distribution(table.indices));
            if (groups.empty() || groups.back().key != key) groups.push_back({&table, key, 0});
            groups.back().count += 1;
            count += 1;
            rows += table.rows;
        }
    }
    if (count == 0) return;
    line("\nTables               {:>10}   {} rows", count, grouped(rows));
    for (const Group& group : groups) {
        const std::string repeated = group.count > 1 ? fmt::format("{} x", group.count) : "";
        line("  {:>6} {}", repeated, group.key);
    }
}

void Writer::lookups() {
    const LookupProfile profile = profile_lookups(graph_, GeneratedIndexStreams(seed_));
    if (profile.lookups == 0) return;
    line("\nLookups of a batch   {:>10}   seed {}{}", grouped(profile.lookups), seed_,
         profile.part_of_batch < 1
             ? fmt::format(", the first {:.3g} % of the bags", 100 * profile.part_of_batch)
             : "");
    line("  distinct rows      {:>10}   {}; {:.2f} lookups a row", grouped(profile.unique_rows),
         bytes(profile.unique_bytes),
         static_cast<double>(profile.lookups) / static_cast<double>(profile.unique_rows));
    line("  rows touched               of the rows   of the lookups");
    for (const LookupProfile::ReuseRange& range : profile.reuse) {
        if (range.rows == 0) continue;
        const std::string times = range.high - range.low <= 1
                                      ? grouped(range.high)
                                      : grouped(range.low + 1) + " to " + grouped(range.high);
        line("  {:>20} x     {:>9}        {:>9}", times, percent(range.rows, profile.unique_rows),
             percent(range.lookups, profile.lookups));
    }
    line("  hits of a fully associative LRU cache that starts empty");
    for (const LookupProfile::CachePoint& point : profile.cache) {
        line("  {:>16} MiB     {:>9}", point.size.count() >> 20,
             percent(point.hits, profile.lookups));
    }
}

void Writer::notes() {
    if (graph_.notes.empty()) return;
    line("\nAssumptions and notes");
    for (const std::string& note : graph_.notes) wrapped("  - ", note);
}

}  // namespace

std::string workload_description(const Graph& graph, std::uint64_t seed) {
    return Writer(graph, seed).write();
}

}  // namespace diastole
