// Runs the program as a user would, through a shell.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "tests/paths.hpp"

namespace diastole {

struct ProgramResult {
    int code = -1;
    std::string out;  // stdout, with stderr where the arguments redirect it
};

inline ProgramResult run_shell(const std::string& command) {
    ProgramResult result;
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return result;
    char buffer[4096];
    std::size_t count = 0;
    while ((count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) {
        result.out.append(buffer, count);
    }
    const int status = pclose(pipe);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

// `arguments` is shell text: "show chip mtia-2i 2>&1".
inline ProgramResult run_program(const std::string& arguments) {
    return run_shell(program() + ' ' + arguments);
}
inline ProgramResult run_program_in(const std::string& folder, const std::string& arguments) {
    return run_shell("cd '" + folder + "' && " + program() + ' ' + arguments);
}

}  // namespace diastole
