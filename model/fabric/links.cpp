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
      rates_{chip.noc.pe_link_bytes_per_cycle, chip.noc.partition_link_bytes_per_cycle,
             chip.noc.mesh_link_bytes_per_cycle},
      header_(chip.noc.header_bytes),
      starts_(longest_path) {
    for (std::size_t kind = 0; kind < 3; ++kind) {
        buffers_[kind] = Cycles(ceil_div(chip.noc.buffer_bytes, rates_[kind]));
    }
    if (chip.noc.topology == NocTopology::crossbar) {
        build_crossbar(chip);
    } else {
        build_mesh(chip);
    }
}

std::uint32_t Links::add_link(Kind kind) {
    Link link;
    link.kind = kind;
    links_.push_back(link);
    return static_cast<std::uint32_t>(links_.size() - 1);
}

void Links::add_path(std::vector<Path>& paths, const std::vector<std::uint32_t>& links, Cycles hop,
                     std::uint32_t distance) {
    if (links.size() > longest_path) throw ConfigError("noc: the mesh is too large");
    Path path;
    path.first = static_cast<std::uint32_t>(path_links_.size());
    path.count = static_cast<std::uint32_t>(links.size());
    path.hop = hop;
    path.distance = distance;
    path_links_.insert(path_links_.end(), links.begin(), links.end());
    paths.push_back(path);
}

Links::Ports Links::add_ports(std::uint32_t nodes) {
    Ports ports;
    for (std::uint32_t node = 0; node < nodes; ++node) {
        ports.node_out.push_back(add_link(Kind::pe));
        ports.node_in.push_back(add_link(Kind::pe));
    }
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        ports.partition_in.push_back(add_link(Kind::partition));
        ports.partition_out.push_back(add_link(Kind::partition));
    }
    return ports;
}

void Links::build_crossbar(const ChipParams& chip) {
    const std::uint32_t nodes = pe_count(chip) + 1;
    const auto [node_out, node_in, partition_in, partition_out] = add_ports(nodes);
    for (std::uint32_t node = 0; node < nodes; ++node) {
        const Place place = node + 1 == nodes
                                ? Place{-1, -1}
                                : Place{node / chip.grid.columns, node % chip.grid.columns};
        for (std::uint32_t p = 0; p < partitions_; ++p) {
            const std::uint32_t distance = steps(place, crossbar_place(chip, p));
            const Cycles hop(std::uint64_t{distance} * chip.noc.hop_cycles);
            add_path(request_paths_, {node_out[node], partition_in[p]}, hop, distance);
            add_path(response_paths_, {partition_out[p], node_in[node]}, hop, distance);
        }
    }
}

void Links::build_mesh(const ChipParams& chip) {
    const std::uint32_t rows = chip.grid.rows;
    const std::uint32_t columns = chip.grid.columns;
    const std::uint32_t nodes = pe_count(chip) + 1;
    // mesh[row][column][direction]: the link that leaves the router east, west, south or north.
    enum Direction : std::uint32_t { east, west, south, north };
    std::vector<std::uint32_t> mesh(std::size_t{rows} * columns * 4);
    for (auto& link : mesh) link = add_link(Kind::mesh);
    const auto leaving = [&](std::uint32_t row, std::uint32_t column, Direction direction) {
        return mesh[(std::size_t{row} * columns + column) * 4 + direction];
    };
    // Appends the links from one router to another: along the row first, then along the column.
    const auto walk = [&](std::uint32_t row, std::uint32_t column, std::uint32_t to_row,
                          std::uint32_t to_column, std::vector<std::uint32_t>& path) {
        for (; column < to_column; ++column) path.push_back(leaving(row, column, east));
        for (; column > to_column; --column) path.push_back(leaving(row, column, west));
        for (; row < to_row; ++row) path.push_back(leaving(row, column, south));
        for (; row > to_row; --row) path.push_back(leaving(row, column, north));
    };
    const auto [node_out, node_in, partition_in, partition_out] = add_ports(nodes);
    const Cycles hop(chip.noc.hop_cycles);
    for (std::uint32_t node = 0; node < nodes; ++node) {
        const std::uint32_t row = node + 1 == nodes ? 0 : node / columns;
        const std::uint32_t column = node + 1 == nodes ? 0 : node % columns;
        for (std::uint32_t p = 0; p < partitions_; ++p) {
            const std::uint32_t edge = p % 2 == 0 ? columns - 1 : 0;
            const std::uint32_t edge_row =
                static_cast<std::uint32_t>(std::uint64_t{p} * rows / partitions_);
            std::vector<std::uint32_t> path = {node_out[node]};
            walk(row, column, edge_row, edge, path);
            path.push_back(partition_in[p]);
            const auto distance = static_cast<std::uint32_t>(path.size() - 1);
            add_path(request_paths_, path, hop, distance);
            path = {partition_out[p]};
            walk(edge_row, edge, row, column, path);
            path.push_back(node_in[node]);
            add_path(response_paths_, path, hop, distance);
        }
    }
}

Links::Passage Links::reserve(const Path& path, Cycles at, std::uint32_t payload) {
    begin_multicast();
    return branch(path, at, payload);
}

// Divisions are what a packet would cost most; the sizes of packets are few.
const Links::Serial& Links::serial_of(std::uint64_t bytes) {
    while (serials_.size() <= bytes) {
        const std::uint64_t size = serials_.size();
        serials_.push_back({{Cycles(ceil_div(size, rates_[0])), Cycles(ceil_div(size, rates_[1])),
                             Cycles(ceil_div(size, rates_[2]))}});
    }
    return serials_[bytes];
}

Links::Passage Links::branch(const Path& path, Cycles at, std::uint32_t payload) {
    const std::uint64_t bytes = std::uint64_t{payload} + header_;
    const std::array<Cycles, 3> serial = serial_of(bytes).by_kind;
    Cycles head = at;
    Cycles longest;  // the tail follows the head by the slowest link's time
    std::uint32_t used = 0;
    Cycles* const starts = starts_.data();
    for (std::uint32_t i = 0; i < path.count; ++i) {
        Link& link = links_[path_links_[path.first + i]];
        const Cycles time = serial[static_cast<std::size_t>(link.kind)];
        longest = std::max(longest, time);
        if (link.multicast == multicast_) {
            starts[i] = link.started;
        } else {
            starts[i] = std::max(head, link.free);
            link.started = starts[i];
            link.multicast = multicast_;
            link.free = starts[i] + time;
            ++used;
        }
        head = starts[i] + path.hop;
    }
    hold_upstream(path, starts);
    count(path, used, bytes);
    return {starts[0], starts[path.count - 1] + longest};
}

// A packet that waits for link i longer than the buffer in front of it lasts keeps link i - 1
// occupied until the buffer takes its tail.
void Links::hold_upstream(const Path& path, const Cycles* starts) {
    for (std::uint32_t i = path.count - 1; i > 0; --i) {
        const Link& link = links_[path_links_[path.first + i]];
        const Cycles buffer = buffers_[static_cast<std::size_t>(link.kind)] + path.hop;
        if (starts[i] <= starts[i - 1] + buffer) continue;
        Link& behind = links_[path_links_[path.first + i - 1]];
        behind.free = std::max(behind.free, starts[i] - buffer);
    }
}

void Links::count(const Path& path, std::uint32_t links_used, std::uint64_t bytes) {
    // A branch of a multicast passes only the links that it does not share.
    byte_hops_ += links_used == path.count ? bytes * path.distance
                                           : bytes * path.distance * links_used / path.count;
    pe_link_bytes_ += bytes;
}

}  // namespace diastole
