#include <algorithm>
#include <catch2/catch.hpp>

#include "model/base/error.hpp"
#include "model/base/random.hpp"
#include "tests/graph/random_graph.hpp"
#include "workloads/graph/byte_source.hpp"
#include "workloads/graph/convolution.hpp"
#include "workloads/graph/native_trace.hpp"
#include "workloads/graph/validate.hpp"
#include "workloads/graph/work.hpp"

using namespace diastole;
using Catch::Matchers::Contains;
using Shape = std::vector<std::uint64_t>;

namespace {

struct Case {
    Graph graph;
    Case(OpKind kind, const std::vector<Shape>& inputs, const std::vector<Shape>& outputs,
         Attributes attrs = {}, DType type = DType::fp32) {
        Operator op;
        op.id = 5;
        op.name = "it";
        op.kind = kind;
        op.attrs = std::move(attrs);
        for (const Shape& shape : inputs) op.inputs.push_back(add(shape, type));
        for (const Shape& shape : outputs) op.outputs.push_back(add(shape, type));
        graph.operators.push_back(op);
    }
    TensorIndex add(const Shape& shape, DType type) {
        graph.tensors.push_back({"t" + std::to_string(graph.tensors.size()), shape, type});
        return static_cast<TensorIndex>(graph.tensors.size() - 1);
    }
    [[nodiscard]] Work work() const { return work_of(graph, graph.operators[0]); }
    [[nodiscard]] std::string error() const {
        try {
            validate(graph);
        } catch (const TraceError& thrown) {
            return thrown.what();
        }
        return {};
    }
};

Attributes transposed(bool a, bool b) {
    Attributes attrs;
    attrs.transpose_a = a;
    attrs.transpose_b = b;
    return attrs;
}

Attributes ops(std::uint32_t count) {
    Attributes attrs;
    attrs.ops_per_element = count;
    return attrs;
}

// Six loops: what a matrix product is.
std::uint64_t multiplies(const Gemm& gemm) {
    std::uint64_t count = 0;
    for (std::uint64_t b = 0; b < gemm.batch; ++b) {
        for (std::uint64_t m = 0; m < gemm.m; ++m) {
            for (std::uint64_t n = 0; n < gemm.n; ++n) {
                for (std::uint64_t k = 0; k < gemm.k; ++k) ++count;
            }
        }
    }
    return count;
}

Attributes one_table(std::uint64_t rows, std::uint64_t lookups, bool weighted = false) {
    EmbeddingTable table;
    table.rows = rows;
    table.dim = 16;
    table.bags = 8;
    table.lookups = lookups;
    Attributes attrs;
    attrs.tables = {table};
    attrs.weighted = weighted;
    return attrs;
}

}  // namespace

TEST_CASE("a gemm counts two operations per multiply in all four transpositions") {
    for (const bool a : {false, true}) {
        for (const bool b : {false, true}) {
            const Case it(OpKind::gemm,
                          {a ? Shape{5, 3} : Shape{3, 5}, b ? Shape{7, 5} : Shape{5, 7}}, {{3, 7}},
                          transposed(a, b));
            REQUIRE(it.error().empty());
            const Gemm gemm = gemm_of(it.graph, it.graph.operators[0]);
            CHECK(it.work().flops == 2 * multiplies(gemm));
            CHECK((gemm.m == 3 && gemm.n == 7 && gemm.k == 5));
            CHECK(it.work().read == Bytes(4 * (15 + 35)));
            CHECK(it.work().written == Bytes(4 * 21));
            CHECK(it.work().flops_vector == 0);
        }
    }
}

TEST_CASE("the leading dimensions of a gemm's left operand are rows, of a batched one the batch") {
    const Case plain(OpKind::gemm, {{2, 3, 5}, {5, 7}}, {{2, 3, 7}});
    CHECK(plain.error().empty());
    CHECK(plain.work().flops == 2 * 2 * 3 * 5 * 7);
    const Case batched(OpKind::batched_gemm, {{4, 2, 3, 5}, {4, 2, 5, 7}}, {{4, 2, 3, 7}});
    CHECK(batched.error().empty());
    CHECK(gemm_of(batched.graph, batched.graph.operators[0]).batch == 8);
}

