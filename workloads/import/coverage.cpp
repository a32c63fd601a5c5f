#include "workloads/import/coverage.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const CoverageAmount& amount) {
    return {{"operators", amount.operators},
            {"flops", amount.flops},
            {"flops_vector", amount.flops_vector},
            {"bytes", amount.bytes.count()},
            {"recorded_seconds", amount.recorded_seconds}};
}

Json to_json(const CopyCount& count) {
    return {{"requests", count.requests}, {"bytes", count.bytes.count()}};
}

std::string row(std::string_view name, const CoverageAmount& amount) {
    return fmt::format("  {:<24}{:>10}{:>16.3f}{:>12.4f}{:>14.3f}\n", name, amount.operators,
                       static_cast<double>(amount.flops) / 1e9,
                       static_cast<double>(amount.bytes.count()) / 1e9,
                       amount.recorded_seconds * 1e3);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return "none";
    return fmt::format("{:.2f} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string copies(std::string_view direction, const CopyCount& count) {
    if (count.requests == 0) return {};
    return fmt::format("  {:<24}{:>10} requests{:>14.4f} GB\n", direction, count.requests,
                       static_cast<double>(count.bytes.count()) / 1e9);
}

}  // namespace

std::string coverage_text(const Coverage& coverage) {
    const CoverageAmount &modelled = coverage.modelled, &opaque = coverage.opaque;
    std::string text = fmt::format("{} events, {} kernels, each one operator\n\n", coverage.events,
                                   coverage.kernels);
    text += fmt::format("  {:<24}{:>10}{:>16}{:>12}{:>14}\n", "", "operators", "GFLOP (matrix)",
                        "GB moved", "recorded ms");
    text += row("modelled", modelled) + row("opaque", opaque);
    text += row("outside embeddings", coverage.outside_embedding) + "\n";
    for (std::size_t i = 0; i < coverage.by_phase.size(); ++i) {
        if (coverage.by_phase[i].operators == 0) continue;
        text += row(name_of(static_cast<Phase>(i)), coverage.by_phase[i]);
    }
    text += "\n";
    for (std::size_t i = 0; i < coverage.by_kind.size(); ++i) {
        if (coverage.by_kind[i].operators == 0) continue;
        text += row(name_of(static_cast<OpKind>(i)), coverage.by_kind[i]);
    }
    text += fmt::format(
        "\n  modelled: {} of the kernels, {} of the matrix FLOPs, {} of the known bytes\n",
        percent(modelled.operators, coverage.kernels),
        percent(modelled.flops, modelled.flops + opaque.flops),
        percent(modelled.bytes.count(), (modelled.bytes + opaque.bytes).count()));
    const std::uint64_t outputs =
        coverage.outputs_by_argument + coverage.outputs_by_rule + coverage.outputs_contradicted;
    if (outputs == 0) return text;  // a topology: its outputs follow from its sizes
    text += fmt::format(
        "  outputs: {} by argument, {} by shape rule, {} arguments contradicted it\n",
        coverage.outputs_by_argument, coverage.outputs_by_rule, coverage.outputs_contradicted);
    if (coverage.without_host > 0) {
        text += fmt::format("  {} kernels have no host operator\n", coverage.without_host);
    }
    if (coverage.markers > 0) {
        text += fmt::format("  {} waits and records of the device are skipped\n", coverage.markers);
    }
    for (const auto& [name, count] : coverage.opaque_names) {
        text += fmt::format("  opaque: {} x {}\n", count, name);
    }
    for (const auto& [name, count] : coverage.collectives) {
        text += fmt::format("  collective without a kernel: {} x {}\n", count, name);
    }
    text += copies("copies host to device", coverage.to_device);
    text += copies("copies device to host", coverage.to_host);
    text += copies("copies on the device", coverage.on_device);
    return text;
}

std::string coverage_json(const Graph& graph, const Coverage& coverage) {
    Json json;
    json["schema"] = "diastole.import/1";
    json["name"] = graph.name;
    json["mode"] = name_of(graph.mode);
    json["batch"] = graph.batch;
    json["operators"] = graph.operators.size();
    json["tensors"] = graph.tensors.size();
    json["events"] = coverage.events;
    json["kernels"] = coverage.kernels;
    json["kernels_without_host_operator"] = coverage.without_host;
    json["markers_skipped"] = coverage.markers;
    json["modelled"] = to_json(coverage.modelled);
    json["opaque"] = to_json(coverage.opaque);
    json["outside_embedding"] = to_json(coverage.outside_embedding);
    for (std::size_t i = 0; i < coverage.by_phase.size(); ++i) {
        json["by_phase"][std::string(name_of(static_cast<Phase>(i)))] =
            to_json(coverage.by_phase[i]);
    }
    for (std::size_t i = 0; i < coverage.by_kind.size(); ++i) {
        if (coverage.by_kind[i].operators == 0) continue;
        json["by_kind"][std::string(name_of(static_cast<OpKind>(i)))] =
            to_json(coverage.by_kind[i]);
    }
    json["opaque_names"] = coverage.opaque_names;
    json["collectives"] = coverage.collectives;
    json["copies"] = {{"host_to_device", to_json(coverage.to_device)},
                      {"device_to_host", to_json(coverage.to_host)},
                      {"on_device", to_json(coverage.on_device)}};
    json["outputs"] = {{"by_argument", coverage.outputs_by_argument},
                       {"by_rule", coverage.outputs_by_rule},
                       {"contradicted", coverage.outputs_contradicted}};
    json["notes"] = graph.notes;
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace diastole
