#include "model/config/loader.hpp"

#include <algorithm>

#include "model/base/error.hpp"
#include "model/base/names.hpp"

namespace diastole::config {
namespace {

std::string join(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + '.' + name;
}

// One load: the schema being filled, and the way from the topmost file to its deepest base.
class Loader {
  public:
    Loader(Schema& schema, const LoadOptions& options, Problems& problems)
        : schema_(schema), options_(options), problems_(problems) {}

    void load(const FoundFile& top);
    void apply(const Override& override);

  private:
    struct Layer {
        std::string path;
        Document document;
    };
    void open_chain(const FoundFile& top);
    void fill(const Layer& layer);
    void fill_table(const Value& table, const std::string& path, const Provenance& inherited);
    void fill_key(const std::string& key, const Value& value, const Location& key_place,
                  const Provenance& inherited);
    void assign(Field& field, const Value& value, Provenance provenance);
    void include(const Value& tree, const std::string& from);
    void include_file(const std::string& key, const Value& name, const std::string& from);
    void read_lists();

    Schema& schema_;
    const LoadOptions& options_;
    Problems& problems_;
    std::vector<Layer> layers_;  // the topmost file first
};

void Loader::open_chain(const FoundFile& top) {
    FoundFile next = top;
    while (true) {
        const bool seen = std::any_of(layers_.begin(), layers_.end(),
                                      [&](const Layer& layer) { return layer.path == next.path; });
        if (seen) {
            std::string chain;
            for (const Layer& layer : layers_) chain += layer.document.root().where().file + " -> ";
            throw ConfigError(top.shown + ": base: a cycle: " + chain + next.shown);
        }
        layers_.push_back({next.path, Document::load(next.path, next.shown, problems_)});
        const Value& tree = layers_.back().document.tree();
        const Value* base = tree.find("base");
        if (base == nullptr) return;
        std::string name, problem;
        if (!convert(*base, name, problem)) {
            problems_.add(base->where, "base", problem);
            return;
        }
        next = options_.find_base ? options_.find_base(name, layers_.back().path)
                                  : FoundFile{"", "no base is possible here"};
        if (next.path.empty()) {
            problems_.add(base->where, "base", next.shown);
            return;
        }
    }
}

void Loader::load(const FoundFile& top) {
    open_chain(top);
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) fill(*layer);
    read_lists();
}

void Loader::fill(const Layer& layer) {
    include(layer.document.tree(), layer.path);
    fill_table(layer.document.tree(), options_.prefix, {});
}

// Brings in the files that keys of this one name, before its own keys.
void Loader::include(const Value& tree, const std::string& from) {
    for (const auto& [key, finder] : options_.includes) {
        const Value* value = &tree;
        std::size_t start = 0;
        while (value != nullptr && start <= key.size()) {
            const std::size_t dot = std::min(key.find('.', start), key.size());
            value = value->find(std::string_view(key).substr(start, dot - start));
            start = dot + 1;
        }
        if (value != nullptr) include_file(key, without_provenance(*value), from);
    }
}

void Loader::include_file(const std::string& key, const Value& name, const std::string& from) {
    if (name.kind != Kind::text) return;  // reported when the key itself is assigned
    const FoundFile file = options_.includes.at(key)(name.text, from);
    if (file.path.empty()) {
        problems_.add(name.where, key, file.shown);
        return;
    }
    LoadOptions options;
    options.find_base = options_.includes.at(key);
    options.prefix = key.substr(0, key.rfind('.'));
    Loader(schema_, options, problems_).load(file);
}

void Loader::fill_table(const Value& table, const std::string& path, const Provenance& inherited) {
    Provenance common = inherited;
    const bool top = path == options_.prefix;
    for (const char* name : {"source", "assumed"}) {
        const Value* note = table.find(name);
        if (note == nullptr || schema_.find(join(path, name)) != nullptr) continue;
        std::string text, problem;
        if (!convert(*note, text, problem)) problems_.add(note->where, join(path, name), problem);
        common.source = name == std::string("source") ? text : "";
        common.assumed = name == std::string("assumed") ? text : "";
    }
    for (std::size_t i = 0; i < table.names.size(); ++i) {
        const std::string& name = table.names[i];
        if (top && (name == "base" || options_.lists.count(name) != 0)) continue;
        const std::string key = join(path, name);
        const bool note = name == "source" || name == "assumed";
        if (note && schema_.find(key) == nullptr) continue;
        fill_key(key, table.items[i], table.name_places[i], common);
    }
}

void Loader::fill_key(const std::string& key, const Value& value, const Location& key_place,
                      const Provenance& inherited) {
    Field* field = schema_.find(key);
    if (field == nullptr) {
        if (value.kind == Kind::table && schema_.is_table(key)) {
            fill_table(value, key, inherited);
        } else {
            problems_.add(key_place, key, schema_.unknown_key(key));
        }
        return;
    }
    Provenance provenance = inherited;
    const Value& plain = without_provenance(value);
    if (&plain != &value) {
        provenance = {};
        for (const auto& [name, text] :
             {std::pair{"source", &provenance.source}, std::pair{"assumed", &provenance.assumed}}) {
            const Value* note = value.find(name);
            std::string problem;
            if (note != nullptr && !convert(*note, *text, problem)) {
                problems_.add(note->where, join(key, name), problem);
            }
        }
    } else if (value.kind == Kind::table) {
        problems_.add(value.where, key,
                      "expected a value or { value = ..., source = \"...\" } or { value = ..., "
                      "assumed = \"...\" }");
        return;
    }
    provenance.where = plain.where;
    assign(*field, plain, std::move(provenance));
}

void Loader::assign(Field& field, const Value& value, Provenance provenance) {
    provenance.given = true;
    std::string problem;
    if (!field.assign(value, std::move(provenance), problem)) {
        problems_.add(value.where, field.key(), problem);
    }
}

void Loader::read_lists() {
    for (const auto& [key, read] : options_.lists) {
        for (const Layer& layer : layers_) {
            const std::vector<Node> nodes = layer.document.root().tables(key);
            if (nodes.empty()) continue;
            read(nodes);
            // Only the list is read through nodes: the other keys are the schema's.
            layer.document.reject_unknown(key);
            break;
        }
    }
}

void Loader::apply(const Override& override) {
    Field* field = schema_.find(override.key);
    if (field == nullptr) {
        problems_.add({"--set", 0, 0}, override.key, schema_.unknown_key(override.key));
        return;
    }
    Value value = parse_override_value(override.text);
    if (field->is_text() && value.kind != Kind::text) {
        value.kind = Kind::text;  // a name that looks like a number
        value.text = override.text;
    }
    if (options_.includes.count(override.key) != 0) include_file(override.key, value, "");
    Provenance provenance;
    provenance.where = value.where;
    assign(*field, value, std::move(provenance));
}

}  // namespace

