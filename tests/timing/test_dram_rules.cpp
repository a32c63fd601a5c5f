// Every command of the channel against the standards' rules, and the checker of these rules against
// channels that break them.
#include <catch2/catch.hpp>
#include <map>

#include "model/params/preset.hpp"
#include "tests/timing/dram_harness.hpp"
#include "tests/timing/dram_rule_checker.hpp"

using namespace diastole;
using namespace diastole::dram_test;

namespace {

std::vector<DramCommand> log_of(const DramParams& p, std::uint64_t seed, std::uint64_t requests) {
    const AddressMap map(p.map, p.geometry);
    Random random(seed);
    DramChannel channel(p);
    std::vector<DramCommand> log;
    channel.log_to(&log);
    drive(
        channel, p, [&](std::uint64_t) { return random_access(p, map, random); }, requests);
    return log;
}

// Commands checked over all standards, schedulers, page policies and kinds of refresh.
std::size_t check_all(std::uint64_t requests) {
    std::size_t commands = 0;
    std::uint64_t seed = 4;
    for (const std::string& name : memory_presets()) {
        for (int variant = 0; variant < 18; ++variant) {
            DramParams p = load_memory(name).params;
            p.policy.scheduler = static_cast<SchedulerKind>(variant % 4);
            p.policy.page = variant / 3 % 2 == 0 ? PagePolicy::open : PagePolicy::closed;
            p.policy.refresh = static_cast<RefreshMode>(variant / 6);
            p.policy.queue = variant % 4 == 0 ? QueueKind::shared : QueueKind::split;
            p.policy.refresh_postpone = variant % 5 == 0 ? 4 : 0;
            p.policy.opened = variant % 7 < 3 ? OpenedPlace::apart : OpenedPlace::queue;
            p.policy.row_hit_cap = variant % 8 == 0 ? 4 : 0;
            const std::vector<DramCommand> log = log_of(p, ++seed, requests);
            INFO(name << ", variant " << variant);
            CHECK(RuleChecker::check(p, log) == "");
            commands += log.size();
        }
    }
    return commands;
}

// A busy channel of which every rule binds somewhere.
DramParams strict(RefreshMode mode) {
    DramParams p = c3();
    p.policy.refresh = mode;
    p.timing.refi = 3200;
    p.timing.rrefd = 90;  // of the 100 between two per-bank refreshes
    p.timing.rtp = 20;    // else tRAS covers it
    p.timing.rtw = p.timing.cl + p.timing.burst - p.timing.cwl;  // no more than the data bus needs
    p.timing.act_cycles = 1;
    p.map = "row:14 sid:1 ba:2 col:2 bg:2 col:3 byte:5";
    return p;
}

}  // namespace

