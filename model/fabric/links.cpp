#include "model/fabric/links.hpp"

#include <algorithm>
#include <cstdlib>

#include "model/base/error.hpp"

namespace diastole {
namespace {

constexpr std::uint32_t longest_path = 256;

struct Place {
    std::int64_t row = 0, column = 0;
};

std::uint32_t steps(const Place& a, const Place& b) {
    return static_cast<std::uint32_t>(std::abs(a.row - b.row) + std::abs(a.column - b.column));
}

// Crossbars on the four sides of the die: partitions go around it evenly, one step outside the
// grid.
Place crossbar_place(const ChipParams& chip, std::uint32_t partition) {
    const std::int64_t rows = chip.grid.rows;
    const std::int64_t columns = chip.grid.columns;
    const std::uint32_t side = partition % 4;
    const std::uint32_t on_side = (chip.sram.partitions - side + 3) / 4;
    const std::int64_t index = partition / 4;
    const auto along = [&](std::int64_t length) {
        return (2 * index + 1) * length / (2 * static_cast<std::int64_t>(on_side));
    };
    switch (side) {
        case 0:
            return {-1, along(columns)};
        case 1:
            return {along(rows), columns};
        case 2:
            return {rows, along(columns)};
        default:
            return {along(rows), -1};
    }
}

}  // namespace

Links::Links(const ChipParams& chip)
    : partitions_(chip.sram.partitions),
      first_partition_link_(2 * (pe_count(chip) + 1)),
      hop_(chip.noc.hop_cycles),
      rates_{chip.noc.pe_link_bytes_per_cycle, chip.noc.partition_link_bytes_per_cycle,
             chip.noc.mesh_link_bytes_per_cycle},
      header_(chip.noc.header_bytes),
      links_(first_partition_link_ + 2 * std::size_t{partitions_}) {
    for (std::size_t kind = 0; kind < 3; ++kind) {
        buffers_[kind] = Cycles(ceil_div(chip.noc.buffer_bytes, rates_[kind]));
    }
    if (chip.noc.topology == NocTopology::crossbar) {
        build_crossbar(chip);
    } else {
        build_mesh(chip);
    }
}

void Links::build_crossbar(const ChipParams& chip) {
    const std::uint32_t nodes = pe_count(chip) + 1;
    for (std::uint32_t node = 0; node < nodes; ++node) {
        const Place place = node + 1 == nodes
                                ? Place{-1, -1}
                                : Place{node / chip.grid.columns, node % chip.grid.columns};
        for (std::uint32_t p = 0; p < partitions_; ++p) {
            distances_.push_back(static_cast<std::uint16_t>(steps(place, crossbar_place(chip, p))));
        }
    }
}

void Links::build_mesh(const ChipParams& chip) {
    const std::uint32_t rows = chip.grid.rows;
    const std::uint32_t columns = chip.grid.columns;
    const std::uint32_t nodes = pe_count(chip) + 1;
    if (rows + columns > longest_path) throw ConfigError("noc: the mesh is too large");
    starts_.resize(rows + columns);
    // The link that leaves a router east, west, south or north.
    enum Direction : std::uint32_t { east, west, south, north };
    const auto first = static_cast<std::uint32_t>(links_.size());
    links_.resize(links_.size() + std::size_t{rows} * columns * 4);
    const auto leave = [&](std::uint32_t row, std::uint32_t column, Direction direction) {
        middle_links_.push_back(first + (row * columns + column) * 4 + direction);
    };
    // Appends the links from one router to another: along the row first, then along the column.
    const auto walk = [&](std::uint32_t row, std::uint32_t column, std::uint32_t to_row,
                          std::uint32_t to_column) {
        const auto begin = static_cast<std::uint32_t>(middle_links_.size());
        for (; column < to_column; ++column) leave(row, column, east);
        for (; column > to_column; --column) leave(row, column, west);
        for (; row < to_row; ++row) leave(row, column, south);
        for (; row > to_row; --row) leave(row, column, north);
        return begin;
    };
    for (std::uint32_t node = 0; node < nodes; ++node) {
        const std::uint32_t row = node + 1 == nodes ? 0 : node / columns;
        const std::uint32_t column = node + 1 == nodes ? 0 : node % columns;
        for (std::uint32_t p = 0; p < partitions_; ++p) {
            const std::uint32_t edge = p % 2 == 0 ? columns - 1 : 0;
            const std::uint32_t edge_row =
                static_cast<std::uint32_t>(std::uint64_t{p} * rows / partitions_);
            request_middles_.push_back(walk(row, column, edge_row, edge));
            response_middles_.push_back(walk(edge_row, edge, row, column));
            const std::size_t links = middle_links_.size() - response_middles_.back();
            distances_.push_back(static_cast<std::uint16_t>(links + 1));
        }
    }
}

void Links::add_serials(std::uint64_t bytes) {
    while (serials_.size() <= bytes) {
        const std::uint64_t size = serials_.size();
        serials_.push_back({{Cycles(ceil_div(size, rates_[0])), Cycles(ceil_div(size, rates_[1])),
                             Cycles(ceil_div(size, rates_[2]))}});
    }
    serial_count_ = serials_.size();
}

Links::Passage Links::branch_in_mesh(const Path& path, Cycles at, std::uint64_t bytes) {
    const Serial serial = serials_[bytes];
    const std::uint32_t links = path.middle_count + 2;
    const auto link_of = [&](std::uint32_t i) -> Link& {
        if (i == 0) return links_[path.first];
        return links_[i == links - 1 ? path.last : middle_links_[path.middle + i - 1]];
    };
    const auto kind_of = [&](std::uint32_t i) {
        return i == 0 ? path.first_kind : i == links - 1 ? path.last_kind : Kind::mesh;
    };
    Cycles* const starts = starts_.data();
    Cycles head = at;
    Cycles longest;  // the tail follows the head by the slowest link's time
    std::uint32_t used = 0;
    for (std::uint32_t i = 0; i < links; ++i) {
        const Cycles time = serial[kind_of(i)];
        longest = std::max(longest, time);
        starts[i] = enter(link_of(i), head, time, used);
        head = starts[i] + path.hop;
    }
    for (std::uint32_t i = links - 1; i > 0; --i) {
        hold(link_of(i - 1), starts[i - 1], starts[i], kind_of(i), path.hop);
    }
    count(path, links, used, bytes);
    return {starts[0], starts[links - 1] + longest};
}

}  // namespace diastole
