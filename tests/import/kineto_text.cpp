#include "tests/import/kineto_text.hpp"

#include <cstdlib>
#include <filesystem>

#include "model/base/error.hpp"
#include "tests/paths.hpp"
#include "workloads/graph/byte_source.hpp"

namespace diastole::test {
namespace {

std::string complete(const std::string& category, const std::string& name, double start,
                     double duration, const std::string& place, const std::string& args) {
    return R"({"ph": "X", "cat": ")" + category + R"(", "name": ")" + name + R"(", )" + place +
           R"(, "ts": )" + std::to_string(start) + R"(, "dur": )" + std::to_string(duration) +
           R"(, "args": {)" + args + "}}";
}

std::string host(const std::string& thread) {
    return R"("pid": 7, "tid": ")" + thread + "\"";
}

}  // namespace

KinetoText& KinetoText::op(const std::string& name, double start, double duration,
                           const std::string& dims, const std::string& types,
                           const std::string& concretes, const std::string& thread) {
    std::string args = R"("Ev Idx": )" + std::to_string(events.size()) + R"(, "Input Dims": )" +
                       dims + R"(, "Input type": )" + types;
    if (!concretes.empty()) args += R"(, "Concrete Inputs": )" + concretes;
    events.push_back(complete("cpu_op", name, start, duration, host(thread), args));
    return *this;
}

KinetoText& KinetoText::note(const std::string& name, double start, double duration,
                             const std::string& thread) {
    events.push_back(complete("user_annotation", name, start, duration, host(thread), ""));
    return *this;
}

KinetoText& KinetoText::launch(int correlation, double time, const std::string& thread) {
    events.push_back(complete("mtia_runtime", "runFunction", time, 1, host(thread),
                              R"("correlation": )" + std::to_string(correlation)));
    return *this;
}

KinetoText& KinetoText::kernel(int correlation, const std::string& name, double start,
                               double duration, int stream) {
    events.push_back(complete("mtia_ccp_events", name, start, duration,
                              R"("pid": 9, "tid": )" + std::to_string(stream),
                              R"("correlation": )" + std::to_string(correlation)));
    return *this;
}

KinetoText& KinetoText::dma(const std::string& direction, int bytes, double start) {
    events.push_back(
        complete("mtia_ccp_events", "dma_request", start, 0.5, R"("pid": 9, "tid": 4)",
                 R"("direction": ")" + direction + R"(", "size": )" + std::to_string(bytes)));
    return *this;
}

std::string KinetoText::text() const {
    std::string text = "{\n" + head + ",\n\"traceEvents\": [\n";
    for (std::size_t i = 0; i < events.size(); ++i) {
        text += events[i] + (i + 1 < events.size() ? ",\n" : "\n");
    }
    return text + "],\n\"traceName\": \"/home/secret-user/t.json\"\n}\n";
}

KinetoText training_step() {
    KinetoText trace;
    trace.note("## forward ##", 0, 100);
    trace.op("aten::linear", 10, 30, "[[8, 4], [4, 16]]", R"(["float", "float"])");
    trace.op("aten::addmm", 12, 20, "[[16], [8, 4], [4, 16], [], [], [8, 16]]",
             R"(["float", "float", "float", "Scalar", "Scalar", "float"])",
             R"(["", "", "", "1", "1", ""])");
    trace.launch(1, 15).kernel(1, "fc-dtype_Float", 20, 5);
    trace.op("aten::relu", 50, 10, "[[8, 16]]", R"(["float"])");
    trace.launch(2, 52).kernel(2, "relu-dtype_Float", 60, 2);
    trace.dma("HOST_TO_DEVICE", 100, 55).dma("HOST_TO_DEVICE", 28, 56).dma("DEVICE_TO_HOST", 4, 57);
    trace.note("## backward ##", 110, 100);
    trace.op("aten::mm", 120, 20, "[[4, 8], [8, 16], [4, 16]]", R"(["float", "float", "float"])",
             R"(["", "", ""])", "autograd");
    trace.launch(3, 125, "autograd").kernel(3, "fc-dtype_Float", 130, 6);
    trace.note("hccl:all_reduce", 150, 3, "autograd");
    trace.note("## optimizer ##", 220, 100);
    trace.op("aten::add", 230, 20, "[[4, 16], [4, 16], [], [4, 16]]",
             R"(["float", "float", "Scalar", "float"])", R"(["", "", "0.1", ""])");
    trace.launch(4, 232).kernel(4, "customized_fba_mul_const-dtype_Float", 240, 1);
    trace.launch(5, 236).kernel(5, "add-dtype_Float", 242, 1);
    return trace;
}

Imported import_text(const std::string& text) {
    KinetoOptions options;
    options.name = "test";
    return import_kineto(*open_text(text, "t.json"), options);
}

std::string import_error(const std::string& text) {
    try {
        import_text(text);
    } catch (const TraceError& error) {
        return error.what();
    }
    return {};
}

std::string shared_traces() {
    namespace fs = std::filesystem;
    const auto traces = [](const fs::path& shared) {
        const fs::path folder = shared / "data" / "traces";
        return fs::exists(folder) ? folder.string() + "/" : std::string{};
    };
    if (const char* named = std::getenv("DIASTOLE_SHARED")) return traces(named);
    fs::path folder = fs::path(source_dir());
    while (folder.has_relative_path()) {
        folder = folder.parent_path();
        const std::string found = traces(folder / "shared");
        if (!found.empty()) return found;
    }
    return {};
}

}  // namespace diastole::test
