// Finds variables that outlive a call. Works on text: namespaces are entered, every other pair of
// braces is skipped, and what is left of a statement is judged by its words.
#include <regex>

#include "tests/layering/rules.hpp"

namespace diastole::layering {
namespace {

bool matches(const std::string& text, const std::regex& pattern) {
    return std::regex_search(text, pattern);
}

std::string without_preprocessor(const std::string& code) {
    std::string out = code;
    bool directive = false, fresh = true;
    for (std::size_t i = 0; i < code.size(); ++i) {
        if (code[i] == '\n') {
            if (i == 0 || code[i - 1] != '\\') directive = false;
            fresh = true;
            continue;
        }
        if (fresh && code[i] == '#') directive = true;
        if (code[i] != ' ' && code[i] != '\t') fresh = false;
        if (directive) out[i] = ' ';
    }
    return out;
}

// What declares a variable stands before its initialiser.
std::string head_of(const std::string& statement) {
    return statement.substr(0, statement.find_first_of("={"));
}

// A statement at namespace scope, its braces' contents left out. What a signal handler sets can be
// nothing but a global, so that its type is let through.
bool is_mutable_variable(const std::string& statement) {
    static const std::regex declares_no_variable(
        "^\\s*(using|typedef|template|friend|static_assert|namespace|__extension__|struct|class|"
        "enum"
        "|union)\\b|\\b(const|constexpr|operator|volatile std::sig_atomic_t)\\b");
    static const std::regex type_and_name(
        "[A-Za-z0-9_>\\]*&]\\s*[\\s*&]\\s*[A-Za-z_]\\w*\\s*(\\[[^\\]]*\\]\\s*)?$");
    if (matches(statement, declares_no_variable)) return false;
    const std::string head = head_of(statement);
    if (head.find('(') != std::string::npos) return false;  // a function
    return matches(head, type_and_name);
}

// After a closing brace: whether it ended the statement without a semicolon, as a function's does.
// A leading comma is the rest of a constructor's initialisers.
bool ends_with_brace(const std::string& statement) {
    static const std::regex no_declaration("^\\s*([,{]|$)|\\boperator\\b");
    return head_of(statement).find('(') != std::string::npos || matches(statement, no_declaration);
}

class Scanner {
  public:
    explicit Scanner(std::string code) : code_(std::move(code)) {}

    std::vector<std::size_t> variables() {
        for (at_ = 0; at_ < code_.size(); ++at_) step(code_[at_]);
        return found_;
    }

  private:
    void step(char c) {
        if (c == '{') {
            open();
        } else if (c == '}') {
            close();
        } else if (inside_ == 0) {
            statement_ += c;
            if (c == ';') judge();
        }
    }

    void open() {
        static const std::regex scope("\\bnamespace\\b|^\\s*extern\\s*\"\\s*\"");
        if (inside_ == 0 && matches(statement_, scope)) {
            statement_.clear();
            return;
        }
        if (inside_ == 0) statement_ += '{';
        ++inside_;
    }

    // A brace that closes nothing closes a namespace.
    void close() {
        if (inside_ == 0) {
            statement_.clear();
        } else if (--inside_ == 0) {
            if (ends_with_brace(statement_)) {
                statement_.clear();
            } else {
                statement_ += '}';
            }
        }
    }

    void judge() {
        statement_.pop_back();
        if (is_mutable_variable(statement_)) found_.push_back(at_);
        statement_.clear();
    }

    std::string code_, statement_;
    std::size_t at_ = 0;
    int inside_ = 0;
    std::vector<std::size_t> found_;
};

}  // namespace

Problems mutable_globals(const Files& files) {
    static const std::regex is_const("\\b(const|constexpr)\\b");
    static const std::regex local_static("\\b(static|thread_local)\\b([^;={(]*)[;={]");
    Problems problems;
    for (const auto& [path, text] : files) {
        if (!is_cpp(path)) continue;
        if (path.compare(0, 6, "model/") != 0 && path.compare(0, 10, "workloads/") != 0) continue;
        const std::string code = without_preprocessor(without_comments(text, true));
        const auto report = [&](std::size_t position, const std::string& what) {
            problems.push_back(path + ":" + std::to_string(line_at(code, position)) + ": " + what);
        };
        for (const std::size_t position : Scanner(code).variables()) {
            report(position, "a variable outside functions that is not const");
        }
        for (std::sregex_iterator it(code.begin(), code.end(), local_static), end; it != end;
             ++it) {
            if (matches((*it)[2].str(), is_const)) continue;
            report(static_cast<std::size_t>(it->position()), "a static variable that is not const");
        }
    }
    return problems;
}

}  // namespace diastole::layering
