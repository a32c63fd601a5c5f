#include "workloads/import/json_stream.hpp"

#include <cstring>

#include "model/base/error.hpp"

namespace diastole {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::size_t longest_value = std::size_t{64} << 20;

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool ends_scalar(char c) {
    return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':';
}

}  // namespace

void JsonStream::fail(std::uint64_t offset, const std::string& what) const {
    throw TraceError(source_.name() + ": byte " + std::to_string(offset) + ": " + what);
}

bool JsonStream::grow() {
    if (start_ > 0 && (start_ >= piece || start_ == filled_)) {
        std::memmove(window_.data(), window_.data() + start_, filled_ - start_);
        filled_ -= start_;
        at_ -= start_;
        before_ += start_;
        start_ = 0;
    }
    if (filled_ - start_ > longest_value) fail(before_ + start_, "a value is longer than 64 MiB");
    if (window_.size() < filled_ + piece + padding) window_.resize(filled_ + 2 * piece + padding);
    const std::size_t count = source_.read(window_.data() + filled_, piece);
    filled_ += count;
    return count > 0;
}

int JsonStream::peek() {
    for (;;) {
        while (at_ < filled_ && is_space(window_[at_])) ++at_;
        start_ = at_;
        if (at_ < filled_) return static_cast<unsigned char>(window_[at_]);
        if (!grow()) return -1;
    }
}

void JsonStream::expect(char wanted, const char* where) {
    const int next = peek();
    if (next < 0) fail(offset(), std::string("the file ends ") + where + " (truncated)");
    if (next != static_cast<unsigned char>(wanted)) {
        fail(offset(), std::string("malformed JSON: expected '") + wanted + "' " + where);
    }
    start_ = ++at_;
}

void JsonStream::end_of_string() {
    ++at_;  // the opening quote
    for (;; ++at_) {
        if (at_ == filled_ && !grow())
            fail(before_ + start_, "the file ends in this text (truncated)");
        if (window_[at_] == '"') break;
        if (window_[at_] == '\\') {
            ++at_;
            if (at_ == filled_ && !grow()) fail(before_ + start_, "the file ends in this text");
        }
    }
    ++at_;
}

// Braces and brackets are counted together: the handler's parser finds the ones that don't match.
void JsonStream::end_of_nested() {
    std::size_t depth = 0;
    for (;;) {
        if (at_ == filled_ && !grow()) {
            fail(before_ + start_, "the file ends inside the value that begins here (truncated)");
        }
        const char c = window_[at_];
        if (c == '"') {
            end_of_string();
            continue;
        }
        ++at_;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return;
    }
}

std::string_view JsonStream::value() {
    const int first = peek();
    if (first < 0) fail(offset(), "the file ends where a value should stand (truncated)");
    if (first == '{' || first == '[') {
        end_of_nested();
    } else if (first == '"') {
        end_of_string();
    } else {
        while (at_ < filled_ || grow()) {
            if (ends_scalar(window_[at_])) break;
            ++at_;
        }
        if (at_ == start_) fail(offset(), "malformed JSON: expected a value");
    }
    return std::string_view(window_).substr(start_, at_ - start_);
}

void JsonStream::read_array(const Handlers& handlers) {
    expect('[', "before the first event");
    if (peek() == ']') return expect(']', "");
    for (;;) {
        const std::string_view text = value();
        handlers.element(text, before_ + start_);
        if (peek() == ']') return expect(']', "");
        expect(',', "between two events");
    }
}

bool JsonStream::read(std::string_view array_key, const Handlers& handlers) {
    const int first = peek();
    if (first == '[') {
        read_array(handlers);
        return true;
    }
    if (first != '{') fail(offset(), "not JSON: expected '{' or '['");
    bool found = false;
    expect('{', "");
    while (peek() != '}') {
        if (peek() != '"') fail(offset(), "malformed JSON: expected a key in quotes");
        const std::string_view quoted = value();
        const std::string key(quoted.substr(1, quoted.size() - 2));
        expect(':', "behind a key");
        if (key == array_key) {
            if (found) fail(offset(), "the key '" + key + "' stands twice");
            found = true;
            if (peek() != '[') fail(offset(), "expected a list under '" + key + "'");
            read_array(handlers);
        } else {
            const std::string_view text = value();
            handlers.other(key, text, before_ + start_);
        }
        if (peek() == '}') break;
        expect(',', "between two keys");
    }
    expect('}', "");
    if (peek() >= 0) fail(offset(), "malformed JSON: text behind the last '}'");
    return found;
}

}  // namespace diastole
