#include "model/timing/dram_rules.hpp"

#include <algorithm>
#include <string>

#include "model/base/error.hpp"

namespace diastole {
namespace {

class Problems {
  public:
    void require(bool good, const std::string& problem) {
        if (!good) text_ += (text_.empty() ? "dram." : "\ndram.") + problem;
    }
    void throw_if_any() const {
        if (!text_.empty()) throw ConfigError(text_);
    }

  private:
    std::string text_;
};

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

void validate(const DramGeometry& g, const DramTiming& t, const DramPolicy& p) {
    Problems problems;
    const std::uint64_t banks = std::uint64_t{g.stack_ids} * g.bank_groups * g.banks;
    problems.require(banks >= 1 && banks <= 64,
                     "geometry: expected 1 to 64 banks in a pseudo-channel, got " + number(banks));
    problems.require(t.tck_ps > 0 && t.burst > 0 && t.cl > 0,
                     "timing: tck_ps, burst and cl must be above zero");
    problems.require(
        std::uint64_t{t.ras} + t.rp <= t.rc,
        "timing: ras + rp = " + number(t.ras + t.rp) + " exceeds rc = " + number(t.rc));
    problems.require(t.act_cycles >= 1 && t.rp >= t.act_cycles,
                     "timing: act_cycles must be at least 1 and at most rp");
    problems.require(p.read_queue > 0 && p.write_queue > 0,
                     "policy: read_queue and write_queue must hold at least one atom");
    problems.require(p.write_low >= 0 && p.write_low <= p.write_high && p.write_high <= 1,
                     "policy: expected 0 <= write_low <= write_high <= 1");
    if (p.refresh == RefreshMode::all_bank) {
        const std::uint64_t busy =
            std::uint64_t{t.rfc} + t.rp + t.ras + t.wr + t.cwl + t.burst + t.rcd_rd + t.cl;
        problems.require(t.refi > busy, "timing: refi = " + number(t.refi) +
                                            " leaves no time for work between refreshes (rfc = " +
                                            number(t.rfc) + ")");
    }
    if (p.refresh == RefreshMode::per_bank && banks > 0) {
        problems.require(t.refi / banks > t.rrefd && t.refi > 2 * (t.rfc_pb + t.rc),
                         "timing: refi = " + number(t.refi) + " is too short to refresh " +
                             number(banks) + " banks one by one");
    }
    problems.throw_if_any();
}

}  // namespace

DramRules::DramRules(const DramGeometry& g, const DramTiming& t, const DramPolicy& p)
    : groups(g.stack_ids * g.bank_groups),
      banks_per_group(g.banks),
      banks(groups * g.banks),
      burst(t.burst),
      read_latency(t.cl),
      write_latency(t.cwl),
      faw(t.faw) {
    validate(g, t, p);
    // An activate that takes two row-bus cycles counts from its second one.
    const std::uint32_t late = t.act_cycles - 1;
    act_to_rd = t.rcd_rd + late;
    act_to_wr = t.rcd_wr + late;
    act_to_pre = t.ras + late;
    act_to_act = t.rc;
    act_to_ref = t.rc + late;
    pre_to_act = t.rp - late;
    pre_to_ref = t.rp;
    rd_to_pre = t.rtp;
    wr_to_pre = t.cwl + t.burst + t.wr;
    ccd_same = std::max(t.ccd_l, t.burst);
    if (p.refresh != RefreshMode::none) {
        const bool all = p.refresh == RefreshMode::all_bank;
        refresh_interval = all ? t.refi : t.refi / banks;
        refresh_cycles = all ? t.rfc : t.rfc_pb;
        ref_to_act = refresh_cycles - std::min(late, refresh_cycles - 1);
    }
    for (std::uint32_t b = 0; b < banks; ++b) {
        group_[b] = static_cast<std::uint8_t>(b / banks_per_group);
    }
    fill(g, t);
    for (std::size_t op = 0; op < dram_op_count; ++op) {
        if (!uniform_[op]) class_[op] = group_;
    }
}

void DramRules::set(DramOp from, DramOp to, std::uint32_t same, std::uint32_t stack,
                    std::uint32_t other, std::uint32_t groups_per_stack) {
    for (std::uint32_t a = 0; a < groups; ++a) {
        for (std::uint32_t b = 0; b < groups; ++b) {
            const bool same_stack = a / groups_per_stack == b / groups_per_stack;
            const std::uint32_t delay = a == b ? same : same_stack ? stack : other;
            delays_[row_of(from, a) + static_cast<std::size_t>(to) * stride() + b] =
                static_cast<std::int32_t>(delay);
        }
    }
    if (same != stack || stack != other) uniform_[static_cast<std::size_t>(to)] = false;
}

void DramRules::fill(const DramGeometry& g, const DramTiming& t) {
    row_length_ = dram_op_count * stride();
    delays_.assign(dram_op_count * dram_op_count * groups * stride(), 0);
    uniform_.fill(true);
    const std::uint32_t n = g.bank_groups;
    const std::uint32_t s = std::max(t.ccd_s, t.burst);  // the data bus carries one burst at a time
    const std::uint32_t r = g.stack_ids > 1 ? std::max(t.ccd_r, t.burst) : s;
    set(DramOp::read, DramOp::read, ccd_same, s, r, n);
    set(DramOp::write, DramOp::write, ccd_same, s, r, n);
    // The write's data must not meet the read's on the bus, whatever rtw says.
    const std::uint32_t drained = t.cl + t.burst > t.cwl ? t.cl + t.burst - t.cwl : 1;
    const std::uint32_t rtw = std::max(t.rtw, drained);
    set(DramOp::read, DramOp::write, rtw, rtw, rtw, n);
    const std::uint32_t data = t.cwl + t.burst;
    set(DramOp::write, DramOp::read, data + t.wtr_l, data + t.wtr_s, data + t.wtr_s, n);
    // One command at a time on the row bus; an activate occupies it for act_cycles. rrd and faw
    // hold over all stack IDs of the pseudo-channel.
    const std::uint32_t act = t.act_cycles;
    const std::uint32_t rrd_s = std::max(t.rrd_s, act), rrd_l = std::max(t.rrd_l, act);
    set(DramOp::activate, DramOp::activate, rrd_l, rrd_s, rrd_s, n);
    set(DramOp::activate, DramOp::precharge, act, act, act, n);
    set(DramOp::activate, DramOp::refresh_bank, rrd_l, rrd_s, rrd_s, n);
    set(DramOp::precharge, DramOp::activate, 1, 1, 1, n);
    const std::uint32_t ppd = std::max(t.ppd, 1U);
    set(DramOp::precharge, DramOp::precharge, ppd, ppd, ppd, n);
    set(DramOp::precharge, DramOp::refresh_bank, 1, 1, 1, n);
    const std::uint32_t refd = std::max(t.rrefd, 1U);
    set(DramOp::refresh_bank, DramOp::activate, refd, refd, refd, n);
    set(DramOp::refresh_bank, DramOp::precharge, 1, 1, 1, n);
    set(DramOp::refresh_bank, DramOp::refresh_bank, refd, refd, refd, n);
}

}  // namespace diastole
