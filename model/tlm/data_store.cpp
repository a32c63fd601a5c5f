#include "model/tlm/data_store.hpp"

#include <algorithm>
#include <cstring>

namespace diastole {
namespace {

// Calls `action(page, offset, done, bytes)` for the part of a range in each page.
template <class Action>
void for_each_page(std::uint64_t address, std::uint64_t bytes, const Action& action) {
    for (std::uint64_t done = 0; done < bytes;) {
        const std::uint64_t offset = (address + done) % DataStore::page_bytes;
        const std::uint64_t part = std::min(bytes - done, DataStore::page_bytes - offset);
        action((address + done) / DataStore::page_bytes, offset, done, part);
        done += part;
    }
}

}  // namespace

void DataStore::read(std::uint64_t address, unsigned char* data, std::uint64_t bytes) const {
    for_each_page(
        address, bytes,
        [&](std::uint64_t number, std::uint64_t offset, std::uint64_t done, std::uint64_t part) {
            const auto page = pages_.find(number);
            if (page == pages_.end()) {
                std::memset(data + done, 0, part);
            } else {
                std::memcpy(data + done, page->second->data() + offset, part);
            }
        });
}

void DataStore::write(std::uint64_t address, const unsigned char* data, std::uint64_t bytes) {
    for_each_page(
        address, bytes,
        [&](std::uint64_t number, std::uint64_t offset, std::uint64_t done, std::uint64_t part) {
            std::unique_ptr<Page>& page = pages_[number];
            if (!page) page = std::make_unique<Page>();
            std::memcpy(page->data() + offset, data + done, part);
        });
}

}  // namespace diastole
