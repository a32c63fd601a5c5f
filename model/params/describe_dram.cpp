#include "model/params/describe.hpp"

namespace diastole {
namespace {

using config::Schema;

void describe(Schema& s, DramGeometry& g) {
    const auto add = [&](const char* name, std::uint32_t& target, const char* unit,
                         const char* meaning, double most) -> config::Field& {
        return s.add(std::string("dram.geometry.") + name, target, unit, meaning)
            .at_least(1)
            .at_most(most);
    };
    add("data_bits", g.data_bits, "bits", "width of a pseudo-channel", 4096).power_of_two();
    add("atom_bytes", g.atom_bytes, "bytes", "of one column access", 4096).power_of_two();
    add("stack_ids", g.stack_ids, "", "stack IDs or ranks", 16);
    add("bank_groups", g.bank_groups, "", "bank groups", 64).power_of_two();
    add("banks", g.banks, "", "banks of a bank group", 64).power_of_two();
    add("rows", g.rows, "", "rows of a bank", 1 << 24);
    add("columns", g.columns, "atoms", "in a row", 1 << 16).power_of_two();
}

void describe(Schema& s, DramTiming& t) {
    const auto add = [&](const char* name, std::uint32_t& target, const char* meaning,
                         double least = 1) {
        s.add(std::string("dram.timing.") + name, target, "tCK", meaning)
            .at_least(least)
            .at_most(50'000);  // the scheduler packs times relative to now
    };
    s.add("dram.timing.tck_ps", t.tck_ps, "ps", "command clock").at_least(50).at_most(100'000);
    add("burst", t.burst, "data bus, for one atom");
    add("cl", t.cl, "read command to data");
    add("cwl", t.cwl, "write command to data");
    add("rcd_rd", t.rcd_rd, "activate to read");
    add("rcd_wr", t.rcd_wr, "activate to write");
    add("rp", t.rp, "precharge to activate");
    add("ras", t.ras, "activate to precharge");
    add("rc", t.rc, "activate to activate, same bank");
    add("wr", t.wr, "end of write data to precharge");
    add("rtp", t.rtp, "read to precharge");
    add("ccd_s", t.ccd_s, "column to column, other bank group");
    add("ccd_l", t.ccd_l, "column to column, same bank group");
    add("ccd_r", t.ccd_r, "column to column, other stack ID or rank");
    add("rrd_s", t.rrd_s, "activate to activate, other bank group");
    add("rrd_l", t.rrd_l, "activate to activate, same bank group");
    add("faw", t.faw, "window of four activates");
    add("wtr_s", t.wtr_s, "end of write data to read, other bank group");
    add("wtr_l", t.wtr_l, "end of write data to read, same bank group");
    add("rtw", t.rtw, "read command to write command");
    add("ppd", t.ppd, "precharge to precharge");
    add("act_cycles", t.act_cycles, "row bus, for one activate");
    add("rfc", t.rfc, "all-bank refresh");
    add("refi", t.refi, "between refreshes");
    add("rfc_pb", t.rfc_pb, "per-bank refresh");
    add("rrefd", t.rrefd, "per-bank refresh to activate of another bank");
}

void describe(Schema& s, DramPolicy& p) {
    s.add_enum("dram.policy.scheduler", p.scheduler, "order of commands",
               {{"fr_fcfs", SchedulerKind::fr_fcfs},
                {"older_hits", SchedulerKind::older_hits},
                {"first_ready", SchedulerKind::first_ready},
                {"fcfs", SchedulerKind::fcfs}});
    s.add("dram.policy.row_hit_cap", p.row_hit_cap, "accesses",
          "of an open row that may overtake its bank's oldest request (fr_fcfs); 0: any number")
        .at_least(0)
        .at_most(65536);
    s.add_enum("dram.policy.page", p.page, "row after an access",
               {{"open", PagePolicy::open}, {"closed", PagePolicy::closed}});
    s.add_enum("dram.policy.queue", p.queue, "read and write queues, or one for both",
               {{"split", QueueKind::split}, {"shared", QueueKind::shared}});
    s.add_enum("dram.policy.opened", p.opened, "where a request waits once its row is open",
               {{"queue", OpenedPlace::queue}, {"apart", OpenedPlace::apart}});
    s.add_enum("dram.policy.refresh", p.refresh, "how rows are refreshed",
               {{"none", RefreshMode::none},
                {"all_bank", RefreshMode::all_bank},
                {"per_bank", RefreshMode::per_bank}});
    s.add("dram.policy.refresh_postpone", p.refresh_postpone, "refreshes",
          "that may be owed while work waits")
        .at_least(0)
        .at_most(8);  // JESD79, JESD209, JESD235: no more may be postponed
    s.add("dram.policy.read_queue", p.read_queue, "atoms", "read queue").at_least(1).at_most(65536);
    s.add("dram.policy.write_queue", p.write_queue, "atoms", "write queue")
        .at_least(1)
        .at_most(65536);
    s.add("dram.policy.write_high", p.write_high, "", "share at which writes start to drain")
        .at_least(0)
        .at_most(1);
    s.add("dram.policy.write_low", p.write_low, "", "share at which they stop")
        .at_least(0)
        .at_most(1);
    s.add_enum("dram.policy.ecc", p.ecc, "where check bits live",
               {{"none", EccKind::none},
                {"sideband", EccKind::sideband},
                {"inline_code", EccKind::inline_code}});
    s.add("dram.policy.ecc_ratio", p.ecc_ratio, "atoms", "of data for each of inline code")
        .at_least(1)
        .at_most(1024);
    s.add("dram.policy.ecc_cache", p.ecc_cache, "atoms", "of inline code kept in the controller")
        .at_least(1)
        .at_most(4096);
}

}  // namespace

void describe(Schema& s, DramParams& dram) {
    s.add("dram.standard", dram.standard, "", "memory preset that the other values start from");
    s.add("dram.channels", dram.channels, "", "pseudo-channels of the whole chip")
        .at_least(1)
        .at_most(65536);
    describe(s, dram.geometry);
    describe(s, dram.timing);
    describe(s, dram.policy);
    s.add("dram.map", dram.map, "", "address bits of a pseudo-channel, most significant first");
}

}  // namespace diastole
