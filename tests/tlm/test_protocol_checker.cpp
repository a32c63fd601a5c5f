// The protocol checker objects to each broken rule, by name, and to nothing else.
#include <catch2/catch.hpp>
#include <memory>

#include "tests/tlm/blocking_initiator.hpp"
#include "tests/tlm/broken_target.hpp"
#include "tests/tlm/protocol_checker.hpp"

using namespace diastole::tlm_test;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

namespace {

sc_time ns(double count) {
    return {count, sc_core::SC_NS};
}

struct Broken {
    Broken(const std::string& name, Fault fault, TestInitiator::Settings settings)
        : initiator((name + "_i").c_str(), std::move(settings)),
          checker((name + "_c").c_str()),
          target((name + "_t").c_str(), fault) {
        initiator.socket.bind(checker.in);
        checker.out.bind(target.socket);
    }
    TestInitiator initiator;
    ProtocolChecker checker;
    BrokenTarget target;
};

// Four writes whose responses end on the forward path a little later.
TestInitiator::Settings patient() {
    TestInitiator::Settings settings;
    settings.accesses.assign(4, {64, 4, true, ns(1), ns(1)});
    settings.end_response = [](std::size_t) { return EndResponse::later; };
    settings.response_time = [](std::size_t) { return ns(5); };
    return settings;
}

}  // namespace

TEST_CASE("the protocol checker names the rule that a target breaks") {
    struct Case {
        Fault fault;
        const char* rule;
    };
    const std::vector<Case> cases = {
        {Fault::none, ""},
        {Fault::two_request_ends, "END_REQ out of order"},
        {Fault::request_end_after_response, "END_REQ out of order"},
        {Fault::two_responses, "BEGIN_RESP out of order"},
        {Fault::responses_overlap, "response exclusion"},
        {Fault::response_without_status, "status incomplete at BEGIN_RESP"},
        {Fault::changes_address, "attributes changed"},
        {Fault::changes_written_data, "written data changed"},
        {Fault::changes_status_later, "status changed after BEGIN_RESP"},
        {Fault::returns_wrong_phase, "TLM_UPDATED to a phase that does not follow"},
        {Fault::accepts_with_new_phase, "TLM_ACCEPTED with a new phase or time"},
        {Fault::shortens_the_delay, "time annotation made shorter"},
        {Fault::goes_back_in_time, "back in time"},
        {Fault::ends_the_response_itself, "not a phase of the target"},
        {Fault::speaks_of_a_stranger, "phase of an unknown transaction"},
        {Fault::releases_too_often, "no reference held"},
        {Fault::completes_without_status, "status incomplete at completion"},
    };
    std::vector<std::unique_ptr<Broken>> all;
    for (const Case& c : cases) {
        TestInitiator::Settings settings = patient();
        // Where the fault ends the request in an unusual way, one transaction tells enough.
        if (c.fault == Fault::releases_too_often || c.fault == Fault::returns_wrong_phase) {
            settings.accesses.resize(1);
        }
        if (c.fault == Fault::releases_too_often) {  // there is no reference left to release
            settings.response_time = [](std::size_t) { return ns(1e6); };
        }
        all.push_back(
            std::make_unique<Broken>("b" + std::to_string(all.size()), c.fault, settings));
    }
    try {
        sc_core::sc_start(ns(1000));
    } catch (const sc_core::sc_report& report) {
        FAIL(report.what());
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const ProtocolChecker& checker = all[i]->checker;
        INFO("fault " << i << ", expected: " << cases[i].rule);
        CAPTURE(checker.violations());
        if (cases[i].fault == Fault::none) {
            CHECK(checker.violations().empty());
            CHECK(checker.finished() == 4);
        } else {
            CHECK(checker.saw(cases[i].rule));
        }
    }
}

