#include "tests/timing/register_array.hpp"

#include <algorithm>

namespace diastole::test {
namespace {

constexpr std::int64_t nobody = -1;

std::uint64_t beats(std::uint64_t elements, std::uint64_t port) {
    std::uint64_t cycles = 1;
    while (port > 0 && cycles * port < elements) ++cycles;
    return cycles;
}

std::int64_t multiply(const RegisterArray& array, std::int64_t input, std::int64_t weight) {
    return array.bundles == nullptr ? input * weight : array.bundles->product(input, weight);
}

// A vector on its way: of which fold, which of its vectors.
struct Token {
    std::int64_t fold = nobody;
    std::uint64_t index = 0;
    bool first = false, last = false;
};

struct Fold {
    std::uint64_t down = 0, across = 0;   // where it begins
    std::uint64_t rows = 0, columns = 0;  // in use; the rows in use are those at the foot
    std::uint64_t interval = 1;
    bool last_down = false;
};

std::vector<Fold> cut(const RegisterArray& array, std::uint64_t down, std::uint64_t across) {
    std::vector<Fold> folds;
    std::uint64_t number = 0;
    for (std::uint64_t j = 0; j < across; j += array.columns) {
        for (std::uint64_t i = 0; i < down; i += array.rows, ++number) {
            if (number % array.of != array.which) continue;
            Fold fold{i,
                      j,
                      std::min<std::uint64_t>(array.rows, down - i),
                      std::min<std::uint64_t>(array.columns, across - j),
                      array.mac_interval,
                      i + array.rows >= down};
            folds.push_back(fold);
        }
    }
    return folds;
}

// What happened at column 0 or row 0 in each cycle; its neighbours see it a fixed time later.
class Log {
  public:
    void put(std::uint64_t cycle, const Token& token) {
        if (cycle >= tokens_.size()) tokens_.resize(2 * cycle + 16);
        tokens_[cycle] = token;
    }
    [[nodiscard]] Token get(std::uint64_t now, std::uint64_t delay) const {
        if (delay > now || now - delay >= tokens_.size()) return {};
        return tokens_[now - delay];
    }

  private:
    std::vector<Token> tokens_;
};

// Feeds the vectors of one fold after the other, `interval` cycles apart.
class Feeder {
  public:
    explicit Feeder(std::uint64_t vectors) : vectors_(vectors) {}
    [[nodiscard]] bool between(std::uint64_t now) const { return index_ == 0 && now >= next_; }
    [[nodiscard]] std::size_t fold() const { return fold_; }
    [[nodiscard]] std::size_t begun() const { return fold_ + (index_ > 0 ? 1 : 0); }
    // `may_start`: the array is ready for the first vector of fold().
    Token step(std::uint64_t now, const std::vector<Fold>& folds, bool may_start) {
        if (fold_ == folds.size() || now < next_ || (index_ == 0 && !may_start)) return {};
        const Token token{static_cast<std::int64_t>(fold_), index_, index_ == 0,
                          index_ + 1 == vectors_};
        next_ = now + folds[fold_].interval;
        if (++index_ == vectors_) {
            index_ = 0;
            ++fold_;
        }
        return token;
    }

  private:
    std::uint64_t vectors_, next_ = 0, index_ = 0;
    std::size_t fold_ = 0;
};

// Weights of b (K x N) stay, rows of a (M x K) stream.
class WeightStationary {
  public:
    WeightStationary(const RegisterArray& array, const IntMatrix& a, const IntMatrix& b)
        : array_(array),
          a_(a),
          b_(b),
          folds_(cut(array, b.rows, b.columns)),
          feeder_(a.rows),
          // Enough sets of shadow registers that loading never limits, else one.
          sets_(array.overlap == FoldOverlap::stream
                    ? ((array.rows + 1ULL) * array.mac_latency) / a.rows + 2
                    : 1),
          cells_(std::size_t{array.rows} * array.columns),
          sums_(cells_.size() * array.mac_latency),
          shadow_(cells_.size() * sets_),
          chains_(sets_) {
        run_.product = IntMatrix(a.rows, b.columns);
        for (Fold& fold : folds_) {
            fold.interval = std::max(fold.interval, beats(fold.rows, array.ifmap_port));
            if (fold.last_down || array.partial_sums_leave) {
                fold.interval = std::max(fold.interval, beats(fold.columns, array.ofmap_port));
            }
            left_ += a.rows * fold.columns;
        }
        for (std::size_t s = 0; s < sets_; ++s) chains_[s].fold = s;
    }