TEST_CASE("matrices that do not fit are refused with the operator's id and both shapes") {
    CHECK(Case(OpKind::gemm, {{3, 5}, {6, 7}}, {{3, 7}}).error() ==
          "operator 5 (it): gemm: K differs: A and B are 3x5 and 6x7, so K is 5 and 6");
    CHECK_THAT(Case(OpKind::gemm, {{3, 5}, {5, 7}}, {{7, 3}}).error(), Contains("output of 7x3"));
    CHECK_THAT(Case(OpKind::gemm, {{3, 5}}, {{3, 7}}).error(), Contains("expected inputs A, B"));
    CHECK_THAT(Case(OpKind::gemm, {{5}, {5, 7}}, {{7}}).error(), Contains("expected a matrix"));
    CHECK_THAT(Case(OpKind::batched_gemm, {{2, 3, 5}, {4, 5, 7}}, {{2, 3, 7}}).error(),
               Contains("batches of A and B differ"));
    CHECK_THAT(
        Case(OpKind::gemm, {{1 << 23, 1 << 23}, {1 << 23, 1 << 23}}, {{1 << 23, 1 << 23}}).error(),
        Contains("more than 2^60"));
}

TEST_CASE("element-wise work is per output element, and a broadcast operand is read once") {
    const Case it(OpKind::elementwise, {{8, 16}, {16}, {}}, {{8, 16}}, ops(3));
    CHECK(it.error().empty());
    CHECK(it.work().flops_vector == 3 * 128);
    CHECK(it.work().read == Bytes(4 * (128 + 16 + 1)));
    CHECK(it.work().written == Bytes(4 * 128));
    CHECK_THAT(Case(OpKind::elementwise, {{8, 3}}, {{8, 16}}).error(),
               Contains("cannot be broadcast"));
}

TEST_CASE("reductions and scans work on their input, normalizations by their formulas") {
    CHECK(Case(OpKind::reduction, {{8, 16}}, {{8}}).work().flops_vector == 128);
    CHECK(Case(OpKind::scan, {{128}}, {{128}}).work().flops_vector == 128);
    CHECK(Case(OpKind::normalization, {{8, 16}}, {{8, 16}}).work().flops_vector == 6 * 128);
    CHECK(Case(OpKind::normalization, {{8, 16}, {16}, {16}}, {{8, 16}}).work().flops_vector ==
          8 * 128);
    CHECK(Case(OpKind::normalization_backward, {{8, 16}, {8, 16}}, {{8, 16}}).work().flops_vector ==
          13 * 128);
    CHECK(Case(OpKind::softmax, {{8, 16}}, {{8, 16}}).work().flops_vector == 5 * 128);
    Attributes axis;
    axis.axes = {2};
    CHECK_THAT(Case(OpKind::reduction, {{8, 16}}, {{8}}, axis).error(),
               Contains("axis 2 is outside"));
}

TEST_CASE("an embedding bag reads its rows once per lookup, not its table") {
    Case it(OpKind::embedding_bag, {}, {{8, 16}}, one_table(1'000'000, 100, true));
    it.graph.operators[0].inputs = {it.add({100}, DType::int64), it.add({9}, DType::int32)};
    CHECK(it.error().empty());
    CHECK(it.work().lookups == 100);
    CHECK(it.work().read == Bytes(100 * 16 * 2 + 100 * 8 + 9 * 4));
    CHECK(it.work().written == Bytes(8 * 16 * 4));
    CHECK(it.work().flops_vector == 2 * 100 * 16);
    CHECK_THAT(Case(OpKind::embedding_bag, {}, {{9, 16}}, one_table(10, 100)).error(),
               Contains("128 elements (bags x dim)"));
    CHECK_THAT(Case(OpKind::embedding_bag, {}, {{9, 16}}).error(), Contains("at least one table"));
}

