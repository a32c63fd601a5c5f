#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.hpp"
#include "tests/graph/temporary_folder.hpp"
#include "tests/import/kineto_text.hpp"
#include "tests/paths.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/native_trace.hpp"

using namespace diastole;
using Catch::Matchers::Contains;

TEST_CASE("import writes a native trace and says what became what") {
    const test::TemporaryFolder folder;
    const std::string trace = folder.write("rank0.json.gz", gzip(test::training_step().text()));
    const std::string out = folder / "out.jsonl.gz";
    const ProgramResult result = run_program("import " + trace + " -o " + out + " 2>&1");
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Contains("training, batch 8, 8 operators"));
    CHECK_THAT(result.out, Contains("5 kernels, each one operator"));
    CHECK_THAT(result.out, Contains("note: tensor identities are inferred"));
    const Graph graph = read_native_trace(out);
    CHECK(graph.name == "rank0");
    CHECK(graph.operators.size() == 8);
    CHECK(folder.files() == 2);
}

TEST_CASE("import --json - writes one JSON object to standard output and nothing else") {
    const test::TemporaryFolder folder;
    const std::string trace = folder.write("t.json", test::training_step().text());
    const std::string out = " -o " + (folder / "o.jsonl");
    const ProgramResult result = run_program("import " + trace + out + " --json -");
    CHECK(result.code == 0);
    const nlohmann::json json = nlohmann::json::parse(result.out);
    CHECK(json["schema"] == "diastole.import/1");
    CHECK(json["kernels"] == 5);
    CHECK(json["modelled"]["flops"] == 2048);
    CHECK(json["copies"]["host_to_device"]["requests"] == 2);

    const std::string file = folder / "c.json";
    CHECK(run_program("import " + trace + out + " --json " + file).code == 0);
    CHECK(nlohmann::json::parse(test::text_of(file)) == json);
}

TEST_CASE("what import cannot do is one clear line, exit code 2, and leaves no file") {
    const test::TemporaryFolder folder;
    const std::string good = folder.write("good.json", test::training_step().text());
    const std::string cut = folder.write("cut.json", test::training_step().text().substr(0, 500));
    const std::string out = " -o " + (folder / "o.jsonl") + " 2>&1";
    for (const std::string& bad :
         {cut + out, (folder / "none.json") + out, good + " -o /nonexistent/o.jsonl 2>&1",
          good + " --json /nonexistent/c.json" + out}) {
        CAPTURE(bad);
        const ProgramResult result = run_program("import " + bad);
        CHECK(result.code == 2);
        CHECK(result.out.find('\n') == result.out.size() - 1);
        CHECK(folder.files() == 2);
    }
    CHECK_THAT(run_program("import " + cut + out).out, Contains("cut.json: byte"));
    CHECK(run_program("import 2>&1").code == 2);
}

TEST_CASE("the example in the help of import runs") {
    const ProgramResult help = run_program("import --help");
    CHECK(help.code == 0);
    const std::size_t at = help.out.find("diastole import rank0");
    REQUIRE(at != std::string::npos);
    const std::string example = help.out.substr(at + 9, help.out.find('\n', at) - at - 9);
    const test::TemporaryFolder folder;
    static_cast<void>(folder.write("rank0.json.gz", gzip(test::training_step().text())));
    const std::string command = "cd " + folder.path() + " && " + program() + " " + example;
    CHECK(std::system((command + " > /dev/null").c_str()) == 0);
    CHECK(folder.files() == 2);
}
