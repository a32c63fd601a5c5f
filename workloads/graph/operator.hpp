// The operator graph: the one form that every workload becomes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/dtype.hpp"
#include "model/base/units.hpp"

namespace diastole {

enum class OpKind : std::uint8_t {
    gemm,
    batched_gemm,
    convolution,
    embedding_bag,
    embedding_bag_backward,
    elementwise,
    reduction,
    normalization,
    normalization_backward,
    softmax,
    attention,
    recurrent_cell,
    layout,
    gather,
    scatter,
    scan,
    select,
    loss,
    optimizer_step,
    copy,
    collective,
    opaque,
};
std::string_view name_of(OpKind kind);  // as in a native trace: "gemm", "batched_gemm", ...
std::optional<OpKind> op_kind_from_name(std::string_view name);
std::vector<std::string> op_kind_names();

enum class Phase : std::uint8_t { forward, backward, optimizer, other };
std::string_view name_of(Phase phase);
std::optional<Phase> phase_from_name(std::string_view name);

using TensorIndex = std::uint32_t;
using OperatorIndex = std::uint32_t;

struct Tensor {
    std::string id;
    std::vector<std::uint64_t> shape;  // logical, row-major; empty: a scalar
    DType type = DType::fp32;
};
std::uint64_t element_count(const Tensor& tensor);
Bytes size_of(const Tensor& tensor);

// Where a table's row indices come from.
enum class IndexDistribution : std::uint8_t { uniform, zipf, reuse_histogram, npy };
struct IndexSpec {
    IndexDistribution distribution = IndexDistribution::uniform;
    double zipf_q = 0, zipf_s = 1;           // weight of rank x: (x + q)^-s, x from 1
    std::vector<double> heavy_hitters;       // probabilities of the hottest rows, before the rest
    std::string histogram;                   // reuse_histogram: CSV file, `file#dataset`
    std::string indices_path, offsets_path;  // npy
};

struct EmbeddingTable {
    std::string name;
    std::uint64_t rows = 0;
    std::uint32_t dim = 0;
    DType type = DType::fp16;
    std::uint32_t bags = 0;     // usually the batch
    std::uint64_t lookups = 0;  // of all bags; spread evenly over them unless offsets are given
    IndexSpec indices;
};

// Attributes that only some kinds use; what a kind reads is in docs/formats.md.
struct Attributes {
    bool transpose_a = false, transpose_b = false;  // gemm, batched_gemm: as stored
    std::uint32_t ops_per_element = 1;              // elementwise, select, loss, optimizer_step
    bool transcendental = false;                    // exp, log, tanh, sigmoid, sqrt, division
    std::vector<std::uint32_t> axes;     // reduction, normalization, softmax, scan, layout
    std::vector<EmbeddingTable> tables;  // embedding_bag and its backward
    bool weighted = false;               // embedding_bag: a weight per lookup
    std::string collective;              // all_reduce, all_gather, all_to_all, ...
    std::uint32_t world_size = 1;
    bool to_host = false, from_host = false;  // copy
    bool host_copy_request = false;      // a recorded DMA request: replayed only when asked for
    std::optional<std::uint64_t> bytes;  // opaque, copy: what it moves when tensors do not say
    bool view = false;                   // layout: moves nothing
    // convolution, a value per dimension of its windows; empty: 1, 1, 0. Padding may be twice as
    // long: before all dimensions, then behind them.
    std::vector<std::uint32_t> strides, dilations, padding;
};

struct Operator {
    std::uint64_t id = 0;  // as in the trace
    std::string name;
    OpKind kind = OpKind::opaque;
    Phase phase = Phase::other;
    std::vector<TensorIndex> inputs, outputs;
    std::vector<OperatorIndex> deps;
    Attributes attrs;
    std::optional<double> recorded_seconds;  // an annotation; used only with --compute recorded
};

enum class Mode : std::uint8_t { inference, training };
std::string_view name_of(Mode mode);

struct Graph {
    std::string name;
    std::uint64_t batch = 1;
    Mode mode = Mode::inference;
    bool identity_inferred = false;  // tensor ids were not in the trace
    bool eager = false;              // the host launches every operator by itself
    std::string source, licence;     // of a bundled trace
    std::vector<std::string> notes;  // assumptions, printed with the result
    std::vector<Tensor> tensors;
    std::vector<Operator> operators;  // in launch order, which is a topological order
};

}  // namespace diastole
