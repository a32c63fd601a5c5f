// The waiting requests of one pseudo-channel: a list for each bank and kind, in order of arrival.
#pragma once

#include <cstdint>
#include <vector>

namespace diastole {

struct DramEntry {
    std::uint64_t age = 0;  // order of arrival
    std::uint32_t row = 0, column = 0;
    std::uint32_t atoms = 0;  // still to transfer
    std::uint32_t tag = 0;
    std::uint32_t next = 0, previous = 0;
    bool is_write = false;
};

class DramQueues {
  public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    DramQueues(std::uint32_t banks, std::uint32_t capacity)
        : banks_(banks), ends_(std::size_t{2} * banks) {
        entries_.reserve(capacity);
    }

    [[nodiscard]] DramEntry& operator[](std::uint32_t entry) { return entries_[entry]; }
    [[nodiscard]] const DramEntry& operator[](std::uint32_t entry) const { return entries_[entry]; }
    [[nodiscard]] std::uint32_t head(std::uint32_t list, std::uint32_t bank) const {
        return ends_[list * banks_ + bank].head;
    }
    [[nodiscard]] bool empty(std::uint32_t bank) const {
        return head(0, bank) == none && head(1, bank) == none;
    }
    // The oldest request of the list that goes to this row.
    [[nodiscard]] std::uint32_t oldest_to(std::uint32_t list, std::uint32_t bank,
                                          std::int64_t row) const {
        std::uint32_t entry = head(list, bank);
        while (entry != none && entries_[entry].row != row) entry = entries_[entry].next;
        return entry;
    }

    // The oldest request of the list that goes to another row.
    [[nodiscard]] std::uint32_t oldest_beside(std::uint32_t list, std::uint32_t bank,
                                              std::int64_t row) const {
        std::uint32_t entry = head(list, bank);
        while (entry != none && entries_[entry].row == row) entry = entries_[entry].next;
        return entry;
    }

    std::uint32_t push(std::uint32_t list, std::uint32_t bank, const DramEntry& request) {
        std::uint32_t entry = free_;
        if (entry != none) {
            free_ = entries_[entry].next;
        } else {
            entry = static_cast<std::uint32_t>(entries_.size());
            entries_.emplace_back();
        }
        Ends& ends = ends_[list * banks_ + bank];
        entries_[entry] = request;
        entries_[entry].next = none;
        entries_[entry].previous = ends.tail;
        (ends.tail == none ? ends.head : entries_[ends.tail].next) = entry;
        ends.tail = entry;
        return entry;
    }
    void remove(std::uint32_t list, std::uint32_t bank, std::uint32_t entry) {
        DramEntry& e = entries_[entry];
        Ends& ends = ends_[list * banks_ + bank];
        (e.previous == none ? ends.head : entries_[e.previous].next) = e.next;
        (e.next == none ? ends.tail : entries_[e.next].previous) = e.previous;
        e.next = free_;
        free_ = entry;
    }

  private:
    struct Ends {
        std::uint32_t head = none, tail = none;
    };
    std::uint32_t banks_;
    std::vector<Ends> ends_;
    std::vector<DramEntry> entries_;
    std::uint32_t free_ = none;
};

}  // namespace diastole
