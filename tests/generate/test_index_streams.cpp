#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "model/base/error.hpp"
#include "tests/generate/streams.hpp"
#include "tests/paths.hpp"
#include "workloads/generate/permutation.hpp"
#include "workloads/generate/zipf.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

// Pearson's statistic of counts against probabilities, and what it may reach: mean plus five
// standard deviations of a chi-square with as many degrees of freedom.
void check_chi_square(const std::vector<double>& counts, const std::vector<double>& probabilities,
                      double draws) {
    double statistic = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double expected = probabilities[i] * draws;
        statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    const auto freedom = static_cast<double>(counts.size() - 1);
    CHECK(statistic < freedom + 5 * std::sqrt(2 * freedom));
}

std::string shared_file(const std::string& name) {
    namespace fs = std::filesystem;
    if (const char* root = std::getenv("DIASTOLE_SHARED"); root != nullptr) {
        return (fs::path(root) / name).string();
    }
    for (fs::path p = source_dir(); p.has_relative_path(); p = p.parent_path()) {
        if (fs::exists(p / "shared" / name)) return (p / "shared" / name).string();
    }
    return {};
}

}  // namespace

TEST_CASE("a permutation is one to one on any range and differs with its seed") {
    for (const std::uint64_t n : {1ULL, 2ULL, 3ULL, 7ULL, 64ULL, 65ULL, 1000ULL, 4097ULL}) {
        const Permutation permutation(n, Random(n));
        std::set<std::uint64_t> seen;
        for (std::uint64_t i = 0; i < n; ++i) seen.insert(permutation(i));
        CHECK(seen.size() == n);
        CHECK(*seen.rbegin() == n - 1);
    }
    const Permutation a(1000, Random(1)), b(1000, Random(2));
    int equal = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) equal += a(i) == b(i) ? 1 : 0;
    CHECK(equal < 20);
}

TEST_CASE("a permutation scatters neighbours over the whole range") {
    const std::uint64_t n = 40'000'000;
    const Permutation permutation(n, Random(3));
    std::vector<double> counts(100), probabilities(100, 0.01);
    for (std::uint64_t i = 0; i < 100000; ++i) counts[permutation(i) / (n / 100)] += 1;
    for (const double count : counts) CHECK(count == Approx(1000).epsilon(0.25));
    double distance = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        distance +=
            std::abs(static_cast<double>(permutation(i)) - static_cast<double>(permutation(i + 1)));
    }
    CHECK(distance / 1000 == Approx(static_cast<double>(n) / 3).epsilon(0.25));
    // Nor is it a stride: hardly two neighbours are equally far apart.
    std::set<std::uint64_t> strides;
    for (std::uint64_t i = 0; i < 1000; ++i) strides.insert(permutation(i + 1) - permutation(i));
    CHECK(strides.size() > 950);
}

TEST_CASE("the lookups of a table are spread evenly over its bags, empty ones included") {
    const Drawn drawn = draw(table_of(100, 7, 17, IndexDistribution::uniform));
    for (std::uint64_t b = 0; b < 7; ++b) {
        CHECK(drawn.bags[b] == (b + 1) * 17 / 7 - b * 17 / 7);
    }
    const Drawn sparse = draw(table_of(100, 5, 2, IndexDistribution::uniform));
    CHECK(sparse.bags == std::vector<std::uint32_t>{0, 0, 1, 0, 1});
}

TEST_CASE("index streams depend on seed, table and batch, and on nothing else") {
    const auto table = table_of(100000, 100, 2000, IndexDistribution::zipf);
    CHECK(draw(table).rows == draw(table).rows);
    CHECK(draw(table, 2).rows != draw(table).rows);
    CHECK(draw(table, 1, 1).rows != draw(table).rows);
    CHECK(draw(table, 1, 0, 1).rows != draw(table).rows);
}

TEST_CASE("seeded streams draw the same rows on any compiler") {
    auto table = table_of(40'000'000, 1, 6, IndexDistribution::zipf);
    table.indices.zipf_s = 1.05;
    CHECK(draw(table).rows ==
          std::vector<std::uint64_t>{28608320, 22423850, 17303687, 3842181, 2639097, 2585607});
    table.indices.distribution = IndexDistribution::uniform;
    CHECK(draw(table).rows ==
          std::vector<std::uint64_t>{31521937, 28758629, 511646, 2639555, 29815526, 13756084});
}

TEST_CASE("uniform streams hit every row equally often") {
    const auto drawn = draw(table_of(50, 1000, 100000, IndexDistribution::uniform));
    std::vector<double> counts(50), probabilities(50, 1.0 / 50);
    for (const std::uint64_t row : drawn.rows) {
        REQUIRE(row < 50);
        counts[row] += 1;
    }
    check_chi_square(counts, probabilities, 100000);
}

