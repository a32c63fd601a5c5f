// The arguments of a host operator, as the profiler records them with `record_shapes`: three lists
// "Input Dims", "Input type" and "Concrete Inputs", packed into words.
#pragma once

#include <string>
#include <vector>

#include "workloads/import/kineto_events.hpp"

namespace simdjson::dom {
class element;
}

namespace diastole::kineto {

// Appends the arguments to `words`; `types` and `concretes` may be null. Returns an empty text, or
// what is wrong with them.
std::string pack_arguments(const simdjson::dom::element* dims, const simdjson::dom::element* types,
                           const simdjson::dom::element* concretes, Names& names,
                           std::vector<std::uint64_t>& words);

}  // namespace diastole::kineto
