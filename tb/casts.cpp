#include "tb/casts.hpp"

#include "model/base/error.hpp"
#include "model/base/names.hpp"

namespace diastole {
namespace {

DType read_type(const std::string& name, const std::string& place) {
    const auto type = dtype_from_name(name);
    if (type) return *type;
    std::vector<std::string> names;
    for (const DTypeInfo& info : dtype_table) names.emplace_back(info.name);
    throw ConfigError(place + ": unknown type '" + name + "'" + did_you_mean(name, names));
}

}  // namespace

Casts read_casts(const std::vector<std::string>& texts, const std::string& option) {
    Casts casts;
    for (const std::string& text : texts) {
        const std::string place = option + ' ' + text;
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos) {
            throw ConfigError(place + ": expected FROM=TO, such as fp32=fp16");
        }
        const DType from = read_type(text.substr(0, equals), place);
        const DType to = read_type(text.substr(equals + 1), place);
        for (const auto& earlier : casts) {
            if (earlier.first == from) {
                throw ConfigError(place + ": " + std::string(name_of(from)) + " is cast twice");
            }
        }
        casts.emplace_back(from, to);
    }
    return casts;
}

}  // namespace diastole
