// When queries arrive and how large they are: the server scenario of MLPerf's LoadGen. Gaps are
// exponential at the target rate and the whole schedule comes from one seeded stream, so that it
// does not depend on what is served; it is drawn as it is needed, in constant memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/base/random.hpp"
#include "model/base/units.hpp"

namespace diastole {

// -mean * ln(u), u uniform in (0, 1], rounded to the nearest picosecond.
Picoseconds exponential_time(Random& random, double mean_picoseconds);

// How many samples a query asks for: sizes with weights.
class QuerySizes {
  public:
    struct Size {
        std::uint64_t samples = 1, weight = 1;
    };
    QuerySizes() = default;
    // Precondition: not empty, samples and weights > 0.
    explicit QuerySizes(std::vector<Size> sizes);

    std::uint64_t draw(Random& random) const;
    [[nodiscard]] double mean() const;
    [[nodiscard]] std::uint64_t largest() const;
    [[nodiscard]] const std::vector<Size>& sizes() const { return sizes_; }

  private:
    std::vector<Size> sizes_{Size{}};
    std::uint64_t weights_ = 1;
};

// "270", or sizes with their weights: "100:2,200:12,300:2,400:1". Throws ConfigError that begins
// with `option`.
QuerySizes query_sizes_from(const std::string& option, const std::string& text);

class PoissonArrivals {
  public:
    // Precondition: rate (queries per second) > 0.
    PoissonArrivals(double rate, std::uint64_t seed);
    Picoseconds next();

  private:
    double mean_gap_;  // picoseconds
    Random gaps_;
    Picoseconds now_;
};

}  // namespace diastole
