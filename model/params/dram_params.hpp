// The memory behind one chip: geometry, timing and policy of its pseudo-channels. Plain values; the
// defaults are an HBM2-2000 pseudo-channel and are meant to be replaced by a memory preset.
#pragma once

#include <cstdint>
#include <string>

namespace diastole {

enum class RefreshMode : std::uint8_t { none, all_bank, per_bank };
enum class PagePolicy : std::uint8_t { open, closed };
// Within a bank: row hits first; row hits first until an older request for another row may close
// the row; whichever of the oldest request and the oldest hit may go first; strictly in order.
enum class SchedulerKind : std::uint8_t { fr_fcfs, older_hits, first_ready, fcfs };
enum class QueueKind : std::uint8_t { split, shared };  // read and write queues, or one for both
// Where a request waits for its column access once its row was opened for it: in its queue still,
// or in a register of its bank, which frees its place in the queue.
enum class OpenedPlace : std::uint8_t { queue, apart };
enum class EccKind : std::uint8_t { none, sideband, inline_code };

// Every interval is in command-clock cycles (tCK) and is named as in the JEDEC standards.
struct DramTiming {
    std::uint64_t tck_ps = 1000;
    std::uint32_t burst = 2;  // data-bus cycles of one atom
    std::uint32_t cl = 14, cwl = 5;
    std::uint32_t rcd_rd = 14, rcd_wr = 12, rp = 14, ras = 34, rc = 48;
    std::uint32_t wr = 16, rtp = 5;
    std::uint32_t ccd_s = 2, ccd_l = 4, ccd_r = 2;  // ccd_r: between stack IDs
    std::uint32_t rrd_s = 4, rrd_l = 4, faw = 15;
    std::uint32_t wtr_s = 6, wtr_l = 8, rtw = 13;  // rtw: read command to write command
    std::uint32_t ppd = 1;                         // precharge to precharge
    std::uint32_t act_cycles = 1;                  // row-bus cycles of an activate
    std::uint32_t rfc = 260, refi = 3900;          // all-bank refresh
    std::uint32_t rfc_pb = 160, rrefd = 8;  // per-bank refresh; from it to an activate elsewhere
};

struct DramGeometry {
    std::uint32_t data_bits = 64;   // width of one pseudo-channel
    std::uint32_t atom_bytes = 32;  // data of one column access
    std::uint32_t stack_ids = 1;
    std::uint32_t bank_groups = 4;
    std::uint32_t banks = 4;  // per bank group
    std::uint32_t rows = 32768;
    std::uint32_t columns = 32;  // atoms in a row
};

struct DramPolicy {
    SchedulerKind scheduler = SchedulerKind::fr_fcfs;
    std::uint32_t row_hit_cap = 0;  // row hits that may overtake their bank's oldest; 0: any number
    PagePolicy page = PagePolicy::open;
    QueueKind queue = QueueKind::split;
    OpenedPlace opened = OpenedPlace::queue;
    RefreshMode refresh = RefreshMode::all_bank;
    std::uint32_t refresh_postpone = 0;  // refreshes (of a bank) that may be owed while work waits
    std::uint32_t read_queue = 64, write_queue = 64;  // atoms
    double write_high = 0.8, write_low = 0.2;         // watermarks of the write drain
    EccKind ecc = EccKind::none;
    std::uint32_t ecc_ratio = 8;   // inline code: data atoms that share a code atom
    std::uint32_t ecc_cache = 64;  // code atoms kept at hand
};

struct DramParams {
    std::string standard = "hbm2-2000";
    std::uint32_t channels = 1;  // pseudo-channels of the whole chip
    DramGeometry geometry;
    DramTiming timing;
    DramPolicy policy;
    // Address bits within a pseudo-channel, most significant first; see docs/memory.md.
    std::string map = "row:15 col:5 ba:2 bg:2 byte:5";
};

constexpr std::uint64_t row_bytes(const DramGeometry& g) {
    return std::uint64_t{g.atom_bytes} * g.columns;
}
constexpr std::uint64_t channel_bytes(const DramGeometry& g) {
    return row_bytes(g) * g.rows * g.banks * g.bank_groups * g.stack_ids;
}
// What is left of it for data: with inline code, of every ratio + 1 rows one is for check bits.
constexpr std::uint64_t channel_data_bytes(const DramParams& d) {
    if (d.policy.ecc != EccKind::inline_code) return channel_bytes(d.geometry);
    const std::uint64_t shares = std::uint64_t{d.policy.ecc_ratio} + 1;
    return channel_bytes(d.geometry) / (shares * row_bytes(d.geometry)) * d.policy.ecc_ratio *
           row_bytes(d.geometry);
}
// Bytes per second of one pseudo-channel: one atom every `burst` clocks.
constexpr double channel_peak(const DramParams& d) {
    return static_cast<double>(d.geometry.atom_bytes) * 1e12 /
           (static_cast<double>(d.timing.tck_ps) * d.timing.burst);
}
constexpr double dram_peak(const DramParams& d) {
    return channel_peak(d) * d.channels;
}
constexpr std::uint64_t dram_bytes(const DramParams& d) {
    return channel_data_bytes(d) * d.channels;
}

}  // namespace diastole
