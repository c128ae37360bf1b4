#include "queue/ring_impl.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::queue {

RingFile::Impl::Impl(Scheduler& scheduler, Worker& worker, Options options, OpenedRing opened)
    : scheduler_(scheduler),
      worker_(worker),
      options_(std::move(options)),
      file_(std::move(opened.file)),
      note_(std::move(opened.note)),
      geometry_(opened.geometry),
      index_(std::move(opened.state.index)),
      log_(opened.state.log),
      recovery_(std::move(opened.state.report)),
      ack_timer_(scheduler),
      readers_place_(opened.state.readers_place),
      newest_(log_.next_sequence - 1) {
  for (NamedReader& reader : opened.state.readers) {
    reader.position = std::min(reader.position, newest_);
    readers_.push_back({std::move(reader), 0, 0, {}});
  }
}

void RingFile::Impl::append(Batch::NewEntry entry, Once<void(Result<Sequence>)> done) {
  const auto refuse = [&](Errc code, std::string why) {
    scheduler_.post([done = std::move(done), error = Error{code, std::move(why)}]() mutable {
      done(tl::unexpected(std::move(error)));
    });
  };
  if (entry.payload.size() > geometry_.max_payload()) {
    return refuse(Errc::malformed,
                  "payload over " + std::to_string(geometry_.max_payload()) + " bytes");
  }
  const std::uint64_t bytes = record_bytes(entry.payload.size());
  if (!make_room(bytes, entry.label.owner)) {
    ++counts_.refused;
    return refuse(Errc::full, "the queue is full");
  }
  unwritten_bytes_ += bytes;
  waiting_.push_back({std::move(entry), std::move(done)});
  wake();
}

bool RingFile::Impl::make_room(std::uint64_t bytes, Owner owner) {
  limit_owner(bytes, owner);
  while (index_.bytes() + unwritten_bytes_ + bytes > geometry_.capacity_bytes()) {
    const Index::Slot* slot = next_to_drop();
    if (slot == nullptr) return false;
    drop(*slot);
  }
  return true;
}

/// Half of the room is as much as one owner gets, whatever is free.
void RingFile::Impl::limit_owner(std::uint64_t bytes, Owner owner) {
  if (options_.when_full == WhenFull::refuse || owner == 0) return;
  while (index_.bytes_of(owner) + bytes > geometry_.capacity_bytes() / 2) {
    const Index::Slot* slot = index_.first_of(owner);
    if (slot == nullptr) return;
    drop(*slot);
  }
}

const Index::Slot* RingFile::Impl::next_to_drop() const {
  if (options_.when_full == WhenFull::refuse) return nullptr;
  if (const Index::Slot* expendable = index_.first_expendable()) return expendable;
  const auto [owner, held] = index_.largest_owner();
  return held > geometry_.capacity_bytes() / 8 ? index_.first_of(owner) : index_.first();
}

void RingFile::Impl::drop(const Index::Slot& slot) {
  const Entry entry = slot.entry();
  ++counts_.dropped;
  retire(entry.sequence);
  lose(entry, Loss::dropped_when_full);
}

void RingFile::Impl::lose(Entry entry, Loss loss) {
  scheduler_.post([self = shared_from_this(), entry, loss] {
    if (!self->closed_ && self->on_dropped_) self->on_dropped_(entry, loss);
  });
}

void RingFile::Impl::ack(Sequence sequence) {
  if (retire(sequence)) ++counts_.acknowledged;
}

bool RingFile::Impl::retire(Sequence sequence) {
  if (!index_.erase(sequence)) return false;
  recent_.drop(sequence);
  ahead_.drop(sequence);
  acks_.push_back(sequence);
  start_ack_timer();
  return true;
}

void RingFile::Impl::start_ack_timer() {
  if (ack_timer_.active()) return;
  ack_timer_.start(options_.ack_delay, [this] {
    acks_due_ = true;
    pump();
  });
}

void RingFile::Impl::flush(Once<void(Result<void>)> done) {
  flushes_.push_back(std::move(done));
  wake();
}

void RingFile::Impl::end(Once<void(Result<void>)> done) {
  flush([self = shared_from_this(), done = std::move(done)](Result<void> flushed) mutable {
    if (!flushed || self->closed_ || !self->waiting_.empty()) return done(std::move(flushed));
    self->note_end(std::move(done));
  });
}

