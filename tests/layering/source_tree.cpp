#include "tests/layering/source_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace diastole::layering {
namespace {

namespace fs = std::filesystem;

bool is_wanted(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".hpp" || extension == ".cpp" || extension == ".sh" ||
           path.filename() == "CMakeLists.txt";
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    return content.str();
}

// The position just behind the literal whose opening quote is at `begin`.
std::size_t end_of_literal(const std::string& text, std::size_t begin) {
    const char quote = text[begin];
    if (quote == '"' && begin > 0 && text[begin - 1] == 'R') {
        const std::size_t open = text.find('(', begin);
        const std::string close = ")" + text.substr(begin + 1, open - begin - 1) + "\"";
        return std::min(text.find(close, open), text.size() - close.size()) + close.size();
    }
    std::size_t i = begin + 1;
    while (i < text.size() && text[i] != quote) i += text[i] == '\\' ? 2 : 1;
    return std::min(i + 1, text.size());
}

bool is_digit_separator(const std::string& text, std::size_t i) {
    return i > 0 && std::isxdigit(static_cast<unsigned char>(text[i - 1])) != 0 &&
           i + 1 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
           (i + 2 >= text.size() || text[i + 2] != '\'');
}

void blank(std::string& text, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, text.size()); ++i) {
        if (text[i] != '\n') text[i] = ' ';
    }
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

std::string without_cmake_comments(const std::string& text) {
    return std::regex_replace(text, std::regex("#[^\n]*"), "");
}

void add_link(Links& links, const std::string& word) {
    const std::string prefix = "diastole_";
    if (word == "PUBLIC" || word == "PRIVATE" || word == "INTERFACE") return;
    if (word == "diastole_options") return;
    if (word.compare(0, prefix.size(), prefix) == 0) {
        links.own.insert(word.substr(prefix.size()));
    } else {
        links.foreign.insert(word);
    }
}

}  // namespace

Files read_tree(const std::string& root) {
    Files files;
    for (const char* top : {"model", "workloads", "tb", "tests", "scripts"}) {
        const fs::path start = fs::path(root) / top;
        if (!fs::exists(start)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(start)) {
            if (!entry.is_regular_file() || !is_wanted(entry.path())) continue;
            files[fs::relative(entry.path(), root).generic_string()] = read_file(entry.path());
        }
    }
    return files;
}

std::string folder_of(const std::string& path) {
    const std::size_t first = path.find('/');
    const std::string top = path.substr(0, first);
    if (top == "tb" || top == "tests" || top == "scripts") return top;
    const std::size_t second = path.find('/', first + 1);
    return second == std::string::npos ? top : path.substr(0, second);
}

bool is_cpp(const std::string& path) {
    const std::string extension = fs::path(path).extension().string();
    return extension == ".hpp" || extension == ".cpp";
}

std::string without_comments(const std::string& text, bool strings_too) {
    std::string out = text;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i + 1;
        if (text.compare(i, 2, "//") == 0) {
            end = std::min(text.find('\n', i), text.size());
            blank(out, i, end);
        } else if (text.compare(i, 2, "/*") == 0) {
            end = std::min(text.find("*/", i + 2), text.size() - 2) + 2;
            blank(out, i, end);
        } else if (text[i] == '"' || (text[i] == '\'' && !is_digit_separator(text, i))) {
            end = end_of_literal(text, i);
            if (strings_too) blank(out, i + 1, end - 1);
        }
        i = end;
    }
    return out;
}

std::size_t line_at(const std::string& text, std::size_t position) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(position, text.size()));
    return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

std::vector<Include> includes_of(const std::string& text) {
    static const std::regex pattern("^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)[>\"]");
    std::vector<Include> includes;
    std::istringstream lines(without_comments(text, false));
    std::smatch match;
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        if (std::regex_search(line, match, pattern)) {
            includes.push_back({match[2].str(), match[1].str() == "\"", number});
        }
    }
    return includes;
}

Links links_of(const std::string& cmake_text) {
    static const std::regex call("(diastole_library|target_link_libraries)[ \t]*\\(([^)]*)\\)");
    const std::string text = without_cmake_comments(cmake_text);
    Links links;
    for (std::sregex_iterator it(text.begin(), text.end(), call), end; it != end; ++it) {
        const std::vector<std::string> words = words_of((*it)[2].str());
        if (words.empty()) continue;
        const bool library = (*it)[1].str() == "diastole_library";
        if (library) links.libraries.insert(words[0]);
        bool counts = !library;
        for (auto word = words.begin() + 1; word != words.end(); ++word) {
            if (library && (*word == "DEPENDS" || *word == "SOURCES")) {
                counts = *word == "DEPENDS";
            } else if (counts) {
                add_link(links, library ? "diastole_" + *word : *word);
            }
        }
    }
    return links;
}

std::map<std::string, Links> all_links(const Files& files) {
    std::map<std::string, Links> result;
    for (const auto& [path, text] : files) {
        if (fs::path(path).filename() != "CMakeLists.txt") continue;
        const Links links = links_of(text);
        Links& sum = result[folder_of(path)];
        sum.libraries.insert(links.libraries.begin(), links.libraries.end());
        sum.own.insert(links.own.begin(), links.own.end());
        sum.foreign.insert(links.foreign.begin(), links.foreign.end());
    }
    return result;
}

}  // namespace diastole::layering
