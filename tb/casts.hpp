// `FROM=TO` texts: tensors of one type stored and computed as another.
#pragma once

#include <string>
#include <vector>

#include "workloads/lower/lowering_params.hpp"

namespace diastole {

// Throws ConfigError (unknown type, with the nearest; no `=`; a type cast twice), each text called
// `option` TEXT, as in `--cast fp33=fp16`.
Casts read_casts(const std::vector<std::string>& texts, const std::string& option);

}  // namespace diastole
