#include <catch2/catch.hpp>
#include <memory>

#include "model/base/error.hpp"
#include "model/params/preset.hpp"
#include "model/timing/address_map.hpp"
#include "tests/config/temporary_folder.hpp"
#include "tests/tlm/blocking_initiator.hpp"
#include "tests/tlm/platform.hpp"

using namespace diastole;
using namespace diastole::tlm_test;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

namespace {

std::uint64_t address_of_another_bank(const DramParams& dram) {
    const AddressMap map(dram.map, dram.geometry);
    const DramLocation first = map.decode(0);
    std::uint64_t address = 0;
    while (map.decode(address).bank == first.bank && map.decode(address).bg == first.bg) {
        address += dram.geometry.atom_bytes;
    }
    return address;
}

}  // namespace

TEST_CASE("idle accesses through the socket take what the preset's timing adds up to") {
    std::vector<std::unique_ptr<Platform>> platforms;
    for (const std::string& name : memory_presets()) {
        const TlmMemoryParams params = tlm_memory_params(name);
        const std::size_t atom = params.dram.geometry.atom_bytes;
        TestInitiator::Settings settings;
        const std::uint64_t other = address_of_another_bank(params.dram);
        // Close together: a refresh of LPDDR5's banks is due after a quarter of a microsecond.
        settings.accesses = {{0, atom, false, SC_ZERO_TIME, SC_ZERO_TIME},
                             {0, atom, false, ns(60), SC_ZERO_TIME},
                             {other, atom, true, ns(60), SC_ZERO_TIME}};
        platforms.push_back(
            std::make_unique<Platform>("p" + std::to_string(platforms.size()), settings, params));
    }
    sc_core::sc_start();
    REQUIRE(platforms.size() >= 8);
    for (std::size_t i = 0; i < platforms.size(); ++i) {
        const Platform& p = *platforms[i];
        INFO(memory_presets()[i]);
        const DramTiming t = load_memory(memory_presets()[i]).params.timing;
        CHECK(p.latency(0) == t.act_cycles - 1 + t.rcd_rd + t.cl + t.burst);
        CHECK(p.latency(1) == t.cl + t.burst);
        CHECK(p.latency(2) == t.act_cycles - 1 + t.rcd_wr + t.cwl + t.burst);
        CHECK(p.initiator.done());
        CHECK(p.checker.violations().empty());
        CHECK(p.memory.stats().reads == 2);
        CHECK(p.memory.stats().writes == 1);
    }
}

TEST_CASE("a request between two clock edges counts from the next one") {
    TestInitiator::Settings settings;
    settings.accesses = {{0, 32, false, ns(0.3), SC_ZERO_TIME},
                         {0, 32, false, ns(100), ns(0.25)}};  // arrives later than it is sent
    Platform p("p", settings, tlm_memory_params("hbm2-2000"));
    sc_core::sc_start();
    const auto& records = p.initiator.records();
    CHECK(records[0].end_req == ns(1));
    CHECK(records[0].begin_resp == ns(1 + 31));
    CHECK(records[1].begin_req == ns(101.25));
    CHECK(records[1].end_req == ns(102));
    CHECK(records[1].begin_resp == ns(102 + 16));
    CHECK(p.checker.violations() == std::vector<std::string>{});
}

TEST_CASE("END_REQ is held as long as the queue is full") {
    TestInitiator::Settings settings;
    const std::size_t queue = 64;  // of hbm2-2000, in atoms
    settings.accesses.assign(queue + 2, {0, 32, false, SC_ZERO_TIME, SC_ZERO_TIME});
    Platform p("p", settings, tlm_memory_params("hbm2-2000"));
    sc_core::sc_start();
    const auto& records = p.initiator.records();
    for (std::size_t i = 0; i < queue; ++i) CHECK(records[i].end_req == SC_ZERO_TIME);
    // The activate takes effect at 1, its row is there at 15: then the first read leaves the queue,
    // and from the next cycle on its place is free. The next leaves a tCCD_L later.
    CHECK(records[queue].begin_req == SC_ZERO_TIME);
    CHECK(records[queue].end_req == ns(16));
    CHECK(records[queue + 1].end_req == ns(20));
    CHECK(p.initiator.done());
    CHECK(p.checker.violations() == std::vector<std::string>{});
}

TEST_CASE("a response waits until the one before it has ended") {
    TestInitiator::Settings settings;
    settings.accesses.assign(40, {0, 32, false, SC_ZERO_TIME, SC_ZERO_TIME});
    settings.end_response = [](std::size_t i) {
        return i % 2 == 0 ? EndResponse::later : EndResponse::updated;
    };
    settings.response_time = [](std::size_t) { return ns(50); };
    Platform p("p", settings, tlm_memory_params("hbm2-2000"));
    sc_core::sc_start();
    const auto& records = p.initiator.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
        CHECK(records[i].begin_resp == ns(31.0 + 50.0 * static_cast<double>(i)));
    }
    CHECK(p.initiator.pool().out() == 0);
    CHECK(p.checker.violations() == std::vector<std::string>{});
}

