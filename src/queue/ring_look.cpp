#include <limits>

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
  Recent recent(log_.next_sequence - std::min(at_most, log_.next_sequence), visit);
  LogWalk walk(reader, geometry_, recent);
  const std::uint64_t blocks = geometry_.blocks();
  const std::uint64_t from = log_.head > blocks ? log_.head - blocks : 0;
  walk.run(from, log_.head, std::numeric_limits<std::uint64_t>::max());
  if (reader.unreadable_pieces() > 0) return fail(Errc::io, "read " + options_.path);
  return {};
}

}  // namespace posthorn::queue
