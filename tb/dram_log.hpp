// The command log: text, one command a line, buffered (docs/dram.md).
#pragma once

#include <string>

#include "model/base/atomic_file.hpp"
#include "model/params/preset.hpp"
#include "tb/dram_lane.hpp"

namespace diastole {

class DramLog final : public DramCommandSink {
  public:
    // Throws ConfigError when the file cannot be created. A name in .gz is compressed.
    explicit DramLog(const std::string& path);

    void write(std::uint32_t lane, const std::vector<DramCommand>& commands) override;
    void commit();  // call once, last

  private:
    void flush();

    AtomicFile file_;
    bool compressed_;
    std::string buffer_;
};

}  // namespace diastole
