#include "workloads/import/topology.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <string_view>

#include "model/base/error.hpp"
#include "model/base/names.hpp"
#include "model/base/units.hpp"

namespace diastole {
namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t most_layers = 1'000'000;  // depthwise layers become one per channel

struct Cell {
    std::string_view text;   // without blanks around it
    std::size_t column = 1;  // of its first byte in the line
};

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

// Cells of a line. A remark behind the last comma ("#dw") and empty cells at its end are dropped.
std::vector<Cell> cells_of(std::string_view line) {
    std::vector<Cell> cells;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t comma = std::min(line.find(',', begin), line.size());
        std::size_t first = begin, last = comma;
        while (first < last && is_blank(line[first])) ++first;
        while (last > first && is_blank(line[last - 1])) --last;
        cells.push_back({line.substr(first, last - first), first + 1});
        begin = comma + 1;
    }
    if (cells.size() > 1 && cells.back().text.substr(0, 1) == "#") cells.pop_back();
    while (!cells.empty() && cells.back().text.empty()) cells.pop_back();
    return cells;
}

// "Num Filters" and "num filter" are the same column.
std::string key_of(std::string_view header) {
    std::string key;
    for (const char c : header) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalpha(byte) != 0) key += static_cast<char>(std::tolower(byte));
    }
    if (key.size() > 1 && key.back() == 's') key.pop_back();
    return key;
}

struct Column {
    const char* key;
    const char* name;
};
constexpr std::array<Column, 7> convolution_columns = {{{"ifmapheight", "IFMAP Height"},
                                                        {"ifmapwidth", "IFMAP Width"},
                                                        {"filterheight", "Filter Height"},
                                                        {"filterwidth", "Filter Width"},
                                                        {"channel", "Channels"},
                                                        {"numfilter", "Num Filter"},
                                                        {"stride", "Strides"}}};
constexpr std::array<Column, 3> gemm_columns = {{{"m", "M"}, {"n", "N"}, {"k", "K"}}};

enum class Extra : std::uint8_t { none, stride_width, batch, sparsity };

class Reader {
  public:
    explicit Reader(ByteSource& source) : source_(source), lines_(source) {
        topology_.file = source.name();
    }

    Topology read() {
        std::string_view line;
        bool first = true;
        while (lines_.next(line)) {
            if (first && line.substr(0, 3) == "\xEF\xBB\xBF") {  // byte order mark
                line.remove_prefix(3);
                before_ = 3;
            }
            const std::vector<Cell> cells = cells_of(line);
            if (first) {
                header(cells);
            } else if (!cells.empty()) {
                row(cells);
            }
            first = false;
            before_ = 0;
        }
        if (topology_.layers.empty()) throw TraceError(source_.name() + ": no layers");
        return std::move(topology_);
    }

  private:
    [[noreturn]] void fail(std::size_t column, const std::string& what) const {
        throw TraceError(source_.name() + ':' + std::to_string(lines_.line_number()) + ':' +
                         std::to_string(column + before_) + ": " + what);
    }

    void header(const std::vector<Cell>& cells) {
        constexpr const char* either =
            "expected the header 'Layer, M, N, K' or 'Layer name, IFMAP Height, IFMAP Width, "
            "Filter Height, Filter Width, Channels, Num Filter, Strides'";
        if (cells.size() < 2 || cells[1].text.empty()) fail(1, either);
        if (std::isdigit(static_cast<unsigned char>(cells[1].text.front())) != 0) {
            fail(1, std::string(either) + ", found a layer (SCALE-Sim would skip it)");
        }
        const std::string kind = key_of(cells[1].text);
        topology_.convolutions = kind.rfind("ifmap", 0) == 0;
        if (!topology_.convolutions && kind != "m") fail(cells[1].column, either);
        columns_.assign(topology_.convolutions ? convolution_columns.begin() : gemm_columns.begin(),
                        topology_.convolutions ? convolution_columns.end() : gemm_columns.end());
        for (std::size_t i = 0; i < columns_.size(); ++i) check_column(cells, i);
        const std::size_t required = columns_.size() + 1;
        if (cells.size() > required) extra_ = extra_column(cells[required]);
        topology_.has_batch_column = extra_ == Extra::batch;
        if (cells.size() > required + 1) {
            fail(cells[required + 1].column,
                 "unknown column '" + std::string(cells[required + 1].text) + '\'');
        }
    }

    void check_column(const std::vector<Cell>& cells, std::size_t i) const {
        const std::string expected = std::string("expected column '") + columns_[i].name + '\'';
        if (cells.size() <= i + 1) {
            fail(cells.back().column + cells.back().text.size(), expected + ", the header ends");
        }
        const std::string key = key_of(cells[i + 1].text);
        // Many published files call the height "IFMAP Width" too; the place decides.
        const bool known = key == columns_[i].key || (i == 0 && key == "ifmapwidth") ||
                           (i == 6 && key == "strideheight");
        if (!known) {
            fail(cells[i + 1].column, expected + ", got '" + std::string(cells[i + 1].text) + '\'');
        }
    }

    [[nodiscard]] Extra extra_column(const Cell& cell) const {
        const std::string key = key_of(cell.text);
        if (key == "sparsity") return Extra::sparsity;
        if (topology_.convolutions && key == "batchsize") return Extra::batch;
        if (topology_.convolutions && key == "stridewidth") return Extra::stride_width;
        fail(cell.column,
             "unknown column '" + std::string(cell.text) + '\'' +
                 did_you_mean(std::string(cell.text), {"Sparsity", "Batch Size", "Stride Width"}));
    }