TEST_CASE("an embedding backward moves at most every row of its table once each way") {
    const Case many(OpKind::embedding_bag_backward, {{8, 16}}, {}, one_table(1000, 100));
    CHECK(many.work().read == Bytes(8 * 16 * 4 + 100 * (32 + 4)));
    CHECK(many.work().written == Bytes(100 * (32 + 4)));
    CHECK(many.work().lookups == 100);
    const Case few(OpKind::embedding_bag_backward, {{8, 16}}, {}, one_table(10, 100));
    CHECK(few.work().written == Bytes(10 * (32 + 4)));
    CHECK(few.work().flops_vector == 100 * 16 + 10 * (4 * 16 + 4));
}

TEST_CASE("copies count the side that the device sees, views and lone collectives nothing") {
    Attributes to_host, from_host, view;
    to_host.to_host = true;
    from_host.from_host = true;
    from_host.bytes = 77;
    view.view = true;
    CHECK(Case(OpKind::copy, {{8}}, {}, to_host).work().read == Bytes(32));
    CHECK(Case(OpKind::copy, {{8}}, {}, to_host).work().written == Bytes(0));
    CHECK(Case(OpKind::copy, {}, {}, from_host).work().written == Bytes(77));
    CHECK(Case(OpKind::copy, {}, {}, from_host).work().read == Bytes(0));
    CHECK(Case(OpKind::layout, {{8}}, {{8}}, view).work().read == Bytes(0));
    CHECK(Case(OpKind::layout, {{8}}, {{8}}).work().read == Bytes(32));
    CHECK(Case(OpKind::collective, {{8}}, {{8}}).work().read == Bytes(0));
    CHECK(Case(OpKind::gather, {{1000, 4}, {3}}, {{3, 4}}).work().read == Bytes(12 * 4 + 3 * 4));
}

TEST_CASE("convolution and attention count two operations per multiply") {
    const Case conv(OpKind::convolution, {{2, 6, 8, 8}, {4, 3, 3, 3}}, {{2, 4, 6, 6}});
    CHECK(conv.error().empty());  // two groups
    CHECK(conv.work().flops == 2 * (2 * 4 * 6 * 6) * (3 * 3 * 3));
    const Case attention(OpKind::attention, {{2, 5, 8}, {2, 7, 8}, {2, 7, 4}}, {{2, 5, 4}});
    CHECK(attention.error().empty());
    CHECK(attention.work().flops == 2 * 2 * (5 * 7 * 8 + 5 * 7 * 4));
}

namespace {

// A convolution of one dimension, by its definition: which positions of the input any window
// covers, and how many windows there are.
struct Slide {
    std::uint64_t windows = 0, covered = 0;
};
Slide slide(const ConvolutionAxis& axis) {
    Slide result;
    std::vector<bool> seen(axis.in, false);
    const std::uint64_t padded = axis.before + axis.in + axis.after;
    for (std::uint64_t at = 0; at + axis.span() <= padded; at += axis.stride, ++result.windows) {
        for (std::uint64_t p = at; p < at + axis.span(); ++p) {
            if (p >= axis.before && p - axis.before < axis.in) seen[p - axis.before] = true;
        }
    }
    result.covered = static_cast<std::uint64_t>(std::count(seen.begin(), seen.end(), true));
    return result;
}

Attributes windows(std::vector<std::uint32_t> strides, std::vector<std::uint32_t> padding = {},
                   std::vector<std::uint32_t> dilations = {}) {
    Attributes attrs;
    attrs.strides = std::move(strides);
    attrs.padding = std::move(padding);
    attrs.dilations = std::move(dilations);
    return attrs;
}

}  // namespace

