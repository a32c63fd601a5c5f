// Blocking and non-blocking accesses to one TLM target at the same time.
#include <catch2/catch.hpp>
#include <memory>

#include "model/base/random.hpp"
#include "tests/tlm/blocking_initiator.hpp"
#include "tests/tlm/fan_in.hpp"
#include "tests/tlm/platform.hpp"

using namespace diastole;
using namespace diastole::tlm_test;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

TEST_CASE("blocking and non-blocking accesses wait for the same queues in order of arrival") {
    const TlmMemoryParams params = tlm_memory_params("hbm2-2000");
    // At time zero, in this order: a thread fills the queue of 64 atoms and wants 8 more; a request
    // of one atom comes between two edges, and a thread after it.
    TestInitiator::Settings settings;
    settings.accesses = {{0, 32, false, ns(0.5), SC_ZERO_TIME}};
    TestInitiator initiator("initiator", settings);
    BlockingInitiator first("first", {{0, 72 * 32, false, SC_ZERO_TIME, SC_ZERO_TIME}});
    BlockingInitiator second("second", {{0, 32, false, ns(0.7), SC_ZERO_TIME}});
    FanIn fan("fan", 3);
    ProtocolChecker checker("checker");
    MemoryTarget memory("memory", params);
    initiator.socket.bind(fan.in[0]);
    first.socket.bind(fan.in[1]);
    second.socket.bind(fan.in[2]);
    fan.out.bind(checker.in);
    checker.out.bind(memory.socket);
    sc_core::sc_start();

    REQUIRE(first.records.size() == 1);
    REQUIRE(second.records.size() == 1);
    const TestInitiator::Record& request = initiator.records()[0];
    // The ninth place that becomes free is the request's.
    MemoryCore alone(params);
    alone.submit(DramCycles(0), 0, 72 * 32, false);
    alone.submit(DramCycles(1), 0, 32, false);
    const auto last = alone.submit(DramCycles(1), 0, 32, false);
    std::vector<DramCycles> accepted(3), finished(3);
    while (alone.next_event() != dram_never) {
        const DramCycles now = alone.next_event();
        alone.advance(now);
        for (MemoryCore::Ticket t = 0; alone.pop_accepted(now, t);) accepted[t] = now;
        for (MemoryCore::Ticket t = 0; alone.pop_finished(now, t);) finished[t] = now;
    }
    const auto time = [](DramCycles tick) { return ns(static_cast<double>(tick.count())); };
    CHECK(accepted[0] < accepted[1]);
    CHECK(request.end_req == time(accepted[1]));
    CHECK(request.begin_resp == time(finished[1]));
    CHECK(first.records[0].end == time(finished[0]));
    CHECK(second.records[0].end == time(finished[last]));
    CHECK(checker.violations() == std::vector<std::string>{});
}

TEST_CASE("threads and a saturating initiator on one target break no rule and lose no access") {
    Random random(11);
    const auto accesses = [&](std::size_t count, double longest_gap) {
        std::vector<TestAccess> list(count);
        for (TestAccess& access : list) {
            access = {random.below(1 << 20), random.between(1, 200), random.below(2) == 0,
                      ns(random.unit() * longest_gap), SC_ZERO_TIME};
        }
        return list;
    };
    TestInitiator::Settings settings;
    settings.accesses = accesses(5000, 3);
    TestInitiator initiator("initiator", settings);
    std::vector<std::unique_ptr<BlockingInitiator>> threads;
    FanIn fan("fan", 9);
    ProtocolChecker checker("checker");
    MemoryTarget memory("memory", "hbm2-2000");
    initiator.socket.bind(fan.in[0]);
    for (std::size_t i = 1; i < fan.in.size(); ++i) {
        threads.push_back(std::make_unique<BlockingInitiator>(
            ("thread" + std::to_string(i)).c_str(), accesses(500, 100)));
        threads.back()->socket.bind(fan.in[i]);
    }
    fan.out.bind(checker.in);
    checker.out.bind(memory.socket);
    sc_core::sc_start();
    CHECK(initiator.done());
    CHECK(initiator.pool().out() == 0);
    for (const auto& thread : threads) CHECK(thread->records.size() == 500);
    CHECK(checker.violations() == std::vector<std::string>{});
    CHECK(checker.finished() == 5000 + 8 * 500);
}

TEST_CASE("a thread that is killed while it waits leaves the memory in order") {
    MemoryTarget memory("memory", "hbm2-2000");
    struct Pair : sc_core::sc_module {
        tlm_utils::simple_initiator_socket<Pair> socket{"socket"};
        bool finished = false, survived = false;
        sc_core::sc_process_handle victim;
        explicit Pair(const sc_core::sc_module_name& name) : sc_module(name) {
            SC_HAS_PROCESS(Pair);
            SC_THREAD(wait_for_ever);
            SC_THREAD(kill);
        }
        void access() {
            unsigned char data[32] = {};
            tlm::tlm_generic_payload payload;
            payload.set_read();
            payload.set_data_ptr(data);
            payload.set_data_length(32);
            payload.set_streaming_width(32);
            sc_time delay = SC_ZERO_TIME;
            socket->b_transport(payload, delay);
        }
        void wait_for_ever() {
            victim = sc_core::sc_get_current_process_handle();
            access();
            finished = true;
        }
        void kill() {
            wait(ns(3));
            victim.kill();
            access();
            survived = true;
        }
    } pair("pair");
    pair.socket.bind(memory.socket);
    sc_core::sc_start();
    CHECK_FALSE(pair.finished);
    CHECK(pair.survived);
    CHECK(memory.stats().reads == 2);
}
