// From an address within one pseudo-channel to stack ID, bank group, bank, row and column. The map
// is a string of fields, most significant first, e.g. `row:15 col:5 ba:2 bg:2 byte:5`; a field may
// be split in parts (`row:15 col:4 ba:2 bg:2 col:1 byte:5`). Words such as `bg^row` or `ba^row>>2`
// hash: the field's number is XORed with row bits, from that one on (default 0).
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

// The same with the bank numbered over the whole pseudo-channel: (sid * groups + bg) * banks +
// bank.
struct DramPlace {
    std::uint32_t bank = 0, row = 0, column = 0;
};

class AddressMap {
  public:
    // Throws ConfigError when the map does not cover the geometry bit for bit. Only the field that
    // holds the topmost bits may have a size that is no power of two (12-high stacks), and `sid`
    // and `row` next to each other on top: then their bits together are one number, of which the
    // lower field is the remainder.
    AddressMap(const std::string& text, const DramGeometry& geometry);

    // Precondition: address < capacity().
    [[nodiscard]] DramPlace place(std::uint64_t address) const {
        DramPlace to{bank_.extract(address), row_.extract(address), column_.extract(address)};
        if (mixed_.divisor != 0) split_mixed(address >> mixed_.shift, to);
        for (const Hash& hash : hashes_)
            to.bank ^= (to.row >> hash.shift & hash.mask) << hash.place;
        return to;
    }
    [[nodiscard]] DramLocation decode(std::uint64_t address) const;

    // Aligned blocks of this many contiguous bytes lie within one row of one bank, in consecutive
    // columns: the column bits directly above the byte bits decide it.
    [[nodiscard]] std::uint32_t run_bytes() const { return run_bytes_; }
    [[nodiscard]] std::uint64_t capacity() const { return capacity_; }

  private:
    enum Field : std::uint8_t { sid, row, ba, bg, col, byte };
    static constexpr std::size_t field_count = 6;
    static constexpr std::size_t max_parts = 4;  // of a field

    // Bits of the address that lie together in a number as well.
    struct Part {
        std::uint8_t shift = 0;  // position in the address
        std::uint8_t place = 0;  // position in the number
        std::uint64_t mask = 0;  // before shifting to its place
    };
    struct Parts {
        std::uint32_t count = 0;
        std::array<Part, 3 * max_parts> part;

        [[nodiscard]] std::uint32_t extract(std::uint64_t address) const {
            std::uint64_t value = 0;
            for (std::uint32_t i = 0; i < count; ++i) {
                value |= ((address >> part[i].shift) & part[i].mask) << part[i].place;
            }
            return static_cast<std::uint32_t>(value);
        }
        void add(std::uint32_t shift, std::uint32_t place, std::uint32_t bits);
    };
    struct Token {
        Field field;
        std::uint32_t bits;
    };
    // Bits of the bank that are XORed with bits of the row.
    struct Hash {
        Field field;
        std::uint32_t shift = 0;  // in the row
        std::uint32_t place = 0;  // in the bank number
        std::uint32_t mask = 0;
    };

    // The two topmost fields, neither a power of two: quotient and remainder of the bits above
    // `shift`.
    struct Mixed {
        std::uint32_t divisor = 0;  // size of the lower field; 0: there are no such two
        std::uint32_t shift = 0;
        std::uint32_t sid_place = 0;  // in the bank number
        bool row_above = false;
    };
    void split_mixed(std::uint64_t top, DramPlace& to) const {
        const auto above = static_cast<std::uint32_t>(top / mixed_.divisor);
        const auto below = static_cast<std::uint32_t>(top % mixed_.divisor);
        to.row = mixed_.row_above ? above : below;
        to.bank |= (mixed_.row_above ? below : above) << mixed_.sid_place;
    }

    void parse(const std::string& text);
    static Hash parse_hash(const std::string& text, const std::string& word, Field field);
    void check(const std::string& text, const DramGeometry& geometry) const;
    void place_fields(const std::string& text, const DramGeometry& geometry);
    void place_hashes(const std::string& text, const DramGeometry& geometry);

    std::vector<Token> tokens_;
    std::vector<Hash> hashes_;
    Parts bank_, row_, column_;
    Mixed mixed_;
    std::uint32_t banks_per_group_ = 1, groups_per_stack_ = 1;
    std::uint32_t run_bytes_ = 0;
    std::uint64_t capacity_ = 0;
};

}  // namespace diastole
