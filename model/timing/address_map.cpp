#include "model/timing/address_map.hpp"

#include <sstream>

#include "model/base/error.hpp"
#include "model/base/names.hpp"

namespace diastole {
namespace {

const std::vector<std::string> field_names = {"sid", "row", "ba", "bg", "col", "byte"};

[[noreturn]] void fail(const std::string& map, const std::string& problem) {
    throw ConfigError("dram.map: \"" + map + "\": " + problem);
}

constexpr std::uint32_t most_bits = 40;

// A small number, or more than most_bits.
std::uint32_t read_bits(const std::string& digits) {
    const bool plain = !digits.empty() && digits.size() <= 2 &&
                       digits.find_first_not_of("0123456789") == std::string::npos;
    return plain ? static_cast<std::uint32_t>(std::stoul(digits)) : most_bits + 1;
}

std::uint32_t bits_for(std::uint64_t values) {
    std::uint32_t bits = 0;
    while ((std::uint64_t{1} << bits) < values) ++bits;
    return bits;
}

}  // namespace

void AddressMap::Parts::add(std::uint32_t shift, std::uint32_t place, std::uint32_t bits) {
    if (bits == 0) return;
    if (count > 0) {
        Part& below = part[count - 1];
        const auto width = static_cast<std::uint32_t>(__builtin_popcountll(below.mask));
        if (below.shift + width == shift && below.place + width == place) {
            below.mask = below.mask << bits | ((std::uint64_t{1} << bits) - 1);
            return;
        }
    }
    part.at(count++) = {static_cast<std::uint8_t>(shift), static_cast<std::uint8_t>(place),
                        (std::uint64_t{1} << bits) - 1};
}

AddressMap::AddressMap(const std::string& text, const DramGeometry& geometry)
    : banks_per_group_(geometry.banks),
      groups_per_stack_(geometry.bank_groups),
      capacity_(channel_bytes(geometry)) {
    parse(text);
    check(text, geometry);
    place_fields(text, geometry);
    place_hashes(text, geometry);
    run_bytes_ = geometry.atom_bytes;
    const std::size_t n = tokens_.size();
    // Adjacent parts of the column (`col:3 col:2`) are one run as well.
    for (std::size_t i = n - 1; i > 0 && tokens_[i - 1].field == col; --i) {
        run_bytes_ <<= tokens_[i - 1].bits;
    }
}

DramLocation AddressMap::decode(std::uint64_t address) const {
    const DramPlace to = place(address);
    const std::uint32_t group = to.bank / banks_per_group_;
    return {group / groups_per_stack_, group % groups_per_stack_, to.bank % banks_per_group_,
            to.row, to.column};
}

void AddressMap::parse(const std::string& text) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const std::size_t sign = word.find_first_of(":^");
        const bool hash = sign != std::string::npos && word[sign] == '^';
        const std::string name = word.substr(0, sign);
        std::size_t field = 0;
        while (field < field_names.size() && field_names[field] != name) ++field;
        if (field == field_names.size()) {
            fail(text, "unknown field '" + name + "'" + did_you_mean(name, field_names) +
                           " (expected sid, row, ba, bg, col or byte)");
        }
        if (hash) {
            hashes_.push_back(parse_hash(text, word, static_cast<Field>(field)));
            continue;
        }
        const std::uint32_t bits =
            read_bits(sign == std::string::npos ? "" : word.substr(sign + 1));
        if (bits > most_bits) fail(text, "expected '" + name + ":<bits>', got '" + word + "'");
        if (bits > 0) tokens_.push_back({static_cast<Field>(field), bits});
    }
    if (tokens_.empty()) fail(text, "expected fields, most significant first, got none");
}

AddressMap::Hash AddressMap::parse_hash(const std::string& text, const std::string& word,
                                        Field field) {
    const std::size_t hat = word.find('^'), by = word.find(">>");
    const std::string with = word.substr(hat + 1, by == std::string::npos ? by : by - hat - 1);
    const std::uint32_t shift = by == std::string::npos ? 0 : read_bits(word.substr(by + 2));
    const bool bank_field = field == sid || field == bg || field == ba;
    if (!bank_field || with != "row" || shift > most_bits) {
        fail(text, "expected a hash such as 'bg^row' or 'ba^row>>2', got '" + word + "'");
    }
    return {field, shift, 0, 0};
}

