// From an address within one pseudo-channel to stack ID, bank group, bank, row and column. The map
// is a string of fields, most significant first, e.g. `row:15 col:5 ba:2 bg:2 byte:5`; a field may
// be split in parts (`row:15 col:4 ba:2 bg:2 col:1 byte:5`).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/params/dram_params.hpp"

namespace diastole {

struct DramLocation {
    std::uint32_t sid = 0, bg = 0, bank = 0;  // bank: within its bank group
    std::uint32_t row = 0, column = 0;        // column: in atoms
};

class AddressMap {
  public:
    // Throws ConfigError when the map does not cover the geometry bit for bit. Only the field that
    // holds the topmost bits may have a size that is no power of two (12-high stacks).
    AddressMap(const std::string& text, const DramGeometry& geometry);

    // Precondition: address < capacity().
    [[nodiscard]] DramLocation decode(std::uint64_t address) const {
        return {extract(sid, address), extract(bg, address), extract(ba, address),
                extract(row, address), extract(col, address)};
    }

    // Aligned blocks of this many contiguous bytes lie within one row of one bank, in consecutive
    // columns: the column bits directly above the byte bits decide it.
    [[nodiscard]] std::uint32_t run_bytes() const { return run_bytes_; }
    [[nodiscard]] std::uint64_t capacity() const { return capacity_; }

  private:
    enum Field : std::uint8_t { sid, row, ba, bg, col, byte };
    static constexpr std::size_t field_count = 6;
    static constexpr std::size_t max_parts = 4;

    struct Part {
        std::uint8_t shift = 0;  // position in the address
        std::uint8_t place = 0;  // position in the field
        std::uint64_t mask = 0;  // before shifting to its place
    };
    struct Parts {
        std::uint32_t count = 0;
        std::array<Part, max_parts> part;
    };
    struct Token {
        Field field;
        std::uint32_t bits;
    };

    [[nodiscard]] std::uint32_t extract(Field field, std::uint64_t address) const {
        const Parts& parts = parts_[field];
        std::uint64_t value = 0;
        for (std::uint32_t i = 0; i < parts.count; ++i) {
            const Part& p = parts.part[i];
            value |= ((address >> p.shift) & p.mask) << p.place;
        }
        return static_cast<std::uint32_t>(value);
    }

    static std::vector<Token> parse(const std::string& text);
    static void check(const std::string& text, const std::vector<Token>& tokens,
                      const DramGeometry& geometry);
    void place(const std::string& text, const std::vector<Token>& tokens);

    std::array<Parts, field_count> parts_;
    std::uint32_t run_bytes_ = 0;
    std::uint64_t capacity_ = 0;
};

}  // namespace diastole
