// Runs the program as a user would, through a shell.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

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

// Interrupts the program once a file has appeared in `folder`, by when it listens to signals. Its
// output must be redirected by the arguments. The code is -1 if no file appears for a minute.
inline ProgramResult interrupt_program(const std::string& arguments, const std::string& folder) {
    const std::string command = "exec " + program() + ' ' + arguments;
    const pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
        _exit(127);
    }
    ProgramResult result;
    if (child < 0) return result;
    int status = 0;
    bool begun = false;
    for (int i = 0; i < 6000 && !begun; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        begun = !std::filesystem::is_empty(folder);
    }
    kill(child, begun ? SIGINT : SIGKILL);
    if (waitpid(child, &status, 0) == child && WIFEXITED(status)) {
        result.code = WEXITSTATUS(status);
    }
    return result;
}

}  // namespace diastole
