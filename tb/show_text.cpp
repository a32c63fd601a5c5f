#include "tb/show_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace diastole {
namespace {

constexpr std::size_t width = 100;
constexpr const char* indent = "        ";

// Breaks `text` between words; all lines but the first start with `margin`.
std::string wrap(const std::string& text, std::size_t first_column, const std::string& margin) {
    std::string out;
    std::size_t column = first_column, start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find(' ', start), text.size());
        const std::size_t length = end - start;
        if (column + length > width && column > margin.size()) {
            while (!out.empty() && out.back() == ' ') out.pop_back();
            out += '\n' + margin;
            column = margin.size();
        }
        out.append(text, start, length).append(end < text.size() ? 1 : 0, ' ');
        column += length + 1;
        start = end + 1;
    }
    return out;
}

std::string with_prefix(double value, const char* unit) {
    static constexpr const char* prefixes[] = {"", "k", "M", "G", "T", "P"};
    std::size_t i = 0;
    while (value >= 1000 && i + 1 < std::size(prefixes)) {
        value /= 1000;
        ++i;
    }
    const int digits = value >= 99.995 ? 1 : value >= 9.9995 ? 2 : 3;
    return fmt::format("{:.{}f} {}{}", value, digits, prefixes[i], unit);
}

std::string binary(std::uint64_t bytes) {
    static constexpr const char* prefixes[] = {"", "Ki", "Mi", "Gi", "Ti"};
    auto value = static_cast<double>(bytes);
    std::size_t i = 0;
    while (value >= 1024 && i + 1 < std::size(prefixes)) {
        value /= 1024;
        ++i;
    }
    return fmt::format("{:.6g} {}B", value, prefixes[i]);
}

// A cycle count of the memory is easier to compare with a data sheet in nanoseconds.
std::string in_nanoseconds(const config::Setting& setting, const DramParams& dram) {
    if (setting.unit != "tCK") return {};
    return fmt::format(" = {:.4g} ns",
                       std::stod(setting.value) * static_cast<double>(dram.timing.tck_ps) / 1000);
}

std::string provenance_line(const config::Provenance& p) {
    const std::string place = config::to_string(p.where);
    std::string label = "source  ", text = p.source;
    if (!p.given) {
        text = "default of the program";
    } else if (!p.assumed.empty()) {
        label = "ASSUMED ";
        text = p.assumed;
    }
    if (p.given) text += text.empty() ? place : "  (" + place + ')';
    const std::string head = indent + label;
    return head + wrap(text, head.size(), std::string(head.size(), ' ')) + '\n';
}

std::string setting_lines(const config::Setting& setting, const DramParams& dram) {
    const std::string value = setting.value + (setting.unit.empty() ? "" : ' ' + setting.unit) +
                              in_nanoseconds(setting, dram);
    constexpr std::size_t value_width = 22;
    std::string head = fmt::format("  {:<36}{:<22}  ", setting.key, value);
    std::string text = wrap(setting.meaning, head.size(), std::string(head.size(), ' '));
    if (value.size() > value_width) {  // a long text: the meaning has a line of its own
        head = fmt::format("  {:<36}", setting.key);
        text = wrap(value, head.size(), std::string(head.size(), ' ')) + '\n' + indent +
               setting.meaning;
    }
    return head + text + '\n';
}

// Neighbours in one table that say the same about their origin share the line that follows them.
bool share_origin(const config::Setting& a, const config::Setting& b) {
    const auto table = [](const std::string& key) { return key.substr(0, key.rfind('.') + 1); };
    const config::Provenance &p = a.provenance, &q = b.provenance;
    return table(a.key) == table(b.key) && p.given == q.given && p.source == q.source &&
           p.assumed == q.assumed && p.where.file == q.where.file &&
           (!p.source.empty() || !p.assumed.empty() || !p.given);
}

std::string values_section(const std::vector<config::Setting>& settings, const DramParams& dram) {
    std::size_t count = 0, assumed = 0;
    std::string unit, lines;
    for (std::size_t i = 0; i < settings.size(); ++i) {
        const config::Setting& setting = settings[i];
        if (setting.key == "name" || setting.key == "description") continue;  // the heading
        ++count;
        assumed += setting.provenance.assumed.empty() ? 0 : 1;
        const std::string table = setting.key.substr(0, setting.key.find('.'));
        if (table != unit) lines += '\n';
        unit = table;
        lines += setting_lines(setting, dram);
        const bool last = i + 1 == settings.size() || !share_origin(setting, settings[i + 1]);
        if (last) lines += provenance_line(setting.provenance);
    }
    return fmt::format("\nValues: {}, of which {} are assumed\n", count, assumed) + lines;
}

