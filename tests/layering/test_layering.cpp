// Holds the project's sources to the layers of docs/architecture.md. Every rule is also shown a
// small made-up tree that breaks it, so that it is known to bite.
#include <catch2/catch.hpp>

#include "tests/layering/rules.hpp"
#include "tests/paths.hpp"

using namespace diastole::layering;

namespace {

const Files& project() {
    static const Files files = read_tree(diastole::source_dir());
    return files;
}

std::string joined(const Problems& problems) {
    std::string all;
    for (const std::string& problem : problems) all += "\n" + problem;
    return all;
}

#define CHECK_HOLDS(rule)                                 \
    do {                                                  \
        REQUIRE(project().count("model/base/units.hpp")); \
        const Problems problems = rule(project());        \
        INFO(joined(problems));                           \
        CHECK(problems.empty());                          \
    } while (false)

// A tree that obeys every rule: base <- params <- sim <- compute <- chip <- tb, and graph on base.
Files good_tree() {
    return {
        {"model/base/CMakeLists.txt", "diastole_library(base SOURCES a.cpp)\n"},
        {"model/base/a.hpp", "#include <string>\nint a();\n"},
        {"model/base/a.cpp", "#include \"model/base/a.hpp\"\nint a() { return 1; }\n"},
        {"model/params/CMakeLists.txt", "diastole_library(params DEPENDS base)\n"},
        {"model/params/p.hpp", "#include \"model/base/a.hpp\"\n"},
        {"model/sim/CMakeLists.txt",
         "diastole_library(sim DEPENDS params)  # no base\n"
         "target_link_libraries(diastole_sim INTERFACE PkgConfig::SystemC)\n"},
        {"model/sim/s.hpp", "#include <systemc>\n#include \"model/params/p.hpp\"\n"},
        {"model/compute/CMakeLists.txt", "diastole_library(compute DEPENDS sim)\n"},
        {"model/compute/c.hpp", "#include \"model/sim/s.hpp\"\n"},
        {"model/memory/CMakeLists.txt", "diastole_library(memory DEPENDS sim)\n"},
        {"model/memory/m.hpp", "#include \"model/sim/s.hpp\"\n"},
        {"model/chip/CMakeLists.txt", "diastole_library(chip DEPENDS compute memory)\n"},
        {"model/chip/chip.hpp",
         "#include \"model/compute/c.hpp\"\n#include \"model/memory/m.hpp\"\n"},
        {"workloads/graph/CMakeLists.txt", "diastole_library(graph DEPENDS base)\n"},
        {"workloads/graph/g.hpp", "#include \"model/base/a.hpp\"\n"},
        {"tb/CMakeLists.txt",
         "add_executable(diastole main.cpp)\n"
         "target_link_libraries(diastole PRIVATE diastole_chip diastole_graph)\n"},
        {"tb/main.cpp", "#include \"model/chip/chip.hpp\"\n"},
    };
}

// The good tree with one file put in its place.
Files with(const std::string& path, const std::string& text) {
    Files files = good_tree();
    files[path] = text;
    return files;
}

bool mentions(const Problems& problems, const std::string& text) {
    return joined(problems).find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("every source folder has a layer and defines the library of its name") {
    CHECK_HOLDS(unknown_folders);
    CHECK(unknown_folders(good_tree()).empty());
    CHECK(mentions(unknown_folders(with("model/misc/x.hpp", "")), "model/misc/x.hpp"));
    CHECK(mentions(unknown_folders(with("model/base/CMakeLists.txt", "diastole_library(basis)")),
                   "does not define just the library base"));
    // Headers may come before their library, sources not.
    CHECK(unknown_folders(with("model/stats/s.hpp", "")).empty());
    CHECK(mentions(unknown_folders(with("model/stats/s.cpp", "")), "model/stats/s.cpp"));
    CHECK(mentions(unknown_folders(with("tb/CMakeLists.txt",
                                        "target_link_libraries(diastole diastole_${each})")),
                   "unknown library ${each}"));
}

TEST_CASE("an include between two folders has an edge of its own in CMake") {
    CHECK_HOLDS(includes_without_edge);
    CHECK(includes_without_edge(good_tree()).empty());
    // sim reaches base through params; that is not enough to include it.
    CHECK(
        mentions(includes_without_edge(with("model/sim/t.hpp", "\n#include \"model/base/a.hpp\"")),
                 "model/sim/t.hpp:2: \"model/base/a.hpp\": no edge: add base"));
    CHECK(mentions(includes_without_edge(with("model/base/b.hpp", "#include \"a.hpp\"")),
                   "no such file"));
    CHECK(
        includes_without_edge(with("model/sim/t.hpp", "// #include \"model/base/a.hpp\"")).empty());
    // A linked library that bears no visibility keyword, or several to a call, counts as well.
    CHECK(includes_without_edge(with("tb/CMakeLists.txt",
                                     "target_link_libraries(diastole\n  diastole_graph\n"
                                     "  diastole_chip)"))
              .empty());
}

TEST_CASE("edges lead down the layers and close no circle") {
    CHECK_HOLDS(edges_against_layers);
    CHECK(edges_against_layers(good_tree()).empty());
    const auto edge = [](const std::string& folder, const std::string& call) {
        return joined(edges_against_layers(with(folder + "/CMakeLists.txt", call)));
    };
    CHECK_THAT(edge("model/base", "diastole_library(base DEPENDS sim)"),
               Catch::Contains("model/base -> model/sim: leads from a lower layer"));
    CHECK_THAT(edge("model/isa", "diastole_library(isa DEPENDS params)"), Catch::Equals(""));
    Files circle = with("model/isa/CMakeLists.txt", "diastole_library(isa DEPENDS params)");
    circle["model/params/CMakeLists.txt"] = "diastole_library(params DEPENDS base isa)";
    CHECK(mentions(edges_against_layers(circle), "model/isa -> model/params: closes a circle"));
    CHECK_THAT(edge("model/chip", "diastole_library(chip DEPENDS compute graph)"),
               Catch::Contains("the model may not know the workloads"));
}

TEST_CASE("compute, memory and fabric know nothing of each other") {
    CHECK_HOLDS(edges_against_layers);
    const Files edge =
        with("model/memory/CMakeLists.txt", "diastole_library(memory DEPENDS sim compute)");
    CHECK(mentions(edges_against_layers(edge), "model/memory -> model/compute"));
    // Without the edge the include alone is enough to be found.
    const Files include = with("model/memory/n.hpp", "#include \"model/compute/c.hpp\"");
    CHECK(mentions(includes_without_edge(include), "model/memory/n.hpp:1"));
}

TEST_CASE("nothing in the project depends on the TLM target") {
    CHECK_HOLDS(edges_against_layers);
    for (const std::string folder : {"tb", "model/chip"}) {
        Files files = with("model/tlm/CMakeLists.txt", "diastole_library(tlm DEPENDS base)");
        CHECK(edges_against_layers(files).empty());
        files[folder + "/CMakeLists.txt"] += "target_link_libraries(diastole_x diastole_tlm)\n";
        CHECK(mentions(edges_against_layers(files), folder + " -> model/tlm"));
    }
}

TEST_CASE("workloads see only base, config, params, isa and timing of the model") {
    CHECK_HOLDS(edges_against_layers);
    const Files edge =
        with("workloads/graph/CMakeLists.txt", "diastole_library(graph DEPENDS base sim)");
    CHECK(mentions(edges_against_layers(edge), "workloads/graph -> model/sim"));
    const Files split = with("workloads/graph/CMakeLists.txt",
                             "diastole_library(graph DEPENDS base)\n"
                             "target_link_libraries(diastole_graph PRIVATE diastole_chip)");
    CHECK(mentions(edges_against_layers(split), "workloads/graph -> model/chip"));
}

TEST_CASE("workloads and the lower layers include no SystemC, directly or through a header") {
    CHECK_HOLDS(systemc_below_its_layer);
    CHECK(systemc_below_its_layer(good_tree()).empty());
    for (const char* header : {"systemc", "systemc.h", "tlm.h", "tlm_utils/peq_with_get.h"}) {
        const std::string text = std::string("#include <") + header + ">";
        CHECK(mentions(systemc_below_its_layer(with("model/params/q.hpp", text)), header));
    }
    CHECK(mentions(
        systemc_below_its_layer(with("workloads/graph/h.hpp", "#include \"model/sim/s.hpp\"")),
        "workloads/graph/h.hpp -> model/sim/s.hpp -> systemc"));
    CHECK(mentions(systemc_below_its_layer(
                       with("workloads/graph/CMakeLists.txt",
                            "target_link_libraries(diastole_graph PUBLIC PkgConfig::SystemC)")),
                   "links SystemC"));
}

TEST_CASE("no two folders include each other") {
    CHECK_HOLDS(mutual_includes);
    CHECK(mutual_includes(good_tree()).empty());
    CHECK(mentions(mutual_includes(with("model/base/b.hpp", "#include \"model/params/p.hpp\"")),
                   "model/base and model/params"));
}

TEST_CASE("no file is longer than 500 lines") {
    CHECK_HOLDS(long_files);
    CHECK(long_files(with("tb/long.cpp", std::string(500, '\n'))).empty());
    CHECK(mentions(long_files(with("tb/long.cpp", std::string(501, '\n'))), "tb/long.cpp: 501"));
}

TEST_CASE("nothing below the benches exits or prints") {
    CHECK_HOLDS(exits_and_prints);
    CHECK(exits_and_prints(good_tree()).empty());
    for (const char* line : {"exit(1);", "std::cout << 1;", "printf(x);", "std::fprintf(f, x);",
                             "fmt::print(x);", "std::abort ();", "#include <iostream>"}) {
        CHECK(mentions(exits_and_prints(with("model/base/b.cpp", std::string("\n") + line)),
                       "model/base/b.cpp:2: "));
        CHECK(exits_and_prints(with("tb/b.cpp", line)).empty());
    }
    for (const char* line : {"// exit(1)", "/* std::cout */ f();", "f(\"exit(1)\");",
                             "snprintf(b, n, x);", "on_exit(3);", "f(R\"x(exit(1) \")x\");"}) {
        INFO(line);
        CHECK(exits_and_prints(with("model/base/b.cpp", line)).empty());
    }
}

TEST_CASE("nothing below the benches keeps state outside objects") {
    CHECK_HOLDS(mutable_globals);
    CHECK(mutable_globals(good_tree()).empty());
    for (const char* line :
         {"int counter = 0;", "namespace a { std::vector<int> all; }", "inline double* p{nullptr};",
          "struct S { int x; };\nS shared;", "void f() { static int calls = 0; }",
          "class C { static int made; };", "thread_local int t;", "int table[4] = {1, 2};",
          "bool operator==(S a, S b) { return a.x == b.x; }\nint last;",
          "C::C() : a_{1}, b_{2} {}\nextern int counter;"}) {
        INFO(line);
        CHECK_FALSE(mutable_globals(with("model/base/b.cpp", line)).empty());
    }
    for (const char* line :
         {"constexpr int counter = 0;", "volatile std::sig_atomic_t requested = 0;",
          "namespace a { const std::vector<int> all = {1}; }",
          "struct S { int x = 0; std::string y; };", "enum class E : int { a, b };",
          "void f() { static const int calls = 0; int local = 1; }", "int f(int a = 1);",
          "class C { static int make(); int a_ = 1'000; };", "using A = B<struct Tag>;",
          "template <class T> T f() { T x; return x; }\nint g();", "#define A int x; \\\n int y;",
          "C::C() : a_{1}, b_{2} { int x = 1; }\nint f() { return 1; }",
          "struct S final : T {\n    int x;\n};\nvoid f();",
          "char c() { return '{'; }\nint g();"}) {
        INFO(line);
        CHECK(mutable_globals(with("model/base/b.cpp", line)).empty());
    }
}
