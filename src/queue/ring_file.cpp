#include "posthorn/queue/ring_file.h"

#include <utility>

#include "queue/ring_impl.h"

namespace posthorn::queue {

namespace {

std::optional<Entry> entry_of(const Index::Slot* slot) {
  if (slot == nullptr) return std::nullopt;
  return slot->entry();
}

}  // namespace

Result<std::unique_ptr<RingFile>> RingFile::open(Disk& disk, Scheduler& scheduler, Worker& worker,
                                                 Random& random, Options options) {
  TRY(OpenedRing opened, open_ring(disk, random, options));
  return std::unique_ptr<RingFile>(new RingFile(
      std::make_shared<Impl>(scheduler, worker, std::move(options), std::move(opened))));
}

RingFile::RingFile(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
RingFile::~RingFile() { impl_->close(); }

const Recovery& RingFile::recovery() const { return impl_->recovery(); }

void RingFile::append(Bytes payload, Wall accepted_at, Label label,
                      Once<void(Result<Sequence>)> done) {
  impl_->append({std::move(payload), accepted_at, label, 0, {}}, std::move(done));
}

std::size_t RingFile::max_payload() const { return impl_->geometry().max_payload(); }

std::optional<Entry> RingFile::first() const { return entry_of(impl_->index().first()); }
std::optional<Entry> RingFile::next(Sequence sequence) const {
  return entry_of(impl_->index().after(sequence));
}
std::optional<Entry> RingFile::find(Sequence sequence) const {
  return entry_of(impl_->index().find(sequence));
}

void RingFile::peek(Sequence sequence, Once<void(Result<Bytes>)> done) {
  impl_->peek(sequence, std::move(done));
}
void RingFile::ack(Sequence sequence) { impl_->ack(sequence); }
void RingFile::flush(Once<void(Result<void>)> done) { impl_->flush(std::move(done)); }
void RingFile::end(Once<void(Result<void>)> done) { impl_->end(std::move(done)); }

std::vector<Entry> RingFile::accepted_before(Wall limit) const {
  std::vector<Entry> old;
  for (auto entry = first(); entry; entry = next(entry->sequence)) {
    if (entry->accepted_at < limit) old.push_back(*entry);
  }
  return old;
}

Result<void> RingFile::for_each_pending(const std::function<void(const Entry&, ByteView)>& visit) {
  return impl_->for_each_pending(visit);
}
Result<void> RingFile::for_each_recent(std::uint64_t at_most,
                                       const std::function<void(const Entry&, ByteView)>& visit) {
  return impl_->for_each_recent(at_most, visit);
}

Result<void> RingFile::add_reader(const std::string& name, std::uint32_t most_behind) {
  return impl_->add_reader(name, most_behind);
}
void RingFile::remove_reader(const std::string& name) { impl_->remove_reader(name); }
std::vector<RingFile::ReaderStatus> RingFile::readers() const { return impl_->readers(); }
void RingFile::read(const std::string& reader, Sequence after, std::size_t most_bytes,
                    Once<void(Result<Reading>)> done) {
  impl_->read(reader, after, most_bytes, std::move(done));
}
void RingFile::read_latest(Sequence after, std::size_t most_bytes,
                           Once<void(Result<Reading>)> done) {
  impl_->read_latest(after, most_bytes, std::move(done));
}
void RingFile::advance(const std::string& reader, Sequence position) {
  impl_->advance(reader, position);
}
Sequence RingFile::newest() const { return impl_->newest(); }

void RingFile::on_dropped(std::function<void(const Entry&, Loss)> listener) {
  impl_->on_dropped(std::move(listener));
}
RingStatus RingFile::status() const { return impl_->status(); }

}  // namespace posthorn::queue