/// As a batch: nothing else is written meanwhile.
void RingFile::Impl::note_end(Once<void(Result<void>)> done) {
  in_flight_ = true;
  flushes_in_flight_.push_back(std::move(done));
  run_on<Result<void>>(
      worker_, [note = note_, end = end_] { return note->write(end); },
      [self = shared_from_this()](const Result<void>& noted) {
        self->in_flight_ = false;
        if (self->closed_) return;  // close() has answered
        // Without it the next start looks for the end in the whole file.
        if (!noted) log::warn("queue", "the end is not noted", {{"error", noted.error()}});
        for (auto& ended : std::exchange(self->flushes_in_flight_, {})) ended({});
        self->pump();
      });
}

/// Waits for the end of this turn of the loop, so that all of it shares one sync.
void RingFile::Impl::wake() {
  if (woken_ || in_flight_) return;
  woken_ = true;
  scheduler_.post([self = shared_from_this()] {
    self->woken_ = false;
    self->pump();
  });
}

bool RingFile::Impl::has_work() const {
  return !waiting_.empty() || !flushes_.empty() ||
         (acks_due_ && (!acks_.empty() || readers_dirty_));
}

void RingFile::Impl::pump() {
  if (closed_ || in_flight_ || !has_work()) return;
  if (free_blocks() == 0) {
    // Only behind an immovable entry; acknowledgements and readers' positions wait in memory until
    // it is done itself.
    acks_due_ = false;
    return refuse_waiting({Errc::full, "an entry that the device cannot read keeps the room"});
  }
  in_flight_ = true;
  const std::shared_ptr<Batch> batch = plan();
  // A flush ends with the batch that carries the last of what was there when it was asked for.
  left_waiting_ = !waiting_.empty();
  if (waiting_.empty() && acks_.empty()) flushes_in_flight_ = std::exchange(flushes_, {});
  worker_.run(
      [batch, file = file_, note = note_] {
        // The note is gone before anything stands behind the end that it tells of.
        if (auto erased = note->erase(); !erased) return batch->refuse(erased.error());
        batch->write(*file);
      },
      [self = shared_from_this(), batch] { self->on_batch_done(*batch); });
}

void RingFile::Impl::on_batch_done(Batch& batch) {
  in_flight_ = false;
  if (closed_) return;
  if (batch.outcome()) {
    on_written(batch);
  } else {
    on_failed(batch);
  }
  pump();
}

void RingFile::Impl::on_written(Batch& batch) {
  const BatchHeader& header = batch.header();
  bool progress = after_failure_ || header.tail != log_.synced_tail || !batch.acks().empty() ||
                  !batch.entries().empty();
  log_.head = header.position + header.blocks;
  log_.previous_end = log_.head;
  log_.synced_tail = header.tail;
  end_ = {geometry_.salt, header.number, header.position};
  log_.drop_old_gaps();
  after_failure_ = false;
  ++counts_.syncs;
  counts_.fault.reset();
  take_readers(batch);
  if (acks_.empty() && !readers_dirty_) {
    acks_due_ = false;
    ack_timer_.stop();
  }
  progress = take_moves(batch) || progress;
  futile_blocks_ = batch.entries().empty() && left_waiting_ ? futile_blocks_ + header.blocks : 0;
  take_entries(batch);
  // Every entry is in place before the first answer: an answer may look at the queue.
  Answers answers = std::exchange(answers_in_flight_, {});
  Flushes flushes = std::exchange(flushes_in_flight_, {});
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i](batch.entries()[i].sequence);
  for (auto& done : flushes) done({});
  if ((left_waiting_ && !progress) || futile_blocks_ > 2 * geometry_.blocks()) {
    refuse_waiting({Errc::full, "no room can be made"});
  }
}

bool RingFile::Impl::take_moves(const Batch& batch) {
  bool moved = false;
  for (const Batch::Move& move : batch.moves()) {
    switch (move.outcome) {
      case Batch::Move::Outcome::moved:
        index_.move(move.slot.sequence, move.to);
        ++counts_.moved;
        moved = true;
        break;
      case Batch::Move::Outcome::unreadable:
        give_up(move.slot.sequence);
        break;
      case Batch::Move::Outcome::stays:
        immovable_ = move.slot.sequence;
        break;
    }
  }
  return moved;
}