    RegisterRun run() {
        for (std::uint64_t now = 0; left_ > 0 && !run_.collision; ++now) {
            stream(now);
            for (std::size_t r = array_.rows; r-- > 0;) {
                for (std::size_t c = array_.columns; c-- > 0;) step(now, r, c);
            }
            for (std::size_t s = 0; s < sets_; ++s) load(now, s);
        }
        return run_;
    }

  private:
    struct Cell {
        Token token;  // of the activation, which moves right
        std::int64_t activation = 0, weight = 0;
    };
    struct Sum {
        std::int64_t value = 0, fold = nobody;
        std::uint64_t index = 0;
    };
    struct Weight {
        std::int64_t value = 0, fold = nobody;  // nobody: swapped into the array, free
    };
    struct Chain {               // one set of shadow registers and its port
        std::size_t fold = 0;    // being loaded
        std::uint64_t row = 0;   // of them, how many have been shifted in
        std::uint64_t port = 0;  // cycles spent on the next row
        Log shifts;
    };

    std::size_t place(std::size_t r, std::size_t c) const { return r * array_.columns + c; }
    Weight& shadow(std::size_t set, std::size_t r, std::size_t c) {
        return shadow_[set * cells_.size() + place(r, c)];
    }

    void stream(std::uint64_t now) {
        const Chain& chain = chains_[feeder_.fold() % sets_];
        const bool loaded =
            chain.fold == feeder_.fold() + sets_ ||
            (chain.fold == feeder_.fold() && chain.row + array_.hurry >= array_.rows);
        injected_.put(now, feeder_.step(now, folds_, loaded));
    }

    void step(std::uint64_t now, std::size_t r, std::size_t c) {
        Cell& cell = cells_[place(r, c)];
        if (c > 0) {
            cell.token = cells_[place(r, c - 1)].token;
            cell.activation = cells_[place(r, c - 1)].activation;
        } else {
            enter(now, r, cell);
        }
        const std::size_t stage = now % array_.mac_latency;
        Sum in;
        if (r > 0) in = sums_[place(r - 1, c) * array_.mac_latency + stage];
        Sum& out = sums_[place(r, c) * array_.mac_latency + stage];
        out = {};
        const Token& token = cell.token;
        if (r > 0 && (in.fold != token.fold || (in.fold != nobody && in.index != token.index))) {
            run_.collision = true;  // a sum meets the wrong activation
        }
        if (token.fold == nobody) return;
        if (token.first) swap(cell, r, c);
        // Inputs that stay meet weights that stream.
        const bool turned = array_.dataflow == Dataflow::input_stationary;
        out = {in.value + (turned ? multiply(array_, cell.weight, cell.activation)
                                  : multiply(array_, cell.activation, cell.weight)),
               token.fold, token.index};
        if (r + 1 == array_.rows) leave(now, c, out);
    }

    // The skew: row r sees what row 0 saw when its partial sum began.
    void enter(std::uint64_t now, std::size_t r, Cell& cell) {
        cell.token = injected_.get(now, r * array_.mac_latency);
        cell.activation = 0;
        if (cell.token.fold == nobody) return;
        const Fold& fold = folds_[static_cast<std::size_t>(cell.token.fold)];
        if (r + fold.rows < array_.rows) return;
        cell.activation = a_.at(cell.token.index, fold.down + r + fold.rows - array_.rows);
        ++run_.ifmap_reads;
    }

