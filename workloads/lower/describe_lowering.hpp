// The keys of the software half, for `--set lowering.*`.
#pragma once

#include "model/config/schema.hpp"
#include "workloads/lower/lowering_params.hpp"

namespace diastole {

void describe(config::Schema& schema, LoweringParams& lowering);

}  // namespace diastole
