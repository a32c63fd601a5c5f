#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/laws/random_case.hpp"

namespace diastole::laws {
namespace {

using Json = nlohmann::ordered_json;
using Shape = std::vector<std::uint64_t>;

std::uint64_t product(const Shape& shape) {
    std::uint64_t result = 1;
    for (const std::uint64_t size : shape) result *= size;
    return result;
}

std::uint64_t bytes_of(const std::string& type) {
    if (type == "fp32" || type == "int32") return 4;
    return type == "int64" ? 8 : type == "int8" ? 1 : 2;
}

struct TensorCase {
    std::string id;
    Shape shape;
    std::string type;
    std::uint64_t producer = 0;  // 0: nothing in the trace
};

class Builder {
  public:
    Builder(Random& random, WorkloadCase& result) : random_(random), result_(result) {
        const Json header = {{"trace", "diastole/1"},
                             {"name", "random"},
                             {"batch", random.between(1, 64)},
                             {"mode", random.below(2) == 0 ? "inference" : "training"},
                             {"tensor_identity", "given"}};
        result_.trace = header.dump() + '\n';
    }

    void add() {
        using Kind = void (Builder::*)();
        constexpr Kind kinds[] = {&Builder::gemm,
                                  &Builder::gemm,
                                  &Builder::batched_gemm,
                                  &Builder::elementwise,
                                  &Builder::reduction,
                                  &Builder::normalization,
                                  &Builder::normalization_backward,
                                  &Builder::softmax,
                                  &Builder::layout,
                                  &Builder::gather,
                                  &Builder::scatter,
                                  &Builder::scan,
                                  &Builder::embedding,
                                  &Builder::embedding,
                                  &Builder::embedding_backward,
                                  &Builder::optimizer,
                                  &Builder::copy,
                                  &Builder::opaque};
        op_ = Json::object();
        op_["id"] = ++id_;
        op_["inputs"] = op_["outputs"] = Json::array();
        deps_.clear();
        (this->*kinds[random_.below(std::size(kinds))])();
        if (id_ > 1 && random_.below(4) == 0) deps_.push_back(random_.between(1, id_ - 1));
        std::sort(deps_.begin(), deps_.end());
        deps_.erase(std::unique(deps_.begin(), deps_.end()), deps_.end());
        op_["deps"] = deps_;
        result_.deps.push_back(deps_);
        result_.trace += op_.dump() + '\n';
        ++result_.operators;
    }

  private:
    std::uint64_t size() { return random_.between(1, 1 + random_.below(160)); }
    std::string type() {
        return random_.below(3) == 0 ? "fp32" : random_.below(2) == 0 ? "fp16" : "bf16";
    }

    void use(const char* role, const TensorCase& tensor) {
        op_[role].push_back({{"id", tensor.id}, {"shape", tensor.shape}, {"dtype", tensor.type}});
    }
    // `whole`: the operator reads all of it, so it must come from memory if nothing computed it.
    TensorCase input(Shape shape, const std::string& type, bool whole = true) {
        TensorCase tensor{"t" + std::to_string(++tensors_), std::move(shape), type, 0};
        if (whole) result_.compulsory_bytes += product(tensor.shape) * bytes_of(type);
        use("inputs", tensor);
        return tensor;
    }
    // An earlier result as an input, or a new tensor.
    TensorCase matrix(const std::string& type) {
        std::vector<TensorCase> fitting;
        for (const TensorCase& t : results_) {
            if (t.shape.size() == 2 && t.type == type) fitting.push_back(t);
        }
        if (fitting.empty() || random_.below(3) == 0) return input({size(), size()}, type);
        const TensorCase tensor = fitting[random_.below(fitting.size())];
        deps_.push_back(tensor.producer);
        use("inputs", tensor);
        return tensor;
    }
    void output(Shape shape, const std::string& type) {
        results_.push_back({"t" + std::to_string(++tensors_), std::move(shape), type, id_});
        use("outputs", results_.back());
    }

