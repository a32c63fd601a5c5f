#include "workloads/lower/move_source.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace diastole {
namespace {

constexpr std::uint64_t most_tile_bytes = 32 * std::uint64_t{1024};
constexpr std::uint8_t cb_raw = 0, cb_ready = 1;  // only the first without a transposition

bool any_transposed(const std::vector<Move>& moves) {
    return std::any_of(moves.begin(), moves.end(), [](const Move& m) { return m.transpose > 0; });
}

// Large enough to keep the links busy, small enough that every PE gets some; two per buffer.
std::uint64_t tile_bytes(const std::vector<Move>& moves, const ChipParams& chip,
                         const LoweringParams& params) {
    std::uint64_t total = 0;
    for (const Move& move : moves) total += move.rows * move.row_bytes;
    const std::uint64_t interleave = chip.sram.interleave_bytes;
    const std::uint64_t buffers = any_transposed(moves) ? 4 : 2;
    const std::uint64_t even = params.chunk_bytes > 0
                                   ? params.chunk_bytes
                                   : std::clamp(total / pe_count(chip) / 4, interleave,
                                                std::max(interleave, most_tile_bytes)) /
                                         interleave * interleave;
    return std::max<std::uint64_t>(1, std::min(even, chip.local_memory.bytes / buffers));
}

// Edge of a square tile of elements.
std::uint64_t square_edge(std::uint64_t elements) {
    auto edge = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(elements)));
    while (edge > 1 && edge * edge > elements) --edge;
    return std::max<std::uint64_t>(1, edge);
}

}  // namespace

std::vector<MoveSource::Tiling> MoveSource::tile_all(const std::vector<Move>& moves,
                                                     const ChipParams& chip,
                                                     const LoweringParams& params,
                                                     std::uint64_t& tiles) {
    const std::uint64_t bytes = tile_bytes(moves, chip, params);
    std::vector<Tiling> result;
    tiles = 0;
    for (const Move& move : moves) {
        Tiling tiling;
        if (move.transpose > 0) {
            const std::uint64_t elements = std::max<std::uint64_t>(1, bytes / move.transpose);
            const std::uint64_t columns = move.row_bytes / move.transpose;
            tiling.rows = std::min(move.rows, square_edge(elements));
            tiling.bytes = std::min(columns, elements / tiling.rows) * move.transpose;
            tiling.rows = std::min(move.rows, elements / (tiling.bytes / move.transpose));
        } else {
            tiling.bytes = std::min(move.row_bytes, bytes);
            tiling.rows =
                std::clamp<std::uint64_t>(bytes / std::max<std::uint64_t>(1, move.row_bytes), 1,
                                          std::max<std::uint64_t>(1, move.rows));
        }
        tiling.first = tiles;
        if (move.rows > 0 && move.row_bytes > 0) {
            tiling.across = ceil_div(move.row_bytes, tiling.bytes);
            tiles += ceil_div(move.rows, tiling.rows) * tiling.across;
        }
        result.push_back(tiling);
    }
    return result;
}

CbPlan MoveSource::lay_out(const std::vector<Move>& moves, const ChipParams& chip,
                           const LoweringParams& params, const std::string& user) {
    std::uint64_t tiles = 0, largest = 0;
    for (const Tiling& tiling : tile_all(moves, chip, params, tiles)) {
        largest = std::max(largest, tiling.rows * tiling.bytes);
    }
    CbPlan plan(chip, user);
    plan.add(2 * largest);
    if (any_transposed(moves)) plan.add(2 * largest);
    return plan;
}

MoveSource::MoveSource(std::vector<Move> moves, const ChipParams& chip,
                       const LoweringParams& params, const std::string& user)
    : BufferedSource(pe_count(chip), lay_out(moves, chip, params, user)),
      moves_(std::move(moves)),
      grid_(chip.grid),
      tilings_(tile_all(moves_, chip, params, tiles_)),
      cursors_(pe_count(chip)) {}

bool MoveSource::refill(std::uint32_t pe, CommandBuffer& buffer) {
    Cursor& cursor = cursors_[pe];
    if (!cursor.begun) cursor.next = rank_of_pe(grid_, pe);
    cursor.begun = true;
    if (cursor.next >= tiles_) return false;
    const std::uint64_t number = cursor.next;
    cursor.next += std::uint64_t{grid_.rows} * grid_.columns;
    while (cursor.move + 1 < moves_.size() && tilings_[cursor.move + 1].first <= number) {
        ++cursor.move;
    }
    const Move& move = moves_[cursor.move];
    const Tiling& tiling = tilings_[cursor.move];
    const std::uint64_t row = (number - tiling.first) / tiling.across * tiling.rows;
    const std::uint64_t byte = (number - tiling.first) % tiling.across * tiling.bytes;
    const std::uint64_t rows = std::min(tiling.rows, move.rows - row);
    const std::uint64_t bytes = std::min(tiling.bytes, move.row_bytes - byte);
    const Block from{{move.from.space, move.from.address + row * move.from_pitch + byte},
                     rows,
                     bytes,
                     move.from_pitch};
    buffer.load(cb_raw, from);
    if (move.transpose == 0) {
        buffer.store(cb_raw, {{move.to.space, move.to.address + row * move.to_pitch + byte},
                              rows,
                              bytes,
                              move.to_pitch});
        return true;
    }
    Command& turn = buffer.add(Unit::layout);
    turn.payload = LayoutMove{rows * bytes};
    consume(turn, cb_raw, rows * bytes);
    produce(turn, cb_ready, rows * bytes);
    const std::uint64_t column = byte / move.transpose;
    buffer.store(cb_ready,
                 {{move.to.space, move.to.address + column * move.to_pitch + row * move.transpose},
                  bytes / move.transpose,
                  rows * move.transpose,
                  move.to_pitch});
    return true;
}

}  // namespace diastole
