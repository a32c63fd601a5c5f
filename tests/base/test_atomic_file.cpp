#include <catch2/catch.hpp>

#include "model/base/atomic_file.hpp"
#include "model/base/error.hpp"
#include "tests/graph/temporary_folder.hpp"

using namespace diastole;

TEST_CASE("an atomic file appears only when it is committed") {
    const test::TemporaryFolder folder;
    {
        AtomicFile file(folder / "out.txt");
        file.write("half");
        CHECK(folder.files() == 1);  // the temporary one
    }
    CHECK(folder.files() == 0);
    AtomicFile file(folder / "out.txt");
    file.write("who");
    file.write("le");
    file.commit();
    CHECK(test::text_of(folder / "out.txt") == "whole");
    CHECK(folder.files() == 1);
}

TEST_CASE("an interrupted atomic file leaves the old result as it was") {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("out.txt", "old");
    { AtomicFile(path).write("new"); }
    CHECK(test::text_of(path) == "old");
}

TEST_CASE("an output path that cannot be written is reported with its reason") {
    CHECK_THROWS_WITH(AtomicFile("/nonexistent/out.txt"),
                      "/nonexistent/out.txt: cannot write: No such file or directory");
    CHECK_THROWS_AS(AtomicFile(""), ConfigError);
}