std::string peak_line(const std::string& what, const std::string& peak, const std::string& how) {
    return fmt::format("  {:<24}{:<16}{}\n", what, peak, how);
}

bool is_integer(DType type) {
    return type == DType::int64 || type == DType::int32 || type == DType::int8;
}

std::string type_peaks(const ChipParams& c) {
    std::string lines;
    for (const DTypeInfo& type : dtype_table) {
        if (c.dpe.k_elements[type.type] == 0) continue;
        lines += peak_line(
            fmt::format("GEMM {}", type.name),
            with_prefix(peak_matrix_flops(c, type.type), is_integer(type.type) ? "OPS" : "FLOPS"),
            fmt::format("2 x {} PEs x {} arrays x {} x {} x clock", pe_count(c), c.dpe.arrays,
                        c.dpe.k_elements[type.type], c.dpe.columns));
    }
    const auto engine = [&](const char* name, const SimdParams& simd) {
        for (const DTypeInfo& type : dtype_table) {
            if (simd.ops_per_cycle[type.type] == 0) continue;
            lines += peak_line(
                fmt::format("{} {}", name, type.name),
                with_prefix(peak_ops(c, simd, type.type), "OPS"),
                fmt::format("{} PEs x {} x clock", pe_count(c), simd.ops_per_cycle[type.type]));
        }
    };
    engine("SIMD", c.simd);
    engine("vector", c.vector);
    return lines;
}

std::string dram_peaks(const DramParams& d) {
    const std::string pins =
        fmt::format("{} channels x {} bits x {:.2f} Gb/s", d.channels, d.geometry.data_bits,
                    channel_peak(d) * 8 / d.geometry.data_bits / 1e9);
    return peak_line("DRAM bandwidth", with_prefix(dram_peak(d), "B/s"), pins) +
           peak_line("DRAM capacity", binary(dram_bytes(d)),
                     fmt::format("{} channels x {}", d.channels, binary(channel_data_bytes(d))));
}

std::string memory_peaks(const ChipParams& c) {
    const auto clock = static_cast<double>(c.clock_hz);
    const std::uint64_t local = local_memory_bytes_per_cycle(c.local_memory);
    const std::uint64_t shared = sram_bytes_per_cycle(c.sram);
    const std::uint64_t cache = c.sram.bytes - c.sram.lls_bytes;
    const std::uint64_t sets =
        cache / (std::uint64_t{c.sram.partitions} * c.sram.ways * c.sram.line_bytes);
    return peak_line("local memory of a PE", with_prefix(static_cast<double>(local) * clock, "B/s"),
                     fmt::format("{} B a cycle, {}", local, binary(c.local_memory.bytes))) +
           peak_line("shared SRAM", with_prefix(static_cast<double>(shared) * clock, "B/s"),
                     fmt::format("{} B a cycle, {}", shared, binary(c.sram.bytes))) +
           peak_line("  LLS", binary(c.sram.lls_bytes), "software-managed") +
           peak_line("  LLC", binary(cache),
                     fmt::format("{} partitions x {} sets x {} ways x {} B", c.sram.partitions,
                                 sets, c.sram.ways, c.sram.line_bytes)) +
           dram_peaks(c.dram) +
           peak_line("host link", with_prefix(static_cast<double>(c.host.bytes_per_second), "B/s"),
                     "each direction");
}

std::string conflicts_section(const std::vector<Conflict>& conflicts) {
    if (conflicts.empty()) return {};
    std::string lines = "\nSources that contradict each other\n";
    const std::string margin(12, ' ');
    for (const Conflict& conflict : conflicts) {
        lines += "  " + conflict.about + '\n';
        lines += "    said    " + wrap(conflict.values, margin.size(), margin) + '\n';
        lines += "    used    " + wrap(conflict.used, margin.size(), margin) + '\n';
    }
    return lines;
}

}  // namespace

std::string show_text(const ResolvedChip& chip) {
    const ChipParams& c = chip.params;
    std::string text =
        fmt::format("{}  ({}{})\n", c.name, chip.file,
                    c.chip_class == ChipClass::comparison_model ? ", a comparison model" : "");
    if (!c.description.empty()) text += wrap(c.description, 0, "") + '\n';
    text += fmt::format("\nPeaks at {} x {} PEs, {}\n", c.grid.rows, c.grid.columns,
                        with_prefix(static_cast<double>(c.clock_hz), "Hz"));
    return text + type_peaks(c) + memory_peaks(c) + conflicts_section(chip.conflicts) +
           values_section(chip.settings, c.dram);
}

std::string show_text(const ResolvedMemory& memory) {
    const DramParams& d = memory.params;
    return fmt::format("{}  ({})\n\nPeaks\n", d.standard, memory.file) + dram_peaks(d) +
           values_section(memory.settings, d);
}

}  // namespace diastole
