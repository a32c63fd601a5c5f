#include <catch2/catch.hpp>
#include <vector>

#include "model/fabric/dma_engine.hpp"

using namespace diastole;

namespace {

// A DMA engine alone: the NoC is played by the test.
struct Bench : public RequestIf, public WakeIf {
    explicit Bench(const char* name, const ChipParams& chip = {},
                   AccessKind kind = AccessKind::read)
        : engine(name, chip, kind, 0, 0) {
        engine.noc(*this);
        engine.wake(*this);
    }
    void request(std::uint32_t, const MemoryRequest& request) override {
        requests.push_back(request);
    }
    void join(std::uint32_t, const BroadcastJoin& join) override { joins.push_back(join); }
    void wake(std::size_t, Cycles) override {}

    void submit(std::uint64_t at, std::uint32_t bytes, std::uint32_t members = 1) {
        Transfer transfer;
        transfer.row_bytes = bytes;
        transfer.pitch = bytes;
        transfer.broadcast.members = members;
        engine.submit(Cycles(at), transfer, Stall::wait_local_memory);
    }
    // Answers a request with a time that DRAM owns.
    void answer(std::size_t index, std::uint64_t at) {
        const MemoryRequest& request = requests.at(index);
        MemoryResponse response;
        response.at = Cycles(at);
        response.bytes = request.bytes;
        response.token = request.token;
        response.issued = request.issued;
        response.parts.dram = static_cast<std::uint32_t>((response.at - request.issued).count());
        engine.response(response);
    }
    [[nodiscard]] std::uint64_t stall(Stall which) const {
        return engine.stalls()[static_cast<std::size_t>(which)];
    }

    DmaEngine engine;
    std::vector<MemoryRequest> requests;
    std::vector<BroadcastJoin> joins;
};

const std::uint32_t block = ChipParams{}.sram.interleave_bytes;

}  // namespace

TEST_CASE("an answer owns the wait before a later transfer, however late the engine is asked") {
    Bench asked("asked"), late("late");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (Bench* bench : {&asked, &late}) {
        bench->submit(0, 2 * block);
        CHECK_FALSE(bench->engine.run(Cycles(100)));
        REQUIRE(bench->requests.size() == 2);
        bench->answer(0, 200);
        bench->answer(1, 500);
        if (bench == &asked) CHECK_FALSE(bench->engine.run(Cycles(300)));
        bench->submit(400, block);
        bench->engine.run(Cycles(450));
    }
    CHECK(late.engine.stalls() == asked.engine.stalls());
    const std::uint64_t issued = late.requests[1].issued.count() + ChipParams{}.dma.issue_interval;
    CHECK(late.stall(Stall::wait_dram) == 200 - issued);
    CHECK(late.stall(Stall::wait_local_memory) == 400 - 200);  // the gap in front of the second
}

TEST_CASE("a grant that is still to come does not own the time of an answer") {
    Bench asked("asked"), late("late");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (Bench* bench : {&asked, &late}) {
        bench->submit(0, 2 * block);
        bench->submit(0, block, 2);
        CHECK_FALSE(bench->engine.run(Cycles(100)));
        REQUIRE(bench->joins.size() == 1);
        bench->answer(0, 200);
        if (bench == &asked) CHECK_FALSE(bench->engine.run(Cycles(250)));
        bench->engine.grant(Cycles(300), bench->joins[0].transfer, 0);
        CHECK_FALSE(bench->engine.run(Cycles(400)));
        REQUIRE(bench->requests.size() == 3);
        CHECK(bench->requests[2].issued == Cycles(300));
    }
    CHECK(late.engine.stalls() == asked.engine.stalls());
    CHECK(late.stall(Stall::wait_dram) > 100);
}

TEST_CASE("a shaped DMA engine asks for reads at the rate of its link, to the cycle") {
    ChipParams chip;
    chip.dma.shaping = true;
    chip.dma.outstanding = 1000;
    chip.dma.outbox = 1000;
    Bench shaped("shaped", chip), writes("writes", chip, AccessKind::write), plain("plain");
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    constexpr std::uint64_t count = 100;
    for (Bench* bench : {&shaped, &writes, &plain}) {
        bench->submit(0, count * block);
        bench->engine.run(Cycles(100000));
    }
    REQUIRE(shaped.requests.size() == count);
    const std::uint64_t first = shaped.requests.front().issued.count();
    const std::uint64_t bytes = block + chip.noc.header_bytes;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t link_time = i * bytes / chip.noc.pe_link_bytes_per_cycle;
        CHECK(shaped.requests[i].issued == Cycles(first + link_time));
    }
    // What the bucket adds to the issue interval is the NoC's.
    const std::uint64_t all = count * bytes / chip.noc.pe_link_bytes_per_cycle;
    CHECK(shaped.stall(Stall::wait_noc) == all - count * chip.dma.issue_interval);
    CHECK(writes.requests.back().issued == Cycles(first + (count - 1) * chip.dma.issue_interval));
    REQUIRE(plain.requests.size() >= 2);
    CHECK(plain.requests[1].issued == Cycles(first + chip.dma.issue_interval));
}
