#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tb/display.hpp"
#include "tb/validation.hpp"

namespace diastole {
namespace {

constexpr std::size_t width = 110;
constexpr std::size_t shown_values = 5;  // of the assumed ones, those that move an error most

std::string with_unit(Metric metric, double value) {
    switch (metric) {
        case Metric::time:
            return si(value) + 's';
        case Metric::flop_rate:
            return si(value) + "FLOP/s";
        case Metric::sample_rate:
            return si(value) + "samples/s";
        case Metric::dram_rate:
            return si(value) + "B/s";
        case Metric::peak_share:
        case Metric::dram_share:
        case Metric::stall_share:
        case Metric::array_share:
            break;
    }
    return fmt::format("{:.1f} %", 100 * value);
}

std::string error_text(const Measure& measure, double value) {
    if (measure.relation != Relation::equals && holds(measure, value)) return "holds";
    return fmt::format("{:+.1f} {}", 100 * error_of(measure, value),
                       is_share(measure.metric) ? "points" : "%");
}

std::string wrapped(const std::string& label, const std::string& text) {
    const std::string margin(6, ' ');
    std::string out = margin.substr(2) + label, word;
    std::size_t column = out.size();
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find(' ', start), text.size());
        if (column + 1 + end - start > width) {
            out += '\n' + margin;
            column = margin.size();
        } else if (out.back() != ' ') {
            out += ' ';
            ++column;
        }
        out.append(text, start, end - start);
        column += end - start;
        start = end + 1;
    }
    return out + '\n';
}

// How far the two variants lie from the case as it stands.
double movement(const AssumedValue& value, const Measure& measure, std::size_t number,
                double modelled) {
    double most = 0;
    for (const std::optional<Variant>* variant : {&value.halved, &value.doubled}) {
        if (!*variant || (*variant)->modelled.empty()) continue;
        const double change = (*variant)->modelled[number] - modelled;
        most = std::max(most, std::abs(is_share(measure.metric) ? change : change / modelled));
    }
    return most;
}

std::string variant_text(const Measure& measure, std::size_t number,
                         const std::optional<Variant>& variant) {
    if (!variant) return "-";
    if (variant->modelled.empty()) return "refused";
    return error_text(measure, variant->modelled[number]);
}

std::string sensitivity_lines(const ValidatedCase& c, std::size_t number) {
    const Measure& measure = c.what.measures[number];
    const double modelled = c.result.measures[number].modelled;
    std::vector<const AssumedValue*> order;
    for (const AssumedValue& value : c.assumed) order.push_back(&value);
    const auto moves = [&](const AssumedValue* value) {
        return movement(*value, measure, number, modelled);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](const auto* a, const auto* b) { return moves(a) > moves(b); });
    std::string lines = fmt::format(
        "    error with one of {} assumed numbers halved or doubled; those that move "
        "it most:\n",
        order.size());
    for (std::size_t i = 0; i < std::min(order.size(), shown_values); ++i) {
        if (moves(order[i]) == 0) break;
        lines += fmt::format("      {:<40}{:>14}  halved {:>13}  doubled {:>13}\n", order[i]->key,
                             order[i]->value, variant_text(measure, number, order[i]->halved),
                             variant_text(measure, number, order[i]->doubled));
    }
    return lines;
}

std::string measure_lines(const ValidatedCase& c, std::size_t number, bool sensitivity) {
    const Measure& measure = c.what.measures[number];
    const MeasureResult& result = c.result.measures[number];
    const char* sign = measure.relation == Relation::equals      ? ""
                       : measure.relation == Relation::more_than ? "> "
                                                                 : "< ";
    const bool violated = measure.relation != Relation::equals && !holds(measure, result.modelled);
    const std::string roofline =
        result.roofline ? with_unit(measure.metric, *result.roofline) : "-";
    std::string lines =
        fmt::format("  {:<26}{:>18}{:>18}{:>14}{:>10}{:>18}\n", name_of(measure),
                    sign + with_unit(measure.metric, measure.measured),
                    with_unit(measure.metric, result.modelled),
                    error_text(measure, result.modelled), violated ? "violated" : "", roofline);
    lines += wrapped("source:", measure.source);
    if (!measure.fitted.empty()) lines += wrapped("chosen with it in view:", measure.fitted);
    if (sensitivity) lines += sensitivity_lines(c, number);
    return lines;
}

struct Sum {
    double total = 0;
    int count = 0;
    void add(double value) {
        total += value;
        ++count;
    }
    [[nodiscard]] double mean() const { return total / count; }
};

std::string summary(const Validation& validation) {
    Sum relative, points;
    int held = 0, violated = 0;
    for (const ValidatedCase& c : validation.cases) {
        for (std::size_t i = 0; i < c.what.measures.size(); ++i) {
            const Measure& measure = c.what.measures[i];
            const double value = c.result.measures[i].modelled;
            if (measure.relation != Relation::equals) {
                ++(holds(measure, value) ? held : violated);
            } else {
                (is_share(measure.metric) ? points : relative)
                    .add(std::abs(error_of(measure, value)));
            }
        }
    }
    std::string text = "\n";
    if (held + violated > 0) text += fmt::format("Bounds: {} hold, {} violated. ", held, violated);
    if (relative.count > 0) {
        text += fmt::format("Times and rates: {}, off by {:.1f} % on average. ", relative.count,
                            100 * relative.mean());
    }
    if (points.count > 0) {
        text += fmt::format("Shares: {}, off by {:.1f} points on average.", points.count,
                            100 * points.mean());
    }
    while (text.back() == ' ') text.pop_back();
    return text + '\n';
}

}  // namespace

std::string validation_text(const Validation& validation) {
    std::string text = fmt::format("{:<28}{:>18}{:>18}{:>14}{:>10}{:>18}\n", "", "measured",
                                   "modelled", "error", "", "roofline says");
    for (const ValidatedCase& c : validation.cases) {
        text += fmt::format("{}  ({}, {})\n", c.what.name, c.what.chip.params.name,
                            c.what.spec.graph->name);
        for (std::size_t i = 0; i < c.what.measures.size(); ++i) {
            text += measure_lines(c, i, validation.sensitivity);
        }
        if (!c.what.assumed.empty()) text += wrapped("assumed:", c.what.assumed);
        if (!c.what.missing.empty()) text += wrapped("missing:", c.what.missing);
    }
    return text + summary(validation);
}

}  // namespace diastole