    void count_gemm(const std::string& type, std::uint64_t multiplies) {
        result_.flops += 2 * multiplies;
        result_.by_type[type] += 2 * multiplies;
    }
    void count_vector(std::uint64_t operations) {
        if (result_.flops_vector) *result_.flops_vector += operations;
    }
    void gemm() {
        const std::string t = type();
        const bool ta = random_.below(2) == 0, tb = random_.below(2) == 0;
        const TensorCase a = matrix(t);
        const std::uint64_t m = a.shape[ta ? 1 : 0], k = a.shape[ta ? 0 : 1], n = size();
        input(tb ? Shape{n, k} : Shape{k, n}, t);
        if (random_.below(3) == 0) input({n}, t);
        output({m, n}, t);
        op_["kind"] = "gemm";
        op_["attrs"] = {{"transpose_a", ta}, {"transpose_b", tb}};
        count_gemm(t, m * n * k);
    }
    void batched_gemm() {
        const std::string t = type();
        const bool ta = random_.below(2) == 0, tb = random_.below(2) == 0;
        const std::uint64_t b = random_.between(1, 8), m = size(), n = size(), k = size();
        input(ta ? Shape{b, k, m} : Shape{b, m, k}, t);
        input(tb ? Shape{b, n, k} : Shape{b, k, n}, t);
        output({b, m, n}, t);
        op_["kind"] = "batched_gemm";
        op_["attrs"] = {{"transpose_a", ta}, {"transpose_b", tb}};
        count_gemm(t, b * m * n * k);
    }
    void elementwise() {
        const std::string t = type();
        const TensorCase a = matrix(t);
        if (random_.below(2) == 0) input(a.shape, t);
        output(a.shape, t);
        const std::uint64_t operations = random_.between(1, 5);
        count_vector(operations * product(a.shape));
        op_["kind"] = "elementwise";
        op_["attrs"] = {{"ops_per_element", operations}, {"transcendental", random_.below(2) == 0}};
    }
    void reduction() {
        const std::string t = type();
        const TensorCase a = matrix(t);
        const std::uint64_t axis = random_.below(2);
        count_vector(product(a.shape));
        output({a.shape[1 - axis]}, t);
        op_["kind"] = "reduction";
        op_["attrs"]["axes"] = {axis};
    }
    void normalization() {
        const std::string t = type();
        const TensorCase a = matrix(t);
        const bool affine = random_.below(2) == 0;
        if (affine) {
            input({a.shape[1]}, t);
            input({a.shape[1]}, t);
        }
        count_vector((affine ? 8 : 6) * product(a.shape));
        output(a.shape, t);
        op_["kind"] = "normalization";
        op_["attrs"]["axes"] = {1};
    }
    void normalization_backward() {
        const std::string t = type();
        const TensorCase gradient = matrix(t);
        count_vector(13 * product(gradient.shape));
        input(gradient.shape, t);
        input({gradient.shape[0]}, "fp32");
        input({gradient.shape[0]}, "fp32");
        input({gradient.shape[1]}, t);
        output(gradient.shape, t);
        output({gradient.shape[1]}, t);
        output({gradient.shape[1]}, t);
        op_["kind"] = "normalization_backward";
        op_["attrs"]["axes"] = {1};
    }
    void softmax() {
        const std::string t = type();
        const TensorCase a = matrix(t);
        count_vector(5 * product(a.shape));
        output(a.shape, t);
        op_["kind"] = "softmax";
        op_["attrs"]["axes"] = {1};
    }
    void scan() {
        const std::string t = type();
        const TensorCase a = matrix(t);
        count_vector(product(a.shape));
        output(a.shape, t);
        op_["kind"] = "scan";
        op_["attrs"]["axes"] = {1};
    }
    void layout() {
        const std::string t = type();
        const TensorCase a = matrix(t);
        output({a.shape[1], a.shape[0]}, t);
        op_["kind"] = "layout";
        op_["attrs"]["axes"] = {1, 0};
    }
    void gather() {
        const std::string t = type();
        const std::uint64_t rows = size(), dim = size(), n = size();
        input({rows, dim}, t, false);
        input({n}, "int64", false);
        output({n, dim}, t);
        op_["kind"] = "gather";
    }
    void scatter() {
        const std::string t = type();
        const std::uint64_t rows = size(), dim = size(), n = size();
        const TensorCase into = input({rows, dim}, t, false);
        input({n}, "int64", false);
        input({n, dim}, t, false);
        use("outputs", into);
        count_vector(n * dim);
        op_["kind"] = "scatter";
    }
    // Tables with uniform or skewed rows; returns the sum of their dims. A lookup adds a row, a
    // weighted one multiplies it first.
    std::uint64_t tables(std::uint64_t bags, std::uint64_t& lookups) {
        std::uint64_t dims = 0;
        const bool weighted = random_.below(2) == 0;
        for (std::uint64_t i = random_.between(1, 3); i > 0; --i) {
            Json indices = {{"distribution", "uniform"}};
            if (random_.below(2) == 0) {
                indices = {{"distribution", "zipf"},
                           {"q", random_.unit() * 5},
                           {"s", 0.5 + random_.unit()}};
            }
            const std::uint64_t dim = 4 * random_.between(1, 32),
                                n = random_.between(id_ == 1 ? 1 : 0, bags * 12);
            op_["attrs"]["tables"].push_back({{"name", "table" + std::to_string(++tables_)},
                                              {"rows", random_.between(1, 3000)},
                                              {"dim", dim},
                                              {"dtype", type()},
                                              {"bags", bags},
                                              {"lookups", n},
                                              {"indices", indices}});
            dims += dim;
            lookups += n;
            count_vector(n * dim * (weighted ? 2 : 1));
        }
        op_["attrs"]["weighted"] = weighted;
        return dims;
    }
    void embedding() {
        const std::uint64_t bags = random_.between(1, 40);
        op_["kind"] = "embedding_bag";
        output({bags, tables(bags, result_.lookups)}, "fp16");
    }
    void embedding_backward() {
        const std::uint64_t bags = random_.between(1, 40);
        std::uint64_t not_counted = 0;
        result_.flops_vector.reset();
        op_["kind"] = "embedding_bag_backward";
        const std::uint64_t dims = tables(bags, not_counted);
        input({bags, dims}, "fp32", false);
    }
    void optimizer() {
        const std::string t = "fp32";
        const TensorCase parameter = input({size(), size()}, t);
        input(parameter.shape, t);
        use("outputs", parameter);
        const std::uint64_t operations = random_.between(1, 12);
        count_vector(operations * product(parameter.shape));
        op_["kind"] = "optimizer_step";
        op_["attrs"]["ops_per_element"] = operations;
    }
    void copy() {
        const std::string t = type();
        const Shape shape{size(), size()};
        op_["kind"] = "copy";
        const std::uint64_t which = random_.below(3), moved = product(shape) * bytes_of(t);
        if (which == 0) {
            op_["attrs"]["from_host"] = true;
            output(shape, t);
            result_.host_in += moved;
        } else if (which == 1) {
            op_["attrs"]["to_host"] = true;
            input(shape, t, false);
            result_.host_out += moved;
        } else {
            input(shape, t, false);
            output(shape, t);
        }
    }
    void opaque() {
        op_["kind"] = "opaque";
        op_["attrs"]["bytes"] = random_.between(1, 100000);
    }

    Random& random_;
    WorkloadCase& result_;
    Json op_;
    std::vector<std::uint64_t> deps_;
    std::vector<TensorCase> results_;
    std::uint64_t id_ = 0, tensors_ = 0, tables_ = 0;
};

}  // namespace

WorkloadCase random_workload(Random& random, std::uint32_t operators) {
    WorkloadCase result;
    Builder builder(random, result);
    for (std::uint32_t i = 0; i < operators; ++i) builder.add();
    return result;
}

}  // namespace diastole::laws
