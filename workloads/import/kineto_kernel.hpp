// What each kernel of a joined trace is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workloads/import/draft.hpp"
#include "workloads/import/kineto_join.hpp"

namespace diastole::kineto {

struct NamedDraft {
    std::string name;
    Draft draft;
};

class KernelDrafts {
  public:
    KernelDrafts(const Events& events, const Joined& joined);

    NamedDraft make(std::size_t kernel);  // of joined.kernels
    // What had to be assumed for the kernels made so far, for the header of the trace.
    [[nodiscard]] std::vector<std::string> notes() const;

  private:
    NamedDraft make_kernel(std::size_t index);
    [[nodiscard]] bool is_main(std::size_t index, OpKind kind) const;
    void note(const Draft& draft);

    const Events& events_;
    const Joined& joined_;
    std::map<std::size_t, std::vector<std::size_t>> siblings_;  // kernels of a host operator
    bool embedding_ = false, lists_ = false, programs_ = false, axes_ = false;
};

Draft host_copy(Direction direction, std::uint64_t bytes);
Draft draft_collective(const Events& events, std::size_t annotation,
                       std::optional<std::size_t> host_op);

}  // namespace diastole::kineto