namespace {

struct BadAccess {
    const char* what;
    tlm::tlm_response_status expected;
    std::function<void(tlm::tlm_generic_payload&)> spoil;
};

std::vector<BadAccess> bad_accesses(std::uint64_t capacity) {
    using Payload = tlm::tlm_generic_payload;
    static unsigned char enable = 0xff;
    return {
        {"nothing", tlm::TLM_OK_RESPONSE, [](Payload&) {}},
        {"beyond the end", tlm::TLM_ADDRESS_ERROR_RESPONSE,
         [=](Payload& p) { p.set_address(capacity); }},
        {"over the end", tlm::TLM_ADDRESS_ERROR_RESPONSE,
         [=](Payload& p) { p.set_address(capacity - 31); }},
        {"address wraps around", tlm::TLM_ADDRESS_ERROR_RESPONSE,
         [=](Payload& p) { p.set_address(~std::uint64_t{0} - 3); }},
        {"no bytes", tlm::TLM_BURST_ERROR_RESPONSE, [](Payload& p) { p.set_data_length(0); }},
        {"streaming", tlm::TLM_BURST_ERROR_RESPONSE, [](Payload& p) { p.set_streaming_width(8); }},
        {"no such command", tlm::TLM_COMMAND_ERROR_RESPONSE,
         [](Payload& p) { p.set_command(static_cast<tlm::tlm_command>(3)); }},
        {"no byte enables where they point", tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE,
         [](Payload& p) { p.set_byte_enable_ptr(&enable); }},
        {"no data", tlm::TLM_GENERIC_ERROR_RESPONSE, [](Payload& p) { p.set_data_ptr(nullptr); }},
        {"an ignored command", tlm::TLM_OK_RESPONSE,
         [](Payload& p) { p.set_command(tlm::TLM_IGNORE_COMMAND); }},
    };
}

}  // namespace

TEST_CASE("what is wrong with a transaction is its response, and the memory stays untouched") {
    const TlmMemoryParams params = tlm_memory_params("hbm2-2000", 2);
    const auto bad = bad_accesses(dram_bytes(params.dram));
    std::vector<TestAccess> accesses(bad.size(), {64, 32, true, ns(60), SC_ZERO_TIME});
    TestInitiator::Settings settings;
    settings.accesses = accesses;
    settings.prepare = [&](std::size_t i, tlm::tlm_generic_payload& p) { bad[i].spoil(p); };
    Platform p("p", settings, params);
    BlockingInitiator blocking("blocking", accesses);
    blocking.prepare = settings.prepare;
    MemoryTarget other("other", params);
    blocking.socket.bind(other.socket);
    sc_core::sc_start();
    REQUIRE(p.initiator.done());
    REQUIRE(blocking.records.size() == bad.size());
    for (std::size_t i = 0; i < bad.size(); ++i) {
        INFO(bad[i].what);
        CHECK(p.initiator.records()[i].status == bad[i].expected);
        CHECK(blocking.records[i].status == bad[i].expected);
        if (i == 0) continue;
        CHECK(p.initiator.records()[i].begin_resp == p.initiator.records()[i].begin_req);
        CHECK(blocking.records[i].end == blocking.records[i].begin);
    }
    CHECK(p.memory.stats().writes == 1);
    CHECK(other.stats().writes == 1);
    CHECK(p.initiator.pool().out() == 0);
    CHECK(p.checker.violations() == std::vector<std::string>{});
}

TEST_CASE("the memory refuses a broken protocol with an error report") {
    MemoryTarget memory("memory", "hbm2-2000");
    struct Prober : sc_core::sc_module {
        tlm_utils::simple_initiator_socket<Prober> socket{"socket"};
        bool asked = false;
        explicit Prober(const sc_core::sc_module_name& name) : sc_module(name) {
            SC_HAS_PROCESS(Prober);
            SC_THREAD(run);
        }
        void send(tlm::tlm_generic_payload& payload, tlm::tlm_phase phase) {
            sc_time delay = SC_ZERO_TIME;
            socket->nb_transport_fw(payload, phase, delay);
        }
        void run() {
            PayloadPool pool;
            tlm::tlm_generic_payload bare;
            CHECK_THROWS_AS(send(bare, tlm::BEGIN_REQ), sc_core::sc_report);
            tlm::tlm_generic_payload& good = pool.get(32);
            good.set_read();
            for (const auto phase : {tlm::END_REQ, tlm::BEGIN_RESP, tlm::END_RESP}) {
                CHECK_THROWS_AS(send(good, phase), sc_core::sc_report);
            }
            sc_time delay = ns(5);
            tlm::tlm_phase phase = tlm::BEGIN_REQ;
            CHECK(socket->nb_transport_fw(good, phase, delay) == tlm::TLM_ACCEPTED);
            CHECK_THROWS_AS(send(pool.get(32), tlm::BEGIN_REQ), sc_core::sc_report);
            asked = true;
            wait(ns(2));  // the request would arrive later, and the pool is gone then
            sc_core::sc_stop();
        }
    } prober("prober");
    prober.socket.bind(memory.socket);
    sc_core::sc_start();
    CHECK(prober.asked);
}