TEST_CASE("zipf ranks follow (x + q)^-s for exponents below, at and above one") {
    for (const double s : {0.0, 0.5, 0.999999999, 1.0, 1.05, 2.0, 4.0}) {
        for (const double q : {0.0, 2.7, -0.5}) {
            const std::uint64_t n = 60;
            std::vector<double> counts(n), probabilities(n);
            double sum = 0;
            for (std::uint64_t x = 1; x <= n; ++x) {
                sum += probabilities[x - 1] = std::pow(static_cast<double>(x) + q, -s);
            }
            for (double& p : probabilities) p /= sum;
            const Zipf zipf(n, q, s);
            Random random(7);
            const int draws = 300000;
            for (int i = 0; i < draws; ++i) counts[zipf.draw(random) - 1] += 1;
            // Rare ranks together: Pearson's statistic wants five of each.
            while (probabilities.back() * draws < 20) {
                const double p = probabilities.back(), c = counts.back();
                probabilities.pop_back();
                counts.pop_back();
                probabilities.back() += p;
                counts.back() += c;
            }
            INFO("s = " << s << ", q = " << q);
            check_chi_square(counts, probabilities, draws);
        }
    }
}

TEST_CASE("zipf over forty million rows stays in range and keeps its head") {
    auto table = table_of(40'000'000, 1000, 200000, IndexDistribution::zipf);
    table.indices.zipf_s = 1.05;
    const Drawn drawn = draw(table);
    for (const std::uint64_t row : drawn.rows) REQUIRE(row < table.rows);
    double norm = 0;  // the sum to n by its integral beyond the first terms
    for (int x = 1; x < 10000; ++x) norm += std::pow(x, -1.05);
    norm += (std::pow(9999.5, -0.05) - std::pow(4e7 + 0.5, -0.05)) / 0.05;
    const auto counts = reuse_counts(drawn.rows);
    CHECK(static_cast<double>(counts[0]) == Approx(200000 / norm).epsilon(0.05));
    CHECK(static_cast<double>(counts[9]) ==
          Approx(200000 / norm * std::pow(10, -1.05)).epsilon(0.15));
}

TEST_CASE("zipf divides its mass between head and tail exactly") {
    // Blocks of many ranks begin after the 64th: without rejection inside them the tail would have
    // 0.8 % too much, 0.17 % of all draws, more than seven standard deviations of four million.
    double head = 0, norm = 0;
    for (int x = 1; x < 10000; ++x) {
        norm += std::pow(x, -1.05);
        if (x == 64) head = norm;
    }
    norm += (std::pow(9999.5, -0.05) - std::pow(4e7 + 0.5, -0.05)) / 0.05;
    const double expected = head / norm;
    const Zipf zipf(40'000'000, 0, 1.05);
    Random random(11);
    const int draws = 4'000'000;
    int in_head = 0;
    for (int i = 0; i < draws; ++i) in_head += zipf.draw(random) <= 64 ? 1 : 0;
    const double deviation = std::sqrt(expected * (1 - expected) / draws);
    CHECK(in_head / static_cast<double>(draws) == Approx(expected).margin(4 * deviation));
}

