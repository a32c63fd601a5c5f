#include "workloads/lower/describe_lowering.hpp"

namespace diastole {

void describe(config::Schema& schema, LoweringParams& lowering) {
    schema.add_enum("lowering.dataflow", lowering.dataflow,
                    "which operand of a matrix product the arrays hold",
                    {{"automatic", DataflowChoice::automatic},
                     {"weight_stationary", DataflowChoice::weight_stationary},
                     {"input_stationary", DataflowChoice::input_stationary},
                     {"output_stationary", DataflowChoice::output_stationary}});
    schema.add_enum("lowering.stationary", lowering.stationary,
                    "operand of a matrix product that a PE keeps while the other passes",
                    {{"automatic", StationaryChoice::automatic},
                     {"input", StationaryChoice::input},
                     {"weight", StationaryChoice::weight},
                     {"output", StationaryChoice::output}});
    const std::vector<std::pair<std::string, GridChoice>> roles = {
        {"automatic", GridChoice::automatic},
        {"m", GridChoice::m},
        {"n", GridChoice::n},
        {"batch", GridChoice::batch}};
    schema.add_enum("lowering.grid_rows", lowering.grid_rows,
                    "index of a matrix product that the rows of PEs divide", roles);
    schema.add_enum("lowering.grid_columns", lowering.grid_columns,
                    "index of a matrix product that the columns of PEs divide", roles);
    schema.add("lowering.tile_m", lowering.tile_m, "", "rows of an output tile; 0: automatic");
    schema.add("lowering.tile_n", lowering.tile_n, "", "columns of an output tile; 0: automatic");
    schema.add("lowering.tile_k", lowering.tile_k, "", "depth of an operand tile; 0: automatic");
    schema.add("lowering.split_k", lowering.split_k, "PEs", "that divide K; 0: automatic");
    schema
        .add("lowering.buffers", lowering.buffers, "tiles",
             "in the buffer of an operand that does not stay; 0: automatic")
        .at_most(64);
    schema.add("lowering.broadcast", lowering.broadcast, "",
               "operand tiles may be shared along rows and columns of PEs");
    const std::vector<std::pair<std::string, Switch>> switches = {
        {"automatic", Switch::automatic}, {"on", Switch::on}, {"off", Switch::off}};
    schema.add_enum("lowering.broadcast_a", lowering.broadcast_a,
                    "share the tiles of the first operand of a matrix product", switches);
    schema.add_enum("lowering.broadcast_b", lowering.broadcast_b,
                    "share the tiles of the second operand of a matrix product", switches);
    schema.add("lowering.prefetch_weights", lowering.prefetch_weights, "bytes",
               "of the next matrix product's weights, fetched into the LLC while one ends");
    schema.add("lowering.chunk_bytes", lowering.chunk_bytes, "bytes",
               "of the widest operand in one chunk of a streaming kernel; 0: automatic");
    schema
        .add("lowering.gather_rows", lowering.gather_rows, "rows",
             "embedding rows in one indexed transfer")
        .at_least(1)
        .at_most(4096);
    schema.add("lowering.inputs_in_lls", lowering.inputs_in_lls, "",
               "put inputs and parameters of inference into the software-managed SRAM, too");
    schema.add("lowering.activations_in_lls", lowering.activations_in_lls, "",
               "keep inference activations in the software-managed SRAM while they fit");
}

}  // namespace diastole
