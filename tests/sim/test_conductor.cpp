#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "model/sim/conductor.hpp"

using namespace diastole;

namespace {

// Sends a ball to its partner `delay` cycles after it got it, a given number of times.
class Player : public sc_core::sc_module, public Windowed {
  public:
    Player(const sc_core::sc_module_name& name, std::uint64_t delay)
        : sc_module(name), delay_(delay) {}
    void catch_ball(Cycles at) {
        next_ = at;
        conductor->wake(number, at);
    }
    Cycles next_event() override { return next_; }
    void advance(Cycles until) override {
        if (next_ >= until) return;
        const Cycles at = next_;
        times.push_back(at);
        next_ = never;
        if (times.size() < 4) partner->catch_ball(at + Cycles(delay_));
    }
    [[nodiscard]] std::string pending() const override { return waiting; }

    Conductor* conductor = nullptr;
    Player* partner = nullptr;
    std::size_t number = 0;
    std::vector<Cycles> times;
    std::string waiting;

  private:
    std::uint64_t delay_;
    Cycles next_ = never;
    friend void serve(Player& player);
};

void serve(Player& player) {
    player.next_ = Cycles(5);
}

struct Game {
    explicit Game(std::uint64_t delay, std::uint64_t delay_back = 0, std::uint64_t lead_of_b = 0)
        : conductor("conductor", Hertz(1'000'000'000), Cycles(16)),
          a("a", delay),
          b("b", delay_back > 0 ? delay_back : delay) {
        a.partner = &b;
        b.partner = &a;
        a.conductor = b.conductor = &conductor;
        a.number = conductor.add(a, "player a");
        b.number = conductor.add(b, "player b", Cycles(lead_of_b));
        serve(a);
    }
    Conductor conductor;
    Player a, b;
};

}  // namespace

TEST_CASE("the conductor jumps from event to event and keeps the kernel's time") {
    Game game(100);
    sc_core::sc_start();
    game.conductor.rethrow();
    CHECK(game.a.times == std::vector<Cycles>{Cycles(5), Cycles(205), Cycles(405), Cycles(605)});
    CHECK(game.b.times == std::vector<Cycles>{Cycles(105), Cycles(305), Cycles(505)});
    CHECK(sc_core::sc_time_stamp() == sc_core::sc_time(605, sc_core::SC_NS));
    CHECK(game.conductor.activations() == 8);  // one to begin, one for each event
}

TEST_CASE("a message faster than the window is a broken model") {
    Game game(15);
    sc_core::sc_start();
    CHECK_THROWS_AS(game.conductor.rethrow(), ModelError);
}

TEST_CASE("a module with a lead may be reached sooner and answers later") {
    Game game(10, 6, 10);  // a window of 16 = 10 + 6
    sc_core::sc_start();
    game.conductor.rethrow();
    CHECK(game.a.times == std::vector<Cycles>{Cycles(5), Cycles(21), Cycles(37), Cycles(53)});
    CHECK(game.b.times == std::vector<Cycles>{Cycles(15), Cycles(31), Cycles(47)});
}

TEST_CASE("a message to a module with a lead that is sooner than the lead is a broken model") {
    Game game(9, 30, 10);
    sc_core::sc_start();
    CHECK_THROWS_AS(game.conductor.rethrow(), ModelError);
}

TEST_CASE("an answer from a module with a lead within the window is a broken model") {
    Game game(10, 5, 10);
    sc_core::sc_start();
    CHECK_THROWS_AS(game.conductor.rethrow(), ModelError);
}

TEST_CASE("modules are added by growing lead") {
    Game game(10, 6, 10);
    CHECK_THROWS_AS(game.conductor.add(game.a, "player a once more"), ModelError);
}

TEST_CASE("a run that ends with work left names who waits") {
    Game game(100);
    game.b.waiting = "a ball that nobody throws";
    game.conductor.set_finished([] { return false; });
    sc_core::sc_start();
    CHECK_THROWS_WITH(game.conductor.rethrow(),
                      Catch::Contains("player b: a ball that nobody throws"));
}
