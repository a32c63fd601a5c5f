// The TLM target under load: held against the model driven directly, against itself over
// b_transport, and against the protocol.
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>

#include "model/base/random.hpp"
#include "tests/timing/dram_harness.hpp"
#include "tests/tlm/blocking_initiator.hpp"
#include "tests/tlm/clocked_memory.hpp"
#include "tests/tlm/fan_in.hpp"
#include "tests/tlm/platform.hpp"

using namespace diastole;
using namespace diastole::tlm_test;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

namespace {

std::vector<TestAccess> random_accesses(std::uint64_t seed, std::size_t count, std::size_t bytes,
                                        std::uint64_t window, const sc_time& gap) {
    Random random(seed);
    std::vector<TestAccess> accesses(count);
    for (TestAccess& access : accesses) {
        access.bytes = bytes;
        access.address = random.below(window / bytes) * bytes;
        access.is_write = random.below(3) == 0;
        access.gap = gap;
    }
    return accesses;
}

}  // namespace

TEST_CASE("saturating random traffic over nb_transport takes what the model takes alone") {
    struct Case {
        const char* memory;
        MemoryMode mode;
    };
    constexpr std::size_t count = 20000;
    std::vector<std::unique_ptr<Platform>> platforms;
    std::vector<TlmMemoryParams> params;
    std::vector<std::vector<TestAccess>> accesses;
    for (const Case c :
         {Case{"hbm2-2000", MemoryMode::exact}, Case{"hbm3-6400", MemoryMode::exact},
          Case{"lpddr5-6400", MemoryMode::exact}, Case{"ddr3-2133", MemoryMode::exact},
          Case{"hbm2-2000", MemoryMode::fast}}) {
        TlmMemoryParams p = tlm_memory_params(c.memory);
        p.mode = c.mode;
        const sc_time tick(static_cast<double>(p.dram.timing.tck_ps), sc_core::SC_PS);
        TestInitiator::Settings settings;
        settings.accesses =
            random_accesses(1, count, p.dram.geometry.atom_bytes, dram_bytes(p.dram), tick);
        settings.accesses[0].gap = SC_ZERO_TIME;
        accesses.push_back(settings.accesses);
        params.push_back(p);
        platforms.push_back(
            std::make_unique<Platform>("p" + std::to_string(params.size()), settings, p));
    }
    sc_core::sc_start();
    for (std::size_t i = 0; i < platforms.size(); ++i) {
        const Platform& p = *platforms[i];
        INFO(params[i].dram.standard << (params[i].mode == MemoryMode::fast ? ", fast" : ""));
        const auto model = make_dram_model(params[i].dram, params[i].mode);
        const auto alone = dram_test::drive(
            *model, params[i].dram,
            [&](std::uint64_t n) {
                return dram_test::Access{accesses[i][n].address, accesses[i][n].is_write, 1};
            },
            count);
        std::uint64_t last = 0, different = 0;
        for (std::size_t n = 0; n < count; ++n) {
            const std::uint64_t done = p.tick(p.initiator.records()[n].begin_resp);
            last = std::max(last, done);
            if (done != alone.done[n]) ++different;
        }
        CHECK(different == 0);
        CHECK(last == alone.ticks);
        CHECK(p.memory.stats().activates == model->stats().activates);
        CHECK(p.memory.stats().row_hits == model->stats().row_hits);
        CHECK(p.checker.finished() == count);
        CHECK(p.checker.violations() == std::vector<std::string>{});
    }
}

