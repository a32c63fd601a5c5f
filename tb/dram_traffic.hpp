// What the memory bench asks of a memory: one of the built-in patterns, or a trace file. Either is
// a stream that is read forward in pieces, so that memory does not grow with its length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace diastole {

struct DramAccess {
    std::uint64_t address = 0;  // of the whole memory, below its capacity
    std::uint64_t arrival = 0;  // in cycles of the memory's clock; 0: as soon as it is taken
    std::uint32_t atoms = 1;    // consecutive; more than one only where blocks are offered whole
    bool is_write = false;
};

class DramTraffic {
  public:
    virtual ~DramTraffic() = default;
    // Fills up to `capacity` accesses; 0 at the end. Throws TraceError.
    virtual std::size_t read(DramAccess* out, std::size_t capacity) = 0;
    [[nodiscard]] virtual double progress() const = 0;  // share read so far, 0 to 1
};

enum class DramPatternKind : std::uint8_t { sequential, random, embedding, stride, streams };
// How the atoms of a block are offered: one a cycle, or all of them as one request.
enum class DramOffer : std::uint8_t { atom, block };

// The defaults are the patterns in which the public simulators were measured (docs/dram.md).
struct DramPattern {
    DramPatternKind kind = DramPatternKind::sequential;
    std::uint64_t requests = 1'000'000;  // atoms
    std::uint64_t seed = 12345;
    std::uint64_t reads = 1, writes = 0;  // blocks in turn
    std::uint64_t block_bytes = 64;       // embedding: of a row; 0: one atom
    std::uint64_t stride_bytes = 16384;
    std::uint64_t streams = 4;
    std::uint64_t rows = std::uint64_t{1} << 19;
    double zipf = 1.05;
    DramOffer offer = DramOffer::atom;
};

// What addresses may be.
struct DramSpace {
    std::uint64_t capacity = 0;  // bytes
    std::uint32_t atom_bytes = 32;
};

// Throws ConfigError where the pattern does not fit the memory.
std::unique_ptr<DramTraffic> make_pattern(const DramPattern& pattern, const DramSpace& space);

// One request a line, `R 0xADDRESS` or `W 0xADDRESS`, optionally followed by the cycle at which it
// arrives; plain or gzip. Blank lines and lines that start with # are skipped. At most `requests`
// are read. Throws TraceError, at once or while reading.
std::unique_ptr<DramTraffic> open_dram_trace(
    const std::string& path, const DramSpace& space,
    std::uint64_t requests = std::numeric_limits<std::uint64_t>::max());

}  // namespace diastole
