#include <catch2/catch.hpp>
#include <sstream>

#include "model/base/data_path.hpp"
#include "tests/cli/run_program.hpp"

using namespace diastole;
using Catch::Contains;

TEST_CASE("show describes every bundled model in lines of at most 100 columns") {
    const ProgramResult names = run_program("show workload");
    CHECK(names.code == 0);
    std::istringstream list(names.out);
    int models = 0;
    for (std::string name; std::getline(list, name);) {
        if (!find_data("library/" + name + ".toml")) continue;  // a trace has its own batch
        ++models;
        const ProgramResult result = run_program("show workload " + name + " --batch 16");
        INFO(name);
        CHECK(result.code == 0);
        CHECK_THAT(result.out, Contains(name + ": inference, batch 16"));
        CHECK_THAT(result.out, Contains("assumed: "));
        std::istringstream lines(result.out);
        for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
    }
    CHECK(models >= 7);
}

TEST_CASE("show workload takes a mode, a batch and a seed, and refuses bad ones with exit code 2") {
    CHECK_THAT(run_program("show workload ncf --mode training --batch 32 --seed 7").out,
               Contains("ncf: training, batch 32") && Contains("seed 7"));
    const ProgramResult unknown = run_program("show workload dlrm-dcn2 2>&1");
    CHECK(unknown.code == 2);
    CHECK_THAT(unknown.out, Contains("did you mean 'dlrm-dcnv2'?"));
    const ProgramResult batch = run_program("show workload ncf --batch 0 2>&1");
    CHECK(batch.code == 2);
    CHECK_THAT(batch.out, Contains("batch: expected 1 to 2147483648, got 0"));
    CHECK(run_program("show workload ncf --mode serving 2>&1").code == 2);
    CHECK(run_program("show workload ncf --set a=1 2>&1").code == 2);
    CHECK(run_program("show chip mtia-2i --mode training 2>&1").code == 2);
}
