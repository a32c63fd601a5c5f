#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "model/base/error.hpp"
#include "tests/generate/streams.hpp"
#include "workloads/generate/npy.hpp"

using namespace diastole;
using namespace diastole::test;

namespace {

// A folder of its own that goes away with the test.
struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("diastole_npy_" + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string operator/(const char* name) const { return (path / name).string(); }
};

std::string header_of(const std::string& dictionary, int major = 1) {
    std::string text = dictionary;
    const std::size_t prefix = major == 1 ? 10 : 12;
    while ((prefix + text.size() + 1) % 64 != 0) text += ' ';
    text += '\n';
    std::string result = "\x93NUMPY";
    result += static_cast<char>(major);
    result += '\0';
    for (std::size_t i = 0; i < prefix - 8; ++i) {
        result += static_cast<char>(text.size() >> (8 * i) & 0xff);
    }
    return result + text;
}

template <class T>
void write_npy(const std::string& path, const std::vector<T>& values, int major = 1,
               const std::string& shape = "") {
    const std::string of = shape.empty() ? "(" + std::to_string(values.size()) + ",)" : shape;
    std::ofstream out(path, std::ios::binary);
    out << header_of("{'descr': '<i" + std::to_string(sizeof(T)) +
                         "', 'fortran_order': False, 'shape': " + of + ", }",
                     major);
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(T)));
}

void write_text(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

EmbeddingTable npy_table(const std::string& indices, const std::string& offsets, std::uint32_t bags,
                         std::uint64_t lookups = 0) {
    auto table = table_of(10, bags, lookups, IndexDistribution::npy);
    table.indices.indices_path = indices;
    table.indices.offsets_path = offsets;
    return table;
}

}  // namespace

TEST_CASE(".npy arrays of both widths and all three formats are read back") {
    const Folder folder;
    const std::string path = folder / "a.npy";
    for (const int major : {1, 2, 3}) {
        write_npy<std::int64_t>(path, {5, -1, 1LL << 40}, major);
        NpyReader wide(path);
        CHECK(wide.size() == 3);
        CHECK(wide.next() == 5);
        CHECK(wide.next() == -1);
        CHECK(wide.next() == 1LL << 40);
        write_npy<std::int32_t>(path, {7, -2, 3, 4}, major, "(2, 2)");
        NpyReader narrow(path);
        CHECK(narrow.size() == 4);
        CHECK(narrow.next() == 7);
        CHECK(narrow.next() == -2);
        narrow.seek(3);
        CHECK(narrow.next() == 4);
        CHECK_THROWS_AS(narrow.next(), TraceError);
    }
    std::vector<std::int32_t> many(20000);
    for (int i = 0; i < 20000; ++i) many[static_cast<std::size_t>(i)] = i;
    write_npy<std::int32_t>(path, many);
    NpyReader reader(path);
    for (int i = 0; i < 20000; ++i) REQUIRE(reader.next() == i);
}

TEST_CASE("malformed .npy files are refused by name") {
    const Folder folder;
    const std::string path = folder / "bad.npy";
    const auto refused = [&](const std::string& text, const std::string& message) {
        write_text(path, text);
        CHECK_THROWS_WITH(NpyReader(path), Catch::Contains("bad.npy") && Catch::Contains(message));
        CHECK_THROWS_AS(NpyReader(path), TraceError);
    };
    const auto dictionary = [](const char* type, const char* order, const char* shape) {
        return std::string("{'descr': '") + type + "', 'fortran_order': " + order +
               ", 'shape': " + shape + ", }";
    };
    refused("", "is no .npy file");
    refused("PK\x03\x04 something else", "is no .npy file");
    refused(std::string("\x93NUMPY\x07\x00", 8), ".npy format 7");
    refused(std::string("\x93NUMPY\x01\x00\xff", 9), "ends within its header");
    refused(header_of(dictionary("<f4", "False", "(1,)")) + "abcd", "'<f4', expected");
    refused(header_of(dictionary(">i8", "False", "(1,)")) + "abcdefgh", "'>i8', expected");
    refused(header_of(dictionary("<i4", "True", "(1, 1)")) + "abcd", "C order");
    refused(header_of(dictionary("<i4", "False", "(2,)")) + "abcd", "ends before the 2 elements");
    refused(header_of(dictionary("<i4", "False", "(999999999999999999,)")), "absurd shape");
    refused(header_of("{'descr': '<i4', 'fortran_order': False, }"), "no shape");
    CHECK_THROWS_WITH(NpyReader(folder / "missing.npy"), Catch::Contains("cannot be read"));
}

TEST_CASE("bags and rows come from .npy files, batch after batch, starting over at the end") {
    const Folder folder;
    write_npy<std::int64_t>(folder / "i.npy", {1, 2, 3, 4, 5, 6, 7});
    write_npy<std::int64_t>(folder / "o.npy", {0, 2, 2, 5, 7});
    const auto table = npy_table(folder / "i.npy", folder / "o.npy", 2);
    CHECK(recorded_lookups(table) == 2);
    const Drawn first = draw(table, 1, 0, 0);
    CHECK(first.bags == std::vector<std::uint32_t>{2, 0});
    CHECK(first.rows == std::vector<std::uint64_t>{1, 2});
    const Drawn second = draw(table, 1, 0, 1);
    CHECK(second.bags == std::vector<std::uint32_t>{3, 2});
    CHECK(second.rows == std::vector<std::uint64_t>{3, 4, 5, 6, 7});
    CHECK(draw(table, 1, 0, 2).rows == first.rows);
    // Without offsets the lookups are spread evenly.
    const auto even = npy_table(folder / "i.npy", "", 2, 3);
    CHECK(draw(even).bags == std::vector<std::uint32_t>{1, 2});
    CHECK(draw(even, 1, 0, 1).rows == std::vector<std::uint64_t>{4, 5, 6});
}

TEST_CASE("bad indices and offsets name file, position and table") {
    const Folder folder;
    const std::string indices = folder / "i.npy";
    const std::string offsets = folder / "o.npy";
    const auto refused = [&](const std::vector<std::int64_t>& i, const std::vector<std::int64_t>& o,
                             const std::string& message) {
        write_npy(indices, i);
        write_npy(offsets, o);
        const auto table = npy_table(indices, offsets, 2);
        CHECK_THROWS_AS(draw(table), TraceError);
        CHECK_THROWS_WITH(draw(table), Catch::Contains(message));
    };
    refused({1, 10, 2}, {0, 1, 3},
            "i.npy: position 1, table 't0': index 10 is outside its 10 rows");
    refused({1, 2, -3}, {0, 1, 3}, "position 2, table 't0': index -3 is outside");
    refused({1, 2, 3}, {0, 2, 1}, "o.npy: position 2, table 't0': offset 1 is below");
    refused({1, 2, 3}, {-1, 2, 3}, "offset -1 is negative");
    refused({1, 2, 3}, {0, 2, 4}, "position 3, table 't0': the offsets ask for more");
    refused({1, 2, 3}, {0, 2}, "needs one more than bags");
    refused({1, 2, 3}, {9, 9, 9}, "begin beyond the last index");
    CHECK_THROWS_WITH(draw(npy_table(indices, "", 2, 9)), Catch::Contains("has 9 lookups"));
}
