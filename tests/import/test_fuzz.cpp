// Damage of every sort: an error or a result, never a crash. Worth most under the sanitizers.
#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "tests/graph/random_graph.hpp"
#include "tests/import/kineto_text.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/validate.hpp"

using namespace diastole;

namespace {

// Flips bytes, cuts the end, removes or doubles a stretch, or puts a number elsewhere.
std::string mutate(std::string text, Random& random) {
    const std::uint64_t changes = random.between(1, 4);
    for (std::uint64_t i = 0; i < changes && !text.empty(); ++i) {
        const std::size_t at = random.below(text.size());
        const std::size_t length = random.between(1, 40);
        switch (random.below(6)) {
            case 0:
                text[at] = static_cast<char>(random.below(256));
                break;
            case 1:
                text[at] = "{}[]\",:0123456789-.eE"[random.below(21)];
                break;
            case 2:
                if (random.below(8) == 0) text.resize(at);
                break;
            case 3:
                text.erase(at, length);
                break;
            case 4:
                text.insert(at, text.substr(random.below(text.size()), length));
                break;
            default:
                const std::size_t digit = text.find_first_of("0123456789", at);
                if (digit != std::string::npos)
                    text.insert(digit, "98765432109876", random.below(14));
        }
    }
    return text;
}

// Whether `read` gave a graph; anything but a TraceError escapes and fails the test.
template <class Read>
bool succeeds(const Read& read) {
    try {
        const Graph graph = read();
        validate(graph);
        REQUIRE(!graph.operators.empty());
        REQUIRE(native_trace_text(read_native_trace(*open_text(native_trace_text(graph), "t"))) ==
                native_trace_text(graph));
        return true;
    } catch (const TraceError& error) {
        const std::string text = error.what();
        REQUIRE(text.find('\n') == std::string::npos);
        REQUIRE(text.rfind("t", 0) == 0);  // names its file
        return false;
    }
}

}  // namespace

TEST_CASE("a damaged native trace is refused or read, never crashes") {
    std::size_t good = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        Random random(seed);
        const std::string text =
            mutate(native_trace_text(test::random_graph(random, random.between(1, 8))), random);
        CAPTURE(seed, text);
        good += succeeds([&] { return read_native_trace(*open_text(text, "t")); }) ? 1 : 0;
    }
    CHECK(good > 10);  // mutations are small enough to get past the parser
    CHECK(good < 290);
}

TEST_CASE("a damaged Kineto trace is refused or imported, never crashes") {
    const std::string whole = test::training_step().text();
    std::size_t good = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        Random random(seed);
        const std::string text = mutate(whole, random);
        CAPTURE(seed, text);
        good += succeeds([&] { return test::import_text(text).graph; }) ? 1 : 0;
    }
    CHECK(good > 10);
    CHECK(good < 290);
}

TEST_CASE("a damaged gzip file is refused or read, never crashes") {
    const std::string whole = gzip(test::training_step().text());
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        Random random(seed);
        std::string text = whole;
        text[random.below(text.size())] = static_cast<char>(random.below(256));
        if (random.below(3) == 0) text.resize(random.below(text.size()) + 1);
        CAPTURE(seed);
        succeeds([&] { return test::import_text(text).graph; });
    }
}
