#include <catch2/catch.hpp>
#include <cmath>

#include "model/base/math.hpp"
#include "model/base/random.hpp"

using namespace diastole;

namespace {

double relative(double got, double expected) {
    return expected == 0 ? std::abs(got) : std::abs((got - expected) / expected);
}

}  // namespace

TEST_CASE("the project's own log, exp and pow agree with the library's within 1e-12") {
    Random random(1);
    double worst_log = 0, worst_exp = 0, worst_pow = 0;
    for (int i = 0; i < 200000; ++i) {
        const double x =
            std::ldexp(random.unit() + 0.5, static_cast<int>(random.between(0, 120)) - 60);
        const double near_one = 1 + (random.unit() - 0.5) * 1e-3;
        const double y = (random.unit() - 0.5) * 1400;
        worst_log = std::max({worst_log, relative(math::log(x), std::log(x)),
                              relative(math::log(near_one), std::log(near_one))});
        worst_exp = std::max(worst_exp, relative(math::exp(y), std::exp(y)));
        const double power = (random.unit() - 0.5) * 20;
        worst_pow = std::max(worst_pow, relative(math::pow(x, power), std::pow(x, power)));
    }
    CHECK(worst_log < 1e-15);
    CHECK(worst_exp < 1e-15);
    CHECK(worst_pow < 1e-12);
}

TEST_CASE("log and exp behave at the edges of their range") {
    CHECK(math::log(1.0) == 0.0);
    CHECK(math::exp(0.0) == 1.0);
    CHECK(math::exp(-1000) == 0.0);
    CHECK(std::isinf(math::exp(1000)));
    CHECK(std::isinf(math::log(0.0)));
    CHECK(std::isnan(math::log(-1.0)));
}
