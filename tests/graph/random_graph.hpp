// Random operator graphs with every kind and attribute, for properties of readers and writers.
#pragma once

#include "model/base/random.hpp"
#include "workloads/graph/operator.hpp"

namespace diastole::test {

// Valid by workloads/graph/validate.hpp; tensors are numbered by first use, as a reader does.
Graph random_graph(Random& random, std::size_t operators);

}  // namespace diastole::test