TEST_CASE("transactions over several channels enter and end as the clocked memory says") {
    TlmMemoryParams params = tlm_memory_params("hbm3-6400", 4);
    TestInitiator::Settings settings;
    const sc_time tick(static_cast<double>(params.dram.timing.tck_ps), sc_core::SC_PS);
    settings.accesses = random_accesses(3, 3000, 1, 1 << 22, tick);
    Random random(4);
    for (TestAccess& access : settings.accesses) access.bytes = random.between(1, 3000);
    settings.accesses[0].gap = SC_ZERO_TIME;
    Platform p("p", settings, params);
    sc_core::sc_start();

    ClockedMemory oracle(params);
    for (std::size_t i = 0; i < settings.accesses.size(); ++i) {
        const TestAccess& access = settings.accesses[i];
        if (i > 0) oracle.next_tick();
        oracle.submit(access.address, access.bytes, access.is_write);
        while (!oracle.accepted(i)) oracle.next_tick();
    }
    while (oracle.busy()) oracle.next_tick();
    std::size_t late_entries = 0, different = 0;
    for (std::size_t i = 0; i < settings.accesses.size(); ++i) {
        const TestInitiator::Record& record = p.initiator.records()[i];
        if (record.end_req != record.begin_req) ++late_entries;
        if (p.tick(record.end_req) + 1 != oracle.times[i].accepted ||
            p.tick(record.begin_resp) != oracle.times[i].done) {
            ++different;
        }
    }
    CHECK(different == 0);
    CHECK(late_entries > 1000);  // the queues were full most of the time
    CHECK(p.checker.violations() == std::vector<std::string>{});
}

TEST_CASE("blocking and non-blocking transport agree, one by one and all at once") {
    const TlmMemoryParams params = tlm_memory_params("hbm3-6400", 2);
    const auto single = random_accesses(5, 2000, 96, 1 << 20, ns(7));
    TestInitiator::Settings one_by_one;
    one_by_one.accesses = single;
    one_by_one.most_outstanding = 1;
    // The gap is meant from the last response, as the thread has it.
    for (TestAccess& access : one_by_one.accesses) access.gap = SC_ZERO_TIME;
    for (TestAccess& access : one_by_one.accesses) access.delay = ns(7);
    Platform nb("nb", one_by_one, params);
    BlockingInitiator b("b", single);
    MemoryTarget b_memory("b_memory", params);
    b.socket.bind(b_memory.socket);

    // 100 at time zero: from one initiator, and from as many threads, each with a checker between.
    const auto burst = random_accesses(6, 100, 64, 1 << 20, SC_ZERO_TIME);
    TestInitiator::Settings all_at_once;
    all_at_once.accesses = burst;
    Platform nb_burst("nb_burst", all_at_once, params);
    std::vector<std::unique_ptr<BlockingInitiator>> threads;
    ProtocolChecker joint("joint");
    MemoryTarget burst_memory("burst_memory", params);
    FanIn fan("fan", burst.size());
    fan.out.bind(joint.in);
    joint.out.bind(burst_memory.socket);
    for (std::size_t i = 0; i < burst.size(); ++i) {
        threads.push_back(std::make_unique<BlockingInitiator>(
            ("thread" + std::to_string(i)).c_str(), std::vector<TestAccess>{burst[i]}));
        threads.back()->socket.bind(fan.in[i]);
    }
    sc_core::sc_start();

    REQUIRE(b.records.size() == single.size());
    std::size_t different = 0;
    for (std::size_t i = 0; i < single.size(); ++i) {
        const auto& record = nb.initiator.records()[i];
        if (record.begin_req != b.records[i].begin || record.begin_resp != b.records[i].end) {
            ++different;
        }
    }
    CHECK(different == 0);
    for (std::size_t i = 0; i < burst.size(); ++i) {
        REQUIRE(threads[i]->records.size() == 1);
        CHECK(threads[i]->records[0].end == nb_burst.initiator.records()[i].begin_resp);
    }
    CHECK(nb.checker.violations() == std::vector<std::string>{});
    CHECK(nb_burst.checker.violations() == std::vector<std::string>{});
    CHECK(joint.violations() == std::vector<std::string>{});
    CHECK(joint.finished() == burst.size());
}

namespace {

// Random transactions over a small window, with a copy of it that says what every read must bring.
struct RandomTraffic {
    static constexpr std::uint64_t window = 1 << 16;

