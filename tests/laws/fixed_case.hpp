// One small chip and simple traces for laws that compare two runs.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace diastole::laws {

// Four PEs and four partitions of an MTIA 2i. Rates are multiples of ten, so that each can be
// divided by ten.
inline std::vector<std::string> small_chip() {
    return {"grid.rows=2",
            "grid.columns=2",
            "control.launch_ns=0",
            "dpe.k_elements.fp16=20",
            "simd.ops_per_cycle.fp16=60",
            "reduction.elements_per_cycle=60",
            "layout.bytes_per_cycle=60",
            "local_memory.bank_bytes_per_cycle=120",
            "noc.pe_link_bytes_per_cycle=60",
            "noc.partition_link_bytes_per_cycle=120",
            "sram.partitions=4",
            "sram.split_step=1048576",
            "sram.lls_bytes=4194304",
            "sram.bytes=8388608",
            "sram.bank_bytes_per_cycle=60",
            "dram.channels=4"};
}

// A native trace, line by line. Tensors are fp16; equal ids are one tensor.
class Trace {
  public:
    using Json = nlohmann::ordered_json;
    using Shape = std::vector<std::uint64_t>;

    explicit Trace(std::uint64_t batch = 1, const char* mode = "inference") {
        lines_ = Json({{"trace", "diastole/1"}, {"name", "t"}, {"batch", batch}, {"mode", mode}})
                     .dump() +
                 '\n';
    }
    static Json tensor(const std::string& id, const Shape& shape) {
        return {{"id", id}, {"shape", shape}, {"dtype", "fp16"}};
    }
    // Waits for the operator before it.
    Trace& add(const char* kind, const std::vector<Json>& inputs, const std::vector<Json>& outputs,
               const Json& attrs = Json::object(), double recorded_seconds = 0) {
        Json op = {{"id", ++id_},        {"kind", kind},   {"inputs", inputs},
                   {"outputs", outputs}, {"attrs", attrs}, {"deps", Json::array()}};
        if (id_ > 1) op["deps"].push_back(id_ - 1);
        if (recorded_seconds > 0) op["recorded_seconds"] = recorded_seconds;
        lines_ += op.dump() + '\n';
        return *this;
    }
    [[nodiscard]] const std::string& text() const { return lines_; }

  private:
    std::string lines_;
    std::uint64_t id_ = 0;
};

}  // namespace diastole::laws
