// scripts/setup.sh on machines that it has never seen: its PATH holds made-up dpkg-query, id, sudo
// and apt-get.
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/paths.hpp"

namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// A machine whose commands are shell scripts; what setup.sh says goes to `said`, and what apt-get
// was called with to `apt`.
class Machine {
  public:
    Machine() {
        std::string name = (fs::temp_directory_path() / "diastole-setup-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        folder_ = name;
        for (const char* tool : {"bash", "env", "dirname", "cat", "mktemp", "rm"}) {
            for (const char* place : {"/usr/bin", "/bin"}) {
                const fs::path real = fs::path(place) / tool;
                if (fs::exists(real) && !fs::exists(folder_ / tool)) {
                    fs::create_symlink(real, folder_ / tool);
                }
            }
        }
    }
    ~Machine() { fs::remove_all(folder_); }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    void command(const std::string& name, const std::string& body) {
        std::ofstream(folder_ / name) << "#!/bin/bash\n" << body << "\n";
        fs::permissions(folder_ / name, fs::perms::owner_all);
    }
    // dpkg-query that knows everything but `missing`, in the format that the script asks for.
    void all_installed_but(const std::string& missing) {
        command("dpkg-query", "for name in \"${@:3}\"; do [[ $name == '" + missing +
                                  "' ]] || echo \"installed $name\"; done");
    }
    void user(const std::string& id) { command("id", "echo " + id); }
    void apt(int code) {
        command("apt-get",
                "echo \"$*\" >>'" + (folder_ / "apt").string() + "'\nexit " + std::to_string(code));
    }

    int setup() {
        const std::string line = "PATH='" + folder_.string() + "' '" + diastole::source_dir() +
                                 "/scripts/setup.sh' </dev/null >'" + (folder_ / "said").string() +
                                 "' 2>&1";
        const int status = std::system(line.c_str());
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    [[nodiscard]] std::string said() const { return read_file(folder_ / "said"); }
    [[nodiscard]] std::string apt_calls() const { return read_file(folder_ / "apt"); }

  private:
    fs::path folder_;
};

}  // namespace

TEST_CASE("setup is silent and starts no apt-get where everything is installed") {
    Machine machine;
    machine.all_installed_but("");
    machine.user("1000");
    machine.apt(0);
    CHECK(machine.setup() == 0);
    CHECK(machine.said().empty());
    CHECK(machine.apt_calls().empty());
}

TEST_CASE("setup installs only what is missing, as root") {
    Machine machine;
    machine.all_installed_but("libsystemc-dev");
    machine.user("0");
    machine.apt(0);
    CHECK(machine.setup() == 0);
    CHECK(machine.apt_calls() == "update\ninstall -y --no-install-recommends libsystemc-dev\n");
}

TEST_CASE("setup installs through sudo for a user who may") {
    Machine machine;
    machine.all_installed_but("catch2");
    machine.user("1000");
    machine.command("sudo", "[[ $1 == -n ]] && shift\n[[ $1 == true ]] || exec \"$@\"");
    machine.apt(0);
    CHECK(machine.setup() == 0);
    CHECK_THAT(machine.apt_calls(), Catch::Contains("install") && Catch::Contains("catch2"));
}

TEST_CASE("setup names the missing packages and exits with 2 without root and sudo") {
    Machine machine;
    machine.all_installed_but("libfmt-dev");
    machine.user("1000");
    machine.apt(0);
    const std::string line = "apt-get install --no-install-recommends libfmt-dev\n";
    SECTION("no sudo at all") {
        CHECK(machine.setup() == 2);
    }
    SECTION("a sudo that asks for a password that nobody can type") {
        machine.command("sudo", "exit 1");
        CHECK(machine.setup() == 2);
    }
    SECTION("root, but apt-get fails") {
        machine.user("0");
        machine.apt(100);
        CHECK(machine.setup() == 2);
        CHECK_THAT(machine.said(), Catch::EndsWith(line));
        return;
    }
    CHECK_THAT(machine.said(), Catch::Contains("Missing packages: libfmt-dev\n"));
    CHECK_THAT(machine.said(), Catch::EndsWith(line));
    CHECK(machine.apt_calls().empty());
}
