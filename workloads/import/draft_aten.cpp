#include <algorithm>

#include "workloads/import/aten_rules.hpp"
#include "workloads/import/draft.hpp"

namespace diastole::kineto {

namespace {

Shape broadcast(const Shape& a, const Shape& b) {
    Shape out(std::max(a.size(), b.size()), 1);
    for (const Shape* shape : {&a, &b}) {
        const std::size_t skip = out.size() - shape->size();
        for (std::size_t i = 0; i < shape->size(); ++i) {
            out[skip + i] = std::max(out[skip + i], (*shape)[i]);
        }
    }
    return out;
}

// Which axes a reduction took away, told by the shapes before and after it: in order, the sizes
// that do not occur behind it. Empty: all, or the shapes do not fit.
std::vector<std::uint32_t> reduced_axes(const Shape& from, const Shape& to) {
    std::vector<std::uint32_t> axes;
    std::size_t matched = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const bool kept = matched < to.size() && to[matched] == from[i];
        if (kept || (from.size() == to.size() && to[matched] == 1)) ++matched;
        if (!kept) axes.push_back(static_cast<std::uint32_t>(i));
    }
    return matched == to.size() && axes.size() < from.size() ? axes : std::vector<std::uint32_t>{};
}

class AtenDraft {
  public:
    AtenDraft(const AtenRule& rule, bool in_place, const std::vector<Argument>& arguments)
        : rule_(rule), in_place_(in_place), all_(arguments) {
        draft_.kind = rule.kind;
        draft_.attrs.ops_per_element = rule.ops;
        draft_.attrs.transcendental = rule.transcendental;
    }

    std::optional<Draft> make() {
        if (!inputs_and_rule()) return std::nullopt;
        choose_output();
        return std::move(draft_);
    }

  private:
    [[nodiscard]] bool tensor(std::size_t i) const { return is_tensor(all_, i); }
    [[nodiscard]] TypedShape at(std::size_t i) const { return tensor_at(all_, i); }
    [[nodiscard]] const Shape& shape(std::size_t i) const { return all_[i].shape; }
    void input(std::size_t i) {
        if (tensor(i)) draft_.inputs.push_back(at(i));
    }
    void by_rule(DType type, Shape shape) { draft_.outputs.push_back({type, std::move(shape)}); }

    // Fills inputs, and outputs as the shape rule has them; false when the arguments do not
    // suffice.
    bool inputs_and_rule() {
        switch (rule_.rule) {
            case Rule::broadcast:
            case Rule::compare:
            case Rule::where:
                return elementwise();
            case Rule::fill:
                return fill();
            case Rule::copy:
                return copy();
            case Rule::mm:
                return product(0, 1, 2);
            case Rule::addmm:
                return product(1, 2, 0);
            case Rule::linear:
                return linear();
            case Rule::concat:
                return concat();
            case Rule::take_any:
                return take_any();
            case Rule::attention:
                if (!tensor(0) || !tensor(1) || !tensor(2) || shape(0).empty()) return false;
                for (const std::size_t i : {0U, 1U, 2U}) input(i);
                by_rule(all_[0].type, shape(0));
                return true;
            default:
                return tensor(0) && from_self();
        }
    }

    bool from_self() {
        switch (rule_.rule) {
            case Rule::like_first:
            case Rule::softmax:
            case Rule::scan:
                input(0);
                by_rule(all_[0].type, shape(0));
                if (rule_.axis_argument != 0) draft_.attrs.axes = axes();
                return true;
            case Rule::reduce:
                return reduce();
            case Rule::norm:
                return norm();
            case Rule::norm_backward:
                return norm_backward();
            case Rule::take_index:
                return take(0, 2, tensor(2) ? shape(2) : Shape{});
            case Rule::take_rows:
                return take_rows();
            case Rule::lookup:
                return lookup();
            case Rule::put_source:
                for (const std::size_t i : {0U, 2U, 3U}) input(i);
                by_rule(all_[0].type, shape(0));
                return draft_.inputs.size() == 3;
            case Rule::search:
                return search();
            case Rule::loss:
                input(0);
                input(1);
                by_rule(all_[0].type, all_.back().concrete == "0" ? shape(0) : Shape{});
                return true;
            default:
                return false;  // convolution: stride and padding are not recorded
        }
    }

    [[nodiscard]] std::vector<std::uint32_t> axes() const {
        const std::size_t i = rule_.axis_argument;
        return i < all_.size() ? axes_from(all_[i].concrete, shape(0).size())
                               : std::vector<std::uint32_t>{};
    }

