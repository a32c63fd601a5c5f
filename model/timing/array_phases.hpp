// What a stationary array does with its time: vectors stream past, or weights shift in while none
// do. The rest it stands still. This is how the counters of the TPU paper divide time (ISCA 2017,
// table 3: array active, weight shift). Pure arithmetic over the starts of the tiles.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/timing/array.hpp"

namespace diastole {

// Of one PE's arrays, the first, which never has fewer folds than another.
class ArrayPhases {
  public:
    // A tile whose first weights begin to shift in at `start`; tiles come in order of time.
    void tile(const ArrayShape& array, Dataflow dataflow, TileShape shape, Cycles start) {
        const FoldGrid grid = fold_grid(dataflow, shape);
        if (grid.down == 0 || grid.across == 0 || grid.streamed == 0) return;
        const std::uint64_t folds = ceil_div(fold_count(array, dataflow, shape), array.arrays);
        const std::uint64_t streamed = grid.streamed * array.mac_interval;
        streaming_ += Cycles(folds * streamed);
        if (dataflow == Dataflow::output_stationary) return;  // holds no weights
        const Cycles rows(array.rows);
        // A load takes as many cycles as there are rows; its vectors follow at once.
        loading_ += rows - common(start, start + rows);
        std::uint64_t gap = streamed;
        switch (array.overlap) {
            case FoldOverlap::none:  // every further load, too, has the array for itself
                loading_ += Cycles((folds - 1) * array.rows);  // and so has the next tile's first
                break;
            case FoldOverlap::shadow:  // behind the stream of the fold before, as far as that goes
                gap = std::max<std::uint64_t>(streamed, array.rows);
                loading_ += Cycles((folds - 1) * (gap - streamed));
                break;
            case FoldOverlap::stream:  // further weights are there when they are needed
                break;
        }
        stream_start_ = start + Cycles((folds - 1) * gap) + rows;
        stream_end_ = stream_start_ + Cycles(streamed);
    }

    [[nodiscard]] Cycles streaming() const { return streaming_; }
    [[nodiscard]] Cycles loading() const { return loading_; }

  private:
    // What the latest stream has in common with an interval.
    [[nodiscard]] Cycles common(Cycles from, Cycles to) const {
        const Cycles first = std::max(from, stream_start_), last = std::min(to, stream_end_);
        return last > first ? last - first : Cycles(0);
    }

    Cycles streaming_, loading_;
    Cycles stream_start_, stream_end_;
};

}  // namespace diastole
