#include "model/chip/snapshot.hpp"

#include <algorithm>
#include <numeric>

#include "model/chip/chip.hpp"

namespace diastole {
namespace {

// Calls f(a, b) for every additive counter of two objects of the same kind.
template <class A, class B, class F>
void for_each_counter(A& a, B& b, F f, DramStats*) {
    f(a.activates, b.activates);
    f(a.precharges, b.precharges);
    f(a.refreshes, b.refreshes);
    f(a.reads, b.reads);
    f(a.writes, b.writes);
    f(a.row_hits, b.row_hits);
    f(a.refresh_cycles, b.refresh_cycles);
    f(a.bus_cycles, b.bus_cycles);
    f(a.bytes_read, b.bytes_read);
    f(a.bytes_written, b.bytes_written);
}

template <class A, class B, class F>
void for_each_counter(A& a, B& b, F f, PartitionStats*) {
    for (std::size_t i = 0; i < a.by_class.size(); ++i) {
        f(a.by_class[i].accesses, b.by_class[i].accesses);
        f(a.by_class[i].hits, b.by_class[i].hits);
        f(a.by_class[i].misses, b.by_class[i].misses);
        f(a.by_class[i].merged, b.by_class[i].merged);
        f(a.by_class[i].allocations, b.by_class[i].allocations);
    }
    f(a.requests, b.requests);
    f(a.llc_bytes_read, b.llc_bytes_read);
    f(a.llc_bytes_written, b.llc_bytes_written);
    f(a.lls_bytes_read, b.lls_bytes_read);
    f(a.lls_bytes_written, b.lls_bytes_written);
    f(a.bank_cycles, b.bank_cycles);
    f(a.write_backs, b.write_backs);
    f(a.dropped_write_backs, b.dropped_write_backs);
    f(a.bypassed_write_bytes, b.bypassed_write_bytes);
    f(a.blocked_cycles, b.blocked_cycles);
    for_each_counter(a.dram, b.dram, f, static_cast<DramStats*>(nullptr));
}

template <class A, class B, class F>
void for_each_counter(A& a, B& b, F f, Snapshot*) {
    for (std::size_t i = 0; i < dtype_count; ++i) {
        f(a.matrix_macs.values[i], b.matrix_macs.values[i]);
        f(a.vector_macs.values[i], b.vector_macs.values[i]);
    }
    f(a.array_streaming, b.array_streaming);
    f(a.array_loading, b.array_loading);
    f(a.flops_vector, b.flops_vector);
    f(a.lookups, b.lookups);
    f(a.instructions, b.instructions);
    f(a.commands, b.commands);
    f(a.dma_requests, b.dma_requests);
    f(a.dma_read_bytes, b.dma_read_bytes);
    f(a.dma_write_bytes, b.dma_write_bytes);
    f(a.broadcast_bytes, b.broadcast_bytes);
    f(a.local_memory_bytes, b.local_memory_bytes);
    f(a.neighbour_bytes, b.neighbour_bytes);
    f(a.noc_read_bytes, b.noc_read_bytes);
    f(a.noc_write_bytes, b.noc_write_bytes);
    f(a.noc_merged_bytes, b.noc_merged_bytes);
    f(a.noc_byte_hops, b.noc_byte_hops);
    f(a.pe_link_bytes, b.pe_link_bytes);
    f(a.host_bytes_in, b.host_bytes_in);
    f(a.host_bytes_out, b.host_bytes_out);
    for (std::size_t unit = 0; unit < unit_count; ++unit) {
        for (std::size_t i = 0; i < stall_count; ++i) f(a.stalls[unit][i], b.stalls[unit][i]);
    }
    for_each_counter(a.memory, b.memory, f, static_cast<PartitionStats*>(nullptr));
}

void add_pe(Snapshot& sum, const Chip& chip, std::uint32_t index) {
    const Pe& pe = chip.pe(index);
    for (std::size_t i = 0; i < dtype_count; ++i) {
        sum.matrix_macs.values[i] += pe.dpe().macs().values[i];
        sum.vector_macs.values[i] += pe.simd().macs().values[i] + pe.vector().macs().values[i];
    }
    sum.array_streaming += pe.dpe().phases().streaming().count();
    sum.array_loading += pe.dpe().phases().loading().count();
    sum.flops_vector += pe.simd().flops() + pe.vector().flops() + pe.reduction().flops();
    sum.instructions += pe.stats().instructions;
    sum.commands += pe.stats().commands;
    sum.neighbour_bytes += pe.stats().neighbour_bytes;
    sum.local_memory_bytes += pe.local_memory().stats().bytes;
    const DmaStats& in = chip.dma_in(index).stats();
    const DmaStats& out = chip.dma_out(index).stats();
    sum.dma_requests += in.requests + out.requests;
    sum.dma_read_bytes += in.bytes;
    sum.dma_write_bytes += out.bytes;
    sum.broadcast_bytes += in.broadcast_bytes;
    sum.lookups += in.lookups;
    for (std::size_t unit = 0; unit + 1 < unit_count; ++unit) {
        add(sum.stalls[unit], pe.stalls(static_cast<Unit>(unit)));
    }
}

}  // namespace

std::uint64_t Snapshot::matrix_flops() const {
    const auto sum = [](const PerType<std::uint64_t>& macs) {
        return std::accumulate(macs.values.begin(), macs.values.end(), std::uint64_t{0});
    };
    return 2 * (sum(matrix_macs) + sum(vector_macs));
}

std::array<EngineStalls, 6> Snapshot::engine_stalls() const {
    const auto of = [&](Unit unit) { return stalls[static_cast<std::size_t>(unit)]; };
    StallCycles dma = of(Unit::dma_in);
    add(dma, of(Unit::dma_out));
    return {{{"matrix", of(Unit::matrix)},
             {"simd", of(Unit::simd)},
             {"vector", of(Unit::vector)},
             {"reduction", of(Unit::reduction)},
             {"layout", of(Unit::layout)},
             {"dma", dma}}};
}

Snapshot take_snapshot(Chip& chip, Cycles at) {
    Snapshot sum;
    sum.at = at;
    for (std::uint32_t i = 0; i < chip.pes(); ++i) add_pe(sum, chip, i);
    for (std::uint32_t i = 0; i < chip.partitions(); ++i) {
        const PartitionStats part = chip.partition(i).stats();
        for_each_counter(
            sum.memory, part, [](std::uint64_t& a, std::uint64_t b) { a += b; },
            static_cast<PartitionStats*>(nullptr));
        sum.memory.peak_queue = std::max(sum.memory.peak_queue, part.peak_queue);
        sum.memory.peak_mshrs = std::max(sum.memory.peak_mshrs, part.peak_mshrs);
    }
    const NocStats& noc = chip.noc().stats();
    sum.noc_read_bytes = noc.read_bytes;
    sum.noc_write_bytes = noc.write_bytes;
    sum.noc_merged_bytes = noc.merged_bytes;
    sum.noc_byte_hops = chip.noc().links().byte_hops();
    sum.pe_link_bytes = chip.noc().links().pe_link_bytes();
    sum.host_bytes_in = chip.host_link().stats().bytes_in;
    sum.host_bytes_out = chip.host_link().stats().bytes_out;
    return sum;
}

Snapshot difference(const Snapshot& later, const Snapshot& earlier) {
    Snapshot result = later;
    for_each_counter(
        result, earlier, [](std::uint64_t& a, std::uint64_t b) { a -= b; },
        static_cast<Snapshot*>(nullptr));
    return result;
}

}  // namespace diastole
