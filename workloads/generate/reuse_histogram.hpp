// How often rows are touched within one batch, as measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/base/units.hpp"

namespace diastole {

struct ReuseBin {
    std::uint64_t low = 0, high = 0;  // reuse counts in (low, high]; high 0: no upper end
    double unique_fraction = 0;       // of the unique rows
    double access_fraction = 0;       // of all accesses
};
using ReuseHistogram = std::vector<ReuseBin>;

// Reads one dataset of a CSV file with the columns dataset, bin_low_exclusive, bin_high_inclusive,
// fraction_of_unique_rows, fraction_of_accesses. `location` is `file#dataset`. Throws TraceError
// (file and line) on a malformed line, ConfigError on an unknown dataset or a missing file.
ReuseHistogram read_reuse_histogram(const std::string& location);

// A batch of one table with that histogram: `rows` rows share `accesses` accesses, each of them
// touched floor or ceil of accesses / rows times, which lies within the bin.
struct ReuseClass {
    std::uint64_t first_access = 0, accesses = 0;
    std::uint64_t first_row = 0, rows = 0;

    // The row that an access of the class goes to. Precondition: it is one of the class.
    [[nodiscard]] std::uint64_t row_of(std::uint64_t access) const {
        const std::uint64_t offset = access - first_access;
        if (rows == accesses) return first_row + offset;
        // The product of two numbers below 2^32 fits; a wider division takes twice as long.
        if (accesses >> 32 == 0) return first_row + offset * rows / accesses;
        return first_row + mul_div_floor(offset, rows, accesses);
    }
};

// The classes of `lookups` accesses in `bags` bags, the hottest first. The accesses of a bin follow
// its access fraction; its rows follow the unique fraction where that has digits to speak of, else
// the bin's middle. No row is touched more often than there are bags (in the published data the
// batch size bounds the reuse as well): accesses of bins beyond that, and those too few for even
// one row of their bin, go to the bin below, to rows as hot as it allows.
std::vector<ReuseClass> reuse_classes(const ReuseHistogram& histogram, std::uint64_t lookups,
                                      std::uint64_t bags);

}  // namespace diastole
