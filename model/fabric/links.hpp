// The links of the NoC and the paths over them. A link carries one packet at a time, in the order
// in which packets were routed ("free at" reservation); a packet's head moves on while its tail
// still arrives (cut-through).
//
// crossbar: every PE and the host have a link in and out, every partition too; a non-blocking
// fabric joins them, with a latency by grid distance. mesh: PE routers in rows and columns, packets
// go along X, then along Y; partitions sit east and west of the rows, the host north-west.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "model/base/units.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

class Links {
  public:
    explicit Links(const ChipParams& chip);

    enum class Kind : std::uint8_t { pe, partition, mesh };
    // The sender's own link, links of the mesh, the receiver's own link.
    struct Path {
        std::uint32_t first = 0, last = 0;           // links
        std::uint32_t middle = 0, middle_count = 0;  // in middle_links_; none in a crossbar
        Kind first_kind = Kind::pe, last_kind = Kind::partition;
        std::uint32_t distance = 0;  // grid steps, for byte-hops
        Cycles hop;                  // latency between two links of it
    };
    // Nodes: PE indices, then the host (pe_count).
    [[nodiscard]] Path request_path(std::uint32_t node, std::uint32_t partition) const {
        const std::size_t route = std::size_t{node} * partitions_ + partition;
        return path(2 * node, first_partition_link_ + 2 * partition, Kind::pe, Kind::partition,
                    route, request_middles_);
    }
    [[nodiscard]] Path response_path(std::uint32_t partition, std::uint32_t node) const {
        const std::size_t route = std::size_t{node} * partitions_ + partition;
        return path(first_partition_link_ + 2 * partition + 1, 2 * node + 1, Kind::partition,
                    Kind::pe, route, response_middles_);
    }

    struct Passage {
        Cycles started;  // the head enters the first link
        Cycles arrived;  // the tail leaves the last
    };
    // Reserves every link of the path for a packet with `payload` bytes whose head is ready at
    // `at`. A packet that finds the buffer in front of a link full holds the link behind it.
    // (Inlined, so that the path of a packet never exists but in registers.)
    [[gnu::always_inline]] Passage reserve(const Path& path, Cycles at, std::uint32_t payload) {
        begin_multicast();
        return branch(path, at, payload);
    }

    // The same for one packet to several receivers: call begin_multicast(), then branch() for every
    // receiver; links shared with an earlier branch are passed only once.
    void begin_multicast() { ++multicast_; }
    [[gnu::always_inline]] Passage branch(const Path& path, Cycles at, std::uint32_t payload) {
        const std::uint64_t bytes = std::uint64_t{payload} + header_;
        if (bytes >= serial_count_) add_serials(bytes);
        if (path.middle_count > 0) return branch_in_mesh(path, at, bytes);
        const Serial& serial = serials_[bytes];
        const Cycles first_time = serial[path.first_kind], last_time = serial[path.last_kind];
        std::uint32_t used = 0;
        const Cycles first = enter(links_[path.first], at, first_time, used);
        const Cycles last = enter(links_[path.last], first + path.hop, last_time, used);
        hold(links_[path.first], first, last, path.last_kind, path.hop);
        count(path, 2, used, bytes);
        return {first, last + std::max(first_time, last_time)};
    }

    [[nodiscard]] std::uint64_t byte_hops() const { return byte_hops_; }
    [[nodiscard]] std::uint64_t pe_link_bytes() const { return pe_link_bytes_; }

  private:
    struct Link {
        Cycles free;
        Cycles started;               // of the current multicast
        std::uint64_t multicast = 0;  // the last one that passed
    };
    // Cycles that a packet occupies each kind of link.
    struct Serial {
        std::array<Cycles, 3> by_kind;
        Cycles operator[](Kind kind) const { return by_kind[static_cast<std::size_t>(kind)]; }
    };

    [[nodiscard]] Path path(std::uint32_t first, std::uint32_t last, Kind first_kind,
                            Kind last_kind, std::size_t route,
                            const std::vector<std::uint32_t>& middles) const {
        Path result;
        result.first = first;
        result.last = last;
        result.first_kind = first_kind;
        result.last_kind = last_kind;
        result.distance = distances_[route];
        result.hop = hop_;
        if (middles.empty()) {
            result.hop = hop_ * result.distance;
        } else {
            result.middle = middles[route];
            result.middle_count = result.distance - 1;
        }
        return result;
    }
    // When the packet's head enters the link; `used` counts the links that it did not share.
    Cycles enter(Link& link, Cycles head, Cycles time, std::uint32_t& used) {
        if (link.multicast == multicast_) return link.started;
        link.multicast = multicast_;
        link.started = std::max(head, link.free);
        link.free = link.started + time;
        ++used;
        return link.started;
    }
    // A packet that waits for a link longer than the buffer in front of it lasts keeps the link
    // behind it occupied until the buffer takes its tail.
    void hold(Link& behind, Cycles entered_behind, Cycles entered, Kind kind, Cycles hop) {
        const Cycles buffer = buffers_[static_cast<std::size_t>(kind)] + hop;
        if (entered <= entered_behind + buffer) return;
        behind.free = std::max(behind.free, entered - buffer);
    }
    // A branch of a multicast passes only the links that it does not share.
    void count(const Path& path, std::uint32_t links, std::uint32_t used, std::uint64_t bytes) {
        const std::uint64_t all = bytes * path.distance;
        byte_hops_ += used == links ? all : all * used / links;
        pe_link_bytes_ += bytes;
    }
    void build_crossbar(const ChipParams& chip);
    void build_mesh(const ChipParams& chip);
    void add_serials(std::uint64_t bytes);
    Passage branch_in_mesh(const Path& path, Cycles at, std::uint64_t bytes);

    std::uint32_t partitions_;
    std::uint32_t first_partition_link_;  // after those of the nodes; out of and into the fabric
    Cycles hop_;                          // of a router, or of a grid step of a crossbar
    std::uint64_t rates_[3];              // bytes per cycle by kind
    Cycles buffers_[3];                   // what a link's input buffer holds, as time on the link
    std::uint32_t header_;
    std::vector<Link> links_;
    std::size_t serial_count_ = 0;
    std::vector<Serial> serials_;  // by bytes of the packet: divisions are what it would cost most
    // By node and partition: few bytes each, because every packet looks up another one.
    std::vector<std::uint16_t> distances_;
    std::vector<std::uint32_t> request_middles_, response_middles_;  // mesh only
    std::vector<std::uint32_t> middle_links_;
    std::vector<Cycles> starts_;  // of the packet being routed over the mesh, by link of its path
    std::uint64_t multicast_ = 0;
    std::uint64_t byte_hops_ = 0;
    std::uint64_t pe_link_bytes_ = 0;
};

}  // namespace diastole
