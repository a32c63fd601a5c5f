// An initiator, the protocol checker and the memory, bound to each other.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "model/tlm/memory_target.hpp"
#include "tests/tlm/protocol_checker.hpp"
#include "tests/tlm/test_initiator.hpp"

namespace diastole::tlm_test {

struct Platform {
    Platform(const std::string& name, TestInitiator::Settings settings,
             const TlmMemoryParams& params)
        : initiator((name + "_initiator").c_str(), std::move(settings)),
          checker((name + "_checker").c_str()),
          memory((name + "_memory").c_str(), params) {
        initiator.socket.bind(checker.in);
        checker.out.bind(memory.socket);
    }
    // Of a time, in cycles of the memory clock; rounds down.
    [[nodiscard]] std::uint64_t tick(const sc_core::sc_time& time) const {
        return time.value() / memory.clock_period().value();
    }
    // The time from the end of the request to its response, in cycles.
    [[nodiscard]] std::uint64_t latency(std::size_t access) const {
        const TestInitiator::Record& r = initiator.records()[access];
        return tick(r.begin_resp - r.end_req);
    }

    TestInitiator initiator;
    ProtocolChecker checker;
    MemoryTarget memory;
};

inline sc_core::sc_time ns(double count) {
    return {count, sc_core::SC_NS};
}

}  // namespace diastole::tlm_test