    void swap(Cell& cell, std::size_t r, std::size_t c) {
        Weight& next = shadow(static_cast<std::size_t>(cell.token.fold) % sets_, r, c);
        if (next.fold != cell.token.fold) run_.collision = true;  // not there yet
        cell.weight = next.value;
        next.fold = nobody;
    }

    void leave(std::uint64_t now, std::size_t c, const Sum& sum) {
        const Fold& fold = folds_[static_cast<std::size_t>(sum.fold)];
        if (c >= fold.columns) return;
        run_.product.at(sum.index, fold.across + c) += sum.value;
        if (fold.last_down || array_.partial_sums_leave) ++run_.results;
        run_.cycles = std::max(run_.cycles, now + array_.mac_latency);
        --left_;
        if (++gone_ == a_.rows * fold.columns) {
            gone_ = 0;
            ++finished_;
        }
    }

    // Column 0 decides, each next column follows a cycle later.
    void load(std::uint64_t now, std::size_t set) {
        Chain& chain = chains_[set];
        chain.shifts.put(now, decide(now, set, chain));
        for (std::size_t c = 0; c < array_.columns; ++c) {
            const Token token = chain.shifts.get(now, c);
            if (token.fold != nobody) shift(set, c, token);
        }
    }

    Token decide(std::uint64_t now, std::size_t set, Chain& chain) {
        if (chain.fold >= folds_.size()) return {};
        const bool alone = array_.overlap == FoldOverlap::none;
        if (alone ? finished_ < chain.fold || now < run_.cycles
                  : chain.fold >= feeder_.begun() + sets_) {
            return {};  // the fold before it still has its shadow registers
        }
        const Fold& fold = folds_[chain.fold];
        const bool used = chain.row < fold.rows;  // the foot's row comes first
        ++chain.port;
        if (chain.port < (used ? beats(fold.columns, array_.filter_port) : 1)) return {};
        if (shadow(set, chain.row, 0).fold != nobody) return {};  // waits for the swap
        const Token token{static_cast<std::int64_t>(chain.fold), chain.row, false, false};
        chain.port = 0;
        if (++chain.row == array_.rows) {
            chain.row = 0;
            chain.fold += sets_;
        }
        return token;
    }

    void shift(std::size_t set, std::size_t c, const Token& token) {
        if (shadow(set, token.index, c).fold != nobody) run_.collision = true;  // overtakes
        for (std::size_t r = token.index; r > 0; --r) shadow(set, r, c) = shadow(set, r - 1, c);
        const Fold& fold = folds_[static_cast<std::size_t>(token.fold)];
        const bool used = token.index < fold.rows && c < fold.columns;
        std::int64_t value = 0;
        if (used) {
            value = b_.at(fold.down + fold.rows - 1 - token.index, fold.across + c);
            ++run_.filter_reads;
        }
        shadow(set, 0, c) = {value, token.fold};
    }

    const RegisterArray& array_;
    const IntMatrix& a_;
    const IntMatrix& b_;
    std::vector<Fold> folds_;
    Feeder feeder_;
    std::size_t sets_;
    std::vector<Cell> cells_;
    std::vector<Sum> sums_;  // the pipeline of every multiplier
    std::vector<Weight> shadow_;
    std::vector<Chain> chains_;
    Log injected_;
    std::uint64_t left_ = 0, gone_ = 0;
    std::size_t finished_ = 0;
    RegisterRun run_;
};

// Rows of a (M x K) move right, columns of b (K x N) move down, sums stay.
class OutputStationary {
  public:
    OutputStationary(const RegisterArray& array, const IntMatrix& a, const IntMatrix& b)
        : array_(array),
          a_(a),
          b_(b),
          folds_(cut(array, a.rows, b.columns)),
          feeder_(b.rows),
          sets_(array.overlap == FoldOverlap::stream ? array.rows / b.rows + 2 : 1),
          cells_(std::size_t{array.rows} * array.columns),
          products_(cells_.size() * array.mac_latency),
          out_(cells_.size() * sets_),
          feet_(array.columns * sets_) {
        run_.product = IntMatrix(a.rows, b.columns);
        for (Fold& fold : folds_) {
            fold.interval = std::max({fold.interval, beats(fold.rows, array.ifmap_port),
                                      beats(fold.columns, array.filter_port)});
            left_ += fold.rows * fold.columns;
        }
    }

