// What a memory partition sees of one pseudo-channel, whichever model stands behind it. Times are
// ticks of the memory's command clock. A model acts by itself only inside advance(); nothing it
// does depends on how a span of time is cut into calls.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "model/base/units.hpp"
#include "model/params/dram_params.hpp"

namespace diastole {

inline constexpr DramCycles dram_never{std::numeric_limits<std::uint64_t>::max()};

// Consecutive atoms of one row: they lie within an aligned block of AddressMap::run_bytes().
struct DramRequest {
    std::uint64_t address = 0;  // within the pseudo-channel
    std::uint32_t atoms = 1;
    std::uint32_t tag = 0;  // the sender's
    bool is_write = false;
    DramCycles arrival;
};

struct DramCompletion {
    DramCycles done;  // the last data beat of the run has passed
    std::uint32_t tag = 0;
    bool is_write = false;
};

// Queue space that a sender waits for; zero atoms: it waits for nothing.
struct DramRoom {
    std::uint32_t read_atoms = 0, write_atoms = 0;
};

struct DramStats {
    std::uint64_t activates = 0, precharges = 0, refreshes = 0;  // commands
    std::uint64_t reads = 0, writes = 0;                         // column accesses
    std::uint64_t row_hits = 0;        // column accesses that needed no activate of their own
    std::uint64_t refresh_cycles = 0;  // tRFC (or tRFCpb) of every refresh
    std::uint64_t bus_cycles = 0;      // the data bus carried data
    std::uint64_t bytes_read = 0, bytes_written = 0;
    std::uint32_t peak_reads = 0, peak_writes = 0;  // atoms queued
    std::uint64_t code_reads = 0, code_writes = 0;  // column accesses to inline code, of the above
    // Everything until the last advance(): a row is open somewhere; none is and a refresh runs;
    // neither. Their sum is the time.
    std::uint64_t active_cycles = 0, refreshing_cycles = 0, idle_cycles = 0;

    DramStats& operator+=(const DramStats& other);
};

class DramModel {
  public:
    virtual ~DramModel() = default;

    [[nodiscard]] virtual bool can_accept(bool is_write, std::uint32_t atoms) const = 0;
    // The longest run that can ever be accepted, in atoms.
    [[nodiscard]] virtual std::uint32_t max_run() const = 0;
    // Preconditions: can_accept(); advance(request.arrival) was called.
    virtual void push(const DramRequest& request) = 0;
    // The earliest tick at which queued work moves; dram_never when nothing is queued.
    [[nodiscard]] virtual DramCycles next_event() = 0;
    // A tick before which no more room than now can be there for this wish, when nothing is pushed.
    [[nodiscard]] virtual DramCycles room_bound(DramRoom wanted) {
        (void)wanted;
        const DramCycles next = next_event();
        return next == dram_never ? next : next + DramCycles(1);
    }
    // Does everything that happens before `until` and appends completions in the order of `done`,
    // reads and writes apart. With a wish for room it stops as soon as there is room; returns the
    // tick up to which everything is done (room is there from that tick on), else `until`.
    virtual DramCycles advance(DramCycles until, std::vector<DramCompletion>& out,
                               DramRoom wanted = {}) = 0;
    // No read that is not issued yet completes sooner than this after its issue.
    [[nodiscard]] virtual DramCycles read_latency() const = 0;
    [[nodiscard]] virtual const DramStats& stats() const = 0;
    [[nodiscard]] virtual std::string describe_pending() const = 0;
};

enum class MemoryMode : std::uint8_t { exact, fast };

// Throws ConfigError for a description that cannot be simulated.
std::unique_ptr<DramModel> make_dram_model(const DramParams& params, MemoryMode mode);

}  // namespace diastole
