// What `diastole gemm` found out, and how it is shown.
#pragma once

#include <string>
#include <vector>

#include "model/timing/gemm_count.hpp"

namespace diastole {

enum class Accounting : std::uint8_t { registers, scalesim };

struct GemmLayer {
    std::string name;
    TileShape shape;
    bool pruned_2_4 = false;
    GemmCount count;
};

struct GemmReport {
    std::string workload;  // M N K, or the topology file
    std::string chip;      // empty: --array
    Accounting accounting = Accounting::registers;
    DType type = DType::fp16;
    GemmArray array;
    std::vector<GemmLayer> layers;

    [[nodiscard]] GemmCount total() const;
    // Achieved over peak products, 0 to 1.
    [[nodiscard]] double utilization(const GemmCount& count) const;
};

std::string gemm_json(const GemmReport& report);  // schema diastole.gemm/1
std::string gemm_text(const GemmReport& report);

const char* short_name(FoldOverlap overlap);  // none, shadow, stream

}  // namespace diastole
