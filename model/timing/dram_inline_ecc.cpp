#include "model/timing/dram_inline_ecc.hpp"

#include <algorithm>

#include "model/base/error.hpp"

namespace diastole {
namespace {

// The tag of what goes back to memory: nobody waits for it.
constexpr std::uint32_t write_back = ~std::uint32_t{0};

}  // namespace

DramInlineEcc::DramInlineEcc(const DramParams& params, std::unique_ptr<DramModel> channel)
    : channel_(std::move(channel)),
      atom_bytes_(params.geometry.atom_bytes),
      ratio_(params.policy.ecc_ratio),
      code_base_(channel_data_bytes(params)),
      shared_(params.policy.queue == QueueKind::shared),
      lines_(params.policy.ecc_cache) {
    // A run's data, its code atoms to read and those that make place for them must fit at once.
    const std::uint32_t room = channel_->max_run();
    while (max_run_ < room && max_run_ + 1 + codes_of(max_run_ + 1) * (shared_ ? 2 : 1) <= room) {
        ++max_run_;
    }
    if (max_run_ == 0) {
        throw ConfigError("dram.policy: inline_code needs queues of at least " +
                          std::to_string(1 + codes_of(1) * 2) + " atoms");
    }
}

bool DramInlineEcc::can_accept(bool is_write, std::uint32_t atoms) const {
    const std::uint32_t codes = codes_of(atoms);
    if (shared_) return channel_->can_accept(is_write, atoms + 2 * codes);
    return channel_->can_accept(is_write, atoms + codes) && channel_->can_accept(!is_write, codes);
}

bool DramInlineEcc::has_room(DramRoom wanted) const {
    return (wanted.read_atoms > 0 && can_accept(false, wanted.read_atoms)) ||
           (wanted.write_atoms > 0 && can_accept(true, wanted.write_atoms));
}

void DramInlineEcc::push(const DramRequest& request) {
    const std::uint64_t end = request.address + std::uint64_t{request.atoms} * atom_bytes_;
    if (end > code_base_) {
        throw ModelError("DRAM address " + std::to_string(request.address) +
                         " lies beyond the pseudo-channel's " + std::to_string(code_base_) +
                         " bytes of data");
    }
    ++clock_;
    const std::uint32_t job = new_job(request.tag, request.is_write, false);
    DramRequest data = request;
    data.tag = job;
    jobs_[job].missing = 1;
    channel_->push(data);
    const std::uint64_t first = request.address / atom_bytes_, last = first + request.atoms - 1;
    for (std::uint64_t code = first / ratio_; code <= last / ratio_; ++code) {
        const bool whole = first <= code * ratio_ && last >= (code + 1) * ratio_ - 1;
        touch(code, whole, request.is_write, job, request.arrival);
    }
}

// The request needs the code atom, or changes it.
void DramInlineEcc::touch(std::uint64_t code, bool whole, bool is_write, std::uint32_t job,
                          DramCycles now) {
    const auto known = std::find_if(lines_.begin(), lines_.end(), [=](const Line& line) {
        return line.used > 0 && line.code == code;
    });
    Line& line = known == lines_.end() ? take_line(code, now) : *known;
    line.used = clock_;
    if (known == lines_.end() && !(is_write && whole)) {
        line.job = new_job(0, false, true);
        jobs_[line.job].missing = 1;
        channel_->push({address_of(code), 1, line.job, false, now});
        ++code_reads_;
    }
    if (is_write) {
        line.dirty = true;
    } else if (line.job != none) {
        jobs_[line.job].waiting.push_back(job);
        ++jobs_[job].missing;
    }
}

// Makes place for a code atom: the one unused for longest goes, back to memory if it was changed.
// One that is still being read may go as well; those that wait for it get it all the same.
DramInlineEcc::Line& DramInlineEcc::take_line(std::uint64_t code, DramCycles now) {
    Line& line = *std::min_element(lines_.begin(), lines_.end(),
                                   [](const Line& a, const Line& b) { return a.used < b.used; });
    if (line.dirty) {
        channel_->push({address_of(line.code), 1, write_back, true, now});
        ++code_writes_;
    }
    line = Line{};
    line.code = code;
    return line;
}

std::uint32_t DramInlineEcc::new_job(std::uint32_t tag, bool is_write, bool is_code) {
    std::uint32_t index = 0;
    if (free_jobs_.empty()) {
        index = static_cast<std::uint32_t>(jobs_.size());
        jobs_.emplace_back();
    } else {
        index = free_jobs_.back();
        free_jobs_.pop_back();
    }
    Job& job = jobs_[index];
    job.tag = tag;
    job.is_write = is_write;
    job.is_code = is_code;
    return index;
}

// Parts arrive in order of time, so the last part's time is the request's.
void DramInlineEcc::finish(const DramCompletion& part, std::vector<DramCompletion>& out) {
    if (part.tag == write_back) return;
    Job& job = jobs_[part.tag];
    if (--job.missing > 0) return;
    free_jobs_.push_back(part.tag);
    if (!job.is_code) {
        out.push_back({part.done, job.tag, job.is_write});
        return;
    }
    for (Line& line : lines_) {
        if (line.job == part.tag) line.job = none;
    }
    std::vector<std::uint32_t> waiting;
    waiting.swap(job.waiting);
    for (const std::uint32_t other : waiting) finish({part.done, other, false}, out);
}

DramCycles DramInlineEcc::advance(DramCycles until, std::vector<DramCompletion>& out,
                                  DramRoom wanted) {
    DramCycles reached = until;
    const bool waits = wanted.read_atoms + wanted.write_atoms > 0;
    if (!waits) {
        channel_->advance(until, parts_);
    } else {
        // Rooms only grow while nothing is pushed: the wish is met with the last one it needs.
        bool done = has_room(wanted);
        if (done) reached = channel_->advance(DramCycles(0), parts_, {1, 1});
        while (!done) {
            DramRoom missing;
            const auto want = [&](bool is_write, std::uint32_t atoms) {
                if (channel_->can_accept(is_write, atoms)) return;
                std::uint32_t& least = is_write ? missing.write_atoms : missing.read_atoms;
                least = least == 0 ? atoms : std::min(least, atoms);
            };
            const auto want_all = [&](bool is_write, std::uint32_t atoms) {
                if (atoms == 0) return;
                const std::uint32_t codes = codes_of(atoms);
                want(is_write, atoms + codes * (shared_ ? 2 : 1));
                if (!shared_) want(!is_write, codes);
            };
            want_all(false, wanted.read_atoms);
            want_all(true, wanted.write_atoms);
            reached = channel_->advance(until, parts_, missing);
            done = has_room(wanted) || reached >= until;
        }
    }
    for (const DramCompletion& part : parts_) finish(part, out);
    parts_.clear();
    return reached;
}

const DramStats& DramInlineEcc::stats() const {
    stats_ = channel_->stats();
    stats_.code_reads = code_reads_;
    stats_.code_writes = code_writes_;
    stats_.bytes_read -= code_reads_ * atom_bytes_;
    stats_.bytes_written -= code_writes_ * atom_bytes_;
    return stats_;
}

}  // namespace diastole