TEST_CASE("no command of random traffic breaks a rule of its standard") {
    CHECK(check_all(400) > 100'000);
}

TEST_CASE("no rule is broken in ten million random commands over all standards", "[slow]") {
    CHECK(check_all(33'000) > 10'000'000);
}

TEST_CASE(
    "the rule checker objects when a timing is shorter in the scheduler than in the standard") {
    using Field = std::uint32_t DramTiming::*;
    const std::pair<const char*, Field> fields[] = {
        {"burst", &DramTiming::burst},   {"cl", &DramTiming::cl},
        {"cwl", &DramTiming::cwl},       {"rcd_rd", &DramTiming::rcd_rd},
        {"rcd_wr", &DramTiming::rcd_wr}, {"rp", &DramTiming::rp},
        {"ras", &DramTiming::ras},       {"rc", &DramTiming::rc},
        {"wr", &DramTiming::wr},         {"rtp", &DramTiming::rtp},
        {"ccd_s", &DramTiming::ccd_s},   {"ccd_l", &DramTiming::ccd_l},
        {"ccd_r", &DramTiming::ccd_r},   {"rrd_s", &DramTiming::rrd_s},
        {"rrd_l", &DramTiming::rrd_l},   {"faw", &DramTiming::faw},
        {"wtr_s", &DramTiming::wtr_s},   {"wtr_l", &DramTiming::wtr_l},
        {"rtw", &DramTiming::rtw},       {"ppd", &DramTiming::ppd},
        {"rfc", &DramTiming::rfc},       {"rfc_pb", &DramTiming::rfc_pb},
        {"rrefd", &DramTiming::rrefd},   {"act_cycles", &DramTiming::act_cycles}};
    std::map<RefreshMode, std::vector<DramCommand>> logs;
    for (const RefreshMode mode : {RefreshMode::all_bank, RefreshMode::per_bank}) {
        logs[mode] = log_of(strict(mode), 8, 6000);
        REQUIRE(RuleChecker::check(strict(mode), logs[mode]) == "");
    }
    for (const auto& [name, field] : fields) {
        bool objected = false;
        for (const auto& [mode, log] : logs) {
            DramParams right = strict(mode);
            if (field == &DramTiming::rc) right.timing.rc += 8;
            right.timing.*field += field == &DramTiming::rrefd ? 10 : 1;
            objected = objected || !RuleChecker::check(right, log).empty();
        }
        INFO(name);
        CHECK(objected);
    }
}

TEST_CASE("the rule checker objects when refreshes are rarer, earlier or fewer than they must be") {
    for (const RefreshMode mode : {RefreshMode::all_bank, RefreshMode::per_bank}) {
        DramParams p = strict(mode);
        const auto with_refi = [&](std::uint32_t refi, std::uint32_t postpone) {
            DramParams moved = strict(mode);
            moved.timing.refi = refi;
            moved.policy.refresh_postpone = postpone;
            return log_of(moved, 8, 8'000);
        };
        CHECK(RuleChecker::check(p, with_refi(3200, 0)) == "");
        CHECK_THAT(RuleChecker::check(p, with_refi(3264, 0)),
                   Catch::Matchers::Contains("late refresh"));
        CHECK_THAT(RuleChecker::check(p, with_refi(3136, 0)),
                   Catch::Matchers::Contains("early refresh"));
        // Put off twice where the standard's user allows none.
        CHECK_THAT(RuleChecker::check(p, with_refi(3200, 2)),
                   Catch::Matchers::Contains("late refresh"));
        p.policy.refresh_postpone = 2;
        CHECK(RuleChecker::check(p, with_refi(3200, 2)) == "");
        std::vector<DramCommand> log = with_refi(3200, 0);
        log.erase(std::remove_if(log.begin(), log.end(),
                                 [](const DramCommand& c) {
                                     return c.op == DramLogOp::refresh_all ||
                                            c.op == DramLogOp::refresh_bank;
                                 }),
                  log.end());
        CHECK_THAT(RuleChecker::check(p, log), Catch::Matchers::Contains("no refresh"));
    }
}

TEST_CASE("the rule checker knows the state of rows") {
    const DramParams p = c1();
    using Op = DramLogOp;
    const auto verdict = [&](std::vector<DramCommand> log) { return RuleChecker::check(p, log); };
    CHECK(verdict({{0, Op::activate, false, 0, 7, 0}, {15, Op::read, false, 0, 7, 0}}) == "");
    CHECK(verdict({{0, Op::activate, false, 0, 7, 0}, {15, Op::read, false, 0, 8, 0}}) != "");
    CHECK(verdict({{15, Op::write, false, 0, 7, 0}}) != "");
    CHECK(verdict({{0, Op::precharge, false, 0, 0, 0}}) != "");
    CHECK(verdict({{0, Op::activate, false, 0, 7, 0}, {90, Op::activate, false, 0, 8, 0}}) != "");
    CHECK(verdict({{0, Op::activate, false, 0, 7, 0}, {90, Op::refresh_all, false, 0, 0, 0}}) !=
          "");
    CHECK(verdict({{9, Op::activate, false, 0, 7, 0}, {5, Op::activate, false, 9, 7, 0}}) != "");
}