TEST_CASE("hot rows stay hot from batch to batch and are scattered over the table") {
    auto table = table_of(1'000'000, 1, 20000, IndexDistribution::zipf);
    table.indices.zipf_s = 1.2;
    const auto hottest = [&](std::uint32_t batch) {
        std::map<std::uint64_t, int> counts;
        for (const std::uint64_t row : draw(table, 1, 0, batch).rows) ++counts[row];
        const auto most =
            std::max_element(counts.begin(), counts.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        return most->first;
    };
    CHECK(hottest(0) == hottest(1));
    CHECK(hottest(0) > 1000);
}

TEST_CASE("heavy hitters take their probabilities, the other rows the rest") {
    auto table = table_of(10000, 1, 200000, IndexDistribution::zipf);
    table.indices.zipf_s = 0.5;
    table.indices.heavy_hitters = {0.3, 0.1, 0.05};
    const auto counts = reuse_counts(draw(table).rows);
    CHECK(static_cast<double>(counts[0]) / 200000 == Approx(0.3).margin(0.005));
    CHECK(static_cast<double>(counts[1]) / 200000 == Approx(0.1).margin(0.005));
    CHECK(static_cast<double>(counts[2]) / 200000 == Approx(0.05).margin(0.005));
    CHECK(static_cast<double>(counts[3]) / 200000 < 0.01);
    // Every row a heavy hitter: nothing else may be drawn.
    table.rows = 2;
    table.indices.heavy_hitters = {0.75, 0.25};
    const auto two = reuse_counts(draw(table).rows);
    REQUIRE(two.size() == 2);
    CHECK(static_cast<double>(two[0]) / 200000 == Approx(0.75).margin(0.005));
}

TEST_CASE("impossible distribution parameters are refused") {
    auto table = table_of(10, 1, 10, IndexDistribution::zipf);
    const auto refused = [&](const std::string& text) {
        CHECK_THROWS_WITH(draw(table), Catch::Contains("t0") && Catch::Contains(text));
    };
    table.indices.zipf_q = -1;
    refused("-0.999 <= q");
    table.indices.zipf_q = 0;
    table.indices.zipf_s = std::nan("");
    refused("zipf s");
    table.indices.zipf_s = 1;
    table.indices.heavy_hitters = {0.6, 0.6};
    refused("sum is above 1");
    table.indices.heavy_hitters = {-0.1};
    refused("probabilities");
    table.indices.heavy_hitters = std::vector<double>(11, 0.01);
    refused("more of them than rows");
    table.indices.heavy_hitters = {};
    table.rows = 0;
    refused("rows");
}

namespace {

// Holds a drawn batch against both columns of the histogram.
void check_histogram(const std::string& location, std::uint64_t rows, std::uint64_t lookups) {
    const ReuseHistogram histogram = read_reuse_histogram(location);
    auto table = table_of(rows, 131072, lookups, IndexDistribution::reuse_histogram);
    table.indices.histogram = location;
    const Drawn drawn = draw(table);
    REQUIRE(drawn.rows.size() == lookups);
    for (const std::uint64_t row : drawn.rows) REQUIRE(row < rows);
    const auto counts = reuse_counts(drawn.rows);
    for (const ReuseBin& bin : histogram) {
        double unique = 0, accesses = 0;
        for (const std::uint64_t count : counts) {
            if (count > bin.low && (bin.high == 0 || count <= bin.high)) {
                unique += 1;
                accesses += static_cast<double>(count);
            }
        }
        INFO(location << ", bin above " << bin.low);
        CHECK(unique / static_cast<double>(counts.size()) ==
              Approx(bin.unique_fraction).margin(0.02));
        CHECK(accesses / static_cast<double>(lookups) == Approx(bin.access_fraction).margin(0.02));
    }
}

}  // namespace

TEST_CASE("a generated batch has the measured reuse histogram within two points in both columns") {
    const std::string file = source_dir() + "/workloads/library/reuse_histograms.csv";
    check_histogram(file + "#fbgemm_t856_bs65536", 4'000'000, 3'500'000);
    check_histogram(file + "#fbgemm_t788_bs131072_0", 4'000'000, 3'500'000);
}

TEST_CASE("the published histograms of the shared data are reproduced as well") {
    const std::string file = shared_file("data/embedding/reuse_histograms.csv");
    if (file.empty()) {
        WARN("left out: " << Catch::getResultCapture().getCurrentTestName()
                          << " (DIASTOLE_SHARED names the folder of the data)");
        return;
    }
    check_histogram(file + "#fbgemm_t856_bs65536_7", 40'000'000, 3'500'000);
    check_histogram(file + "#fbgemm_t788_bs131072_15", 40'000'000, 3'500'000);
}

TEST_CASE("a histogram is kept as far as a small batch or a small table allows") {
    auto table = table_of(3, 10, 1000, IndexDistribution::reuse_histogram);
    table.indices.histogram =
        source_dir() + "/workloads/library/reuse_histograms.csv#fbgemm_t856_bs65536";
    CHECK(reuse_counts(draw(table).rows).size() == 3);
    table.rows = 1;
    CHECK(reuse_counts(draw(table).rows).size() == 1);
    table.rows = 1000;
    table.lookups = 1;
    CHECK(draw(table).rows.size() == 1);
    table.lookups = 0;
    CHECK(draw(table).rows.empty());
    for (const std::uint64_t lookups : {2ULL, 10ULL, 100ULL, 5000ULL}) {
        const auto classes =
            reuse_classes(read_reuse_histogram(table.indices.histogram), lookups, 1000);
        std::uint64_t next = 0;
        for (const ReuseClass& c : classes) {
            CHECK(c.first_access == next);
            CHECK(c.rows >= 1);
            CHECK(c.rows <= c.accesses);
            next += c.accesses;
        }
        CHECK(next == lookups);
    }
}

TEST_CASE("no row is touched more often than the batch has bags") {
    auto table = table_of(4'000'000, 256, 256 * 80, IndexDistribution::reuse_histogram);
    table.indices.histogram =
        source_dir() + "/workloads/library/reuse_histograms.csv#fbgemm_t856_bs65536";
    const auto counts = reuse_counts(draw(table).rows);
    CHECK(counts.front() <= 256);
    // The bin up to 256 takes its own accesses, 5.2 %, and the 31.1 % of the bins above it.
    std::uint64_t hot = 0;
    for (const std::uint64_t count : counts) hot += count > 128 ? count : 0;
    CHECK(static_cast<double>(hot) / (256 * 80) == Approx(0.363).margin(0.005));
    CHECK(counts.front() > 230);
    const auto once = static_cast<double>(std::count(counts.begin(), counts.end(), 1U));
    CHECK(once / (256 * 80) == Approx(0.069).margin(0.002));
}

TEST_CASE("the accesses of a class are shared out evenly over its rows, in huge batches too") {
    for (const std::uint64_t scale : {1ULL, 1ULL << 36}) {
        const ReuseClass c{100, 10 * scale, 7, 4 * scale};
        CHECK(c.row_of(100) == 7);
        CHECK(c.row_of(100 + 10 * scale - 1) == 7 + 4 * scale - 1);
        CHECK(c.row_of(100 + 5 * scale) == 7 + 2 * scale);
    }
    const ReuseClass once{0, 1ULL << 40, 0, 1ULL << 40};
    CHECK(once.row_of((1ULL << 40) - 1) == (1ULL << 40) - 1);
}

TEST_CASE("malformed reuse histograms are refused with file and line") {
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("diastole_histogram_" + std::to_string(std::rand()) + ".csv"))
                                 .string();
    const auto refused = [&](const std::string& text, const std::string& message) {
        std::ofstream(path) << "dataset,low,high,unique,accesses\n" << text;
        CHECK_THROWS_WITH(read_reuse_histogram(path + "#d"), Catch::Contains(message));
    };
    refused("d,0,1,0.5\n", ":2: expected five cells");
    refused("d,0,1,0.5,x\n", ":2: expected a number");
    refused("d,0,1,0.5,-1\n", ":2: expected a number that is not negative");
    refused("d,2,1,0.5,0.1\n", ":2: expected an upper end above");
    refused("d,0,1,0.5,0.1\nd,2,4,0.5,0.9\n", "do not adjoin");
    refused("d,0,1,0.5,0.1\n", "sum to 1");
    refused("e,0,1,1,1\n", "no dataset 'd'");
    std::filesystem::remove(path);
    CHECK_THROWS_AS(read_reuse_histogram(path + "#d"), ConfigError);
    CHECK_THROWS_AS(read_reuse_histogram("no-hash.csv"), ConfigError);
}

