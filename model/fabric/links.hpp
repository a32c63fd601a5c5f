// The links of the NoC and the paths over them. A link carries one packet at a time, in the order
// in which packets were routed ("free at" reservation); a packet's head moves on while its tail
// still arrives (cut-through).
//
// crossbar: every PE and the host have a link in and out, every partition too; a non-blocking
// fabric joins them, with a latency by grid distance. mesh: PE routers in rows and columns, packets
// go along X, then along Y; partitions sit east and west of the rows, the host north-west.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/base/units.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

class Links {
  public:
    explicit Links(const ChipParams& chip);

    // Nodes: PE indices, then the host (pe_count).
    struct Path {
        std::uint32_t first = 0, count = 0;  // in path_links_
        Cycles hop;                          // latency between two links of it
        std::uint32_t distance = 0;          // grid steps, for byte-hops
    };
    [[nodiscard]] const Path& request_path(std::uint32_t node, std::uint32_t partition) const {
        return request_paths_[node * partitions_ + partition];
    }
    [[nodiscard]] const Path& response_path(std::uint32_t partition, std::uint32_t node) const {
        return response_paths_[node * partitions_ + partition];
    }

    struct Passage {
        Cycles started;  // the head enters the first link
        Cycles arrived;  // the tail leaves the last
    };
    // Reserves every link of the path for a packet with `payload` bytes whose head is ready at
    // `at`. A packet that finds the buffer in front of a link full holds the link behind it.
    Passage reserve(const Path& path, Cycles at, std::uint32_t payload);

    // The same for one packet to several receivers: call begin_multicast(), then branch() for every
    // receiver; links shared with an earlier branch are passed only once.
    void begin_multicast() { ++multicast_; }
    Passage branch(const Path& path, Cycles at, std::uint32_t payload);

    [[nodiscard]] std::uint64_t byte_hops() const { return byte_hops_; }
    [[nodiscard]] std::uint64_t pe_link_bytes() const { return pe_link_bytes_; }

  private:
    enum class Kind : std::uint8_t { pe, partition, mesh };
    struct Link {
        Cycles free;
        Cycles started;               // of the current multicast
        std::uint64_t multicast = 0;  // the last one that passed
        Kind kind = Kind::pe;
    };

    // The links between the fabric and what it joins.
    struct Ports {
        std::vector<std::uint32_t> node_out, node_in, partition_in, partition_out;
    };

    std::uint32_t add_link(Kind kind);
    Ports add_ports(std::uint32_t nodes);
    void build_crossbar(const ChipParams& chip);
    void build_mesh(const ChipParams& chip);
    void add_path(std::vector<Path>& paths, const std::vector<std::uint32_t>& links, Cycles hop,
                  std::uint32_t distance);
    void hold_upstream(const Path& path, const Cycles* starts);
    void count(const Path& path, std::uint32_t links_used, std::uint64_t bytes);
    // Cycles that a packet occupies each kind of link.
    struct Serial {
        std::array<Cycles, 3> by_kind;
    };
    const Serial& serial_of(std::uint64_t bytes);

    std::uint32_t partitions_;
    std::vector<Serial> serials_;  // by bytes of the packet, filled as needed
    std::uint64_t rates_[3];       // bytes per cycle by kind
    Cycles buffers_[3];            // what a link's input buffer holds, as time on the link
    std::uint32_t header_;
    std::vector<Cycles> starts_;  // of the packet being routed, by link of its path
    std::vector<Link> links_;
    std::vector<std::uint32_t> path_links_;
    std::vector<Path> request_paths_, response_paths_;
    std::uint64_t multicast_ = 0;
    std::uint64_t byte_hops_ = 0;
    std::uint64_t pe_link_bytes_ = 0;
};

}  // namespace diastole
