// Diastole's own trace: JSON Lines, a header and then one operator a line. docs/formats.md has
// every key.
#pragma once

#include <string>

#include "workloads/graph/operator.hpp"

namespace diastole {

class ByteSource;

// Reads a plain or gzip file whole. The operators come out in a topological order that keeps the
// order of the file wherever it can. Paths of index streams that are relative are taken from the
// trace's own folder. Throws TraceError: "file:line: what", naming operators by their ids.
Graph read_native_trace(const std::string& path);
Graph read_native_trace(ByteSource& source);  // paths stay as they are

// The file that reading gives back exactly; gzip when the name ends in .gz. Nothing is left behind
// when it fails. Throws ConfigError when the file cannot be written.
void write_native_trace(const Graph& graph, const std::string& path);
std::string native_trace_text(const Graph& graph);

}  // namespace diastole