TEST_CASE("the debug transport and byte enables reach the stored data, and DMI is refused") {
    TlmMemoryParams params = tlm_memory_params("hbm3-6400", 4);
    MemoryTarget memory("memory", params);
    params.store_data = false;
    MemoryTarget empty("empty", params);
    struct Prober : sc_core::sc_module {
        tlm_utils::simple_initiator_socket<Prober> socket{"socket"}, to_empty{"to_empty"};
        std::uint64_t capacity = 0;
        bool asked = false;
        explicit Prober(const sc_core::sc_module_name& name) : sc_module(name) {
            SC_HAS_PROCESS(Prober);
            SC_THREAD(run);
        }
        void run() {
            std::vector<unsigned char> data(2000), mask = {0xff, 0, 0};
            for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<unsigned char>(i);
            tlm::tlm_generic_payload p;
            p.set_data_ptr(data.data());
            p.set_data_length(2000);
            p.set_streaming_width(2000);
            p.set_address(capacity - 1500);
            p.set_write();
            CHECK(socket->transport_dbg(p) == 1500);  // what lies within
            CHECK(to_empty->transport_dbg(p) == 0);
            p.set_address(capacity);
            CHECK(socket->transport_dbg(p) == 0);

            p.set_address(capacity - 1500);
            p.set_data_length(9);
            p.set_byte_enable_ptr(mask.data());
            p.set_byte_enable_length(3);
            std::fill(data.begin(), data.end(), static_cast<unsigned char>(200));
            sc_time delay = SC_ZERO_TIME;
            socket->b_transport(p, delay);
            std::fill(data.begin(), data.end(), static_cast<unsigned char>(9));
            p.set_read();
            socket->b_transport(p, delay);  // masked as well: the others keep their 9
            CHECK(std::vector<int>(data.begin(), data.begin() + 6) ==
                  std::vector<int>{200, 9, 9, 200, 9, 9});
            p.set_byte_enable_ptr(nullptr);
            socket->b_transport(p, delay);
            CHECK(std::vector<int>(data.begin(), data.begin() + 10) ==
                  std::vector<int>{200, 1, 2, 200, 4, 5, 200, 7, 8, 9});
            const sc_time before = sc_core::sc_time_stamp();
            to_empty->b_transport(p, delay);
            CHECK(sc_core::sc_time_stamp() > before);
            CHECK(data[1] == 1);  // nothing is stored: left as it was

            tlm::tlm_dmi dmi;
            CHECK_FALSE(socket->get_direct_mem_ptr(p, dmi));
            CHECK(dmi.is_none_allowed());
            CHECK(dmi.get_end_address() == ~std::uint64_t{0});
            CHECK_FALSE(p.is_dmi_allowed());
            asked = true;
        }
    } prober("prober");
    prober.capacity = memory.capacity();
    prober.socket.bind(memory.socket);
    prober.to_empty.bind(empty.socket);
    sc_core::sc_start();
    CHECK(prober.asked);
}

TEST_CASE("a memory that nobody knows, or of no channels, is refused by name") {
    CHECK_THROWS_WITH(tlm_memory_params("hbm3-640"), Catch::Contains("hbm3-6400"));
    CHECK_THROWS_WITH(tlm_memory_params("hbm3-6400", 0), Catch::Contains("dram.channels"));
}

TEST_CASE("a memory file's map says how many channels a TLM target has") {
    TemporaryFolder folder;
    folder.write("mine.toml",
                 "base = \"hbm2-2000\"\nmap = \"row:15 ch:2 col:5 pc:1 ba:2 bg:2 byte:5\"\n");
    const TlmMemoryParams params = tlm_memory_params(folder.path("mine.toml"));
    CHECK(params.dram.channels == 8);
    MemoryTarget memory("memory", params);
    CHECK(memory.channels() == 8);
    CHECK(memory.capacity() == 8 * MemoryTarget("one", "hbm2-2000").capacity());
}
