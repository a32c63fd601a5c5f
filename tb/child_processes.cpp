#include "tb/child_processes.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "model/base/error.hpp"
#include "model/base/interrupt.hpp"

namespace diastole {
namespace {

using Kind = ChildOutcome::Kind;
using Work = std::function<std::string(std::size_t)>;

constexpr int poll_milliseconds = 200;  // an interruption between two polls waits no longer

struct Child {
    std::size_t number = 0;
    pid_t process = -1;
    int pipe = -1;
    std::string text;  // what it has written so far: the letter of its kind, then the text
};

[[noreturn]] void cannot(const char* what) {
    throw ModelError(std::string("cannot ") + what + " a child process: " + std::strerror(errno));
}

int wait_for(pid_t process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
    return status;
}

// In the child: never returns, and leaves the parent's buffers and exit handlers alone.
[[noreturn]] void be_child(const Work& work, std::size_t number, int pipe) {
    const auto outcome = [&]() -> ChildOutcome {
        try {
            return {Kind::done, work(number)};
        } catch (const ConfigError& error) {
            return {Kind::config_error, error.what()};
        } catch (const TraceError& error) {
            return {Kind::trace_error, error.what()};
        } catch (const std::exception& error) {  // Interrupted too: the parent stops by itself
            return {Kind::model_error, error.what()};
        }
    }();
    const std::string text = static_cast<char>(outcome.kind) + outcome.text;
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t count = write(pipe, text.data() + sent, text.size() - sent);
        if (count < 0 && errno != EINTR) _exit(1);
        if (count > 0) sent += static_cast<std::size_t>(count);
    }
    _exit(0);
}

class Pool {
  public:
    Pool(std::size_t count, const Work& work) : work_(work), outcomes_(count) {}
    ~Pool() {
        for (const Child& child : running_) kill(child.process, SIGKILL);
        for (const Child& child : running_) {
            wait_for(child.process);
            close(child.pipe);
        }
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    [[nodiscard]] std::size_t running() const { return running_.size(); }
    std::vector<ChildOutcome> take() { return std::move(outcomes_); }

    void start(std::size_t number) {
        int ends[2];
        if (pipe(ends) != 0) cannot("open a pipe for");
        std::fflush(stdout);  // or the child would hold a second copy of what is still in it
        const pid_t parent = getpid();
        const pid_t process = fork();
        if (process < 0) {
            close(ends[0]);
            close(ends[1]);
            cannot("start");
        }
        if (process == 0) {
            close(ends[0]);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) _exit(1);  // it died before the line above
            be_child(work_, number, ends[1]);
        }
        close(ends[1]);
        running_.push_back({number, process, ends[0], {}});
    }

    // Reads what there is; true for each child that ended.
    std::vector<std::size_t> wait() {
        std::vector<pollfd> ends;
        for (const Child& child : running_) ends.push_back({child.pipe, POLLIN, 0});
        std::vector<std::size_t> ended;
        if (poll(ends.data(), ends.size(), poll_milliseconds) <= 0) return ended;
        for (std::size_t i = 0; i < ends.size(); ++i) {
            if (ends[i].revents != 0 && !read_some(running_[i])) ended.push_back(i);
        }
        for (std::size_t& i : ended) {
            const Child child = std::move(running_[i]);
            running_[i].process = -1;
            outcomes_[child.number] = finish(child);
            i = child.number;
        }
        const auto gone = [](const Child& child) { return child.process == -1; };
        running_.erase(std::remove_if(running_.begin(), running_.end(), gone), running_.end());
        return ended;
    }

  private:
    static bool read_some(Child& child) {
        char buffer[65536];
        const ssize_t count = read(child.pipe, buffer, sizeof buffer);
        if (count < 0) return errno == EINTR;
        child.text.append(buffer, static_cast<std::size_t>(count));
        return count > 0;
    }

    static ChildOutcome finish(const Child& child) {
        close(child.pipe);
        const int status = wait_for(child.process);
        if (WIFSIGNALED(status)) {
            return {Kind::model_error,
                    std::string("its process was killed: ") + strsignal(WTERMSIG(status))};
        }
        if (child.text.empty()) return {Kind::model_error, "its process ended without a word"};
        return {static_cast<Kind>(child.text.front()), child.text.substr(1)};
    }

    const Work& work_;
    std::vector<Child> running_;
    std::vector<ChildOutcome> outcomes_;
};

}  // namespace

std::vector<ChildOutcome> run_in_children(std::size_t count, unsigned at_once, const Work& work,
                                          const std::function<void(std::size_t)>& finished) {
    Pool pool(count, work);
    std::size_t next = 0;
    while (next < count || pool.running() > 0) {
        if (interrupted()) throw Interrupted();
        if (next < count && pool.running() < std::max(at_once, 1U)) {
            pool.start(next++);
            continue;
        }
        for (const std::size_t number : pool.wait()) finished(number);
    }
    return pool.take();
}

}  // namespace diastole