TEST_CASE("index streams are fast enough for a batch of ten million lookups", "[.bench]") {
    using Clock = std::chrono::steady_clock;
    for (const auto distribution : {IndexDistribution::uniform, IndexDistribution::zipf,
                                    IndexDistribution::reuse_histogram}) {
        auto table = table_of(40'000'000, 4096, 10'000'000, distribution);
        table.indices.zipf_s = 1.05;
        table.indices.histogram =
            source_dir() + "/workloads/library/reuse_histograms.csv#fbgemm_t856_bs65536";
        const auto start = Clock::now();
        const auto stream = GeneratedIndexStreams(1).open(table, 0, 0);
        std::uint64_t sum = 0;
        for (std::uint32_t bag = 0; bag < table.bags; ++bag) {
            const std::uint32_t length = stream->next_bag();
            for (std::uint32_t i = 0; i < length; ++i) sum += stream->next_row();
        }
        const std::chrono::duration<double, std::nano> spent = Clock::now() - start;
        WARN("distribution " << static_cast<int>(distribution) << ": " << spent.count() / 1e7
                             << " ns a lookup (checksum " << sum << ")");
        CHECK(spent.count() / 1e7 < 100);
    }
}

TEST_CASE(
    "a zipf stream that skips bags goes on like one that draws them, whoever skipped before") {
    const EmbeddingTable table = table_of(100'000, 97, 1'234, IndexDistribution::zipf);
    EmbeddingTable other = table;
    other.rows = 50'000;
    const GeneratedIndexStreams streams(9);
    const auto check = [&](const EmbeddingTable& of, std::uint32_t batch, std::uint32_t skipped) {
        const Drawn all = draw(of, 9, 3, batch);
        const auto stream = streams.open(of, 3, batch);
        std::uint64_t row = stream->skip_bags(skipped);
        for (std::uint32_t bag = skipped; bag < of.bags; ++bag) {
            REQUIRE(stream->next_bag() == all.bags[bag]);
            for (std::uint32_t i = 0; i < all.bags[bag]; ++i) {
                REQUIRE(stream->next_row() == all.rows[row++]);
            }
            if (bag % 10 == 9 && bag + 1 < of.bags) {
                row += stream->skip_bags(1);
                ++bag;
            }
        }
        REQUIRE(row == all.rows.size());
    };
    for (const std::uint32_t skipped : {30U, 10U, 50U, 50U, 0U, 96U}) {
        check(table, 0, skipped);
        check(table, 1, skipped);
        if (skipped == 50) check(other, 0, 60);
    }
}