    RegisterRun run() {
        for (std::uint64_t now = 0; left_ > 0 && !run_.collision; ++now) {
            injected_.put(now, feeder_.step(now, folds_, ready(now)));
            const Token token = injected_.get(now, 0);
            if (token.first) started_ = now;
            for (std::size_t s = 0; s < sets_; ++s) {
                for (std::size_t c = 0; c < array_.columns; ++c) shift_out(now, s, c);
            }
            for (std::size_t r = array_.rows; r-- > 0;) {
                for (std::size_t c = array_.columns; c-- > 0;) step(now, r, c);
            }
        }
        return run_;
    }

  private:
    struct Cell {
        Token token;
        std::int64_t right = 0, down = 0, sum = 0;
    };
    struct Product {
        Token token;
        std::int64_t value = 0;
    };
    struct Out {
        std::int64_t value = 0, fold = nobody;
    };
    struct Foot {
        std::int64_t fold = nobody;  // that shifts out
        std::uint64_t row = 0;       // of its rows, how many have left
        std::uint64_t port = 0;      // cycles spent on the next one
    };

    std::size_t place(std::size_t r, std::size_t c) const { return r * array_.columns + c; }
    Out& out(std::size_t set, std::size_t r, std::size_t c) {
        return out_[set * cells_.size() + place(r, c)];
    }

    // The foot of a column passes one fold after the other, so the sums of two folds may not
    // finish closer together than it takes.
    [[nodiscard]] bool ready(std::uint64_t now) const {
        const std::size_t next = feeder_.fold();
        if (next == 0 || next >= folds_.size()) return true;
        if (array_.overlap == FoldOverlap::none) return finished_ == next && now >= run_.cycles;
        if (array_.overlap == FoldOverlap::stream) return true;
        const Fold& before = folds_[next - 1];
        const std::uint64_t passing =
            before.rows * beats(before.columns, array_.ofmap_port) + array_.rows - before.rows;
        const auto finishes = [&](std::uint64_t start, const Fold& fold) {
            return start + (b_.rows - 1) * fold.interval;
        };
        return finishes(now, folds_[next]) + array_.hurry >= finishes(started_, before) + passing;
    }

    void step(std::uint64_t now, std::size_t r, std::size_t c) {
        Cell& cell = cells_[place(r, c)];
        const Token token = injected_.get(now, r + c);  // one register for each hop either way
        cell.right = c > 0 ? cells_[place(r, c - 1)].right : from_left(token, r);
        cell.down = r > 0 ? cells_[place(r - 1, c)].down : from_top(token, c);
        const std::size_t latency = array_.mac_latency;
        Product* stages = &products_[place(r, c) * latency];
        stages[now % latency] = {token, multiply(array_, cell.right, cell.down)};
        const Product& done = stages[(now + 1) % latency];  // entered latency - 1 cycles ago
        if (done.token.fold == nobody) return;
        cell.sum = (done.token.first ? 0 : cell.sum) + done.value;
        if (done.token.last) capture(r, c, done.token.fold, cell.sum);
    }

    std::int64_t from_left(const Token& token, std::size_t r) {
        if (token.fold == nobody) return 0;
        const Fold& fold = folds_[static_cast<std::size_t>(token.fold)];
        if (r + fold.rows < array_.rows) return 0;
        ++run_.ifmap_reads;
        return a_.at(fold.down + r + fold.rows - array_.rows, token.index);
    }
    std::int64_t from_top(const Token& token, std::size_t c) {
        if (token.fold == nobody) return 0;
        const Fold& fold = folds_[static_cast<std::size_t>(token.fold)];
        if (c >= fold.columns) return 0;
        ++run_.filter_reads;
        return b_.at(token.index, fold.across + c);
    }

