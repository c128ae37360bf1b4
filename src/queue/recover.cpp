#include "queue/recover.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "queue/batch.h"

namespace posthorn::queue {

namespace {

constexpr std::size_t kLostNamed = 64;
/// Every start numbers its batches from the next multiple of this on.
constexpr std::uint64_t kNumbersPerStart = 1 << 16;

/// Follows the log and keeps what is not acknowledged.
class Collector final : public LogVisitor {
 public:
  void on_batch(const BatchHeader& header, bool after_gap) override {
    settle(header.number);
    const Sequence first = header.next_sequence - header.entries;
    if (after_gap) {
      // Of a batch without a header we know only which sequences nobody else claims.
      for (Sequence s = claimed_; claimed_ != 0 && s < first && s < claimed_ + kLostNamed; ++s) {
        if (!is_pending(s)) missing_.insert(s);
      }
      ++damaged_;
    }
    claimed_ = header.next_sequence;
    next_sequence_ = std::max(next_sequence_, header.next_sequence);
    unseen_records_ = header.records;
    for (Sequence s = first; s < header.next_sequence; ++s) expected_.insert(expected_.end(), s);
  }

  void on_record(const RecordHeader& header, Place place, bool intact, ByteView payload) override {
    if (unseen_records_ > 0) --unseen_records_;
    switch (header.type) {
      case RecordType::entry:
      case RecordType::moved:
        on_entry(header, place, intact);
        break;
      case RecordType::acks:
        on_acks(header, intact, payload);
        break;
      case RecordType::hole:
        break;
      case RecordType::readers:
        on_readers(header, place, intact, payload);
        break;
    }
  }

  void on_batch_end(const BatchHeader& header) override {
    // Entries that never appeared are among the unseen records; the others are moves and acks.
    const std::uint64_t others =
        unseen_records_ - std::min<std::uint64_t>(unseen_records_, expected_.size());
    if (others != 0) doubts_[header.number / kNumbersPerStart].records += others;
    for (const Sequence s : expected_) give_up(s, header.number);
    expected_.clear();
    unseen_records_ = 0;
  }

  void on_torn_tail() { ++torn_; }
  void raise_next_sequence(Sequence next) { next_sequence_ = std::max(next_sequence_, next); }

  [[nodiscard]] Recovered finish() {
    settle(std::numeric_limits<std::uint64_t>::max());
    Recovered result;
    auto late = late_.begin();
    for (const Index::Slot* slot = in_order_.first(); slot != nullptr || late != late_.end();) {
      if (slot == nullptr || (late != late_.end() && late->first < slot->sequence)) {
        result.index.add(late->second);
        ++late;
      } else {
        result.index.add(*slot);
        slot = in_order_.after(slot->sequence);
      }
    }
    result.index.sort_moves();
    result.readers = std::move(readers_);
    result.readers_place = readers_place_;
    result.log.next_sequence = next_sequence_;
    result.report.pending = result.index.size();
    result.report.torn = torn_ + torn_entries_.size();
    result.report.damaged = damaged_ + missing_.size();
    for (const Sequence s : missing_) {
      if (result.report.lost.size() < kLostNamed) result.report.lost.push_back(s);
    }
    return result;
  }

 private:
  void on_entry(const RecordHeader& header, Place place, bool intact) {
    expected_.erase(header.sequence);
    next_sequence_ = std::max(next_sequence_, header.sequence + 1);
    if (!intact) {
      if (!is_pending(header.sequence)) give_up(header.sequence, header.batch);
      return;
    }
    found(header.sequence);
    Index::Slot slot = Index::make_slot(header, place);
    const Index::Slot* last = in_order_.last();
    if (in_order_.find(header.sequence) != nullptr) {
      in_order_.move(header.sequence, place);
    } else if (!late_.contains(header.sequence) &&
               (last == nullptr || last->sequence < header.sequence)) {
      in_order_.add(slot);
    } else {
      slot.moved = true;
      late_.insert_or_assign(header.sequence, slot);
    }
  }

  void on_acks(const RecordHeader& header, bool intact, ByteView payload) {
    if (!intact) {
      ++doubts_[header.batch / kNumbersPerStart].records;
      return;
    }
    for (; payload.size() >= 8; payload = payload.subspan(8)) {
      const Sequence done = get_u64(payload);
      if (!in_order_.erase(done)) late_.erase(done);
      found(done);
    }
  }

  /// The last whole ones count: what a damaged record costs is what was read since the one before.
  void on_readers(const RecordHeader& header, Place place, bool intact, ByteView payload) {
    auto readers = intact ? decode_readers(payload) : std::nullopt;
    if (!readers) {
      ++doubts_[header.batch / kNumbersPerStart].records;
      return;
    }
    readers_ = std::move(*readers);
    readers_place_.reset();
    if (!readers_.empty()) readers_place_ = place.position;
  }

