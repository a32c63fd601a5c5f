#include "workloads/lower/describe_lowering.hpp"

namespace diastole {

void describe(config::Schema& schema, LoweringParams& lowering) {
    schema.add_enum("lowering.dataflow", lowering.dataflow,
                    "which operand of a matrix product the arrays hold",
                    {{"automatic", DataflowChoice::automatic},
                     {"weight_stationary", DataflowChoice::weight_stationary},
                     {"input_stationary", DataflowChoice::input_stationary},
                     {"output_stationary", DataflowChoice::output_stationary}});
    schema.add("lowering.tile_m", lowering.tile_m, "", "rows of an output tile; 0: automatic");
    schema.add("lowering.tile_n", lowering.tile_n, "", "columns of an output tile; 0: automatic");
    schema.add("lowering.tile_k", lowering.tile_k, "", "depth of an operand tile; 0: automatic");
    schema.add("lowering.split_k", lowering.split_k, "PEs", "that divide K; 0: automatic");
    schema.add("lowering.broadcast", lowering.broadcast, "",
               "share operand tiles along rows and columns of PEs");
    schema.add("lowering.chunk_bytes", lowering.chunk_bytes, "bytes",
               "of the widest operand in one chunk of a streaming kernel; 0: automatic");
    schema
        .add("lowering.gather_rows", lowering.gather_rows, "rows",
             "embedding rows in one indexed transfer")
        .at_least(1)
        .at_most(4096);
    schema.add("lowering.activations_in_lls", lowering.activations_in_lls, "",
               "keep inference activations in the software-managed SRAM while they fit");
}

}  // namespace diastole
