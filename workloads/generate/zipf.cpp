#include "workloads/generate/zipf.hpp"

#include <algorithm>

#include "model/base/math.hpp"

namespace diastole {
namespace {

// Length of a block over its place: 1/64 keeps the weights of a block within s/64 of each other.
constexpr double blocks_per_place = 64;

// The tail whose whole mass is below this part of the total becomes one block: it is so rarely
// drawn that its rejections cost nothing.
constexpr double negligible_mass = 1e-12;

// A probability in 2^-64; 1 becomes the largest.
std::uint64_t fixed_point(double probability) {
    if (probability >= 1) return ~std::uint64_t{0};
    return static_cast<std::uint64_t>(probability * 0x1p64);
}

}  // namespace

Zipf::Zipf(std::uint64_t n, double q, double s) : q_(q), s_(s) {
    std::vector<double> mass;
    double total = 0;
    for (std::uint64_t x = 1; x <= n;) {
        const std::uint64_t left = n - x + 1;
        const double first_weight = weight(x);
        const double fitting = (static_cast<double>(x) + q) / (blocks_per_place * std::max(s, 1.0));
        Block block;
        block.first = x;
        block.length = fitting < 1                            ? 1
                       : fitting >= static_cast<double>(left) ? left
                                                              : static_cast<std::uint64_t>(fitting);
        if (static_cast<double>(left) * first_weight < negligible_mass * total) block.length = left;
        if (first_weight > 0) {
            block.sure = block.length == 1
                             ? ~std::uint64_t{0}
                             : fixed_point(weight(x + block.length - 1) / first_weight);
            mass.push_back(static_cast<double>(block.length) * first_weight);
            total += mass.back();
            blocks_.push_back(block);
        }
        x += block.length;
    }
    build_aliases(mass);
}

// Vose's construction. Columns hold the mean mass; one with less is filled up from one with more.
void Zipf::build_aliases(const std::vector<double>& mass) {
    double total = 0;
    for (const double m : mass) total += m;
    std::vector<double> scaled;
    std::vector<std::uint32_t> small, large;
    for (std::uint32_t i = 0; i < mass.size(); ++i) {
        scaled.push_back(mass[i] / total * static_cast<double>(mass.size()));
        (scaled[i] < 1 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
        const std::uint32_t poor = small.back();
        const std::uint32_t rich = large.back();
        small.pop_back();
        blocks_[poor].keep = fixed_point(scaled[poor]);
        blocks_[poor].alias = rich;
        scaled[rich] -= 1 - scaled[poor];
        if (scaled[rich] < 1) {
            large.pop_back();
            small.push_back(rich);
        }
    }
    for (const auto* rest : {&small, &large}) {  // 1 up to rounding
        for (const std::uint32_t i : *rest) {
            blocks_[i].keep = ~std::uint64_t{0};
            blocks_[i].alias = i;
        }
    }
}

bool Zipf::accepts(const Block& block, std::uint64_t x, std::uint64_t u) const {
    return static_cast<double>(u) * 0x1p-64 * weight(block.first) < weight(x);
}

double Zipf::weight(std::uint64_t x) const {
    return s_ == 0 ? 1 : math::pow(static_cast<double>(x) + q_, -s_);
}

RankedRows::RankedRows(std::uint64_t rows, double q, double s,
                       const std::vector<double>& heavy_hitters)
    : rest_(rows - heavy_hitters.size()), tail_(std::max<std::uint64_t>(rest_, 1), q, s) {
    double sum = 0;
    for (const double probability : heavy_hitters) cumulative_.push_back(sum += probability);
}

std::uint64_t RankedRows::heavy_hitter(double u) const {
    const auto hit = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, u);
    return static_cast<std::uint64_t>(hit - cumulative_.begin());
}

}  // namespace diastole