  [[nodiscard]] bool is_pending(Sequence s) const {
    return in_order_.find(s) != nullptr || late_.contains(s);
  }
  void give_up(Sequence s, std::uint64_t number) {
    doubts_[number / kNumbersPerStart].entries.insert(s);
  }
  /// It turned up, or is done: nothing is missing.
  void found(Sequence s) {
    missing_.erase(s);
    torn_entries_.erase(s);
    for (auto& [start, doubt] : doubts_) doubt.entries.erase(s);
  }
  /// What is not whole was torn by a power cut when the box started again behind it, which the next
  /// batch's number shows; else the medium lost it.
  void settle(std::uint64_t next_number) {
    for (auto& [start, doubt] : doubts_) {
      const bool cut = next_number / kNumbersPerStart != start;
      (cut ? torn_ : damaged_) += doubt.records;
      (cut ? torn_entries_ : missing_).merge(doubt.entries);
    }
    doubts_.clear();
  }

  /// What is not whole and may be needed, before it is known why.
  struct Doubt {
    std::set<Sequence> entries;
    std::uint64_t records = 0;  // moves and acknowledgements
  };

  Index in_order_;
  /// Entries that turn up behind later ones: moved there after their first place was given up.
  std::map<Sequence, Index::Slot> late_;
  std::set<Sequence> expected_;  // entries of this batch that have not appeared yet
  std::uint64_t unseen_records_ = 0;
  std::map<std::uint64_t, Doubt> doubts_;  // by the start of the box that wrote it
  std::set<Sequence> missing_;             // unreadable and not acknowledged
  std::set<Sequence> torn_entries_;        // the same, in a batch that a cut hit
  std::vector<NamedReader> readers_;
  std::optional<std::uint64_t> readers_place_;
  std::uint64_t torn_ = 0;
  std::uint64_t damaged_ = 0;
  Sequence next_sequence_ = 0;
  Sequence claimed_ = 0;  // next_sequence of the last header seen; 0: none yet
};

/// Somebody began a batch there that is no longer whole. One that is whole is from an earlier lap.
bool begun_at(Reader& reader, const Geometry& geometry, std::uint64_t position) {
  const ByteView start = reader.view(geometry.offset_of(position), kBatchHeaderBytes);
  return resembles_batch_header(start) && !decode_batch_header(start, geometry);
}

/// The batch that the note tells of, when it is there and nobody went on behind it. A program that
/// knows nothing of notes (a release before) leaves them where they are.
std::optional<BatchHeader> newest_by_note(Reader& reader, const Geometry& geometry,
                                          const EndNote::End& end) {
  const auto header_at = [&](std::uint64_t position) {
    return decode_batch_header(reader.view(geometry.offset_of(position), kBatchHeaderBytes),
                               geometry);
  };
  if (end.salt != geometry.salt) return std::nullopt;
  const auto newest = header_at(end.position);
  if (!newest || newest->position != end.position || newest->number != end.number) {
    return std::nullopt;
  }
  const std::uint64_t behind = newest->position + newest->blocks;
  const std::uint64_t next_lap = (behind / geometry.blocks() + 1) * geometry.blocks();
  for (const std::uint64_t position : {behind, next_lap}) {
    const auto later = header_at(position);
    if (later && later->number > end.number) return std::nullopt;
    if (begun_at(reader, geometry, position)) return std::nullopt;
  }
  if (reader.unreadable_pieces() > 0) return std::nullopt;
  return newest;
}

}  // namespace

std::uint64_t LogState::anchored(std::uint64_t position) const {
  for (const Gap& gap : gaps) {
    if (gap.begin <= position && position < gap.end) return gap.anchor;
  }
  return position;
}

std::uint64_t LogState::reserve(const Geometry& geometry) const {
  // A gap gives its room back only when everything has been moved out of it.
  std::uint64_t blocks = geometry.reserve_blocks();
  for (const Gap& gap : gaps) blocks += 2 * (gap.end - gap.begin);
  return blocks;
}

void LogState::drop_old_gaps() {
  std::erase_if(gaps, [this](const Gap& gap) { return gap.end <= synced_tail; });
}

Recovered recover(Reader& reader, const Geometry& geometry,
                  const std::optional<EndNote::End>& noted_end) {
  const auto noted = noted_end ? newest_by_note(reader, geometry, *noted_end) : std::nullopt;
  const bool ended_cleanly = noted.has_value();
  const auto newest = noted ? noted : find_newest(reader, geometry);
  const std::uint64_t newest_number = newest ? newest->number : 0;
  Collector collector;
  collector.raise_next_sequence(geometry.first_sequence);
  LogWalk walk(reader, geometry, collector);
  LogState log;
  if (newest) {
    log.synced_tail = newest->tail;
    log.previous_end = newest->position + newest->blocks;
    walk.run(newest->tail, log.previous_end, newest_number);
  }
  const std::uint64_t room_end = log.synced_tail + geometry.blocks();
  const std::uint64_t limit =
      std::min(room_end, log.previous_end + 2 * geometry.blocks_for(kMaxBatchBytes));
  // Behind a clean end nobody began anything.
  log.head =
      ended_cleanly ? log.previous_end : walk.run_headless(log.previous_end, limit, newest_number);
  if (log.head != log.previous_end || begun_at(reader, geometry, log.previous_end)) {
    collector.on_torn_tail();
  }

  Recovered result = collector.finish();
  // A torn batch may have left records that we did not find; a number far above theirs keeps them
  // from ever counting.
  log.next_number = (std::max(newest_number, walk.highest_number()) | (kNumbersPerStart - 1)) + 1;
  log.next_sequence = result.log.next_sequence;
  log.gaps = walk.gaps();
  result.log = log;
  return result;
}

}  // namespace posthorn::queue
