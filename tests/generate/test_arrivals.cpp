#include <catch2/catch.hpp>
#include <cmath>

#include "model/base/error.hpp"
#include "workloads/generate/arrivals.hpp"

using namespace diastole;

TEST_CASE("Poisson arrivals have the rate's mean gap and an exponential's spread") {
    PoissonArrivals arrivals(1000, 7);
    constexpr int count = 200'000;
    double sum = 0, squares = 0;
    int beyond_two_means = 0;
    Picoseconds last;
    for (int i = 0; i < count; ++i) {
        const Picoseconds at = arrivals.next();
        const double gap = static_cast<double>((at - last).count()) / 1e9;  // in means
        last = at;
        sum += gap;
        squares += gap * gap;
        beyond_two_means += gap > 2 ? 1 : 0;
    }
    // Five standard errors.
    CHECK(sum / count == Approx(1).margin(5 / std::sqrt(count)));
    CHECK(squares / count == Approx(2).margin(5 * std::sqrt(20.0 / count)));
    CHECK(beyond_two_means == Approx(count * std::exp(-2)).margin(5 * std::sqrt(count * 0.117)));
}

TEST_CASE("the schedule of arrivals comes from its seed alone") {
    PoissonArrivals a(50, 3), b(50, 3), other(50, 4);
    const Picoseconds first = a.next();
    CHECK(first == b.next());
    CHECK(first != other.next());
}

TEST_CASE("query sizes are drawn by their weights") {
    // MLPerf's DLRM-DCNv2 queries: 100 to 700 user-item pairs, 270 on average.
    const QuerySizes sizes = query_sizes_from("--s", "100:2,200:12,300:2,400,500,600,700");
    CHECK(sizes.mean() == Approx(270));
    CHECK(sizes.largest() == 700);
    Random random(9);
    double sum = 0;
    int of_200 = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t size = sizes.draw(random);
        sum += static_cast<double>(size);
        of_200 += size == 200 ? 1 : 0;
    }
    CHECK(sum / 20'000 == Approx(270).epsilon(0.02));
    CHECK(of_200 / 20'000.0 == Approx(0.6).margin(0.02));
}

TEST_CASE("a malformed list of query sizes is refused with what is wrong") {
    for (const char* text : {"", "0", "-3", "5:", "5:0", "1,,2", "x", "3,", "99999999999"}) {
        CAPTURE(text);
        CHECK_THROWS_WITH(query_sizes_from("--s", text), Catch::StartsWith("--s: expected N"));
    }
}
