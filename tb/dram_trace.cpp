// Traces of single requests, read line by line.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "model/base/error.hpp"
#include "tb/dram_traffic.hpp"
#include "workloads/graph/byte_source.hpp"

namespace diastole {
namespace {

// Three hours at 1 ns; later arrivals are a mistake, and their sums would leave 64 bits.
constexpr std::uint64_t last_cycle = 10'000'000'000'000;
constexpr std::size_t shown_of_a_line = 60;

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

class Trace final : public DramTraffic {
  public:
    Trace(const std::string& path, const DramSpace& space, std::uint64_t requests)
        : source_(open_file(path)), lines_(*source_), space_(space), left_(requests) {
        ahead_ = next(first_);
        if (!ahead_) throw TraceError(path + ": holds no request");
    }

    std::size_t read(DramAccess* out, std::size_t capacity) override {
        std::size_t count = 0;
        if (ahead_ && left_ > 0) {
            out[count++] = first_;
            ahead_ = false;
            --left_;
        }
        while (count < capacity && left_ > 0 && next(out[count])) {
            ++count;
            --left_;
        }
        return count;
    }
    [[nodiscard]] double progress() const override {
        const std::uint64_t size = source_->size();
        return size == 0 ? 0 : static_cast<double>(source_->position()) / static_cast<double>(size);
    }

  private:
    bool next(DramAccess& access) {
        std::string_view line;
        do {
            if (!lines_.next(line)) return false;
        } while (line.empty() || line[0] == '#' || std::all_of(line.begin(), line.end(), is_blank));
        parse(line, access);
        return true;
    }

    void parse(std::string_view line, DramAccess& access) {
        std::string_view rest = line;
        const std::string_view kind = word(rest);
        const std::string_view address = word(rest);
        const std::string_view cycle = word(rest);
        if ((kind != "R" && kind != "W") || address.empty() || !word(rest).empty()) malformed(line);
        access.is_write = kind == "W";
        access.atoms = 1;
        if (address.size() < 3 || address[0] != '0' || (address[1] | 0x20) != 'x' ||
            !number(address.substr(2), 16, access.address)) {
            malformed(line);
        }
        if (access.address >= space_.capacity) {
            fail(fmt::format("address 0x{:x} lies beyond the memory's {} bytes (0x{:x})",
                             access.address, space_.capacity, space_.capacity));
        }
        access.arrival = 0;
        if (cycle.empty()) return;
        if (!number(cycle, 10, access.arrival)) malformed(line);
        if (access.arrival > last_cycle) {
            fail(fmt::format("cycle {}: expected at most {}", access.arrival, last_cycle));
        }
        if (access.arrival < latest_) {
            fail(fmt::format("cycle {} comes after cycle {}: expected arrivals in order",
                             access.arrival, latest_));
        }
        latest_ = access.arrival;
    }

    // Takes the next word off `rest`; empty when there is none.
    static std::string_view word(std::string_view& rest) {
        std::size_t begin = 0;
        while (begin < rest.size() && is_blank(rest[begin])) ++begin;
        std::size_t end = begin;
        while (end < rest.size() && !is_blank(rest[end])) ++end;
        const std::string_view found = rest.substr(begin, end - begin);
        rest.remove_prefix(end);
        return found;
    }
    static bool number(std::string_view text, int base, std::uint64_t& value) {
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value, base);
        return error == std::errc() && stop == end;
    }

    [[noreturn]] void malformed(std::string_view line) const {
        std::string shown(line.substr(0, shown_of_a_line));
        for (char& c : shown) {
            if (c < ' ' || c > '~') c = '?';
        }
        if (line.size() > shown_of_a_line) shown += "...";
        fail(fmt::format(
            "expected 'R 0xADDRESS' or 'W 0xADDRESS', optionally with a cycle, got \"{}\"", shown));
    }
    [[noreturn]] void fail(const std::string& problem) const {
        throw TraceError(fmt::format("{}:{}: {}", source_->name(), lines_.line_number(), problem));
    }

    std::unique_ptr<ByteSource> source_;
    LineReader lines_;
    DramSpace space_;
    std::uint64_t left_;
    std::uint64_t latest_ = 0;
    DramAccess first_;  // read ahead, so that a trace without requests is found out at once
    bool ahead_ = false;
};

}  // namespace

std::unique_ptr<DramTraffic> open_dram_trace(const std::string& path, const DramSpace& space,
                                             std::uint64_t requests) {
    return std::make_unique<Trace>(path, space, requests);
}

}  // namespace diastole
