#include "model/params/describe.hpp"

namespace diastole {
namespace {

using config::Schema;

// Limits are far above any chip; they keep products of a few fields within 64 bits.
constexpr double many = 1 << 20;
constexpr double huge = 1e15;

template <class T>
void count(Schema& s, const std::string& key, T& target, const char* unit, const char* meaning,
           double low = 1) {
    s.add(key, target, unit, meaning).at_least(low).at_most(many);
}

void per_type(Schema& s, const std::string& key, PerType<std::uint32_t>& table, const char* unit,
              const char* meaning) {
    for (const DTypeInfo& type : dtype_table) {
        const std::string name(type.name);
        s.add(key + '.' + name, table[type.type], unit, meaning).at_most(1 << 16);
    }
}

void describe(Schema& s, GridParams& p) {
    s.add("grid.rows", p.rows, "PEs", "rows of the PE grid").at_least(1).at_most(256);
    s.add("grid.columns", p.columns, "PEs", "columns of the PE grid").at_least(1).at_most(256);
}

void describe(Schema& s, ControlParams& p) {
    s.add("control.launch_ns", p.launch_ns, "ns", "start of a job that the grid waits for")
        .at_least(0)
        .at_most(1e9);
    s.add("control.replace_ns", p.replace_ns, "ns", "start of a job queued while another ran")
        .at_least(0)
        .at_most(1e9);
    count(s, "control.queue_depth", p.queue_depth, "operators", "handed to a PE ahead of its work");
    count(s, "control.job_window", p.job_window, "operators", "and copies that it looks through");
    count(s, "control.sync_cycles", p.sync_cycles, "cycles", "a PE's report over the NoC");
}

void describe(Schema& s, IssueParams& p) {
    count(s, "issue.cycles_per_instruction", p.cycles_per_instruction, "cycles",
          "scalar-core time of one custom instruction");
    count(s, "issue.queue_depth", p.queue_depth, "commands", "waiting in front of each unit");
    s.add("issue.circular_buffers", p.circular_buffers, "", "circular buffers of a PE")
        .at_least(1)
        .at_most(256);
}

void describe(Schema& s, DpeParams& p) {
    count(s, "dpe.arrays", p.arrays, "", "systolic arrays of a PE");
    count(s, "dpe.columns", p.columns, "", "columns of an array");
    per_type(s, "dpe.k_elements", p.k_elements, "elements", "K of an array; 0: absent");
    s.add_enum("dpe.dataflow", p.dataflow, "operand that stays in the array by default",
               {{"weight_stationary", Dataflow::weight_stationary},
                {"input_stationary", Dataflow::input_stationary},
                {"output_stationary", Dataflow::output_stationary}});
    s.add_enum("dpe.overlap", p.overlap, "what of the next fold hides behind the present one",
               {{"none", FoldOverlap::none},
                {"shadow", FoldOverlap::shadow},
                {"stream", FoldOverlap::stream}});
    count(s, "dpe.mac_latency", p.mac_latency, "cycles", "of one multiply-accumulate");
    count(s, "dpe.startup_cycles", p.startup_cycles, "cycles", "before a tile's first operand", 0);
    s.add("dpe.weight_tiles", p.weight_tiles, "",
          "weights lie in memory, and are read, as whole tiles of the array");
}

void describe(Schema& s, const std::string& unit, SimdParams& p) {
    per_type(s, unit + ".ops_per_cycle", p.ops_per_cycle, "ops/cycle", "of a PE; 0: absent");
    count(s, unit + ".startup_cycles", p.startup_cycles, "cycles", "per command", 0);
    count(s, unit + ".transcendental_ops", p.transcendental_ops, "ops",
          "cost of one exp, log, tanh or sqrt");
    count(s, unit + ".accumulate_rows", p.accumulate_rows, "rows",
          "embedding rows that one instruction accumulates");
}

void describe(Schema& s, ReductionParams& p) {
    count(s, "reduction.elements_per_cycle", p.elements_per_cycle, "elements", "accumulated");
    count(s, "reduction.neighbour_bytes_per_cycle", p.neighbour_bytes_per_cycle, "bytes/cycle",
          "reduction network, to the next PE");
    count(s, "reduction.neighbour_cycles", p.neighbour_cycles, "cycles", "one step on it");
    count(s, "reduction.startup_cycles", p.startup_cycles, "cycles", "per command", 0);
}

void describe(Schema& s, LayoutParams& p) {
    count(s, "layout.bytes_per_cycle", p.bytes_per_cycle, "bytes/cycle", "transposed or copied");
    count(s, "layout.startup_cycles", p.startup_cycles, "cycles", "per command", 0);
}

void describe(Schema& s, DmaParams& p) {
    count(s, "dma.issue_interval", p.issue_interval, "cycles", "between two requests");
    count(s, "dma.outstanding", p.outstanding, "requests", "without an answer, in each direction");
    count(s, "dma.outbox", p.outbox, "requests", "waiting for the NoC");
    count(s, "dma.startup_cycles", p.startup_cycles, "cycles", "per command", 0);
    s.add("dma.shaping", p.shaping, "",
          "a leaky bucket: reads are asked for no faster than the PE's link takes the answers");
}

void describe(Schema& s, LocalMemoryParams& p) {
    s.add("local_memory.bytes", p.bytes, "bytes", "of each PE").at_least(1).at_most(1U << 30);
    count(s, "local_memory.banks", p.banks, "", "banks");
    count(s, "local_memory.bank_bytes_per_cycle", p.bank_bytes_per_cycle, "bytes/cycle",
          "of each bank, read or write");
}

void describe(Schema& s, NocParams& p) {
    s.add_enum("noc.topology", p.topology, "shape of the on-chip network",
               {{"crossbar", NocTopology::crossbar}, {"mesh", NocTopology::mesh}});
    count(s, "noc.pe_link_bytes_per_cycle", p.pe_link_bytes_per_cycle, "bytes/cycle",
          "of a PE, each direction");
    count(s, "noc.mesh_link_bytes_per_cycle", p.mesh_link_bytes_per_cycle, "bytes/cycle",
          "between routers (mesh only)");
    count(s, "noc.partition_link_bytes_per_cycle", p.partition_link_bytes_per_cycle, "bytes/cycle",
          "of a memory partition, each direction");
    count(s, "noc.port_cycles", p.port_cycles, "cycles", "from a port into the network, or out");
    count(s, "noc.hop_cycles", p.hop_cycles, "cycles", "of one router or grid step", 0);
    count(s, "noc.buffer_bytes", p.buffer_bytes, "bytes", "input buffer of each link");
    count(s, "noc.header_bytes", p.header_bytes, "bytes", "of every packet", 0);
    count(s, "noc.queue_depth", p.queue_depth, "packets", "waiting in front of a partition");
    s.add("noc.broadcast_reads", p.broadcast_reads, "", "one read answers a row or column of PEs");
}

void describe(Schema& s, SramParams& p) {
    s.add("sram.bytes", p.bytes, "bytes", "LLC and LLS together").at_least(1).at_most(huge);
    s.add("sram.partitions", p.partitions, "", "memory partitions").at_least(1).at_most(4096);
    s.add("sram.banks", p.banks, "", "banks of each partition").at_least(1).at_most(4096);
    count(s, "sram.bank_bytes_per_cycle", p.bank_bytes_per_cycle, "bytes/cycle", "of each bank");
    count(s, "sram.latency_cycles", p.latency_cycles, "cycles", "of one access");
    s.add("sram.lls_bytes", p.lls_bytes, "bytes", "software-managed share; the rest is LLC")
        .at_most(huge);
    s.add("sram.split_step", p.split_step, "bytes", "granularity of lls_bytes")
        .at_least(1)
        .at_most(huge);
    s.add("sram.line_bytes", p.line_bytes, "bytes", "line of the LLC")
        .power_of_two()
        .at_least(16)
        .at_most(65536);
    s.add("sram.ways", p.ways, "", "ways of the LLC").at_least(1).at_most(1024);
    count(s, "sram.mshrs", p.mshrs, "lines", "missing at a time, of each partition");
    count(s, "sram.queue_depth", p.queue_depth, "requests", "taken in, of each partition");
    s.add("sram.interleave_bytes", p.interleave_bytes, "bytes", "contiguous in one partition")
        .at_least(16)
        .at_most(many);
    s.add("sram.slice_hash", p.slice_hash, "", "rotates partitions by upper address bits");
}

void describe(Schema& s, HostParams& p) {
    s.add("host.bytes_per_second", p.bytes_per_second, "bytes/s", "host link, each direction")
        .at_least(1)
        .at_most(huge);
    s.add("host.latency_ns", p.latency_ns, "ns", "host link, one way").at_least(0).at_most(1e9);
    count(s, "host.outstanding", p.outstanding, "requests", "without an answer");
}

}  // namespace

void describe(Schema& s, ChipParams& chip) {
    s.add("name", chip.name, "", "of the chip");
    s.add("description", chip.description, "", "what it is");
    s.add_enum("chip_class", chip.chip_class, "a modelled accelerator, or another machine",
               {{"accelerator", ChipClass::accelerator},
                {"comparison_model", ChipClass::comparison_model}});
    s.add("clock_hz", chip.clock_hz, "Hz", "of PEs, NoC and shared SRAM")
        .at_least(1e6)
        .at_most(1e11);
    describe(s, chip.grid);
    describe(s, chip.control);
    describe(s, chip.issue);
    describe(s, chip.dpe);
    describe(s, "simd", chip.simd);
    describe(s, "vector", chip.vector);
    describe(s, chip.reduction);
    describe(s, chip.layout);
    describe(s, chip.dma);
    describe(s, chip.local_memory);
    describe(s, chip.noc);
    describe(s, chip.sram);
    describe(s, chip.dram);
    describe(s, chip.host);
}

}  // namespace diastole
