#include <algorithm>
#include <utility>

#include "queue/ring_impl.h"

namespace posthorn::queue {

namespace {

/// Of sequences that were never used, remembered so that nobody takes them for lost.
constexpr std::size_t kUnusedKept = 64;

}  // namespace

RingFile::Impl::ReaderSlot* RingFile::Impl::find_reader(const std::string& name) {
  const auto at = std::find_if(readers_.begin(), readers_.end(),
                               [&](const ReaderSlot& slot) { return slot.reader.name == name; });
  return at == readers_.end() ? nullptr : &*at;
}

Result<void> RingFile::Impl::add_reader(const std::string& name, std::uint32_t most_behind) {
  if (!is_reader_name(name)) {
    return fail(Errc::malformed, "a reader's name has 1 to 16 of a-z, 0-9 and -");
  }
  if (ReaderSlot* slot = find_reader(name)) {
    if (std::exchange(slot->reader.most_behind, most_behind) != most_behind) readers_changed();
    return {};
  }
  if (readers_.size() == kMaxReaders) {
    return fail(Errc::full, "there are " + std::to_string(kMaxReaders) +
                                " readers already: remove one of them first");
  }
  readers_.push_back({{name, log_.head, newest_, most_behind}, 0, 0, {}});
  readers_changed();
  return {};
}

void RingFile::Impl::remove_reader(const std::string& name) {
  const auto gone =
      std::erase_if(readers_, [&](const ReaderSlot& slot) { return slot.reader.name == name; });
  if (gone > 0) readers_changed();
}

std::vector<RingFile::ReaderStatus> RingFile::Impl::readers() const {
  std::vector<ReaderStatus> all;
  for (const ReaderSlot& slot : readers_) {
    const NamedReader& reader = slot.reader;
    all.push_back({reader.name, reader.position, newest_ - std::min(newest_, reader.position),
                   slot.lost, reader.most_behind});
  }
  return all;
}

void RingFile::Impl::advance(const std::string& name, Sequence position) {
  ReaderSlot* slot = find_reader(name);
  position = std::min(position, newest_);
  if (slot == nullptr || position <= slot->reader.position) return;
  slot->reader.position = position;
  if (position >= slot->handed_position) slot->lost += std::exchange(slot->handed_lost, 0);
  for (const auto& [sequence, block] : slot->handed) {
    if (sequence <= position) slot->reader.block = block;
  }
  readers_changed();
}

/// The positions ride with the next sync, as acknowledgements do.
void RingFile::Impl::readers_changed() {
  readers_dirty_ = true;
  start_ack_timer();
}

std::uint64_t RingFile::Impl::oldest_block() const {
  return log_.head > geometry_.blocks() ? log_.head - geometry_.blocks() : 0;
}

/// Sequences from `first` to `last` that some entry may have had.
std::uint64_t RingFile::Impl::used_between(Sequence first, Sequence last) const {
  if (last < first) return 0;
  std::uint64_t count = last - first + 1;
  for (const auto& [begin, end] : unused_) {
    const Sequence from = std::max(begin, first);
    const Sequence to = std::min(end, last + 1);
    if (from < to) count -= to - from;
  }
  return count;
}

void RingFile::Impl::note_unused(Sequence begin, Sequence end) {
  if (begin == end) return;
  unused_.emplace_back(begin, end);
  if (unused_.size() > kUnusedKept) unused_.pop_front();
}

void RingFile::Impl::read(const std::string& name, Sequence after, std::size_t most_bytes,
                          Once<void(Result<Reading>)> done) {
  const ReaderSlot* slot = find_reader(name);
  if (slot == nullptr) {
    scheduler_.post(
        [done = std::move(done)]() mutable { done(fail(Errc::not_found, "no such reader")); });
    return;
  }
  LogQuestion question;
  question.since = std::max(slot->reader.position, std::min(after, newest_));
  question.from = slot->reader.block;
  question.most_behind = slot->reader.most_behind;
  question.most_bytes = most_bytes;
  ask_log(question, [this, name, done = std::move(done)](Result<LogAnswer> answer) mutable {
    if (!answer) return done(tl::unexpected(answer.error()));
    if (ReaderSlot* now = find_reader(name)) {
      now->handed = std::move(answer->places);
      now->handed_position = answer->reading.position;
      now->handed_lost = answer->reading.lost;
      if (now->handed.empty()) now->reader.block = std::max(now->reader.block, answer->next_block);
    }
    done(std::move(answer->reading));
  });
}

void RingFile::Impl::read_latest(Sequence after, std::size_t most_bytes,
                                 Once<void(Result<Reading>)> done) {
  if (!latest_known_) return find_latest(after, most_bytes, std::move(done));
  LogQuestion question;
  question.since = std::min(after, newest_);
  question.most_behind = static_cast<std::uint32_t>(kLatest);
  question.most_bytes = most_bytes;
  question.from = log_.head;
  const auto first = std::find_if(latest_.begin(), latest_.end(),
                                  [&](const auto& one) { return one.first > question.since; });
  if (first != latest_.end()) question.from = first->second;
  ask_log(question, [done = std::move(done)](Result<LogAnswer> answer) mutable {
    if (!answer) return done(tl::unexpected(answer.error()));
    done(std::move(answer->reading));
  });
}

/// Once after a start: where the newest entries are, wherever the acknowledgements have come to.
void RingFile::Impl::find_latest(Sequence after, std::size_t most_bytes,
                                 Once<void(Result<Reading>)> done) {
  LogQuestion question;
  question.since = newest_ > kLatest ? newest_ - kLatest : 0;
  question.from = oldest_block();
  question.most_bytes = std::numeric_limits<std::size_t>::max();
  question.payloads = LogPayloads::left_out;
  ask_log(question,
          [this, after, most_bytes, done = std::move(done)](Result<LogAnswer> answer) mutable {
            if (!answer) return done(tl::unexpected(answer.error()));
            std::erase_if(answer->places, [this](const auto& found) {
              return !latest_.empty() && found.first >= latest_.front().first;
            });
            latest_.insert(latest_.begin(), answer->places.begin(), answer->places.end());
            while (latest_.size() > kLatest) latest_.pop_front();
            latest_known_ = true;
            read_latest(after, most_bytes, std::move(done));
          });
}

void RingFile::Impl::ask_log(LogQuestion question, Once<void(Result<LogAnswer>)> done) {
  const std::uint64_t id = next_peek_++;
  log_reads_.emplace(id, std::move(done));
  Sequence position = question.since;
  const Sequence newest = newest_;
  if (question.most_behind != 0 && newest - position > question.most_behind) {
    position = newest - question.most_behind;
  }
  const std::uint64_t from = std::clamp(question.from, oldest_block(), log_.head);
  run_on<LogRead>(
      worker_,
      [file = file_, geometry = geometry_, from, head = log_.head, number = log_.next_number,
       position, question] {
        return read_log(*file, geometry, {from, head}, number, position,
                        {question.most_bytes, question.payloads});
      },
      [self = shared_from_this(), id, question, newest](LogRead read) {
        if (!self->closed_) self->answer_log(id, question, newest, std::move(read));
      });
}

void RingFile::Impl::answer_log(std::uint64_t id, const LogQuestion& question, Sequence newest,
                                LogRead read) {
  LogAnswer answer;
  answer.next_block = read.next_block;
  answer.reading.position = read.found.empty() ? newest : read.found.back().entry.sequence;
  // Also between them: an old entry that was copied forward may stand before a gap.
  const std::uint64_t used = used_between(question.since + 1, answer.reading.position);
  answer.reading.lost = used - std::min<std::uint64_t>(used, read.found.size());
  for (LogRead::Found& one : read.found) {
    answer.places.emplace_back(one.entry.sequence, one.block);
    answer.reading.entries.emplace_back(one.entry, std::move(one.payload));
  }
  const auto waiting = log_reads_.extract(id);
  waiting.mapped()(std::move(answer));
}

bool RingFile::Impl::readers_due() const {
  if (readers_dirty_) return true;
  if (!readers_place_) return false;
  // Before it holds up the room, which its old place does until the batch after the next one.
  return room_is_short(0) || log_.head - *readers_place_ > geometry_.blocks() / 4;
}

void RingFile::Impl::plan_readers(Batch& batch, std::uint64_t room_bytes) {
  if (!readers_due()) return;
  std::vector<NamedReader> all;
  for (const ReaderSlot& slot : readers_) all.push_back(slot.reader);
  Bytes payload = encode_readers(all);
  if (room_bytes < batch.bytes_with(payload.size())) return;
  batch.add_readers(std::move(payload));
  readers_dirty_ = false;
}

/// The first logical block that the positions need.
std::uint64_t RingFile::Impl::readers_tail(std::uint64_t otherwise) const {
  return readers_place_ ? std::min(*readers_place_, otherwise) : otherwise;
}

void RingFile::Impl::take_readers(const Batch& batch) {
  if (!batch.has_readers()) return;
  if (!batch.outcome()) {
    readers_dirty_ = true;
    return;
  }
  readers_place_ = batch.header().position;
  if (readers_.empty() && !readers_dirty_) readers_place_.reset();
}

}  // namespace posthorn::queue
