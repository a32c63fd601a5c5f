// The result of `diastole gemm`, as JSON and for a person at a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tb/display.hpp"
#include "tb/gemm.hpp"
#include "tb/text.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

// A wait that this array or these ports cannot have is absent.
struct Wait {
    const char* key;
    const char* name;
    std::uint64_t ArrayAccount::*cycles;
};
std::vector<Wait> waits_of(const GemmReport& report) {
    if (report.accounting == Accounting::scalesim) return {};
    const GemmArray& a = report.array;
    std::vector<Wait> waits;
    if (a.dataflow == Dataflow::output_stationary) {
        waits.push_back({"shift_out", "shift out", &ArrayAccount::shift_out});
    } else {
        waits.push_back({"load", "load", &ArrayAccount::load});
    }
    waits.push_back({"fill_drain", "fill, drain", &ArrayAccount::fill_drain});
    if (a.ifmap_bytes_per_cycle > 0) waits.push_back({"ifmap", "ifmap", &ArrayAccount::ifmap});
    if (a.filter_bytes_per_cycle > 0) waits.push_back({"filter", "filter", &ArrayAccount::filter});
    if (a.ofmap_bytes_per_cycle > 0) waits.push_back({"ofmap", "ofmap", &ArrayAccount::ofmap});
    return waits;
}

void put_counts(Json& json, const GemmReport& report, const GemmCount& count) {
    json["cycles"] = count.cycles;
    json["utilization"] = report.utilization(count);
    json["folds"] = count.folds;
    json["products"] = count.products;
    json["sram_reads"] = {{"ifmap", count.ifmap_reads}, {"filter", count.filter_reads}};
    if (report.array.partial_sums_leave) {
        json["sram_reads"]["partial_sums"] = count.partial_sum_reads;
    }
    json["sram_writes"] = count.writes;
    json["stalls"] = Json::object();
    if (report.accounting == Accounting::scalesim) return;
    json["busy"] = count.account.busy;
    for (const Wait& wait : waits_of(report)) json["stalls"][wait.key] = count.account.*wait.cycles;
}

Json layer_json(const GemmReport& report, const GemmLayer& layer) {
    Json json;
    json["name"] = layer.name;
    json["m"] = layer.shape.m;
    json["n"] = layer.shape.n;
    json["k"] = layer.shape.k;
    if (layer.pruned_2_4) json["sparsity"] = "2:4";
    put_counts(json, report, layer.count);
    if (report.accounting == Accounting::scalesim && layer.count.cycles > 0) {
        json["utilization_percent"] = scalesim_utilization_percent(
            report.array.shape.rows, report.array.shape.columns, layer.shape, layer.count.cycles);
    }
    return json;
}

Json array_json(const GemmArray& array) {
    const ArrayShape& s = array.shape;
    Json json;
    json["rows"] = s.rows;
    json["columns"] = s.columns;
    json["arrays"] = s.arrays;
    json["mac_latency"] = s.mac_latency;
    json["products_per_cycle"] = peak_products(array);
    const auto limit = [&](const char* key, std::uint64_t bytes) {
        if (bytes > 0) json[key] = bytes;
    };
    limit("ifmap_bytes_per_cycle", array.ifmap_bytes_per_cycle);
    limit("filter_bytes_per_cycle", array.filter_bytes_per_cycle);
    limit("ofmap_bytes_per_cycle", array.ofmap_bytes_per_cycle);
    return json;
}

void headline(Text& out, const GemmReport& report) {
    const ArrayShape& s = report.array.shape;
    line(out, "{}: {} layer{} on {}{} x {}{}, {}, {}", report.workload, report.layers.size(),
         report.layers.size() == 1 ? "" : "s",
         s.arrays > 1 ? fmt::format("{} arrays of ", s.arrays) : "", s.rows, s.columns,
         report.chip.empty() ? "" : fmt::format(" (a PE of {})", report.chip),
         short_name(report.array.dataflow), name_of(report.type));
    if (report.accounting == Accounting::scalesim) {
        line(out, "SCALE-Sim's accounting: its known errors are reproduced (docs/array.md)\n");
    } else {
        line(out, "overlap of folds: {}\n", short_name(s.overlap));
    }
}