void RingFile::Impl::take_entries(Batch& batch) {
  for (Batch::NewEntry& entry : batch.entries()) {
    const RecordHeader header{.length = static_cast<std::uint32_t>(entry.payload.size()),
                              .label = entry.label,
                              .clock_trusted = entry.accepted_at.trusted,
                              .sequence = entry.sequence,
                              .accepted_ms = entry.accepted_at.since_epoch.count()};
    index_.add(Index::make_slot(header, entry.place));
    unwritten_bytes_ -= record_bytes(header.length);
    newest_ = entry.sequence;
    latest_.emplace_back(entry.sequence, entry.place.position);
    if (latest_.size() > kLatest) latest_.pop_front();
    recent_.add(entry.sequence, std::move(entry.payload));
    ++counts_.appended;
  }
}

void RingFile::Impl::refuse_waiting(const Error& why) {
  for (Waiting& one : std::exchange(waiting_, {})) {
    unwritten_bytes_ -= record_bytes(one.entry.payload.size());
    ++counts_.refused;
    one.done(tl::unexpected(why));
  }
  for (auto& done : std::exchange(flushes_, {})) done(tl::unexpected(why));
}

void RingFile::Impl::on_failed(Batch& batch) {
  const Error& error = batch.outcome().error();
  if (!counts_.fault) {
    log::error("queue", "cannot write", {{"file", options_.path}, {"error", error}});
  }
  counts_.fault = error;
  after_failure_ = true;
  acks_.insert(acks_.begin(), batch.acks().begin(), batch.acks().end());
  acks_due_ = false;
  ack_timer_.stop();
  take_readers(batch);
  if (!acks_.empty() || readers_dirty_) start_ack_timer();
  note_unused(batch.header().next_sequence - batch.entries().size(), batch.header().next_sequence);
  for (const Batch::NewEntry& entry : batch.entries()) {
    unwritten_bytes_ -= record_bytes(entry.payload.size());
  }
  Answers answers = std::exchange(answers_in_flight_, {});
  Flushes flushes = std::exchange(flushes_in_flight_, {});
  // Also those that wait for more acknowledgements than one batch takes: what could not be written
  // goes with the timer, and nobody waits for that.
  Flushes waiting = std::exchange(flushes_, {});
  for (auto& done : answers) done(tl::unexpected(error));
  for (auto& done : flushes) done(tl::unexpected(error));
  for (auto& done : waiting) done(tl::unexpected(error));
}

void RingFile::Impl::give_up(Sequence sequence) {
  const Index::Slot* slot = index_.find(sequence);
  if (slot == nullptr) return;
  const Entry entry = slot->entry();
  retire(sequence);
  ++counts_.unreadable;
  lose(entry, Loss::unreadable);
}

RingStatus RingFile::Impl::status() const {
  RingStatus status = counts_;
  status.capacity_bytes = geometry_.capacity_bytes();
  status.used_bytes = index_.bytes() + unwritten_bytes_;
  status.pending = index_.size();
  if (const Index::Slot* slot = index_.first()) status.oldest = slot->entry().accepted_at;
  return status;
}

void RingFile::Impl::close() {
  closed_ = true;
  ack_timer_.stop();
  on_dropped_ = nullptr;
  const Error cancelled{Errc::cancelled, "the queue was closed"};
  for (auto& done : std::exchange(answers_in_flight_, {})) done(tl::unexpected(cancelled));
  for (Waiting& one : std::exchange(waiting_, {})) one.done(tl::unexpected(cancelled));
  for (auto& done : std::exchange(flushes_in_flight_, {})) done(tl::unexpected(cancelled));
  for (auto& done : std::exchange(flushes_, {})) done(tl::unexpected(cancelled));
  for (auto& [id, done] : std::exchange(peeks_, {})) done(tl::unexpected(cancelled));
  for (auto& [id, done] : std::exchange(log_reads_, {})) done(tl::unexpected(cancelled));
}

}  // namespace posthorn::queue
