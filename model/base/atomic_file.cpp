#include "model/base/atomic_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "model/base/error.hpp"

namespace diastole {

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) throw ConfigError("cannot write: the output path is empty");
    struct stat existing {};
    // A rename over a directory would fail only after all the work is done.
    const bool exists = stat(path_.c_str(), &existing) == 0;
    if (exists && S_ISDIR(existing.st_mode)) fail(EISDIR);
    if (exists && !S_ISREG(existing.st_mode)) {
        file_ = std::fopen(path_.c_str(), "wb");
        if (file_ == nullptr) fail(errno);
        return;
    }

    const std::string pattern = path_ + ".tmp-XXXXXX";
    std::vector<char> name(pattern.begin(), pattern.end());
    name.push_back('\0');
    const int descriptor = mkstemp(name.data());
    if (descriptor < 0) fail(errno);
    temporary_ = name.data();
    // mkstemp makes the file private; a result gets the permissions of any other new file.
    const mode_t mask = umask(0);
    umask(mask);
    static_cast<void>(fchmod(descriptor, 0666 & ~mask));
    file_ = fdopen(descriptor, "wb");
    if (file_ == nullptr) {
        const int error = errno;
        close(descriptor);
        unlink(temporary_.c_str());
        fail(error);
    }
}

AtomicFile::~AtomicFile() {
    if (file_ == nullptr) return;
    std::fclose(file_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail(errno);
}

void AtomicFile::commit() {
    std::FILE* file = std::exchange(file_, nullptr);
    int error = std::fflush(file) == 0 ? 0 : errno;
    if (std::fclose(file) != 0 && error == 0) error = errno;
    if (temporary_.empty()) {
        if (error != 0) fail(error);
        return;
    }
    if (error == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) error = errno;
    if (error == 0) return;
    unlink(temporary_.c_str());
    fail(error);
}

void AtomicFile::fail(int error) const {
    throw ConfigError(path_ + ": cannot write: " + std::strerror(error));
}

}  // namespace diastole