    RandomTraffic(std::uint64_t seed, std::size_t count, std::uint64_t tck_ps)
        : random(seed), expected(count), memory(window) {
        const auto some_time = [&](std::uint64_t most_ps) {
            return sc_time(static_cast<double>(random.below(most_ps + 1)), sc_core::SC_PS);
        };
        for (std::size_t i = 0; i < count; ++i) {
            TestAccess access;
            access.bytes = random.below(10) == 0 ? random.between(1, 4000) : random.between(1, 300);
            access.address = random.below(window - access.bytes);
            access.is_write = random.below(2) == 0;
            if (random.below(2) == 0) access.gap = some_time(20 * tck_ps);
            if (random.below(4) == 0) access.delay = some_time(20 * tck_ps);
            settings.accesses.push_back(access);
        }
        settings.most_outstanding = 200;
        settings.end_response = [this](std::size_t) {
            return static_cast<EndResponse>(random.below(3));
        };
        settings.response_time = [this, tck_ps, some_time](std::size_t) {
            return random.below(3) == 0 ? some_time(5 * tck_ps) : SC_ZERO_TIME;
        };
        settings.prepare = [this](std::size_t i, tlm::tlm_generic_payload& p) { prepare(i, p); };
        settings.examine = [this](std::size_t i, tlm::tlm_generic_payload& p) { examine(i, p); };
    }

    void prepare(std::size_t i, tlm::tlm_generic_payload& p) {
        unsigned char* const at = memory.data() + p.get_address();
        if (p.is_write()) {
            for (unsigned n = 0; n < p.get_data_length(); ++n) {
                at[n] = p.get_data_ptr()[n] = static_cast<unsigned char>(random.next());
            }
        } else {
            expected[i].assign(at, at + p.get_data_length());
        }
    }
    void examine(std::size_t i, tlm::tlm_generic_payload& p) {
        least_references = std::min(least_references, p.get_ref_count());
        if (!p.is_response_ok()) ++not_ok;
        if (p.is_write()) return;
        if (std::memcmp(p.get_data_ptr(), expected[i].data(), p.get_data_length()) != 0) ++wrong;
        expected[i].clear();
    }

    Random random;
    std::vector<std::vector<unsigned char>> expected;
    std::vector<unsigned char> memory;
    TestInitiator::Settings settings;
    std::size_t wrong = 0, not_ok = 0;
    int least_references = 99;
};

}  // namespace

TEST_CASE("100000 random transactions break no rule, lose no byte and return every payload") {
    constexpr std::size_t count = 25000;
    std::vector<std::unique_ptr<RandomTraffic>> traffic;
    std::vector<std::unique_ptr<Platform>> platforms;
    for (const auto& [memory, channels] :
         {std::pair{"hbm2-2000", 1U}, {"hbm3e-8000", 7U}, {"lpddr5-5500", 2U}, {"ddr3-2133", 4U}}) {
        TlmMemoryParams params = tlm_memory_params(memory, channels);
        if (channels == 2) params.mode = MemoryMode::fast;
        traffic.push_back(
            std::make_unique<RandomTraffic>(channels, count, params.dram.timing.tck_ps));
        platforms.push_back(std::make_unique<Platform>("p" + std::to_string(channels),
                                                       traffic.back()->settings, params));
    }
    sc_core::sc_start();
    for (std::size_t i = 0; i < platforms.size(); ++i) {
        const Platform& p = *platforms[i];
        INFO("platform " << i);
        CHECK(p.checker.violations() == std::vector<std::string>{});
        CHECK(p.checker.finished() == count);
        CHECK(p.checker.in_flight() == 0);
        CHECK(p.initiator.done());
        CHECK(traffic[i]->wrong == 0);
        CHECK(traffic[i]->not_ok == 0);
        CHECK(traffic[i]->least_references == 2);  // the initiator's and the target's
        CHECK(p.initiator.pool().out() == 0);
        CHECK(p.initiator.pool().created() <= 201);
    }
}
