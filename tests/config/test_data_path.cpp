#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "model/base/data_path.hpp"
#include "model/base/interrupt.hpp"
#include "tests/config/temporary_folder.hpp"

using namespace diastole;

TEST_CASE("data files are found where DIASTOLE_DATA says, and nowhere else by that name") {
    TemporaryFolder folder;
    std::filesystem::create_directories(folder.path("presets"));
    folder.write("presets/zz-mine.toml", "");
    folder.write("presets/zz-mine.txt", "");
    CHECK_FALSE(find_data("presets/zz-mine.toml").has_value());

    setenv("DIASTOLE_DATA", folder.path("").c_str(), 1);
    REQUIRE(find_data("presets/zz-mine.toml").has_value());
    CHECK(std::filesystem::exists(*find_data("presets/zz-mine.toml")));
    CHECK_FALSE(find_data("presets/none.toml").has_value());
    CHECK_FALSE(find_data("presets").has_value());
    const auto names = list_data("presets", ".toml");
    CHECK(std::count(names.begin(), names.end(), "zz-mine") == 1);
    CHECK(std::is_sorted(names.begin(), names.end()));
    unsetenv("DIASTOLE_DATA");
}

TEST_CASE("an interruption stays requested until it is cleared") {
    CHECK_FALSE(interrupted());
    request_interrupt();
    CHECK(interrupted());
    clear_interrupt();
    CHECK_FALSE(interrupted());
}
