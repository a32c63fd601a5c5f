#include "workloads/import/kineto_kernel.hpp"

#include <algorithm>
#include <array>

namespace diastole::kineto {
namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// "void at::native::(anonymous namespace)::fn<float, 4>(...)" -> "at::native::fn".
std::string short_name(std::string name) {
    static constexpr std::string_view anonymous = "(anonymous namespace)::";
    for (std::size_t at = name.find(anonymous); at != std::string::npos;
         at = name.find(anonymous)) {
        name.erase(at, anonymous.size());
    }
    if (name.rfind("void ", 0) == 0) name.erase(0, 5);
    name.erase(std::min(name.size(), name.find_first_of("<(")));
    if (name.size() > 80) name.resize(80);
    return name;
}

// Names that GEMM kernels of cuBLAS, CUTLASS, cuDNN and the MTIA runtime go by.
bool is_gemm_kernel(const std::string& name) {
    static constexpr std::array<std::string_view, 8> parts = {
        "gemm", "Gemm", "gemv", "dot_kernel", "cutlass", "matmul", "fc-", "xmma"};
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return contains(name, part); });
}

std::string canonical_collective(const std::string& annotation) {
    std::string letters;  // "hccl:_all_gather_base" -> "allgatherbase"
    for (const char c : annotation.substr(annotation.find(':') + 1)) {
        if (c != '_') letters += c;
    }
    static constexpr std::array<std::array<std::string_view, 2>, 6> names = {{
        {"allreduce", "all_reduce"},
        {"allgather", "all_gather"},
        {"alltoall", "all_to_all"},
        {"reducescatter", "reduce_scatter"},
        {"broadcast", "broadcast"},
        {"reduce", "reduce"},
    }};
    for (const auto& [part, name] : names) {
        if (contains(letters, part)) return std::string(name);
    }
    return letters;
}

std::optional<TypedShape> first_tensor(const std::vector<Argument>& arguments, std::size_t from) {
    for (std::size_t i = from; i < arguments.size(); ++i) {
        if (is_tensor(arguments, i) && !arguments[i].shape.empty()) return tensor_at(arguments, i);
    }
    return std::nullopt;
}

// A kernel beside the main one of its operator. Which of the operator's tensors it touches is not
// recorded: beside an element-wise one it is charged with all of them, as every kernel is;
// permuting sparse data begins with scans of its lengths; anything else goes over the output.
std::optional<Draft> draft_beside(const std::string& kernel, const std::string& op,
                                  const std::vector<Argument>& arguments, const Draft& main) {
    const bool lengths = contains(op, "permute_2D") && is_tensor(arguments, 1);
    if (main.outputs.empty() && !lengths) return std::nullopt;
    std::optional<Draft> draft =
        draft_auxiliary(kernel, lengths ? tensor_at(arguments, 1) : main.outputs[0]);
    const bool elementwise = draft && draft->kind == OpKind::elementwise;
    if (elementwise && main.kind == OpKind::elementwise) {
        draft->inputs = main.inputs;
        draft->outputs = main.outputs;
        draft->output_source = main.output_source;
    }
    return draft;
}

}  // namespace

Draft host_copy(Direction direction, std::uint64_t bytes) {
    Draft draft;
    draft.kind = OpKind::copy;
    draft.attrs.bytes = bytes;
    draft.attrs.from_host = direction == Direction::to_device;
    draft.attrs.to_host = direction == Direction::to_host;
    draft.attrs.host_copy_request = direction != Direction::on_device;
    return draft;
}

Draft draft_collective(const Events& events, std::size_t annotation,
                       std::optional<std::size_t> host_op) {
    const HostOp& announced = events.annotations[annotation];
    Draft draft;
    draft.kind = OpKind::collective;
    draft.attrs.collective = canonical_collective(events.names.text(announced.name));
    draft.attrs.world_size = events.world_size;
    std::optional<TypedShape> in = first_tensor(arguments_of(events, announced), 0), out;
    if (host_op) {
        const HostOp& op = events.host_ops[*host_op];
        const std::vector<Argument> arguments = arguments_of(events, op);
        // c10d::alltoall_base_(output, input, ...)
        const bool both = contains(events.names.text(op.name), "alltoall_base");
        if (both) out = first_tensor(arguments, 0);
        if (!in) in = first_tensor(arguments, both ? 1 : 0);
    }
    if (!in) return draft;
    if (!out) out = in;
    if (draft.attrs.collective == "all_gather") out->shape[0] *= events.world_size;
    if (draft.attrs.collective == "reduce_scatter" && out->shape[0] % events.world_size == 0) {
        out->shape[0] /= events.world_size;
    }
    draft.inputs = {*in};
    draft.outputs = {*out};
    return draft;
}

