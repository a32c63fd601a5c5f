#include "workloads/graph/byte_source.hpp"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "model/base/error.hpp"

namespace diastole {
namespace {

constexpr std::size_t piece = 1 << 16;
constexpr std::size_t longest_line = std::size_t{64} << 20;

class TextSource final : public ByteSource {
  public:
    TextSource(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = std::min(capacity, text_.size() - at_);
        std::memcpy(buffer, text_.data() + at_, count);
        at_ += count;
        return count;
    }
    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] std::uint64_t position() const override { return at_; }
    [[nodiscard]] std::uint64_t size() const override { return text_.size(); }

  private:
    std::string_view text_;
    std::string name_;
    std::size_t at_ = 0;
};

class FileSource final : public ByteSource {
  public:
    explicit FileSource(const std::string& path)
        : name_(path), file_(std::fopen(path.c_str(), "rb")) {
        struct stat info {};
        if (file_ == nullptr || fstat(fileno(file_), &info) != 0) fail(std::strerror(errno));
        if (S_ISDIR(info.st_mode)) fail("is a directory, expected a file");
        if (S_ISREG(info.st_mode)) size_ = static_cast<std::uint64_t>(info.st_size);
    }
    ~FileSource() override {
        if (file_ != nullptr) std::fclose(file_);
    }
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = std::fread(buffer, 1, capacity, file_);
        if (count < capacity && std::ferror(file_) != 0) fail(std::strerror(errno));
        position_ += count;
        return count;
    }
    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] std::uint64_t position() const override { return position_; }
    [[nodiscard]] std::uint64_t size() const override { return size_; }

  private:
    [[noreturn]] void fail(const std::string& why) {
        if (file_ != nullptr) std::fclose(file_);
        file_ = nullptr;
        throw TraceError(name_ + ": cannot read: " + why);
    }

    std::string name_;
    std::FILE* file_;
    std::uint64_t position_ = 0, size_ = 0;
};

// Members of a gzip file one after the other; what the first two bytes say decides between this and
// the plain bytes.
class MaybeGzipSource final : public ByteSource {
  public:
    explicit MaybeGzipSource(std::unique_ptr<ByteSource> raw) : raw_(std::move(raw)) {
        fill();
        if (available_ == 0) throw TraceError(name() + ": the file is empty");
        gzip_ = available_ >= 2 && input_[0] == '\x1f' && input_[1] == '\x8b';
        if (!gzip_ && has_gzip_name(name())) {
            throw TraceError(name() + ": is named .gz but does not hold gzip data");
        }
        // 15 + 16: a 32 kB window and a gzip header (zlib.h, inflateInit2).
        if (gzip_ && inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
    }
    ~MaybeGzipSource() override {
        if (gzip_) inflateEnd(&stream_);
    }
    MaybeGzipSource(const MaybeGzipSource&) = delete;
    MaybeGzipSource& operator=(const MaybeGzipSource&) = delete;

    std::size_t read(char* buffer, std::size_t capacity) override {
        return gzip_ ? inflate_some(buffer, capacity) : copy_some(buffer, capacity);
    }
    [[nodiscard]] const std::string& name() const override { return raw_->name(); }
    [[nodiscard]] std::uint64_t position() const override { return raw_->position() - available_; }
    [[nodiscard]] std::uint64_t size() const override { return raw_->size(); }

  private:
    void fill() {
        at_ = 0;
        available_ = raw_->read(input_.data(), input_.size());
    }
    std::size_t copy_some(char* buffer, std::size_t capacity) {
        if (available_ == 0) fill();
        const std::size_t count = std::min(capacity, available_);
        std::memcpy(buffer, input_.data() + at_, count);
        at_ += count;
        available_ -= count;
        return count;
    }
    std::size_t inflate_some(char* buffer, std::size_t capacity) {
        capacity = std::min<std::size_t>(capacity, 1 << 30);
        stream_.next_out = reinterpret_cast<Bytef*>(buffer);
        stream_.avail_out = static_cast<uInt>(capacity);
        while (stream_.avail_out == capacity && !finished_) {
            if (available_ == 0) fill();
            if (available_ == 0) {
                if (between_members_) break;
                damaged("ends before its gzip stream does (truncated)");
            }
            if (between_members_ && input_[at_] == '\0') {  // padding, as tar and tapes leave it
                ++at_, --available_;
                continue;
            }
            between_members_ = false;
            stream_.next_in = reinterpret_cast<Bytef*>(input_.data() + at_);
            stream_.avail_in = static_cast<uInt>(available_);
            const int status = inflate(&stream_, Z_NO_FLUSH);
            at_ += available_ - stream_.avail_in;
            available_ = stream_.avail_in;
            if (status == Z_STREAM_END) {
                between_members_ = true;
                inflateReset(&stream_);
            } else if (status != Z_OK && status != Z_BUF_ERROR) {
                damaged("has a damaged gzip stream");
            }
        }
        const std::size_t count = capacity - stream_.avail_out;
        if (count == 0) finished_ = true;
        return count;
    }
    [[noreturn]] void damaged(const std::string& how) const {
        throw TraceError(name() + ": " + how + " at byte " + std::to_string(position()));
    }

    std::unique_ptr<ByteSource> raw_;
    std::array<char, piece> input_{};
    std::size_t at_ = 0, available_ = 0;
    bool gzip_ = false, between_members_ = false, finished_ = false;
    z_stream stream_{};
};

}  // namespace

std::unique_ptr<ByteSource> open_file(const std::string& path) {
    return std::make_unique<MaybeGzipSource>(std::make_unique<FileSource>(path));
}

std::unique_ptr<ByteSource> open_text(std::string_view text, std::string name) {
    return std::make_unique<MaybeGzipSource>(std::make_unique<TextSource>(text, std::move(name)));
}

bool has_gzip_name(std::string_view path) {
    return path.size() >= 3 && path.substr(path.size() - 3) == ".gz";
}

std::string gzip(std::string_view text) {
    z_stream stream{};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
    std::string result(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    const int status = deflate(&stream, Z_FINISH);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    if (status != Z_STREAM_END) throw ModelError("gzip did not finish in the space it promised");
    return result;
}

bool LineReader::next(std::string_view& line) {
    std::size_t searched = begin_;
    for (;;) {
        const std::size_t end = buffer_.find('\n', searched);
        if (end != std::string::npos || (ended_ && begin_ < buffer_.size())) {
            std::size_t stop = std::min(end, buffer_.size());
            const std::size_t start = std::exchange(begin_, std::min(end, buffer_.size() - 1) + 1);
            if (stop > start && buffer_[stop - 1] == '\r') --stop;
            line = std::string_view(buffer_).substr(start, stop - start);
            ++line_number_;
            return true;
        }
        if (ended_) return false;
        buffer_.erase(0, std::exchange(begin_, 0));
        searched = buffer_.size();
        if (searched > longest_line) {
            throw TraceError(source_.name() + ":" + std::to_string(line_number_ + 1) +
                             ": the line is longer than 64 MiB; expected one operator a line");
        }
        buffer_.resize(searched + piece);
        const std::size_t count = source_.read(buffer_.data() + searched, piece);
        buffer_.resize(searched + count);
        ended_ = count == 0;
    }
}

}  // namespace diastole
