#include <algorithm>

#include "queue/ring_impl.h"

namespace posthorn::queue {

// How much room a batch leaves: FORMAT.md, "Room".

std::uint64_t RingFile::Impl::blocks_to_end() const {
  return geometry_.blocks() - log_.head % geometry_.blocks();
}

/// A batch does not run over the end of the ring. When what comes next is too long for the blocks
/// left there, they stay unused this lap.
void RingFile::Impl::skip_to_start_if_cramped() {
  // The place of a failed batch must be written again: its records must not come back.
  if (after_failure_) return;
  std::uint64_t wanted = kBatchHeaderBytes;
  if (!acks_.empty()) wanted += record_bytes(8 * std::min(acks_.size(), kMaxAcksPerBatch));
  if (readers_due()) wanted += record_bytes(kReaderBytes * readers_.size());
  std::uint64_t next = 0;
  if (!waiting_.empty()) next = record_bytes(waiting_.front().entry.payload.size());
  if (room_is_short(0)) {
    const Index::Slot* oldest = index_.at_or_behind({});
    if (oldest != nullptr) next = std::max(next, record_bytes(oldest->length));
  }
  const std::uint64_t end = blocks_to_end();
  if (geometry_.blocks_for(wanted + next) <= end) return;
  if (free_blocks() <= end + 1) return;  // what is left at the end still takes acknowledgements
  log_.head += end;
}

std::shared_ptr<Batch> RingFile::Impl::plan() {
  skip_to_start_if_cramped();
  BatchHeader header;
  header.number = log_.next_number++;
  header.position = log_.head;
  header.previous_end = log_.previous_end;
  header.tail = log_.anchored(readers_tail(index_.tail(log_.head)));
  header.next_sequence = log_.next_sequence;
  const auto batch = std::make_shared<Batch>(geometry_, header);
  const std::uint64_t room =
      std::min(free_blocks(), blocks_to_end()) * std::uint64_t{geometry_.block_bytes};
  plan_acks(*batch, room);
  plan_readers(*batch, room);
  plan_entries(*batch, room);
  plan_moves(*batch, room);
  batch->finish();
  log_.next_sequence = batch->header().next_sequence;
  return batch;
}

void RingFile::Impl::plan_acks(Batch& batch, std::uint64_t room_bytes) {
  if (room_bytes < batch.bytes_with(8)) return;
  const std::size_t most = static_cast<std::size_t>((room_bytes - batch.bytes_with(0)) / 8);
  const std::size_t count = std::min({acks_.size(), kMaxAcksPerBatch, most});
  if (count == 0) return;
  const auto end = acks_.begin() + static_cast<std::ptrdiff_t>(count);
  batch.add_acks(std::vector<Sequence>(acks_.begin(), end));
  acks_.erase(acks_.begin(), end);
}

void RingFile::Impl::plan_entries(Batch& batch, std::uint64_t room_bytes) {
  const std::uint64_t free = free_blocks();
  const std::uint64_t reserve = log_.reserve(geometry_);
  while (!waiting_.empty() && batch.bytes() < geometry_.batch_target()) {
    const std::uint64_t bytes = batch.bytes_with(waiting_.front().entry.payload.size());
    if (bytes > room_bytes || geometry_.blocks_for(bytes) + reserve > free) return;
    batch.add_entry(std::move(waiting_.front().entry));
    answers_in_flight_.push_back(std::move(waiting_.front().done));
    waiting_.pop_front();
  }
}

bool RingFile::Impl::room_is_short(std::uint64_t blocks_taken) const {
  return free_blocks() < blocks_taken + log_.reserve(geometry_) + geometry_.tidy_blocks();
}

/// When room gets short, the oldest pending entries are copied to the head. The batch after the
/// next one then may use their place.
void RingFile::Impl::plan_moves(Batch& batch, std::uint64_t room_bytes) {
  if (!room_is_short(geometry_.blocks_for(batch.bytes()))) return;
  const std::uint64_t enough =
      batch.bytes() + geometry_.tidy_blocks() * std::uint64_t{geometry_.block_bytes};
  Place from;
  while (const Index::Slot* slot = index_.at_or_behind(from)) {
    if (batch.bytes() >= enough || slot->sequence == immovable_) return;
    if (batch.bytes_with(slot->length) > room_bytes) return;
    batch.add_move(*slot);
    from = slot->place();
    ++from.offset;
  }
}

}  // namespace posthorn::queue
