#include "workloads/lower/engine.hpp"

#include <array>
#include <optional>

#include "model/base/error.hpp"

namespace diastole {
namespace {

struct Substitute {
    DType wanted, type;
    std::uint32_t multiple;
};

// In order of preference. Conversions to a wider type are free: engines convert on load. Multiples
// are assumed: fp64 from pairs of fp32 takes about 16 operations for an add or a product (Knuth and
// Dekker: 20 and 17); 64-bit integers take an operation on each half and one for the carry.
constexpr std::array<Substitute, 20> substitutes = {{
    {DType::fp64, DType::fp32, 16},   {DType::fp64, DType::fp16, 64},
    {DType::tf32, DType::fp32, 1},    {DType::bf16, DType::fp32, 1},
    {DType::fp16, DType::fp32, 1},    {DType::fp16, DType::bf16, 1},
    {DType::bf16, DType::fp16, 1},    {DType::fp8, DType::fp16, 1},
    {DType::fp8, DType::bf16, 1},     {DType::fp8, DType::fp32, 1},
    {DType::fp32, DType::fp16, 4},    {DType::fp32, DType::bf16, 4},
    {DType::int64, DType::int32, 3},  {DType::int64, DType::fp32, 3},
    {DType::int32, DType::fp32, 1},   {DType::int8, DType::int32, 1},
    {DType::int8, DType::fp16, 1},    {DType::int8, DType::fp32, 1},
    {DType::boolean, DType::int8, 1}, {DType::boolean, DType::fp32, 1},
}};

std::optional<Engine> native(const ChipParams& chip, DType type) {
    Engine engine;
    engine.type = type;
    for (const Unit unit : {Unit::simd, Unit::vector}) {
        const SimdParams& params = unit == Unit::simd ? chip.simd : chip.vector;
        if (params.ops_per_cycle[type] == 0) continue;
        engine.unit = unit;
        engine.ops_per_cycle = params.ops_per_cycle[type];
        engine.transcendental_ops = params.transcendental_ops;
        engine.accumulate_rows = params.accumulate_rows;
        return engine;
    }
    return std::nullopt;
}

std::optional<Engine> substitute(const ChipParams& chip, DType wanted) {
    for (const Substitute& s : substitutes) {
        if (s.wanted != wanted) continue;
        if (auto engine = native(chip, s.type)) {
            engine->multiple = s.multiple;
            return engine;
        }
    }
    // Nothing near: any type at all, at the ratio of the sizes.
    for (const DTypeInfo& info : dtype_table) {
        if (auto engine = native(chip, info.type)) {
            const std::uint64_t ratio = ceil_div(size_of(wanted), info.bytes);
            engine->multiple = static_cast<std::uint32_t>(4 * ratio * ratio);
            return engine;
        }
    }
    return std::nullopt;
}

}  // namespace

Engine pick_engine(const ChipParams& chip, DType wanted, const std::string& user) {
    if (auto engine = native(chip, wanted)) {
        if (engine->unit == Unit::vector) engine->note = "on the vector cores";
        return *engine;
    }
    auto engine = substitute(chip, wanted);
    if (!engine) {
        throw ConfigError("simd.ops_per_cycle: " + user + " computes in " +
                          std::string(name_of(wanted)) +
                          ", and the chip has neither a SIMD engine nor vector cores");
    }
    engine->note = std::string(name_of(wanted)) + " as " + std::to_string(engine->multiple) +
                   " x " + std::string(name_of(engine->type));
    if (engine->multiple > 1) engine->note += " (assumed)";
    if (engine->unit == Unit::vector) engine->note += " on the vector cores";
    return *engine;
}

}  // namespace diastole
