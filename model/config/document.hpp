// Reads a TOML file whose shape a flat schema cannot express (lists of tables, optional parts).
//
//     config::Problems problems;
//     const config::Document file = config::Document::load("models/x.toml", problems);
//     const config::Node root = file.root();
//     const auto batch = root.get<std::uint32_t>("batch", 1024);  // absent: the default
//     const auto name = root.require<std::string>("name");        // absent: a problem
//     for (const config::Node& layer : root.tables("layer")) {    // [[layer]]
//         const auto width = layer.require<std::uint64_t>("width");
//         if (width % 2 != 0) layer.problem("width", "expected an even number");
//     }
//     file.reject_unknown();    // each key that nobody asked for, with the nearest that was
//     problems.throw_if_any();  // one ConfigError: one line per problem with file:line:column
//
// A value of the wrong type is noted as a problem and reads as the default. Types: bool, uint32_t,
// uint64_t, double, std::string, and std::vector of these. `x = { value = 8, source = "..." }` and
// `{ value = 8, assumed = "..." }` read as 8.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/config/problems.hpp"
#include "model/config/value.hpp"

namespace diastole::config {

class Node;

class Document {
  public:
    // Throws ConfigError at once when the file cannot be read or is not TOML; everything later goes
    // to `problems`, which must outlive the document. `shown`: what problems call the file.
    static Document load(const std::string& path, Problems& problems);
    static Document load(const std::string& path, const std::string& shown, Problems& problems);
    static Document parse(std::string_view text, const std::string& shown, Problems& problems);

    [[nodiscard]] Node root() const;
    [[nodiscard]] const Value& tree() const;
    // Call after everything has been read. With a key: only inside this member of the root.
    void reject_unknown() const;
    void reject_unknown(std::string_view key) const;

  private:
    friend class Node;
    struct State {
        Value tree;
        Problems* problems = nullptr;
        std::map<const Value*, std::set<std::string>> asked;  // keys read, by table
        std::deque<Value> absent;                             // stand for missing tables
    };
    Document(Value tree, Problems& problems);
    void check_table(const Value& table, const std::string& path) const;
    void check_member(const Value& value, const std::string& path) const;

    std::unique_ptr<State> state_;
};

// A table of a document. Cheap to copy; the document must outlive it.
class Node {
  public:
    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
    // Whether its value is text: for a key that takes a number or words.
    [[nodiscard]] bool is_text(std::string_view key) const {
        const Value* value = find(key);
        return value != nullptr && value->kind == Kind::text;
    }
    // Its keys in the order of the file. They count as known.
    [[nodiscard]] const std::vector<std::string>& keys() const;
    [[nodiscard]] std::string path(std::string_view key = {}) const;  // "layer[2].width"
    [[nodiscard]] Location where(std::string_view key = {}) const;    // of the key's value

    template <class T>
    [[nodiscard]] T get(std::string_view key, T fallback) const {
        if (const Value* value = find(key)) read(*value, key, fallback);
        return fallback;
    }
    template <class T>
    [[nodiscard]] T require(std::string_view key) const {
        T result{};
        if (const Value* value = find_required(key)) read(*value, key, result);
        return result;
    }
    // One of a few names: get("dtype", DType::fp16, {{"fp16", DType::fp16}, ...}).
    template <class E>
    [[nodiscard]] E get_enum(std::string_view key, E fallback,
                             const std::vector<std::pair<std::string, E>>& choices) const {
        const auto text = get<std::string>(key, std::string{});
        if (!has(key)) return fallback;
        std::vector<std::string> names;
        for (const auto& [name, choice] : choices) {
            if (name == text) return choice;
            names.push_back(name);
        }
        if (find(key)->kind == Kind::text) unknown_name(key, text, names);
        return fallback;
    }

    // The member table `key`; an empty one when absent.
    [[nodiscard]] Node table(std::string_view key) const;
    // The elements of a list of tables; none when absent.
    [[nodiscard]] std::vector<Node> tables(std::string_view key) const;

    // Notes a problem at the value of `key`, or at this table.
    void problem(std::string_view key, std::string_view message) const;

  private:
    friend class Document;
    Node(Document::State& state, const Value& table, std::string path)
        : state_(&state), table_(&table), path_(std::move(path)) {}

    [[nodiscard]] const Value* find(std::string_view key) const;  // notes that it was asked for
    [[nodiscard]] const Value* find_required(std::string_view key) const;
    void unknown_name(std::string_view key, const std::string& text,
                      const std::vector<std::string>& names) const;
    template <class T>
    void read(const Value& value, std::string_view key, T& out) const {
        std::string message;
        if (!convert(value, out, message)) problem(key, message);
    }

    Document::State* state_;
    const Value* table_;
    std::string path_;
};

// The value inside `{ value = ..., source = "..." }`, or the value itself.
const Value& without_provenance(const Value& value);

// "expected one of a, b, c, got "x"; did you mean 'b'?"
std::string unknown_choice(const std::string& text, const std::vector<std::string>& names);

}  // namespace diastole::config
