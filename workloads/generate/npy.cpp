#include "workloads/generate/npy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "model/base/error.hpp"

namespace diastole {
namespace {

constexpr std::size_t chunk_elements = 8192;
constexpr std::uint64_t longest_header = 1 << 20;  // NumPy itself writes 118 bytes for such arrays

// The text after `'key':` in the header's dictionary, or empty.
std::string value_of(const std::string& header, const std::string& key) {
    const std::size_t at = header.find("'" + key + "'");
    if (at == std::string::npos) return {};
    std::size_t begin = header.find(':', at);
    if (begin == std::string::npos) return {};
    ++begin;
    while (begin < header.size() && header[begin] == ' ') ++begin;
    const bool tuple = begin < header.size() && header[begin] == '(';
    const std::size_t end = header.find_first_of(tuple ? ")" : ",}", begin);
    return end == std::string::npos ? std::string{} : header.substr(begin, end - begin);
}

std::uint64_t little_endian(const unsigned char* bytes, unsigned count) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
    return value;
}

}  // namespace

NpyReader::NpyReader(const std::string& path) : path_(path), in_(path, std::ios::binary) {
    if (!in_) throw TraceError(path + ": cannot be read");
    read_header();
    std::error_code error;
    const std::uint64_t bytes = std::filesystem::file_size(path, error);
    if (error || bytes < data_offset_ || (bytes - data_offset_) / element_bytes_ < size_) {
        throw TraceError(path + ": ends before the " + std::to_string(size_) +
                         " elements that its header announces");
    }
    seek(0);
}

void NpyReader::read_header() {
    std::array<unsigned char, 12> prefix{};
    const auto read = [&](std::size_t offset, std::size_t count) {
        in_.read(reinterpret_cast<char*>(prefix.data()) + offset,
                 static_cast<std::streamsize>(count));
        if (!in_) throw TraceError(path_ + ": ends within its header");
    };
    in_.read(reinterpret_cast<char*>(prefix.data()), 8);
    static constexpr std::array<unsigned char, 6> magic = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    if (!in_ || !std::equal(magic.begin(), magic.end(), prefix.begin())) {
        throw TraceError(path_ + ": is no .npy file (expected it to begin with \\x93NUMPY)");
    }
    const unsigned major = prefix[6];
    if (major < 1 || major > 3) {
        throw TraceError(path_ + ": .npy format " + std::to_string(major) + ", expected 1, 2 or 3");
    }
    const unsigned length_bytes = major == 1 ? 2 : 4;
    read(8, length_bytes);
    const std::uint64_t length = little_endian(prefix.data() + 8, length_bytes);
    if (length > longest_header) throw TraceError(path_ + ": header too long");
    std::string header(length, ' ');
    in_.read(header.data(), static_cast<std::streamsize>(length));
    if (!in_) throw TraceError(path_ + ": ends within its header");
    data_offset_ = 8 + length_bytes + length;

    const std::string type = value_of(header, "descr");
    if (type == "'<i4'") {
        element_bytes_ = 4;
    } else if (type == "'<i8'") {
        element_bytes_ = 8;
    } else {
        throw TraceError(path_ + ": element type " + (type.empty() ? "missing" : type) +
                         ", expected '<i4' or '<i8'");
    }
    if (value_of(header, "fortran_order") != "False") {
        throw TraceError(path_ + ": expected C order ('fortran_order': False)");
    }
    std::string shape = value_of(header, "shape");
    if (shape.empty()) throw TraceError(path_ + ": its header has no shape");
    size_ = 1;
    std::uint64_t dimension = 0;
    bool digits = false;
    for (const char c : shape + ",") {
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
            digits = true;
            dimension = dimension * 10 + static_cast<std::uint64_t>(c - '0');
            if (dimension > (std::uint64_t{1} << 40)) throw TraceError(path_ + ": absurd shape");
        } else if (digits) {
            size_ *= dimension;
            if (size_ > (std::uint64_t{1} << 40)) throw TraceError(path_ + ": absurd shape");
            dimension = 0;
            digits = false;
        }
    }
}

void NpyReader::seek(std::uint64_t element) {
    position_ = element;
    buffer_.clear();
    taken_ = 0;
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(data_offset_ + element * element_bytes_));
}

void NpyReader::refill() {
    const std::uint64_t count = std::min<std::uint64_t>(chunk_elements, size_ - position_);
    std::vector<unsigned char> bytes(count * element_bytes_);
    in_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!in_ || count == 0) {
        throw TraceError(path_ + ": ends at element " + std::to_string(position_));
    }
    buffer_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t raw = little_endian(bytes.data() + i * element_bytes_, element_bytes_);
        buffer_[i] = element_bytes_ == 4 ? static_cast<std::int64_t>(static_cast<std::int32_t>(
                                               static_cast<std::uint32_t>(raw)))
                                         : static_cast<std::int64_t>(raw);
    }
    taken_ = 0;
}

std::int64_t NpyReader::next() {
    if (taken_ == buffer_.size()) refill();
    ++position_;
    return buffer_[taken_++];
}

}  // namespace diastole