    void capture(std::size_t r, std::size_t c, std::int64_t fold, std::int64_t sum) {
        const std::size_t set = static_cast<std::size_t>(fold) % sets_;
        Out& to = out(set, r, c);
        if (to.fold != nobody) run_.collision = true;
        to = {sum, fold};
        if (r + 1 < array_.rows) return;
        Foot& foot = feet_[set * array_.columns + c];
        if (foot.fold != nobody) run_.collision = true;
        foot = {fold, 0, 0};
    }

    void shift_out(std::uint64_t now, std::size_t set, std::size_t c) {
        Foot& foot = feet_[set * array_.columns + c];
        if (foot.fold == nobody) return;
        const Fold& fold = folds_[static_cast<std::size_t>(foot.fold)];
        const bool used = foot.row < fold.rows;
        ++foot.port;
        if (foot.port < (used ? beats(fold.columns, array_.ofmap_port) : 1)) return;
        foot.port = 0;
        if (used && c < fold.columns) {
            leave(now, fold, c, fold.rows - 1 - foot.row, out(set, array_.rows - 1, c).value);
        }
        out(set, array_.rows - 1, c).fold = nobody;
        for (std::size_t r = array_.rows - 1; r > 0; --r) {
            Out& from = out(set, r - 1, c);
            if (from.fold != foot.fold) continue;  // the sums of the next fold stay
            if (out(set, r, c).fold != nobody) run_.collision = true;
            out(set, r, c) = from;
            from.fold = nobody;
        }
        if (++foot.row == array_.rows) foot.fold = nobody;
    }

    void leave(std::uint64_t now, const Fold& fold, std::size_t c, std::uint64_t row,
               std::int64_t value) {
        run_.product.at(fold.down + row, fold.across + c) += value;
        run_.cycles = std::max(run_.cycles, now + 1);
        ++run_.results;
        --left_;
        if (++gone_ == fold.rows * fold.columns) {
            gone_ = 0;
            ++finished_;
        }
    }

    const RegisterArray& array_;
    const IntMatrix& a_;
    const IntMatrix& b_;
    std::vector<Fold> folds_;
    Feeder feeder_;
    std::size_t sets_;
    std::vector<Cell> cells_;
    std::vector<Product> products_;
    std::vector<Out> out_;
    std::vector<Foot> feet_;
    Log injected_;
    std::uint64_t started_ = 0;  // the fold that is being fed
    std::uint64_t left_ = 0, gone_ = 0;
    std::size_t finished_ = 0;
    RegisterRun run_;
};

IntMatrix transposed(const IntMatrix& m) {
    IntMatrix t(m.columns, m.rows);
    for (std::size_t i = 0; i < m.rows; ++i) {
        for (std::size_t j = 0; j < m.columns; ++j) t.at(j, i) = m.at(i, j);
    }
    return t;
}

}  // namespace

std::int64_t Bundles::product(std::int64_t input, std::int64_t weight) const {
    const Kept& kept = weights[static_cast<std::size_t>(weight)];
    const std::array<std::int64_t, 8>& from = inputs[static_cast<std::size_t>(input)];
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < kept.weight.size(); ++i) sum += kept.weight[i] * from[kept.from[i]];
    return sum;
}

RegisterRun run_registers(const RegisterArray& array, const IntMatrix& a, const IntMatrix& b) {
    if (array.dataflow == Dataflow::output_stationary) return OutputStationary(array, a, b).run();
    if (array.dataflow == Dataflow::weight_stationary) return WeightStationary(array, a, b).run();
    // The same registers hold the first operand: C^T = B^T A^T.
    RegisterArray turned = array;
    std::swap(turned.ifmap_port, turned.filter_port);
    RegisterRun run = WeightStationary(turned, transposed(b), transposed(a)).run();
    run.product = transposed(run.product);
    std::swap(run.ifmap_reads, run.filter_reads);
    return run;
}

}  // namespace diastole::test
