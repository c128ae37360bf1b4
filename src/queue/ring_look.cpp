#include <limits>
#include <utility>

#include "queue/ring_impl.h"
#include "queue/walk.h"

namespace posthorn::queue {

namespace {

/// Hands on every whole entry of the last sequences.
class Recent final : public LogVisitor {
 public:
  Recent(Sequence from, const std::function<void(const Entry&, ByteView)>& visit)
      : from_(from), visit_(visit) {}

  void on_batch(const BatchHeader&, bool) override { in_order_ = true; }
  void on_batch_end(const BatchHeader&) override {}
  void on_record(const RecordHeader& header, Place place, bool intact, ByteView payload) override {
    // Before the first batch header a record may be left from a write that failed.
    if (!in_order_ || !intact || header.sequence < from_) return;
    if (header.type != RecordType::entry && header.type != RecordType::moved) return;
    visit_(Index::make_slot(header, place).entry(), payload);
  }

 private:
  Sequence from_;
  const std::function<void(const Entry&, ByteView)>& visit_;
  bool in_order_ = false;
};

}  // namespace

const Bytes* RingFile::Impl::cached(Sequence sequence) const {
  const Bytes* recent = recent_.find(sequence);
  return recent != nullptr ? recent : ahead_.find(sequence);
}

void RingFile::Impl::peek(Sequence sequence, Once<void(Result<Bytes>)> done) {
  const Index::Slot* slot = index_.find(sequence);
  const Bytes* in_memory = cached(sequence);
  if (slot == nullptr || in_memory != nullptr) {
    Result<Bytes> answer = fail(Errc::not_found, "not pending");
    if (slot != nullptr) answer = *in_memory;
    scheduler_.post([done = std::move(done), answer = std::move(answer)]() mutable {
      done(std::move(answer));
    });
    return;
  }
  const std::uint64_t id = next_peek_++;
  peeks_.emplace(id, std::move(done));
  start_read(id, *slot);
}

/// `slot`, and the entries behind it that lie behind it on the disk too, as far as one read goes.
std::vector<Index::Slot> RingFile::Impl::run_from(const Index::Slot& slot) const {
  std::vector<Index::Slot> run{slot};
  const std::uint64_t start = geometry_.offset_of(slot.position) + slot.offset;
  std::uint64_t end = start + record_bytes(slot.length);
  for (const Index::Slot* next = index_.after(slot.sequence); next != nullptr;
       next = index_.after(next->sequence)) {
    const std::uint64_t at = geometry_.offset_of(next->position) + next->offset;
    if (at < end || at + record_bytes(next->length) > start + kReadAheadBytes) break;
    if (cached(next->sequence) != nullptr) break;
    end = at + record_bytes(next->length);
    run.push_back(*next);
  }
  return run;
}

void RingFile::Impl::start_read(std::uint64_t peek, const Index::Slot& slot) {
  using Payloads = std::vector<Result<Bytes>>;
  const auto slots = std::make_shared<const std::vector<Index::Slot>>(run_from(slot));
  run_on<Payloads>(
      worker_,
      [file = file_, geometry = geometry_, slots] { return read_records(*file, geometry, *slots); },
      [self = shared_from_this(), peek, slots](Payloads payloads) {
        if (self->closed_) return;
        Result<Bytes> wanted = std::move(payloads.front());
        self->keep_ahead(*slots, std::move(payloads));
        self->on_read(peek, slots->front(), std::move(wanted));
      });
}

/// Of the others only what is whole and still pending; what is damaged shows itself when its turn
/// comes.
void RingFile::Impl::keep_ahead(const std::vector<Index::Slot>& slots,
                                std::vector<Result<Bytes>> payloads) {
  if (payloads.size() == 1) return;
  ahead_.clear();
  for (std::size_t i = 1; i < payloads.size(); ++i) {
    const Sequence sequence = slots[i].sequence;
    if (payloads[i] && index_.find(sequence) != nullptr)
      ahead_.add(sequence, std::move(*payloads[i]));
  }
}

void RingFile::Impl::on_read(std::uint64_t peek, const Index::Slot& slot, Result<Bytes> payload) {
  const Index::Slot* now = index_.find(slot.sequence);
  if (now == nullptr) return answer_peek(peek, fail(Errc::not_found, "acknowledged meanwhile"));
  if (payload && immovable_ == slot.sequence) immovable_ = 0;
  if (!payload && payload.error().code == Errc::malformed) {
    // It may have moved on while we read where it had been.
    if (now->place() != slot.place()) return start_read(peek, *now);
    give_up(slot.sequence);
  }
  answer_peek(peek, std::move(payload));
}

void RingFile::Impl::answer_peek(std::uint64_t peek, Result<Bytes> payload) {
  const auto waiting = peeks_.extract(peek);
  waiting.mapped()(std::move(payload));
}

Result<void> RingFile::Impl::for_each_pending(
    const std::function<void(const Entry&, ByteView)>& visit) {
  Reader reader(*file_);
  for (const Index::Slot* at = index_.first(); at != nullptr;) {
    const Index::Slot slot = *at;
    const std::uint64_t offset = geometry_.offset_of(slot.position) + slot.offset;
    const auto payload =
        check_record(reader.view(offset, kRecordHeaderBytes + slot.length), geometry_, slot);
    if (reader.unreadable_pieces() > 0) return fail(Errc::io, "read " + options_.path);
    if (payload) {
      visit(slot.entry(), *payload);
    } else {
      give_up(slot.sequence);
    }
    at = index_.after(slot.sequence);
  }
  return {};
}

Result<void> RingFile::Impl::for_each_recent(
    std::uint64_t at_most, const std::function<void(const Entry&, ByteView)>& visit) {
  Reader reader(*file_);
  const Sequence since = log_.next_sequence - std::min(at_most, log_.next_sequence);
  Recent recent(since, visit);
  LogWalk walk(reader, geometry_, recent);
  const std::uint64_t from = find_since(reader, geometry_, since, oldest_block(), log_.head);
  walk.run(from, log_.head, std::numeric_limits<std::uint64_t>::max());
  if (reader.unreadable_pieces() > 0) return fail(Errc::io, "read " + options_.path);
  return {};
}

}  // namespace posthorn::queue