Override parse_override(std::string_view assignment) {
    const auto trim = [](std::string_view text) {
        const std::size_t first = text.find_first_not_of(" \t");
        if (first == std::string_view::npos) return std::string{};
        return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
    };
    const std::size_t equals = assignment.find('=');
    Override result;
    if (equals != std::string_view::npos) {
        result = {trim(assignment.substr(0, equals)), trim(assignment.substr(equals + 1))};
    }
    if (result.key.empty() || result.text.empty()) {
        throw ConfigError("--set: expected key=value, got \"" + std::string(assignment) + '"');
    }
    return result;
}

std::vector<Override> parse_overrides(const std::vector<std::string>& assignments) {
    std::vector<Override> overrides;
    for (const std::string& assignment : assignments) {
        overrides.push_back(parse_override(assignment));
    }
    return overrides;
}

std::vector<Override> take_table(std::vector<Override>& overrides, std::string_view table) {
    const std::string prefix = std::string(table) + '.';
    const auto outside = std::stable_partition(
        overrides.begin(), overrides.end(),
        [&](const Override& o) { return o.key.compare(0, prefix.size(), prefix) != 0; });
    std::vector<Override> taken(outside, overrides.end());
    overrides.erase(outside, overrides.end());
    return taken;
}

void load(Schema& schema, const FoundFile& file, const LoadOptions& options,
          const std::vector<Override>& overrides, Problems& problems) {
    Loader loader(schema, options, problems);
    loader.load(file);
    // What names a file comes first, so that the other overrides stay on top of it.
    for (const bool includes : {true, false}) {
        for (const Override& override : overrides) {
            if ((options.includes.count(override.key) != 0) == includes) loader.apply(override);
        }
    }
}

void apply(Schema& schema, const std::vector<Override>& overrides, Problems& problems) {
    const LoadOptions options;
    Loader loader(schema, options, problems);
    for (const Override& override : overrides) loader.apply(override);
}

}  // namespace diastole::config
