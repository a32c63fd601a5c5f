// The operators of PyTorch that the importer knows: kind, output shape and cost per element of
// each.
#pragma once

#include <cstdint>
#include <string_view>

#include "workloads/graph/operator.hpp"

namespace diastole::kineto {

// How the output follows from the arguments (`self` is the first).
enum class Rule : std::uint8_t {
    broadcast,   // of all tensors
    compare,     // broadcast, to bool
    like_first,  // the shape and type of self
    fill,        // the shape of self, which is not read
    copy,        // copy_(self, source)
    mm,          // [M,K] x [K,N], also with a batch in front
    addmm,       // bias first, then as mm
    linear,      // x [..., K], weight [N, K]
    reduce,      // self without the axes
    scan,        // as self
    norm,        // layer norm, group norm
    norm_backward,
    softmax,
    concat,
    take_index,   // gather(self, dim, index): the shape of the index
    take_rows,    // index_select(self, dim, index): self with dim as long as the index
    take_any,     // index(self, indices): only known from an output argument
    lookup,       // embedding(weight, indices)
    put_source,   // scatter_add, index_copy, index_add: (self, dim, index, source)
    where,        // where(condition, a, b)
    search,       // bucketize(self, boundaries)
    loss,         // (self, target, ...)
    convolution,  // (input, weight, bias, ...)
    attention,    // (q, k, v, ...)
};

struct AtenRule {
    std::string_view name;  // without aten:: and without the _ of the in-place form
    OpKind kind;
    Rule rule;
    std::uint32_t arguments;  // of the functional form; one more, and it is the output
    std::uint32_t ops = 1;    // per element
    bool transcendental = false;
    std::uint32_t axis_argument =
        0;  // reduce, scan, softmax, concat: which argument names the axes
};

// Null when the name is not known.
const AtenRule* find_aten_rule(std::string_view name);

}  // namespace diastole::kineto
