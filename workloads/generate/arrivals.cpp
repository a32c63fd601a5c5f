#include "workloads/generate/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/base/error.hpp"
#include "model/base/math.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t largest_number = 1'000'000'000;

std::uint64_t number_in(const std::string& option, const std::string& text) {
    std::uint64_t value = 0;
    bool good = !text.empty() && text.size() <= 10;
    for (const char c : text) {
        good = good && c >= '0' && c <= '9';
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (good && value >= 1 && value <= largest_number) return value;
    throw ConfigError(option + ": expected N or N:WEIGHT,N:WEIGHT,..., whole numbers from 1 to " +
                      std::to_string(largest_number) + "; got '" + text + '\'');
}

}  // namespace

Picoseconds exponential_time(Random& random, double mean_picoseconds) {
    return Picoseconds(static_cast<std::uint64_t>(
        std::llround(-mean_picoseconds * math::log(1.0 - random.unit()))));
}

QuerySizes::QuerySizes(std::vector<Size> sizes) : sizes_(std::move(sizes)), weights_(0) {
    for (const Size& size : sizes_) weights_ += size.weight;
}

std::uint64_t QuerySizes::draw(Random& random) const {
    if (sizes_.size() == 1) return sizes_.front().samples;
    std::uint64_t point = random.below(weights_);
    for (const Size& size : sizes_) {
        if (point < size.weight) return size.samples;
        point -= size.weight;
    }
    return sizes_.back().samples;
}

double QuerySizes::mean() const {
    double sum = 0;
    for (const Size& size : sizes_) {
        sum += static_cast<double>(size.samples) * static_cast<double>(size.weight);
    }
    return sum / static_cast<double>(weights_);
}

std::uint64_t QuerySizes::largest() const {
    return std::max_element(sizes_.begin(), sizes_.end(),
                            [](const Size& a, const Size& b) { return a.samples < b.samples; })
        ->samples;
}

QuerySizes query_sizes_from(const std::string& option, const std::string& text) {
    std::vector<QuerySizes::Size> sizes;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        const std::size_t colon = part.find(':');
        QuerySizes::Size size;
        size.samples = number_in(option, part.substr(0, colon));
        if (colon != std::string::npos) size.weight = number_in(option, part.substr(colon + 1));
        sizes.push_back(size);
        begin = end + 1;
    }
    return QuerySizes(std::move(sizes));
}

PoissonArrivals::PoissonArrivals(double rate, std::uint64_t seed)
    : mean_gap_(1e12 / rate), gaps_(Random(seed).fork(1)) {}

Picoseconds PoissonArrivals::next() {
    now_ += exponential_time(gaps_, mean_gap_);
    return now_;
}

}  // namespace diastole
