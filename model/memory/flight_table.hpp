// Which lines are on their way from DRAM, and with which fetch: the tags of the MSHRs. Open
// addressing with linear probing; capacity is fixed. Four aligned lines lie together, because a
// request asks for lines that follow each other.
#pragma once

#include <cstdint>
#include <vector>

namespace diastole {

class FlightTable {
  public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    explicit FlightTable(std::uint32_t lines) : capacity_(lines) {
        std::size_t slots = 4;
        while (slots < std::size_t{lines} * 4) slots *= 2;
        slots_.resize(slots);
        mask_ = slots - 1;
    }

    [[nodiscard]] std::uint32_t size() const { return size_; }
    [[nodiscard]] std::uint32_t free() const { return capacity_ - size_; }

    [[nodiscard]] std::uint32_t find(std::uint64_t line) const {
        if (size_ == 0) return none;
        for (std::size_t i = home(line); slots_[i].fetch != none; i = (i + 1) & mask_) {
            if (slots_[i].line == line) return slots_[i].fetch;
        }
        return none;
    }
    // Precondition: free() > 0, the line is absent.
    void insert(std::uint64_t line, std::uint32_t fetch) {
        std::size_t i = home(line);
        while (slots_[i].fetch != none) i = (i + 1) & mask_;
        slots_[i] = {line, fetch};
        ++size_;
    }
    // Precondition: the line is present.
    void erase(std::uint64_t line) {
        std::size_t hole = home(line);
        while (slots_[hole].line != line || slots_[hole].fetch == none) hole = (hole + 1) & mask_;
        // Later entries of the same cluster move up, so that no probe ends too early.
        for (std::size_t i = (hole + 1) & mask_; slots_[i].fetch != none; i = (i + 1) & mask_) {
            if (((i - home(slots_[i].line)) & mask_) >= ((i - hole) & mask_)) {
                slots_[hole] = slots_[i];
                hole = i;
            }
        }
        slots_[hole].fetch = none;
        --size_;
    }

  private:
    struct Slot {
        std::uint64_t line = 0;
        std::uint32_t fetch = none;
    };
    [[nodiscard]] std::size_t home(std::uint64_t line) const {
        const std::uint64_t four = line / 4 * 0x9e3779b97f4a7c15ULL >> 32;
        return static_cast<std::size_t>(four * 4 + line % 4) & mask_;
    }

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
    std::uint32_t capacity_, size_ = 0;
};

}  // namespace diastole