KernelDrafts::KernelDrafts(const Events& events, const Joined& joined)
    : events_(events), joined_(joined) {
    for (std::size_t i = 0; i < joined.kernels.size(); ++i) {
        const JoinedKernel& kernel = joined.kernels[i];
        const bool counts = events.device[kernel.device].kind == DeviceKind::kernel;
        if (kernel.host_op && counts) siblings_[*kernel.host_op].push_back(i);
    }
}

// Of several kernels of one host operator one does its work, told by names and order alone: the
// first GEMM kernel of a matrix product, the last kernel of anything else.
bool KernelDrafts::is_main(std::size_t index, OpKind kind) const {
    const auto& list = siblings_.at(*joined_.kernels[index].host_op);
    if (kind == OpKind::gemm || kind == OpKind::batched_gemm) {
        for (const std::size_t i : list) {
            const DeviceEvent& event = events_.device[joined_.kernels[i].device];
            if (is_gemm_kernel(events_.names.text(event.name))) return i == index;
        }
    }
    return index == list.back();
}

NamedDraft KernelDrafts::make_kernel(std::size_t index) {
    const JoinedKernel& kernel = joined_.kernels[index];
    const std::string& name = events_.names.text(events_.device[kernel.device].name);
    // The annotation may outlast the launch (MTIA): only a kernel of the library communicates.
    if (kernel.collective && is_collective_kernel(name)) {
        const std::string& announced =
            events_.names.text(events_.annotations[*kernel.collective].name);
        return {announced, draft_collective(events_, *kernel.collective, kernel.host_op)};
    }
    if (!kernel.host_op) {
        programs_ = true;
        return {short_name(name), Draft{}};
    }
    const HostOp& op = events_.host_ops[*kernel.host_op];
    const std::string& op_name = events_.names.text(op.name);
    const std::vector<Argument> arguments = arguments_of(events_, op);
    std::optional<Draft> draft = draft_aten(op_name, arguments);
    if (!draft) draft = draft_fbgemm(op_name, arguments);
    if (draft && !is_main(index, draft->kind)) {
        draft = draft_beside(name, op_name, arguments, *draft);
        if (draft) return {op_name + "/" + short_name(name), std::move(*draft)};
    }
    if (draft) return {op_name, std::move(*draft)};
    return {op_name, draft_opaque(op_name, arguments)};
}

NamedDraft KernelDrafts::make(std::size_t index) {
    const JoinedKernel& kernel = joined_.kernels[index];
    const DeviceEvent& event = events_.device[kernel.device];
    if (event.kind == DeviceKind::copy) {
        return {short_name(events_.names.text(event.name)),
                host_copy(event.direction, event.bytes)};
    }
    if (event.kind == DeviceKind::fill) {
        Draft draft;
        draft.kind = OpKind::elementwise;
        draft.attrs.ops_per_element = 0;
        draft.outputs = {{DType::int8, {std::max<std::uint64_t>(1, event.bytes)}}};
        return {short_name(events_.names.text(event.name)), std::move(draft)};
    }
    NamedDraft result = make_kernel(index);
    note(result.draft);
    return result;
}

void KernelDrafts::note(const Draft& draft) {
    embedding_ = embedding_ || !draft.attrs.tables.empty();
    axes_ = axes_ || draft.axes_assumed;
    for (const TypedShape& input : draft.inputs) lists_ = lists_ || input.fresh;
}

std::vector<std::string> KernelDrafts::notes() const {
    std::vector<std::string> notes;
    if (embedding_) {
        notes.emplace_back(
            "rows, dims and lookups of embedding tables are recorded as sums and spread evenly; "
            "row "
            "indices are not recorded and taken as uniform");
    }
    if (lists_) {
        notes.emplace_back(
            "shapes of concatenated tensors and of index lists are not recorded: together as large "
            "as the output");
    }
    if (axes_) notes.emplace_back("reductions whose axes are not recorded go over all of them");
    if (programs_) notes.emplace_back("kernels without a host operator are opaque");
    return notes;
}

}  // namespace diastole::kineto