    // Tensors only: the functional form's arguments. A number that Python wrapped into a tensor
    // without dimensions, of another type than the others, is not in memory.
    bool elementwise() {
        const std::size_t count = std::min<std::size_t>(all_.size(), rule_.arguments);
        Shape out;
        std::optional<DType> type;
        bool sized = false;
        for (std::size_t i = 0; i < count; ++i) {
            if (!tensor(i)) continue;
            out = broadcast(out, shape(i));
            if (rule_.rule == Rule::where && i == 0) continue;
            if (!type || (!sized && !shape(i).empty())) type = all_[i].type;
            sized = sized || !shape(i).empty();
        }
        if (!type) return false;
        for (std::size_t i = 0; i < count; ++i) {
            if (!tensor(i)) continue;
            const bool wrapped = shape(i).empty() && !out.empty() && all_[i].type != *type;
            if (!wrapped || (rule_.rule == Rule::where && i == 0)) input(i);
        }
        by_rule(rule_.rule == Rule::compare ? DType::boolean : *type, std::move(out));
        return true;
    }

    bool fill() {
        if (!tensor(0)) return false;
        by_rule(all_[0].type, shape(0));
        return true;
    }

    bool copy() {
        if (!tensor(0) || !tensor(1)) return false;
        if (all_[0].type != all_[1].type) draft_.kind = OpKind::elementwise;  // a conversion
        draft_.inputs.push_back(at(1));
        by_rule(all_[0].type, shape(0));
        return true;
    }

    bool product(std::size_t a, std::size_t b, std::size_t bias) {
        if (!tensor(a) || !tensor(b)) return false;
        if (shape(a).size() < 2 || shape(b).size() != shape(a).size()) return false;
        draft_.inputs = {at(a), at(b)};
        if (rule_.rule == Rule::addmm) input(bias);
        Shape out = shape(a);
        out.back() = shape(b).back();
        by_rule(all_[a].type, std::move(out));
        return true;
    }

    bool linear() {
        if (!tensor(0) || !tensor(1) || shape(0).size() < 2 || shape(1).size() != 2) return false;
        for (const std::size_t i : {0U, 1U, 2U}) input(i);
        draft_.attrs.transpose_b = true;
        Shape out = shape(0);
        out.back() = shape(1)[0];
        by_rule(all_[0].type, std::move(out));
        return true;
    }

    // The profiler writes the axes only where it records concrete inputs; elsewhere they are all.
    bool reduce() {
        input(0);
        draft_.attrs.axes = axes();
        const std::size_t keep = rule_.axis_argument + std::size_t{1};
        const bool keeps = keep < all_.size() && all_[keep].concrete == "True";
        Shape out;
        for (std::size_t i = 0; i < shape(0).size(); ++i) {
            const auto& list = draft_.attrs.axes;
            const bool reduced =
                list.empty() || std::find(list.begin(), list.end(), i) != list.end();
            if (!reduced || keeps) out.push_back(reduced ? 1 : shape(0)[i]);
        }
        draft_.axes_assumed = draft_.attrs.axes.empty() && all_.size() > 2 && shape(0).size() > 1;
        by_rule(all_[0].type, std::move(out));
        return true;
    }

    // (input, normalized shape, weight, bias, eps) -> output, mean, reciprocal deviation
    bool norm() {
        for (const std::size_t i : {0U, 2U, 3U}) input(i);
        const std::size_t over = std::max<std::size_t>(1, tensor(2) ? shape(2).size() : 1);
        const std::size_t rank = shape(0).size();
        if (over > rank) return false;
        Shape rows = shape(0);
        for (std::size_t i = rank - over; i < rank; ++i) {
            rows[i] = 1;
            draft_.attrs.axes.push_back(static_cast<std::uint32_t>(i));
        }
        by_rule(all_[0].type, shape(0));
        by_rule(DType::fp32, rows);
        by_rule(DType::fp32, std::move(rows));
        return true;
    }

    // (grad, input, normalized shape, mean, rstd, weight, bias) -> grads of input, weight, bias.
    // The bias is not read.
    bool norm_backward() {
        if (!tensor(1)) return false;
        for (const std::size_t i : {0U, 1U, 3U, 4U, 5U}) input(i);
        const std::size_t over = std::max<std::size_t>(1, tensor(5) ? shape(5).size() : 1);
        const std::size_t rank = shape(1).size();
        if (over > rank) return false;
        for (std::size_t i = rank - over; i < rank; ++i) {
            draft_.attrs.axes.push_back(static_cast<std::uint32_t>(i));
        }
        by_rule(all_[1].type, shape(1));
        if (tensor(5)) by_rule(all_[5].type, shape(5));
        if (tensor(6)) by_rule(all_[6].type, shape(6));
        return true;
    }

