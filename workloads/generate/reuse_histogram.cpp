#include "workloads/generate/reuse_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <locale>
#include <sstream>

#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "model/base/units.hpp"

namespace diastole {
namespace {

// The published fractions have three digits: below 20 units of the last place a unique fraction is
// off by more than 2.5 %, and the middle of the bin says more.
constexpr double least_unique_fraction = 0.020;

struct CsvLine {
    std::string dataset;
    ReuseBin bin;
};

CsvLine parse_line(const std::string& file, std::size_t number, const std::string& line) {
    const auto fail = [&](const std::string& expected) {
        return TraceError(file + ":" + std::to_string(number) + ": expected " + expected);
    };
    std::vector<std::string> cells;
    std::istringstream split(line);
    for (std::string cell; std::getline(split, cell, ',');) cells.push_back(cell);
    if (cells.size() != 5) throw fail("five cells, got " + std::to_string(cells.size()));
    const auto number_of = [&](const std::string& cell) {
        std::istringstream in(cell);
        in.imbue(std::locale::classic());
        double value = 0;
        if (!(in >> value) || in.peek() != std::char_traits<char>::eof() || value < 0) {
            throw fail("a number that is not negative, got '" + cell + "'");
        }
        return value;
    };
    CsvLine result;
    result.dataset = cells[0];
    result.bin.low = static_cast<std::uint64_t>(number_of(cells[1]));
    result.bin.high = cells[2] == "inf" ? 0 : static_cast<std::uint64_t>(number_of(cells[2]));
    result.bin.unique_fraction = number_of(cells[3]);
    result.bin.access_fraction = number_of(cells[4]);
    if (result.bin.high != 0 && result.bin.high <= result.bin.low) {
        throw fail("an upper end above the lower one");
    }
    if (result.bin.unique_fraction > 1 || result.bin.access_fraction > 1) {
        throw fail("fractions of at most 1");
    }
    return result;
}

void check(const std::string& location, const ReuseHistogram& histogram) {
    double accesses = 0;
    double unique = 0;
    for (std::size_t i = 0; i < histogram.size(); ++i) {
        accesses += histogram[i].access_fraction;
        unique += histogram[i].unique_fraction;
        if (i > 0 && histogram[i].low != histogram[i - 1].high) {
            throw TraceError(location + ": bins do not adjoin at reuse " +
                             std::to_string(histogram[i].low));
        }
    }
    if (std::abs(accesses - 1) > 0.02 || std::abs(unique - 1) > 0.02) {
        throw TraceError(location + ": expected fractions that sum to 1");
    }
    const ReuseBin& first = histogram.front();
    if (first.low != 0 || first.high != 1 || first.unique_fraction <= 0 ||
        first.access_fraction <= 0) {
        throw TraceError(location + ": expected a first bin (0, 1] that is not empty");
    }
}

}  // namespace

ReuseHistogram read_reuse_histogram(const std::string& location) {
    const std::size_t hash = location.rfind('#');
    if (hash == std::string::npos) {
        throw ConfigError(location + ": expected file#dataset");
    }
    const std::string file = location.substr(0, hash);
    const std::string dataset = location.substr(hash + 1);
    std::ifstream in(file);
    if (!in) throw ConfigError(file + ": cannot be read (reuse histogram)");
    ReuseHistogram histogram;
    std::vector<std::string> datasets;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (number == 1 || line.empty() || line.front() == '#') continue;
        const CsvLine parsed = parse_line(file, number, line);
        if (parsed.dataset == dataset) histogram.push_back(parsed.bin);
        if (datasets.empty() || datasets.back() != parsed.dataset) {
            datasets.push_back(parsed.dataset);
        }
    }
    if (histogram.empty()) {
        throw ConfigError(file + ": has no dataset '" + dataset + "'" +
                          did_you_mean(dataset, datasets));
    }
    check(location, histogram);
    return histogram;
}

namespace {

// Rows of a bin that gets `own` accesses of its own and `more` that hotter bins could not take.
std::uint64_t rows_of(const ReuseBin& bin, double own, double more, std::uint64_t accesses,
                      double mean_reuse, std::uint64_t bags) {
    const std::uint64_t least = bin.low + 1;
    const std::uint64_t high = bin.high == 0 ? std::max(least, bags) : bin.high;
    const auto hottest = static_cast<double>(std::min(high, std::max(bags, least)));
    // Accesses per row: as published, or the geometric middle of the bin.
    const double reuse = bin.unique_fraction >= least_unique_fraction
                             ? bin.access_fraction / bin.unique_fraction * mean_reuse
                             : std::sqrt(static_cast<double>(least) *
                                         static_cast<double>(bin.high == 0 ? 2 * least : bin.high));
    const double wanted = own / std::min(reuse, hottest) + more / hottest;
    const std::uint64_t most = accesses / least;
    const std::uint64_t fewest = ceil_div(accesses, static_cast<std::uint64_t>(hottest));
    return std::min(most, std::max(fewest, static_cast<std::uint64_t>(wanted + 0.5)));
}

}  // namespace

std::vector<ReuseClass> reuse_classes(const ReuseHistogram& histogram, std::uint64_t lookups,
                                      std::uint64_t bags) {
    double sum = 0;
    for (const ReuseBin& bin : histogram) sum += bin.access_fraction;
    // Rows touched once carry exactly their own number of accesses.
    const double mean_reuse = histogram.front().unique_fraction / histogram.front().access_fraction;
    std::vector<ReuseClass> classes;
    double ideal = 0;            // accesses that all bins so far should have
    std::uint64_t assigned = 0;  // and those they have
    std::uint64_t rows = 0;
    for (auto bin = histogram.rbegin(); bin != histogram.rend(); ++bin) {
        const bool last = bin + 1 == histogram.rend();
        const double own = bin->access_fraction / sum * static_cast<double>(lookups);
        ideal += own;
        const std::uint64_t target =
            last ? lookups : std::min(lookups, static_cast<std::uint64_t>(ideal + 0.5));
        const std::uint64_t accesses = target > assigned ? target - assigned : 0;
        if (accesses < bin->low + 1 || (bin->low >= bags && !last)) continue;
        const double more = std::max(0.0, static_cast<double>(accesses) - own);
        const std::uint64_t count =
            rows_of(*bin, static_cast<double>(accesses) - more, more, accesses, mean_reuse, bags);
        classes.push_back({assigned, accesses, rows, count});
        assigned += accesses;
        rows += count;
    }
    return classes;
}

}  // namespace diastole