    [[nodiscard]] std::uint64_t number(const Cell& cell, const char* name) const {
        std::uint64_t value = 0;
        bool good = !cell.text.empty() && cell.text.size() <= 10;
        for (const char c : cell.text) {
            good = good && c >= '0' && c <= '9';
            if (good) value = value * 10 + static_cast<std::uint64_t>(c - '0');
        }
        if (!good || value < 1 || value > largest) {
            fail(cell.column, std::string(name) + ": expected a whole number from 1 to " +
                                  std::to_string(largest) + ", got '" + std::string(cell.text) +
                                  '\'');
        }
        return value;
    }

    void row(const std::vector<Cell>& cells) {
        const std::size_t most = columns_.size() + (extra_ == Extra::none ? 1 : 2);
        if (cells[0].text.empty()) fail(cells[0].column, "expected the name of a layer");
        if (cells.size() > most) {
            fail(cells[most].column,
                 "the header has no column for '" + std::string(cells[most].text) + '\'');
        }
        std::array<std::uint64_t, 7> values{};
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (cells.size() <= i + 1) {
                fail(cells.back().column + cells.back().text.size(),
                     std::string(columns_[i].name) + ": expected a whole number, the line ends");
            }
            values[i] = number(cells[i + 1], columns_[i].name);
        }
        TopologyLayer layer;
        layer.name = cells[0].text;
        layer.line = lines_.line_number();
        std::uint64_t stride_width = values[6];
        if (cells.size() == most && extra_ != Extra::none) {
            const Cell& extra = cells[most - 1];
            if (extra_ == Extra::sparsity) layer.pruned_2_4 = sparsity(extra);
            if (extra_ == Extra::batch) layer.batch = number(extra, "Batch Size");
            if (extra_ == Extra::stride_width) stride_width = number(extra, "Stride Width");
        }
        if (topology_.convolutions) {
            convolution(cells, values, stride_width, std::move(layer));
        } else {
            layer.m = layer.scalesim_m = values[0];
            layer.n = values[1];
            layer.k = values[2];
            add(std::move(layer));
        }
    }

    [[nodiscard]] bool sparsity(const Cell& cell) const {
        if (cell.text == "2:4") return true;
        if (cell.text == "1:1") return false;
        fail(cell.column, "Sparsity: expected 1:1 or 2:4, got '" + std::string(cell.text) + '\'');
    }

    void convolution(const std::vector<Cell>& cells, const std::array<std::uint64_t, 7>& v,
                     std::uint64_t stride_width, TopologyLayer layer) {
        const auto [ifmap_h, ifmap_w, filter_h, filter_w, channels, filters, stride] = v;
        if (filter_h > ifmap_h)
            fail(cells[3].column, larger("Filter Height", "IFMAP Height", v, 2));
        if (filter_w > ifmap_w) fail(cells[4].column, larger("Filter Width", "IFMAP Width", v, 3));
        const Wide rows = (ifmap_h - filter_h) / stride + 1;
        const Wide columns = (ifmap_w - filter_w) / stride_width + 1;
        // SCALE-Sim rounds up, and so convolves windows that stand out beyond the feature map.
        const Wide rows_up = ceil_div(ifmap_h - filter_h, stride) + 1;
        const Wide columns_up = ceil_div(ifmap_w - filter_w, stride_width) + 1;
        const bool depthwise = layer.name.find("DP") != std::string::npos;
        layer.convolution = {ifmap_h, ifmap_w, filter_h,     filter_w, channels,
                             filters, stride,  stride_width, depthwise};
        layer.m = fitting(rows * columns * layer.batch);
        layer.scalesim_m = fitting(rows_up * columns_up);
        layer.n = filters;
        layer.k = fitting(Wide{filter_h} * filter_w * (depthwise ? 1 : channels));
        if (!depthwise) return add(std::move(layer));
        for (std::uint64_t channel = 0; channel < channels; ++channel) {
            TopologyLayer one = layer;
            one.name += "Channel_" + std::to_string(channel);
            add(std::move(one));
        }
    }

    static std::string larger(const char* filter, const char* ifmap,
                              const std::array<std::uint64_t, 7>& v, std::size_t i) {
        return std::string(filter) + ": expected at most the " + ifmap + ", " +
               std::to_string(v[i - 2]) + ", got " + std::to_string(v[i]);
    }

    [[nodiscard]] std::uint64_t fitting(Wide value) const {
        if (value > largest * 1024) fail(1, "the layer is too large");
        return static_cast<std::uint64_t>(value);
    }

    void add(TopologyLayer layer) {
        if (Wide{std::max(layer.m, layer.scalesim_m)} * layer.n * layer.k >= Wide{1} << 53) {
            fail(1, "the layer is too large: M N K reaches 2^53");
        }
        if (topology_.layers.size() == most_layers) {
            fail(1, "more than " + std::to_string(most_layers) + " layers");
        }
        topology_.layers.push_back(std::move(layer));
    }

    ByteSource& source_;
    LineReader lines_;
    Topology topology_;
    std::vector<Column> columns_;
    Extra extra_ = Extra::none;
    std::size_t before_ = 0;  // bytes of the line that were taken off its front
};

}  // namespace

Topology read_topology(ByteSource& source) {
    return Reader(source).read();
}

}  // namespace diastole
