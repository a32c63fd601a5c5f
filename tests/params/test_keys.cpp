// A parameter that no key reaches could not be set, shown or varied: every member of the structs is
// looked for among the keys.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "model/params/describe.hpp"
#include "tests/paths.hpp"

using namespace diastole;

namespace {

// Names of the members declared in the structs of a header: "dpe.columns" is found as `columns`.
std::set<std::string> members_of(const std::string& header) {
    std::ifstream file(source_dir() + "/model/params/" + header);
    std::set<std::string> names;
    bool inside = false;
    const std::regex comment("//.*"), start("^struct \\w+ \\{"), type("^    [\\w:<>]+ (.*);");
    const std::regex declarator("\\s*(\\w+)[^,]*,?");
    for (std::string line; std::getline(file, line);) {
        line = std::regex_replace(line, comment, "");
        std::smatch match;
        if (std::regex_search(line, start)) inside = true;
        if (line.rfind("};", 0) == 0) inside = false;
        if (!inside || !std::regex_search(line, match, type)) continue;
        const std::string list = match[1];
        for (std::sregex_iterator it(list.begin(), list.end(), declarator), end; it != end; ++it) {
            names.insert((*it)[1]);
        }
    }
    return names;
}

}  // namespace

TEST_CASE("every member of the parameter structs has a key") {
    ChipParams chip;
    config::Schema schema;
    describe(schema, chip);
    std::set<std::string> parts;
    for (const config::Field& field : schema.fields()) {
        std::istringstream path(field.key());
        for (std::string part; std::getline(path, part, '.');) parts.insert(part);
    }
    for (const char* header : {"chip_params.hpp", "dram_params.hpp"}) {
        const std::set<std::string> members = members_of(header);
        CHECK(members.size() > 40);
        for (const std::string& member : members) {
            INFO(header << ": " << member);
            CHECK(parts.count(member) == 1);
        }
    }
}

TEST_CASE("keys are unique and each assigns a member of its own") {
    ChipParams chip;
    config::Schema schema;
    describe(schema, chip);
    std::set<std::string> keys;
    for (const config::Field& field : schema.fields()) CHECK(keys.insert(field.key()).second);

    for (const config::Field& target : schema.fields()) {
        if (target.is_text()) continue;
        ChipParams changed;
        config::Schema other;
        describe(other, changed);
        std::vector<std::string> before;
        for (const config::Field& f : other.fields()) before.push_back(f.shown());
        config::Field& field = *other.find(target.key());
        for (const char* text : {"2", "64", "128", "0.5", "2000000", "true", "false"}) {
            std::string problem;
            if (field.assign(config::parse_override_value(text), {}, problem) &&
                field.shown() != target.shown()) {
                break;
            }
        }
        std::size_t different = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            different += other.fields()[i].shown() == before[i] ? 0 : 1;
        }
        INFO(target.key());
        CHECK(different == 1);
    }
}