void AddressMap::check(const std::string& text, const DramGeometry& g) const {
    const std::array<std::uint64_t, field_count> sizes = {g.stack_ids,   g.rows,    g.banks,
                                                          g.bank_groups, g.columns, g.atom_bytes};
    std::array<std::uint32_t, field_count> held{};
    for (const Token& token : tokens_) held[token.field] += token.bits;
    std::string problems;
    const auto report = [&](const std::string& problem) {
        problems += (problems.empty() ? "" : "; ") + problem;
    };
    for (std::size_t f = 0; f < field_count; ++f) {
        const std::uint32_t needed = bits_for(sizes[f]);
        const std::string size =
            " (geometry has " + std::to_string(sizes[f]) + ", " + std::to_string(needed) + " bits)";
        if (sizes[f] == 0) report(field_names[f] + ": geometry has none");
        if (held[f] < needed) {
            report(field_names[f] + " bits " + std::to_string(held[f]) + " to " +
                   std::to_string(needed - 1) + " are missing" + size);
        } else if (held[f] > needed) {
            report(field_names[f] + " bits are covered twice or do not exist: " +
                   std::to_string(held[f]) + " given" + size);
        }
        const bool power_of_two = (sizes[f] & (sizes[f] - 1)) == 0;
        const auto whole_at = [&](std::size_t place, std::size_t field) {
            return place < tokens_.size() && tokens_[place].field == field &&
                   tokens_[place].bits == bits_for(sizes[field]);
        };
        const std::size_t above = tokens_.front().field;
        const bool above_too = (sizes[above] & (sizes[above] - 1)) != 0 && whole_at(0, above);
        if (!power_of_two && !whole_at(0, f) && !(above_too && whole_at(1, f))) {
            report(field_names[f] + " has " + std::to_string(sizes[f]) +
                   " values, no power of two: it must hold the topmost bits, in one part, or those "
                   "below another such field");
        }
    }
    if (problems.empty() && held[byte] > 0 &&
        (tokens_.back().field != byte || tokens_.back().bits != held[byte])) {
        report("byte must hold the lowest bits, in one part: an atom is contiguous");
    }
    if (!problems.empty()) fail(text, problems);
}

void AddressMap::place_fields(const std::string& text, const DramGeometry& g) {
    const std::uint32_t group_place = bits_for(g.banks);
    const std::uint32_t stack_place = group_place + bits_for(g.bank_groups);
    const bool mixed = (g.stack_ids & (g.stack_ids - 1)) != 0 && (g.rows & (g.rows - 1)) != 0;
    std::uint32_t shift = 0;
    std::array<std::uint32_t, field_count> filled{}, parts{};
    for (auto token = tokens_.rbegin(); token != tokens_.rend(); ++token) {
        const Field field = token->field;
        if (++parts[field] > max_parts) {
            fail(text, field_names[field] + " is split in more than " + std::to_string(max_parts) +
                           " parts");
        }
        const std::uint32_t place = filled[field];
        if (mixed && (field == row || field == sid)) {
            mixed_ = {field == row ? g.rows : g.stack_ids, shift, stack_place, field == sid};
            break;  // the lower one of the two; they end the map
        }
        if (field == row) row_.add(shift, place, token->bits);
        if (field == col) column_.add(shift, place, token->bits);
        if (field == ba) bank_.add(shift, place, token->bits);
        if (field == bg) bank_.add(shift, group_place + place, token->bits);
        if (field == sid) bank_.add(shift, stack_place + place, token->bits);
        shift += token->bits;
        filled[field] += token->bits;
    }
}

void AddressMap::place_hashes(const std::string& text, const DramGeometry& g) {
    std::array<bool, field_count> seen{};
    for (Hash& hash : hashes_) {
        const std::uint32_t values = hash.field == ba   ? g.banks
                                     : hash.field == bg ? g.bank_groups
                                                        : g.stack_ids;
        const std::string& name = field_names[hash.field];
        const std::uint32_t bits = bits_for(values);
        if (seen[hash.field]) fail(text, name + " is hashed twice");
        seen[hash.field] = true;
        if ((values & (values - 1)) != 0) {
            fail(text, name + " has " + std::to_string(values) +
                           " values, no power of two: it cannot be hashed");
        }
        if (hash.shift + bits > bits_for(g.rows)) {
            fail(text, name + "^row>>" + std::to_string(hash.shift) + " needs row bits up to " +
                           std::to_string(hash.shift + bits - 1) + ", the geometry has " +
                           std::to_string(bits_for(g.rows)));
        }
        hash.mask = (1U << bits) - 1;
        hash.place = hash.field == ba   ? 0
                     : hash.field == bg ? bits_for(g.banks)
                                        : bits_for(g.banks) + bits_for(g.bank_groups);
    }
}

}  // namespace diastole