TEST_CASE("the protocol checker names the rule that an initiator breaks") {
    struct Rogue : sc_core::sc_module {
        tlm_utils::simple_initiator_socket<Rogue> socket{"socket"};
        PayloadPool pool;
        ProtocolChecker* checker = nullptr;
        std::size_t objections = 0;
        explicit Rogue(const sc_core::sc_module_name& name) : sc_module(name) {
            SC_HAS_PROCESS(Rogue);
            SC_THREAD(run);
            socket.register_nb_transport_bw(this, &Rogue::backward);
        }
        tlm::tlm_sync_enum backward(tlm::tlm_generic_payload&, tlm::tlm_phase& phase, sc_time&) {
            // END_REQ must not be answered by an update.
            if (phase == tlm::END_REQ && updates_wrongly) {
                phase = tlm::BEGIN_RESP;
                return tlm::TLM_UPDATED;
            }
            return tlm::TLM_ACCEPTED;
        }
        bool updates_wrongly = false;

        tlm::tlm_generic_payload& request() {
            tlm::tlm_generic_payload& payload = pool.get(4);
            payload.set_write();
            return payload;
        }
        void send(tlm::tlm_generic_payload& payload, tlm::tlm_phase phase) {
            sc_time delay = SC_ZERO_TIME;
            socket->nb_transport_fw(payload, phase, delay);
        }
        void expect(const char* rule) {
            INFO(rule);
            CHECK(checker->saw(rule));
            ++objections;
        }
        void run() {
            tlm::tlm_generic_payload& first = request();
            send(first, tlm::BEGIN_REQ);
            CHECK(checker->violations().empty());
            send(first, tlm::END_RESP);
            expect("END_RESP out of order");
            send(request(), tlm::BEGIN_REQ);
            expect("request exclusion");
            wait(ns(100));
            tlm::tlm_generic_payload& second = request();
            send(second, tlm::BEGIN_REQ);
            send(second, tlm::BEGIN_REQ);
            expect("BEGIN_REQ of a transaction under way");
            wait(ns(100));
            tlm::tlm_generic_payload& third = request();
            third.set_response_status(tlm::TLM_OK_RESPONSE);
            third.set_dmi_allowed(true);
            send(third, tlm::BEGIN_REQ);
            expect("status not incomplete at BEGIN_REQ");
            expect("DMI hint set at BEGIN_REQ");
            wait(ns(100));
            updates_wrongly = true;
            tlm::tlm_generic_payload& fourth = request();
            send(fourth, tlm::BEGIN_REQ);
            fourth.set_data_length(3);
            wait(ns(100));
            expect("attributes changed");
            expect("TLM_UPDATED to a phase that does not follow");
            send(fourth, tlm::BEGIN_RESP);
            expect("not a phase of the initiator");
        }
    } rogue("rogue");
    ProtocolChecker checker("checker");
    BrokenTarget target("target", Fault::none);
    rogue.checker = &checker;
    rogue.socket.bind(checker.in);
    checker.out.bind(target.socket);
    sc_core::sc_start(ns(1000));
    CHECK(rogue.objections == 8);
}

TEST_CASE("the protocol checker watches blocking transport too") {
    std::vector<std::unique_ptr<sc_core::sc_module>> modules;
    std::vector<ProtocolChecker*> checkers;
    for (const Fault fault :
         {Fault::none, Fault::completes_without_status, Fault::changes_address}) {
        const std::string name = "b" + std::to_string(checkers.size());
        auto initiator = std::make_unique<BlockingInitiator>(
            (name + "_i").c_str(), std::vector<TestAccess>{{64, 4, true, ns(1), ns(1)}});
        auto checker = std::make_unique<ProtocolChecker>((name + "_c").c_str());
        auto target = std::make_unique<BrokenTarget>((name + "_t").c_str(), fault);
        initiator->socket.bind(checker->in);
        checker->out.bind(target->socket);
        checkers.push_back(checker.get());
        modules.push_back(std::move(initiator));
        modules.push_back(std::move(checker));
        modules.push_back(std::move(target));
    }
    sc_core::sc_start();
    CHECK(checkers[0]->violations().empty());
    CHECK(checkers[0]->finished() == 1);
    CHECK(checkers[1]->saw("status incomplete at completion"));
    CHECK(checkers[2]->saw("attributes changed"));
}
