#include "model/config/document.hpp"

#include "model/base/names.hpp"

namespace diastole::config {
namespace {

std::string join(const std::string& path, std::string_view key) {
    if (path.empty()) return std::string(key);
    return key.empty() ? path : path + '.' + std::string(key);
}

std::string element(const std::string& path, std::size_t index) {
    return path + '[' + std::to_string(index + 1) + ']';
}

}  // namespace

const Value& without_provenance(const Value& value) {
    if (value.kind != Kind::table) return value;
    const Value* inner = value.find("value");
    if (inner == nullptr) return value;
    for (const std::string& name : value.names) {
        if (name != "value" && name != "source" && name != "assumed") return value;
    }
    return *inner;
}

std::string unknown_choice(const std::string& text, const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    return "expected one of " + list + ", got \"" + text + '"' + did_you_mean(text, names);
}

Document::Document(Value tree, Problems& problems) : state_(std::make_unique<State>()) {
    state_->tree = std::move(tree);
    state_->problems = &problems;
}

Document Document::load(const std::string& path, Problems& problems) {
    return load(path, path, problems);
}
Document Document::load(const std::string& path, const std::string& shown, Problems& problems) {
    return {parse_file(path, shown), problems};
}
Document Document::parse(std::string_view text, const std::string& shown, Problems& problems) {
    return {parse_text(text, shown), problems};
}

Node Document::root() const {
    return {*state_, state_->tree, ""};
}
const Value& Document::tree() const {
    return state_->tree;
}
void Document::reject_unknown() const {
    check_table(state_->tree, "");
}
void Document::reject_unknown(std::string_view key) const {
    if (const Value* value = state_->tree.find(key)) check_member(*value, std::string(key));
}

void Document::check_table(const Value& table, const std::string& path) const {
    const std::set<std::string>& asked = state_->asked[&table];
    for (std::size_t i = 0; i < table.names.size(); ++i) {
        const std::string& name = table.names[i];
        if (asked.count(name) != 0) {
            check_member(table.items[i], join(path, name));
            continue;
        }
        state_->problems->add(table.name_places[i], join(path, name),
                              "unknown key" + did_you_mean(name, {asked.begin(), asked.end()}));
    }
}

// Tables that were read through a node are checked in turn; others were taken as one value.
void Document::check_member(const Value& value, const std::string& path) const {
    if (value.kind == Kind::table && state_->asked.count(&value) != 0) check_table(value, path);
    if (value.kind != Kind::list) return;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (state_->asked.count(&value.items[i]) != 0) {
            check_table(value.items[i], element(path, i));
        }
    }
}

const std::vector<std::string>& Node::keys() const {
    auto& asked = state_->asked[table_];
    asked.insert(table_->names.begin(), table_->names.end());
    return table_->names;
}

std::string Node::path(std::string_view key) const {
    return join(path_, key);
}

Location Node::where(std::string_view key) const {
    const Value* value = key.empty() ? nullptr : table_->find(key);
    return value == nullptr ? table_->where : value->where;
}

const Value* Node::find(std::string_view key) const {
    state_->asked[table_].insert(std::string(key));
    const Value* value = table_->find(key);
    return value == nullptr ? nullptr : &without_provenance(*value);
}

const Value* Node::find_required(std::string_view key) const {
    const Value* value = find(key);
    if (value == nullptr) problem(key, "missing");
    return value;
}

void Node::unknown_name(std::string_view key, const std::string& text,
                        const std::vector<std::string>& names) const {
    problem(key, unknown_choice(text, names));
}

Node Node::table(std::string_view key) const {
    const Value* value = find(key);
    if (value != nullptr && value->kind != Kind::table) {
        problem(key, "expected a table, got " + show(*value));
        value = nullptr;
    }
    if (value == nullptr) {
        state_->absent.emplace_back().where = table_->where;
        value = &state_->absent.back();
    }
    state_->asked[value];  // so that its own keys are checked
    return {*state_, *value, path(key)};
}

std::vector<Node> Node::tables(std::string_view key) const {
    std::vector<Node> nodes;
    const Value* value = find(key);
    if (value == nullptr) return nodes;
    if (value->kind != Kind::list) {
        problem(key, "expected a list of tables ([[" + path(key) + "]]), got " + show(*value));
        return nodes;
    }
    for (std::size_t i = 0; i < value->items.size(); ++i) {
        const Value& item = value->items[i];
        const std::string name = element(path(key), i);
        if (item.kind != Kind::table) {
            state_->problems->add(item.where, name, "expected a table, got " + show(item));
            continue;
        }
        state_->asked[&item];
        nodes.push_back(Node{*state_, item, name});
    }
    return nodes;
}

void Node::problem(std::string_view key, std::string_view message) const {
    state_->problems->add(where(key), path(key), message);
}

}  // namespace diastole::config
