// One operator -> its commands. Each family of kernels has a file of its own.
#pragma once

#include <memory>
#include <string>

#include "workloads/lower/lower_context.hpp"

namespace diastole {

// Null when the operator has nothing to do on the PEs (a view, a collective of one). `note` says
// what was chosen. Throws ConfigError for a kind that has no kernel.
std::unique_ptr<CommandSource> lower_operator(const LowerContext& context, const Operator& op,
                                              std::string& note);

std::unique_ptr<CommandSource> lower_gemm(const LowerContext& context, const Operator& op,
                                          std::string& note);
std::unique_ptr<CommandSource> lower_convolution(const LowerContext& context, const Operator& op,
                                                 std::string& note);
std::unique_ptr<CommandSource> lower_elementwise(const LowerContext& context, const Operator& op,
                                                 std::string& note);
std::unique_ptr<CommandSource> lower_reduction(const LowerContext& context, const Operator& op,
                                               std::string& note);
std::unique_ptr<CommandSource> lower_rows(const LowerContext& context, const Operator& op,
                                          std::string& note);
std::unique_ptr<CommandSource> lower_scan(const LowerContext& context, const Operator& op,
                                          std::string& note);
std::unique_ptr<CommandSource> lower_opaque(const LowerContext& context, const Operator& op,
                                            std::string& note);
std::unique_ptr<CommandSource> lower_copy(const LowerContext& context, const Operator& op,
                                          std::string& note);
std::unique_ptr<CommandSource> lower_layout(const LowerContext& context, const Operator& op,
                                            std::string& note);
std::unique_ptr<CommandSource> lower_gather(const LowerContext& context, const Operator& op,
                                            std::string& note);
std::unique_ptr<CommandSource> lower_embedding_forward(const LowerContext& context,
                                                       const Operator& op, std::string& note);
std::unique_ptr<CommandSource> lower_embedding_backward(const LowerContext& context,
                                                        const Operator& op, std::string& note);

}  // namespace diastole