void row(Text& out, const GemmReport& report, std::size_t width, const std::string& name,
         const std::string& shape, const GemmCount& count) {
    const double share = report.utilization(count);
    line(out, "  {:<{}} {:>24} {:>9} {:>13} {:5.1f} % {} {:>8} {:>8} {:>8}", name, width, shape,
         count.folds, count.cycles, 100 * share, bar(share, 12), si(as_double(count.ifmap_reads)),
         si(as_double(count.filter_reads)), si(as_double(count.writes)));
}

}  // namespace

GemmCount GemmReport::total() const {
    GemmCount sum;
    for (const GemmLayer& layer : layers) {
        const GemmCount& c = layer.count;
        sum.cycles += c.cycles;
        sum.folds += c.folds;
        sum.products += c.products;
        sum.ifmap_reads += c.ifmap_reads;
        sum.filter_reads += c.filter_reads;
        sum.partial_sum_reads += c.partial_sum_reads;
        sum.writes += c.writes;
        sum.account.busy += c.account.busy;
        sum.account.load += c.account.load;
        sum.account.shift_out += c.account.shift_out;
        sum.account.fill_drain += c.account.fill_drain;
        sum.account.ifmap += c.account.ifmap;
        sum.account.filter += c.account.filter;
        sum.account.ofmap += c.account.ofmap;
    }
    return sum;
}

double GemmReport::utilization(const GemmCount& count) const {
    // SCALE-Sim can report 0 cycles for a product on one multiplier: one short.
    const double peak = peak_products(array) * as_double(std::max<std::uint64_t>(count.cycles, 1));
    return as_double(count.products) / peak;
}

const char* short_name(FoldOverlap overlap) {
    switch (overlap) {
        case FoldOverlap::none:
            return "none";
        case FoldOverlap::shadow:
            return "shadow";
        case FoldOverlap::stream:
            break;
    }
    return "stream";
}

std::string gemm_json(const GemmReport& report) {
    Json json;
    json["schema"] = "diastole.gemm/1";
    json["version"] = DIASTOLE_VERSION;
    json["workload"] = report.workload;
    if (!report.chip.empty()) json["chip"] = report.chip;
    json["accounting"] = report.accounting == Accounting::scalesim ? "scalesim" : "registers";
    json["array"] = array_json(report.array);
    json["dataflow"] = short_name(report.array.dataflow);
    json["overlap"] = short_name(report.array.shape.overlap);
    json["dtype"] = name_of(report.type);
    json["accumulate"] =
        report.array.partial_sums_leave || report.accounting == Accounting::scalesim ? "sram"
                                                                                     : "array";
    put_counts(json, report, report.total());
    json["layers"] = Json::array();
    for (const GemmLayer& layer : report.layers)
        json["layers"].push_back(layer_json(report, layer));
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string gemm_text(const GemmReport& report) {
    Text out;
    headline(out, report);
    std::size_t width = 5;
    for (const GemmLayer& layer : report.layers) width = std::max(width, layer.name.size());
    line(out, "  {:<{}} {:>24} {:>9} {:>13} {:>7} {:<12} {:>8} {:>8} {:>8}", "layer", width,
         "M x N x K", "folds", "cycles", "use", "", "ifmap r", "filter r", "writes");
    for (const GemmLayer& layer : report.layers) {
        row(out, report, width, layer.name,
            fmt::format("{} x {} x {}{}", layer.shape.m, layer.shape.n, layer.shape.k,
                        layer.pruned_2_4 ? " 2:4" : ""),
            layer.count);
    }
    const GemmCount total = report.total();
    if (report.layers.size() > 1) row(out, report, width, "total", "", total);
    if (report.accounting == Accounting::scalesim) return fmt::to_string(out);
    line(out, "\nWhere the cycles go");
    const auto share = [&](const char* name, std::uint64_t cycles) {
        const double part = as_double(cycles) / as_double(total.cycles);
        line(out, "  {:<12} {} {:5.1f} % {:>14}", name, bar(part, 30), 100 * part, cycles);
    };
    share("streaming", total.account.busy);
    for (const Wait& wait : waits_of(report)) share(wait.name, total.account.*wait.cycles);
    return fmt::to_string(out);
}

}  // namespace diastole
