// Element types of tensors and of the engines that work on them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace diastole {

enum class DType : std::uint8_t { fp64, fp32, tf32, bf16, fp16, fp8, int64, int32, int8, boolean };

inline constexpr std::size_t dtype_count = 10;

struct DTypeInfo {
    DType type;
    std::string_view name;
    std::uint32_t bytes;  // in memory; tf32 is stored as four bytes
};

inline constexpr std::array<DTypeInfo, dtype_count> dtype_table = {{
    {DType::fp64, "fp64", 8},
    {DType::fp32, "fp32", 4},
    {DType::tf32, "tf32", 4},
    {DType::bf16, "bf16", 2},
    {DType::fp16, "fp16", 2},
    {DType::fp8, "fp8", 1},
    {DType::int64, "int64", 8},
    {DType::int32, "int32", 4},
    {DType::int8, "int8", 1},
    {DType::boolean, "bool", 1},
}};

constexpr std::size_t index_of(DType type) {
    return static_cast<std::size_t>(type);
}
constexpr std::string_view name_of(DType type) {
    return dtype_table[index_of(type)].name;
}
constexpr std::uint64_t size_of(DType type) {
    return dtype_table[index_of(type)].bytes;
}

constexpr std::optional<DType> dtype_from_name(std::string_view name) {
    for (const DTypeInfo& info : dtype_table) {
        if (info.name == name) return info.type;
    }
    return std::nullopt;
}

// A table with one entry per element type.
template <class T>
struct PerType {
    std::array<T, dtype_count> values{};
    constexpr T& operator[](DType type) { return values[index_of(type)]; }
    constexpr const T& operator[](DType type) const { return values[index_of(type)]; }
};

}  // namespace diastole
