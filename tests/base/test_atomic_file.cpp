#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST_CASE("a pipe as the output is written to, and stays a pipe") {
    const test::TemporaryFolder folder;
    const std::string path = folder / "pipe";
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    AtomicFile file(path);
    file.write("whole");
    file.commit();
    char text[16] = {};
    CHECK(read(reader, text, sizeof text) == 5);
    CHECK(std::string(text) == "whole");
    close(reader);
    struct stat after {};
    REQUIRE(stat(path.c_str(), &after) == 0);
    CHECK(S_ISFIFO(after.st_mode));
}

TEST_CASE("a device that takes nothing more is an error, not a result") {
    struct stat device {};
    REQUIRE(stat("/dev/full", &device) == 0);
    REQUIRE(S_ISCHR(device.st_mode));
    AtomicFile file("/dev/full");
    file.write("whole");
    CHECK_THROWS_WITH(file.commit(), "/dev/full: cannot write: No space left on device");
}
