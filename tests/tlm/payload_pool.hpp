// The memory manager of the tests' initiators: hands out generic payloads with room for data and
// takes them back when their last reference is gone.
#pragma once

#include <memory>
#include <tlm>
#include <unordered_map>
#include <vector>

namespace diastole::tlm_test {

class PayloadPool : public tlm::tlm_mm_interface {
  public:
    PayloadPool() = default;
    ~PayloadPool() override = default;

    // With one reference, which is the caller's; data of `bytes`, all zero.
    tlm::tlm_generic_payload& get(std::size_t bytes) {
        if (free_.empty()) {
            all_.push_back(std::make_unique<Item>());
            all_.back()->payload.set_mm(this);
            items_[&all_.back()->payload] = all_.back().get();
            free_.push_back(all_.back().get());
        }
        Item& item = *free_.back();
        free_.pop_back();
        item.data.assign(bytes, 0);
        item.payload.acquire();
        item.payload.set_data_ptr(item.data.data());
        item.payload.set_data_length(static_cast<unsigned>(bytes));
        item.payload.set_streaming_width(static_cast<unsigned>(bytes));
        item.payload.set_byte_enable_ptr(nullptr);
        item.payload.set_byte_enable_length(0);
        item.payload.set_dmi_allowed(false);
        item.payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        return item.payload;
    }
    void free(tlm::tlm_generic_payload* payload) override {
        payload->reset();
        free_.push_back(items_.at(payload));
    }

    [[nodiscard]] std::size_t created() const { return all_.size(); }
    [[nodiscard]] std::size_t out() const { return all_.size() - free_.size(); }

  private:
    struct Item {
        tlm::tlm_generic_payload payload;
        std::vector<unsigned char> data;
    };
    std::vector<std::unique_ptr<Item>> all_;
    std::vector<Item*> free_;
    std::unordered_map<tlm::tlm_generic_payload*, Item*> items_;
};

}  // namespace diastole::tlm_test
