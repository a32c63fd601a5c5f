#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"
#include "tb/child_processes.hpp"

using namespace diastole;
using Kind = ChildOutcome::Kind;

namespace {

bool no_child_is_left() {
    return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

}  // namespace

TEST_CASE("child processes answer in the order of their numbers, however long they take") {
    std::vector<std::size_t> ended;
    const auto outcomes = run_in_children(
        5, 3,
        [](std::size_t number) {
            if (number == 0) usleep(200'000);
            return std::string(number == 3 ? 300'000 : 1, static_cast<char>('a' + number));
        },
        [&](std::size_t number) { ended.push_back(number); });
    REQUIRE(outcomes.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(outcomes[i].kind == Kind::done);
        // More than a pipe holds comes whole, too.
        CHECK(outcomes[i].text == std::string(i == 3 ? 300'000 : 1, static_cast<char>('a' + i)));
    }
    CHECK(ended.back() == 0);
    std::sort(ended.begin(), ended.end());
    CHECK(ended == std::vector<std::size_t>{0, 1, 2, 3, 4});
    CHECK(no_child_is_left());
}

TEST_CASE("what a child process throws comes back, and one that dies is said to have died") {
    const auto outcomes = run_in_children(
        5, 2,
        [](std::size_t number) -> std::string {
            if (number == 0) throw ConfigError("bad key");
            if (number == 1) throw TraceError("bad line");
            if (number == 2) throw ModelError("stuck");
            if (number == 3) raise(SIGKILL);
            _exit(0);
        },
        [](std::size_t) {});
    CHECK(outcomes[0].kind == Kind::config_error);
    CHECK(outcomes[0].text == "bad key");
    CHECK(outcomes[1].kind == Kind::trace_error);
    CHECK(outcomes[2].kind == Kind::model_error);
    CHECK(outcomes[2].text == "stuck");
    CHECK(outcomes[3].kind == Kind::model_error);
    CHECK(outcomes[3].text == "its process was killed: Killed");
    CHECK(outcomes[4].kind == Kind::model_error);
    CHECK(outcomes[4].text == "its process ended without a word");
    CHECK(no_child_is_left());
}

TEST_CASE("an interruption ends all child processes and leaves none behind") {
    const auto forever = [](std::size_t) -> std::string {
        for (;;) pause();
    };
    std::size_t started = 0;
    const auto first_then_forever = [&](std::size_t number) {
        return number == 0 ? std::string("x") : forever(number);
    };
    CHECK_THROWS_AS(run_in_children(4, 3, first_then_forever,
                                    [&](std::size_t) {
                                        ++started;
                                        request_interrupt();
                                    }),
                    Interrupted);
    clear_interrupt();
    CHECK(started == 1);
    CHECK(no_child_is_left());
}
