// The result as JSON, schema `diastole.result/1`: stable keys, units in names. A value that does
// not apply is absent.
#include <nlohmann/json.hpp>

#include "model/timing/dram_model.hpp"
#include "tb/result.hpp"

namespace diastole {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* version = DIASTOLE_VERSION;

double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}
double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

Json identity(const RunResult& r) {
    Json json;
    json["schema"] = "diastole.result/1";
    json["version"] = version;
    json["chip"] = r.chip.params.name;
    json["workload"] = r.graph.name;
    json["mode"] = name_of(r.graph.mode);
    json["batch"] = r.graph.batch;
    json["warmup"] = r.spec.warmup;
    json["batches"] = r.spec.batches;
    json["seed"] = r.spec.seed;
    json["compute"] = r.spec.recorded ? "recorded" : "model";
    json["memory_mode"] = r.spec.memory == MemoryMode::fast ? "fast" : "exact";
    json["overrides"] = Json::object();
    for (const config::Override& setting : config::parse_overrides(r.spec.settings)) {
        json["overrides"][setting.key] = setting.text;
    }
    json["casts"] = Json::object();
    for (const auto& [from, to] : r.spec.casts) {
        json["casts"][std::string(name_of(from))] = name_of(to);
    }
    json["tensor_identity"] = !r.graph.identity_inferred ? "given"
                              : r.spec.fresh_tensors     ? "fresh"
                                                         : "inferred";
    return json;
}

Json utilization(const RunResult& r) {
    const ChipParams& chip = r.chip.params;
    const double cycles = as_double((r.end - r.start).count());
    const double pes = pe_count(chip);
    double matrix = 0;
    for (const DTypeInfo& info : dtype_table) {
        const double rate = as_double(macs_per_cycle(chip.dpe, info.type));
        if (rate > 0) matrix += as_double(r.counted.matrix_macs[info.type]) / rate;
    }
    const StallCycles& simd = r.counted.stalls[static_cast<std::size_t>(Unit::simd)];
    const Snapshot& s = r.counted;
    Json json;
    json["matrix"] = matrix / (cycles * pes);
    json["simd"] = as_double(simd[static_cast<std::size_t>(Stall::busy)]) / (cycles * pes);
    json["sram"] = as_double(s.sram_read_bytes() + s.sram_write_bytes()) /
                   (cycles * as_double(sram_bytes_per_cycle(chip.sram)));
    json["noc"] =
        as_double(s.pe_link_bytes) / (cycles * 2 * (pes + 1) * chip.noc.pe_link_bytes_per_cycle);
    json["dram"] = as_double(s.memory.dram.bytes_read + s.memory.dram.bytes_written) /
                   (r.counted_seconds() * dram_peak(chip.dram));
    return json;
}

Json bytes(const RunResult& r) {
    Json json;
    json["dram_read"] = r.counted.memory.dram.bytes_read;
    json["dram_write"] = r.counted.memory.dram.bytes_written;
    json["sram_read"] = r.counted.sram_read_bytes();
    json["sram_write"] = r.counted.sram_write_bytes();
    if (r.counted.host_bytes_in > 0) json["host_in"] = r.counted.host_bytes_in;
    if (r.counted.host_bytes_out > 0) json["host_out"] = r.counted.host_bytes_out;
    return json;
}

Json dram(const RunResult& r) {
    const ChipParams& chip = r.chip.params;
    const DramStats& stats = r.counted.memory.dram;
    const std::uint64_t accesses = stats.reads + stats.writes;
    Json json;
    json["standard"] = chip.dram.standard;
    json["map"] = chip.dram.map;
    json["peak_bytes_per_second"] = dram_peak(chip.dram);
    json["achieved_bytes_per_second"] =
        as_double(stats.bytes_read + stats.bytes_written) / r.counted_seconds();
    if (accesses > 0) {
        json["row_hit_rate"] = 1 - as_double(stats.activates) / as_double(accesses);
    }
    const double channel_cycles =
        r.counted_seconds() * 1e12 / as_double(chip.dram.timing.tck_ps) * chip.dram.channels;
    // Of the time of all banks: a per-bank refresh takes one of them.
    const DramGeometry& g = chip.dram.geometry;
    const bool per_bank = chip.dram.policy.refresh == RefreshMode::per_bank;
    const std::uint64_t units = per_bank ? std::uint64_t{g.stack_ids} * g.bank_groups * g.banks : 1;
    json["refresh_fraction"] =
        as_double(stats.refresh_cycles) / (channel_cycles * as_double(units));
    json["bursts"] = accesses;
    json["activates"] = stats.activates;
    json["precharges"] = stats.precharges;
    json["refreshes"] = stats.refreshes;
    return json;
}

Json llc_part(const ClassStats& counts) {
    Json json;
    json["accesses"] = counts.accesses;
    json["hits"] = counts.hits;
    if (counts.accesses > 0) {
        json["hit_rate"] = as_double(counts.hits) / as_double(counts.accesses);
    }
    json["merged_misses"] = counts.merged;
    json["allocations"] = counts.allocations;
    return json;
}

Json llc(const RunResult& r) {
    const auto& [dense, sparse] = r.counted.memory.by_class;
    ClassStats all = dense;
    all.accesses += sparse.accesses;
    all.hits += sparse.hits;
    all.merged += sparse.merged;
    all.allocations += sparse.allocations;
    Json json = llc_part(all);
    if (dense.accesses > 0) json["by_kind"]["dense"] = llc_part(dense);
    if (sparse.accesses > 0) json["by_kind"]["sparse"] = llc_part(sparse);
    return json;
}

