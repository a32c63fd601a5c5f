// The keys of a chip or memory description: every member of the parameter structs by its name, with
// unit, meaning and the limits of the single value. Rules between values are in validate.hpp.
#pragma once

#include "model/config/schema.hpp"
#include "model/params/chip_params.hpp"

namespace diastole {

void describe(config::Schema& schema, ChipParams& chip);  // memory included
void describe(config::Schema& schema, DramParams& dram);  // keys below `dram.`

}  // namespace diastole
