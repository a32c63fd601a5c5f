#include <catch2/catch.hpp>

#include "model/fabric/links.hpp"

using namespace diastole;

namespace {

// Links of 64 bytes a cycle to PEs, 32 to partitions, no header, buffers of 64 bytes.
ChipParams narrow_partitions() {
    ChipParams chip;
    chip.noc.header_bytes = 0;
    chip.noc.pe_link_bytes_per_cycle = 64;
    chip.noc.partition_link_bytes_per_cycle = 32;
    chip.noc.mesh_link_bytes_per_cycle = 64;
    chip.noc.hop_cycles = 2;
    chip.noc.buffer_bytes = 64;
    return chip;
}

}  // namespace

TEST_CASE("a packet's tail leaves the last link when the slowest link has passed it") {
    Links links(narrow_partitions());
    const Links::Path& path = links.request_path(0, 0);
    const Links::Passage passage = links.reserve(path, Cycles(100), 640);
    CHECK(passage.started == Cycles(100));
    CHECK(passage.arrived == Cycles(100) + path.hop + Cycles(640 / 32));
}

TEST_CASE("two packets from one sender follow each other on its link") {
    Links links(narrow_partitions());
    links.reserve(links.request_path(0, 0), Cycles(100), 640);
    const Links::Passage second = links.reserve(links.request_path(0, 1), Cycles(100), 640);
    CHECK(second.started == Cycles(110));  // 640 bytes at 64 a cycle
}

TEST_CASE("a packet that waits longer than the buffer lasts holds the link behind it") {
    Links links(narrow_partitions());
    // Both go to partition 0: the second waits for the first one's 100 cycles on its link.
    const Links::Path& first = links.request_path(0, 0);
    const Links::Path& second = links.request_path(1, 0);
    links.reserve(first, Cycles(0), 3200);
    links.reserve(second, Cycles(0), 3200);
    // PE 1's own link would be free after 50 cycles; it stays occupied until the buffer in front of
    // the partition, 2 cycles' worth, takes the rest.
    const Links::Passage third = links.reserve(links.request_path(1, 1), Cycles(0), 64);
    const std::uint64_t starts = first.hop.count() + 100;
    CHECK(third.started == Cycles(starts - 2 - second.hop.count()));
}

TEST_CASE("a multicast passes the link that its branches share only once") {
    Links links(narrow_partitions());
    links.begin_multicast();
    const Links::Passage a = links.branch(links.response_path(0, 0), Cycles(0), 320);
    const Links::Passage b = links.branch(links.response_path(0, 1), Cycles(0), 320);
    CHECK(a.started == Cycles(0));
    CHECK(b.started == Cycles(0));
    // An ordinary packet finds the shared link occupied by one packet, not by two.
    const Links::Passage next = links.reserve(links.response_path(0, 2), Cycles(0), 32);
    CHECK(next.started == Cycles(10));
}

TEST_CASE("packets cross a mesh along the row first, a hop for each router") {
    ChipParams chip = narrow_partitions();
    chip.noc.topology = NocTopology::mesh;
    chip.grid.rows = 4;
    chip.grid.columns = 3;
    chip.sram.partitions = 4;
    Links links(chip);
    // Partition 0 is east of row 0, partition 3 west of row 3.
    CHECK(links.request_path(0, 0).distance == 3);          // two columns east, and out
    CHECK(links.request_path(2, 0).distance == 1);          // there already
    CHECK(links.request_path(2, 3).distance == 2 + 3 + 1);  // two west, three south, out
    const Links::Passage passage = links.reserve(links.request_path(2, 3), Cycles(0), 64);
    CHECK(passage.arrived == Cycles(6 * 2 + 2));  // six hops, and 64 bytes over 32 a cycle
}