Json stalls(const RunResult& r) {
    Json json;
    for (const auto& [name, cycles] : r.counted.engine_stalls()) {
        for (std::size_t i = 0; i < stall_count; ++i) {
            json[std::string(name)][std::string(stall_names[i])] = cycles[i];
        }
    }
    return json;
}

// What an energy model needs: actions by kind.
Json counters(const RunResult& r) {
    const Snapshot& s = r.counted;
    Json json;
    for (const DTypeInfo& info : dtype_table) {
        const std::string name(info.name);
        if (s.matrix_macs[info.type] > 0) json["macs_matrix"][name] = s.matrix_macs[info.type];
        if (s.vector_macs[info.type] > 0) json["macs_vector"][name] = s.vector_macs[info.type];
    }
    json["instructions"] = s.instructions;
    json["commands"] = s.commands;
    json["dma_requests"] = s.dma_requests;
    json["dma_read_bytes"] = s.dma_read_bytes;
    json["dma_write_bytes"] = s.dma_write_bytes;
    json["broadcast_bytes"] = s.broadcast_bytes;
    json["local_memory_bytes"] = s.local_memory_bytes;
    json["neighbour_bytes"] = s.neighbour_bytes;
    json["noc_read_bytes"] = s.noc_read_bytes;
    json["noc_write_bytes"] = s.noc_write_bytes;
    json["noc_merged_bytes"] = s.noc_merged_bytes;
    json["noc_byte_hops"] = s.noc_byte_hops;
    json["llc_write_backs"] = s.memory.write_backs;
    return json;
}

Json operators(const RunResult& r) {
    Json list = Json::array();
    const Hertz clock = clock_of(r.chip.params);
    const auto relative = [&](Cycles at) {
        return at > r.start ? seconds(at - r.start, clock) : 0.0;
    };
    for (const OperatorRun& run : r.operators) {
        const Operator& op = r.graph.operators[run.record.operator_index];
        const Work& work = r.work[run.record.operator_index];
        Json json;
        json["id"] = op.id;
        json["name"] = op.name;
        json["kind"] = name_of(op.kind);
        json["phase"] = name_of(op.phase);
        if (r.spec.batches > 1) json["batch"] = run.record.batch - r.spec.warmup;
        json["start_seconds"] = relative(run.record.started);
        json["end_seconds"] = relative(run.record.ended);
        json["flops"] = work.flops > 0 ? work.flops : work.flops_vector;
        json["bytes"] = (work.read + work.written).count();
        json["bound_by"] = run.bound_by;
        const std::string& lowering = r.notes[run.record.operator_index];
        if (!lowering.empty()) json["lowering"] = lowering;
        list.push_back(std::move(json));
    }
    return list;
}

Json coverage(const RunResult& r) {
    const Coverage c = coverage_of(r);
    Json json;
    json["operators"] = c.operators;
    json["opaque"] = c.opaque;
    json["by_kind"] = Json::object();
    for (const Share& share : r.by_kind) {
        json["by_kind"][share.name] = share.operators / r.spec.batches;
    }
    json["flops_modelled_fraction"] = c.flops_modelled;
    json["bytes_modelled_fraction"] = c.bytes_modelled;
    if (c.skipped_host_copies > 0) json["skipped_host_copies"] = c.skipped_host_copies;
    return json;
}

Json phases(const RunResult& r) {
    Json json;
    for (const Share& share : r.by_phase) {
        json[share.name]["operators"] = share.operators / r.spec.batches;
        json[share.name]["time_seconds"] = seconds(share.time, clock_of(r.chip.params));
    }
    return json;
}

Json host(const RunResult& r) {
    Json json;
    json["wall_seconds"] = r.wall_seconds;
    json["peak_memory_bytes"] = r.peak_memory_bytes;
    json["window_cycles"] = r.window_cycles;
    json["activations"] = r.activations;
    json["module_steps"] = r.module_steps;
    if (r.total_lookups > 0) {
        json["activations_per_lookup"] = as_double(r.activations) / as_double(r.total_lookups);
    }
    json["dram_bursts_per_second"] = ratio(as_double(r.total_bursts), r.wall_seconds);
    return json;
}

}  // namespace

std::string result_json(const RunResult& r) {
    Json json = identity(r);
    json["time_seconds"] = r.counted_seconds();
    json["cycles"] = (r.end - r.start).count();
    json["samples_per_second"] = as_double(r.graph.batch * r.spec.batches) / r.counted_seconds();
    if (r.counted.lookups > 0) json["lookups"] = r.counted.lookups;
    json["flops"] = r.counted.matrix_flops();
    json["flops_vector"] = r.counted.flops_vector;
    json["utilization"] = utilization(r);
    json["bytes"] = bytes(r);
    json["dram"] = dram(r);
    const auto& [dense, sparse] = r.counted.memory.by_class;
    if (dense.accesses + sparse.accesses > 0) json["llc"] = llc(r);
    json["stalls"] = stalls(r);
    json["counters"] = counters(r);
    json["phases"] = phases(r);
    json["operators"] = operators(r);
    json["bound"]["bound_by"] = r.bound_by;
    json["bound"]["roofline_seconds"] = r.roofline.seconds;
    json["bound"]["limited_by"] = r.roofline.limited_by;
    json["bound"]["terms_seconds"] = {{"matrix", r.roofline.matrix_seconds},
                                      {"vector", r.roofline.vector_seconds},
                                      {"dram", r.roofline.dram_seconds},
                                      {"host", r.roofline.host_seconds}};
    json["coverage"] = coverage(r);
    json["notes"] = r.graph.notes;
    json["host"] = host(r);
    return json.dump(2) + "\n";
}

}  // namespace diastole