    // The list's shapes are rarely recorded; together they are as large as the output.
    bool concat() {
        if (all_.empty() || all_[0].kind != ArgumentKind::tensor_list) return false;
        const bool given = all_.size() > rule_.arguments && tensor(rule_.arguments);
        if (!given) return false;
        const TypedShape out = at(rule_.arguments);
        draft_.outputs = {out};
        for (const Shape& part : all_[0].shapes) {
            if (elements_of(part) > 0) draft_.inputs.push_back({out.type, part});
        }
        if (draft_.inputs.empty()) draft_.inputs.push_back({out.type, out.shape, true});
        draft_.attrs.axes = axes_from(all_[1].concrete, out.shape.size());
        // An axis beyond an input's rank would be one of a stack, written as a concatenation.
        for (const TypedShape& in : draft_.inputs) {
            if (in.shape.size() != out.shape.size()) draft_.attrs.axes.clear();
        }
        return true;
    }

    bool take(std::size_t source, std::size_t index, Shape out) {
        if (!tensor(index)) return false;
        draft_.inputs = {at(source), at(index)};
        by_rule(all_[source].type, std::move(out));
        return true;
    }

    bool take_rows() {
        if (!tensor(2) || shape(0).empty()) return false;
        const auto axis = axes_from(all_[1].concrete, shape(0).size());
        Shape out = shape(0);
        out[axis.empty() ? 0 : axis.front()] = elements_of(shape(2));
        return take(0, 2, std::move(out));
    }

    bool lookup() {
        if (!tensor(1) || shape(0).size() != 2) return false;
        Shape out = shape(1);
        out.push_back(shape(0)[1]);
        return take(0, 1, std::move(out));
    }

    // The indices are a list, so only the output argument says how many there are; they are taken
    // as one int64 for each element of the output.
    bool take_any() {
        if (!tensor(0) || !tensor(rule_.arguments)) return false;
        draft_.outputs = {at(rule_.arguments)};
        draft_.inputs = {at(0), {DType::int64, draft_.outputs[0].shape, true}};
        return true;
    }

    bool search() {
        if (!tensor(1)) return false;
        input(0);
        input(1);
        std::uint32_t steps = 1;
        while (elements_of(shape(1)) >> steps != 0) ++steps;
        draft_.attrs.ops_per_element = steps;
        const bool narrow = all_.size() > 2 && all_[2].concrete == "True";
        by_rule(narrow ? DType::int32 : DType::int64, shape(0));
        return true;
    }

    // Arguments behind those of the functional form are outputs (the `.out` convention), where they
    // have the shape that the rule gives; an in-place form writes its first argument.
    void choose_output() {
        draft_.output_source = OutputSource::rule;
        for (std::size_t i = 0; i < draft_.outputs.size(); ++i) {
            std::size_t place = rule_.arguments + i;
            if (rule_.rule == Rule::reduce && i == 0 && all_.size() <= rule_.arguments) {
                place = all_.size() - 1;  // sum(self, dtype, out): the overload without axes
                if (place == 0) continue;
            }
            if (!tensor(place)) continue;
            if (rule_.rule == Rule::reduce && i == 0) name_axes(shape(place));
            if (shape(place) == draft_.outputs[i].shape) {
                draft_.outputs[i] = at(place);
                draft_.output_source = OutputSource::argument;
            } else if (i == 0) {
                draft_.output_source = OutputSource::contradicted;
            }
        }
        if (rule_.rule == Rule::reduce && tensor(4) && rule_.arguments == 3) {
            draft_.outputs.push_back(at(4));  // max and min with an axis: also the indices
        }
        const bool same = !draft_.inputs.empty() &&
                          draft_.inputs[0].type == draft_.outputs[0].type &&
                          draft_.inputs[0].shape == draft_.outputs[0].shape;
        const bool writes_self = in_place_ && rule_.rule != Rule::copy && rule_.rule != Rule::fill;
        if (writes_self && same) draft_.in_place = 0;
    }

    // Lists of axes are not among the concrete inputs; the output argument tells.
    void name_axes(const Shape& out) {
        if (!draft_.attrs.axes.empty()) return;
        draft_.attrs.axes = reduced_axes(shape(0), out);
        const bool told = !draft_.attrs.axes.empty() || elements_of(out) == 1;
        if (!told) return;
        draft_.outputs[0].shape = out;
        draft_.axes_assumed = false;
    }

    const AtenRule& rule_;
    bool in_place_;
    const std::vector<Argument>& all_;
    Draft draft_;
};

}  // namespace

std::optional<Draft> draft_aten(std::string_view name, const std::vector<Argument>& arguments) {
    if (name.substr(0, 6) != "aten::") return std::nullopt;
    name.remove_prefix(6);
    const AtenRule* rule = find_aten_rule(name);
    const bool in_place = rule == nullptr && !name.empty() && name.back() == '_';
    if (in_place) rule = find_aten_rule(name.substr(0, name.size() - 1));
    if (rule == nullptr) return std::nullopt;
    return AtenDraft(*rule, in_place, arguments).make();
}

}  // namespace diastole::kineto
