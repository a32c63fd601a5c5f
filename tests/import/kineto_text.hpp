// Small Kineto traces for tests, event by event.
#pragma once

#include <string>
#include <vector>

#include "workloads/import/kineto.hpp"

namespace diastole::test {

struct KinetoText {
    std::vector<std::string> events;
    std::string head =
        R"("schemaVersion": 1, "host_name": "secret-host", "username": "secret-user")";

    // `dims` and `types` as JSON lists; `concretes` too, or empty.
    KinetoText& op(const std::string& name, double start, double duration, const std::string& dims,
                   const std::string& types, const std::string& concretes = "",
                   const std::string& thread = "1");
    KinetoText& note(const std::string& name, double start, double duration,
                     const std::string& thread = "1");
    KinetoText& launch(int correlation, double time, const std::string& thread = "1");
    KinetoText& kernel(int correlation, const std::string& name, double start, double duration,
                       int stream = 4);
    KinetoText& dma(const std::string& direction, int bytes, double start);

    [[nodiscard]] std::string text() const;
};

// A forward and backward of one layer, an in-place update, copies, a lone collective: every join
// that the importer makes, on two threads.
KinetoText training_step();

Imported import_text(const std::string& text);
std::string import_error(const std::string& text);  // empty when it imports

// Where the real traces are: the environment variable DIASTOLE_SHARED, or a folder `shared` beside
// the source tree or one of its parents. Empty when there is none.
std::string shared_traces();

}  // namespace diastole::test
