#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/base/error.hpp"
#include "tests/generate/graphs.hpp"
#include "tests/paths.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

const std::string good = R"(name = "m"
batch = 16
dense_inputs = 4
bottom_mlp = [8, 4]
top_mlp = [8, 1]
[interaction]
type = "dot"
[tables]
rows = [10, 20, 30]
dim = [4]
pooling = [1, 2, 0.5]
)";

ModelDescription read(const std::string& text) {
    return read_model_text(text, "m.toml", "/models");
}

std::string replaced(const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

void refused(const std::string& text, const std::vector<std::string>& messages) {
    INFO(text);
    CHECK_THROWS_AS(read(text), ConfigError);
    for (const std::string& message : messages) {
        CHECK_THROWS_WITH(read(text), Catch::Contains(message));
    }
}

}  // namespace

TEST_CASE("a model description reads lists of tables and fills in the defaults") {
    const ModelDescription model = read(good);
    REQUIRE(model.tables.size() == 3);
    CHECK(model.tables[1].rows == 20);
    CHECK(model.tables[1].dim == 4);
    CHECK(model.tables[2].pooling == 0.5);
    CHECK(model.row_type == DType::fp16);
    CHECK(model.index_type == DType::int64);
    CHECK(model.tables[0].indices.distribution == IndexDistribution::uniform);
    const Graph graph = build_model(model, Mode::inference, 16);
    CHECK(find(graph, "embedding").attrs.tables[2].lookups == 8);
}

TEST_CASE("tables may be described one by one, with an index distribution of their own") {
    const ModelDescription model = read(good + R"(
[indices]
distribution = "zipf"
s = 1.1
[[table]]
name = "ads"
rows = 100
dim = 4
count = 2
[table.indices]
distribution = "npy"
indices = "ads.npy"
offsets = "/data/offsets.npy"
[[table]]
rows = 7
dim = 4
pooling = 3
)");
    REQUIRE(model.tables.size() == 6);
    CHECK(model.tables[0].indices.zipf_s == 1.1);
    CHECK(model.tables[3].name == "ads.0");
    CHECK(model.tables[4].indices.indices_path == "/models/ads.npy");
    CHECK(model.tables[4].indices.offsets_path == "/data/offsets.npy");
    CHECK(model.tables[5].indices.distribution == IndexDistribution::zipf);
    CHECK(model.tables[5].pooling == 3);
}

TEST_CASE("what a description assumes becomes notes of the graph") {
    const ModelDescription model =
        read(replaced("batch = 16", "batch = { value = 16, assumed = \"as we like\" }"));
    REQUIRE(model.notes.size() == 1);
    CHECK(model.notes[0] == "assumed: batch = 16: as we like");
    CHECK(build_model(model, Mode::inference, 2).notes == model.notes);
}

TEST_CASE("bad model descriptions are refused with place, key and what was expected") {
    refused(replaced("top_mlp", "top_mpl"), {"m.toml:5:1", "top_mpl", "did you mean 'top_mlp'?"});
    refused(replaced("[10, 20, 30]", "[10, 0, 30]"), {"m.toml:9:8", "t1.rows", "got 0"});
    refused(replaced("[10, 20, 30]", "[10, -20, 30]"), {"m.toml:9", "-20"});
    refused(replaced("[10, 20, 30]", "[10, 20, 2000000000000000]"), {"t2.rows", "1099511627776"});
    refused(replaced("[1, 2, 0.5]", "[1, 2]"),
            {"m.toml:11:11", "expected 1 or 3 entries", "got 2"});
    refused(replaced("[1, 2, 0.5]", "[1, 2, -1]"), {"t2.pooling", "expected above 0"});
    refused(replaced("dim = [4]", "dim = [8]"), {"interaction", "as wide as", "4"});
    refused(replaced("\"dot\"", "\"dott\""), {"m.toml:7", "did you mean 'dot'?"});
    refused(replaced("\"dot\"", "\"dcn_v2\""), {"layers", "missing"});
    refused(replaced("[8, 1]", "[]"), {"top_mlp", "at least one layer"});
    refused(replaced("[8, 1]", "[8, 0]"), {"top_mlp", "got 0"});
    refused(replaced("batch = 16", "batch = 0"), {"m.toml:2:9", "batch", "got 0"});
    refused(replaced("dense_inputs = 4", "dense_inputs = 0"), {"bottom_mlp", "dense_inputs is 0"});
    refused("name = \"m\"\n", {"batch", "top_mlp", "tables"});
    refused("name = ", {"m.toml:1"});
    refused(good + "[indices]\ndistribution = \"zipf\"\ns = -1\n", {"zipf s"});
    refused(good + "[indices]\ndistribution = \"zipf\"\nz = 1\n", {"m.toml:14:1", "unknown key"});
    refused(good + "[indices]\ndistribution = \"reuse_histogram\"\n", {"histogram", "missing"});
    refused(good + "[indices]\ndistribution = \"reuse_histogram\"\nhistogram = \"no.csv#d\"\n",
            {"/models/no.csv: cannot be read"});
    refused(replaced("dim = [4]", "dim = [4]\ncount = 99999"), {"count", "1 to 16384"});
}

TEST_CASE("all problems of a description are reported at once") {
    try {
        read("name = \"m\"\nbatch = 0\ntop_mlp = [0]\n[tables]\nrows = [0]\ndim = [0]\n");
        FAIL("accepted");
    } catch (const ConfigError& error) {
        const std::string text = error.what();
        CHECK(std::count(text.begin(), text.end(), '\n') == 3);
    }
}

TEST_CASE("bundled descriptions hold the published tables") {
    const ModelDescription dcn = bundled("dlrm-dcnv2");
    std::uint64_t rows = 0;
    double bytes = 0;
    for (const TableDescription& table : dcn.tables) {
        rows += table.rows;
        bytes += static_cast<double>(table.rows) * table.dim * 2;
    }
    CHECK(rows == 204184588);
    CHECK(bytes == Approx(52.3e9).epsilon(0.001));
    CHECK(bundled("rm1").tables.size() == 8);
    CHECK(bundled("rm2").tables.size() == 32);
    CHECK(bundled("rm3").dense_inputs == 2560);
    CHECK(bundled("wide-and-deep").tables.size() == 27);
    CHECK(bundled("ncf").tables[2].rows == 28000);
    const std::string histogram = bundled("rm1").tables[0].indices.histogram;
    CHECK(std::filesystem::exists(histogram.substr(0, histogram.find('#'))));
}

TEST_CASE("the example description of the documentation is a valid one") {
    std::ifstream in(source_dir() + "/docs/workloads.md");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::size_t begin = text.find("```toml\n");
    REQUIRE(begin != std::string::npos);
    const std::string example = text.substr(begin + 8, text.find("```", begin + 8) - begin - 8);
    const ModelDescription model = read(example);
    CHECK(model.tables.size() == 6);
    CHECK(model.tables[3].indices.indices_path == "/models/ads.npy");
    CHECK(model.tables[1].indices.heavy_hitters.size() == 2);
}
