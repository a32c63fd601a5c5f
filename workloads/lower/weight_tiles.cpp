#include "workloads/lower/weight_tiles.hpp"

#include "workloads/graph/convolution.hpp"
#include "workloads/graph/work.hpp"

namespace diastole {

Block WeightTiles::block(Placement matrix, std::uint64_t element, std::uint64_t k_all,
                         std::uint64_t k0, std::uint64_t n0, std::uint64_t k,
                         std::uint64_t n) const {
    const std::uint64_t tile = rows * columns * element;
    const std::uint64_t down = ceil_div(k_all, rows);  // tiles of a column of tiles
    const std::uint64_t first = n0 / columns * down + k0 / rows;
    return {{matrix.space, matrix.address + first * tile},
            ceil_div(n, columns),
            ceil_div(k, rows) * tile,
            down * tile};
}

WeightTiles weight_tiles(const DpeParams& dpe, DType type) {
    if (!dpe.weight_tiles || dpe.k_elements[type] == 0) return {};
    return {dpe.k_elements[type], dpe.columns};
}

std::uint64_t stored_weight_bytes(const Graph& graph, const Operator& op, const ChipParams& chip) {
    const Tensor& weight = graph.tensors.at(op.inputs.at(1));
    const DType data = graph.tensors.at(op.inputs[0]).type;
    const DType type = size_of(data) >= size_of(weight.type) ? data : weight.type;
    const WeightTiles tiles = weight_tiles(chip.dpe, type);
    if (!tiles.on()) return size_of(weight).count();
    if (op.kind == OpKind::convolution) {
        const Convolution c = convolution_of(graph, op);
        return c.groups * tiles.stored(c.channels * c.taps(), c.filters) * size_of(weight.type);
    }
    const Gemm g = gemm_of(graph, op);
    return g.batch * tiles.stored(g.k, g.n) * size_of(weight.type);
}

}  // namespace diastole
