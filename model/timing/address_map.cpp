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

std::uint32_t bits_for(std::uint64_t values) {
    std::uint32_t bits = 0;
    while ((std::uint64_t{1} << bits) < values) ++bits;
    return bits;
}

}  // namespace

AddressMap::AddressMap(const std::string& text, const DramGeometry& geometry)
    : capacity_(channel_bytes(geometry)) {
    const std::vector<Token> tokens = parse(text);
    check(text, tokens, geometry);
    place(text, tokens);
    run_bytes_ = geometry.atom_bytes;
    const std::size_t n = tokens.size();
    if (n >= 2 && tokens[n - 2].field == col) run_bytes_ <<= tokens[n - 2].bits;
    // Adjacent parts of the column (`col:3 col:2`) are one run as well.
    for (std::size_t i = n >= 2 ? n - 2 : 0; i > 0 && tokens[i].field == col; --i) {
        if (tokens[i - 1].field == col) run_bytes_ <<= tokens[i - 1].bits;
    }
}

std::vector<AddressMap::Token> AddressMap::parse(const std::string& text) {
    std::vector<Token> tokens;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const std::size_t colon = word.find(':');
        const std::string name = word.substr(0, colon);
        std::size_t field = 0;
        while (field < field_names.size() && field_names[field] != name) ++field;
        if (field == field_names.size()) {
            fail(text, "unknown field '" + name + "'" + did_you_mean(name, field_names) +
                           " (expected sid, row, ba, bg, col or byte)");
        }
        const std::string digits = colon == std::string::npos ? "" : word.substr(colon + 1);
        const bool plain = !digits.empty() && digits.size() <= 2 &&
                           digits.find_first_not_of("0123456789") == std::string::npos;
        const std::uint32_t bits = plain ? static_cast<std::uint32_t>(std::stoul(digits)) : 99;
        if (bits > 40) fail(text, "expected '" + name + ":<bits>', got '" + word + "'");
        if (bits > 0) tokens.push_back({static_cast<Field>(field), bits});
    }
    if (tokens.empty()) fail(text, "expected fields, most significant first, got none");
    return tokens;
}

void AddressMap::check(const std::string& text, const std::vector<Token>& tokens,
                       const DramGeometry& g) {
    const std::array<std::uint64_t, field_count> sizes = {g.stack_ids,   g.rows,    g.banks,
                                                          g.bank_groups, g.columns, g.atom_bytes};
    std::array<std::uint32_t, field_count> held{};
    for (const Token& token : tokens) held[token.field] += token.bits;
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
        const bool topmost = tokens.front().field == f && tokens.front().bits == needed;
        if (!power_of_two && !topmost) {
            report(field_names[f] + " has " + std::to_string(sizes[f]) +
                   " values, no power of two: it must hold the topmost bits, in one part");
        }
    }
    if (problems.empty() && held[byte] > 0 &&
        (tokens.back().field != byte || tokens.back().bits != held[byte])) {
        report("byte must hold the lowest bits, in one part: an atom is contiguous");
    }
    if (!problems.empty()) fail(text, problems);
}

void AddressMap::place(const std::string& text, const std::vector<Token>& tokens) {
    std::uint32_t shift = 0;
    std::array<std::uint32_t, field_count> filled{};
    for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
        Parts& parts = parts_[token->field];
        if (parts.count == max_parts) {
            fail(text, field_names[token->field] + " is split in more than " +
                           std::to_string(max_parts) + " parts");
        }
        parts.part[parts.count++] = {static_cast<std::uint8_t>(shift),
                                     static_cast<std::uint8_t>(filled[token->field]),
                                     (std::uint64_t{1} << token->bits) - 1};
        shift += token->bits;
        filled[token->field] += token->bits;
    }
}

}  // namespace diastole