TEST_CASE("what windows touch of an input is what sliding them along it touches") {
    Random random(17);
    for (int trial = 0; trial < 3000; ++trial) {
        ConvolutionAxis axis;
        axis.in = random.between(1, 20);
        axis.window = random.between(1, 6);
        axis.stride = random.between(1, 8);
        axis.dilation = random.between(1, 3);
        axis.before = random.below(7);
        axis.after = random.below(7);
        if (axis.span() > axis.in + axis.before + axis.after) continue;
        const Slide expected = slide(axis);
        axis.out = expected.windows;
        CAPTURE(axis.in, axis.window, axis.stride, axis.dilation, axis.before, axis.after);
        CHECK(touched(axis) == expected.covered);
        const Case whole(
            OpKind::convolution, {{1, 3, axis.in}, {2, 3, axis.window}}, {{1, 2, axis.out}},
            windows(
                {static_cast<std::uint32_t>(axis.stride)},
                {static_cast<std::uint32_t>(axis.before), static_cast<std::uint32_t>(axis.after)},
                {static_cast<std::uint32_t>(axis.dilation)}));
        CHECK(whole.error().empty());
        CHECK(whole.work().flops == 2 * (2 * axis.out) * (3 * axis.window));
        CHECK(whole.work().read == Bytes(4 * (3 * expected.covered + 6 * axis.window)));
    }
}

TEST_CASE("a convolution whose shapes do not fit is refused with both sizes") {
    const std::vector<Shape> image = {{1, 3, 10, 10}, {8, 3, 3, 3}};
    CHECK(Case(OpKind::convolution, image, {{1, 8, 5, 4}}, windows({2, 2}, {1, 0, 1, 0}))
              .error()
              .empty());
    CHECK_THAT(Case(OpKind::convolution, image, {{1, 8, 10, 10}}).error(),
               Contains("dimension 2: an input of 10, a window of 3, stride 1, dilation 1 and "
                        "padding 0 + 0 give 8, the output has 10"));
    CHECK_THAT(Case(OpKind::convolution, {{1, 3, 10, 2}, {8, 3, 3, 3}}, {{1, 8, 8, 1}}).error(),
               Contains("dimension 3: a window of 3 is larger than the input of 2"));
    CHECK_THAT(Case(OpKind::convolution, image, {{1, 8, 8, 8}}, windows({1})).error(),
               Contains("attrs.strides: expected 2 values, got 1"));
    CHECK_THAT(Case(OpKind::convolution, image, {{1, 8, 8, 8}}, windows({}, {1, 1, 1})).error(),
               Contains("attrs.padding: expected 2 or 4 values, got 3"));
    CHECK_THAT(Case(OpKind::convolution, {{1, 6, 8, 8}, {3, 3, 3, 3}}, {{1, 3, 6, 6}}).error(),
               Contains("do not fit"));  // three filters for two groups
    CHECK_THAT(Case(OpKind::convolution, {{1, 6, 8, 8}}, {{1, 3, 6, 6}}).error(),
               Contains("expected at least 2 inputs"));
}

TEST_CASE("work that cannot be counted in 64 bits is refused") {
    const std::uint64_t many = std::uint64_t{1} << 24;
    CHECK_THAT(
        Case(OpKind::attention, {{many, many}, {many, many}, {many, many}}, {{many, many}}).error(),
        Contains("more than 2^60"));
    CHECK_THAT(Case(OpKind::recurrent_cell, {{}, {8}, {8}, {8}}, {{8}}).error(),
               Contains("expected x [B, I]"));
}

TEST_CASE("shapes that a native trace gets wrong are reported with its line") {
    const std::string text =
        R"({"trace":"diastole/1","name":"n","batch":4})"
        "\n"
        R"({"id":1,"name":"fc","kind":"gemm","inputs":[{"id":"a","shape":[3,5],"dtype":"fp16"},{"id":"b","shape":[6,7],"dtype":"fp16"}],"outputs":[{"id":"c","shape":[3,7],"dtype":"fp16"}]})";
    CHECK_THROWS_WITH(read_native_trace(*open_text(text, "t.jsonl")),
                      Contains("t.jsonl:2: operator 1 (fc): gemm: K differs"));
}
