// Sends a list of accesses by b_transport from one thread, one after another.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <functional>
#include <systemc>
#include <tlm>
#include <utility>
#include <vector>

#include "tests/tlm/test_initiator.hpp"

namespace diastole::tlm_test {

class BlockingInitiator : public sc_core::sc_module {
  public:
    tlm_utils::simple_initiator_socket<BlockingInitiator> socket{"socket"};

    struct Record {
        sc_core::sc_time begin, end;
        tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;
    };

    BlockingInitiator(const sc_core::sc_module_name& name, std::vector<TestAccess> accesses)
        : sc_module(name), accesses_(std::move(accesses)) {
        SC_HAS_PROCESS(BlockingInitiator);
        SC_THREAD(run);
    }

    std::vector<Record> records;
    std::function<void(std::size_t, tlm::tlm_generic_payload&)> prepare, examine;

  private:
    void run() {
        for (std::size_t i = 0; i < accesses_.size(); ++i) {
            const TestAccess& access = accesses_[i];
            if (access.gap != sc_core::SC_ZERO_TIME) wait(access.gap);
            std::vector<unsigned char> data(access.bytes);
            tlm::tlm_generic_payload payload;  // without memory manager: b_transport needs none
            payload.set_address(access.address);
            payload.set_command(access.is_write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
            payload.set_data_ptr(data.data());
            payload.set_data_length(static_cast<unsigned>(access.bytes));
            payload.set_streaming_width(static_cast<unsigned>(access.bytes));
            if (prepare) prepare(i, payload);
            sc_core::sc_time delay = access.delay;
            Record record;
            record.begin = sc_core::sc_time_stamp() + delay;
            socket->b_transport(payload, delay);
            record.end = sc_core::sc_time_stamp() + delay;
            record.status = payload.get_response_status();
            if (examine) examine(i, payload);
            records.push_back(record);
        }
    }

    std::vector<TestAccess> accesses_;
};

}  // namespace diastole::tlm_test
