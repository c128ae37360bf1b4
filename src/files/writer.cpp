#include "files/writer.h"

#include <algorithm>
#include <utility>

#include "files/name.h"
#include "files/type.h"

namespace posthorn::files {

namespace {

/// What one writer holds in memory at most, besides as much on its way to the disk.
constexpr std::size_t kPendingAtMost = std::size_t{128} << 10;
/// A piece of the connection's buffer that comes when there was still room.
constexpr std::size_t kLastPiece = std::size_t{32} << 10;
/// A sync of everything at the end would hold up the messages' own syncs for seconds.
constexpr std::uint64_t kSyncEvery = std::uint64_t{4} << 20;

}  // namespace

Writer::Writer(std::shared_ptr<State> state) : state_(std::move(state)) {}

Writer::~Writer() { state_->abandon(); }

bool Writer::append(std::string_view piece) { return state_->append(piece); }

void Writer::on_room(std::function<void()> wake) { state_->wake = std::move(wake); }

void Writer::finish(Once<void(Result<File>)> done) { state_->finish(std::move(done)); }

std::uint64_t Writer::size() const { return state_->size; }

bool Writer::State::append(std::string_view piece) {
  size += piece.size();
  Store* const owner = store.get();
  if (!failed && owner == nullptr) failed = Error{Errc::cancelled, "the box is restarting"};
  if (!failed) {
    owner->incoming_ += piece.size();
    charged += piece.size();
    if (auto room = owner->make_room(0); !room) failed = room.error();
  }
  if (failed) return true;  // read to its end, so that its sender gets the answer
  if (pending.capacity() < kPendingAtMost) pending.reserve(kPendingAtMost + kLastPiece);
  pending += piece;
  pump();
  said_no = pending.size() >= kPendingAtMost;
  return !said_no;
}

void Writer::State::finish(Once<void(Result<File>)> then) {
  finishing = true;
  done = std::move(then);
  pump();
}

void Writer::State::abandon() {
  wake = nullptr;
  if (finishing || ended) return;  // it ends by itself, and tells whoever waits
  abandoned = true;
  pending.clear();
  pump();
}

void Writer::State::pump() {
  if (busy || ended) return;
  if (failed || abandoned) {
    if (syncing || (!finishing && !abandoned)) return;
    end(tl::unexpected(failed.value_or(Error{Errc::cancelled, "given up"})));
    return;
  }
  if (!pending.empty()) {
    if (syncing && unsynced >= kSyncEvery) return;  // the disk is slower than the client
    busy = true;
    writing.swap(pending);
    run_on<Result<void>>(
        *work, [self = shared_from_this()] { return self->write(as_bytes(self->writing)); },
        [self = shared_from_this()](Result<void> written) {
          self->on_written(std::move(written));
        });
    return;
  }
  Store* const owner = store.get();
  if (!finishing || syncing) return;
  if (owner == nullptr) return end(fail(Errc::cancelled, "the box is restarting"));
  busy = true;
  auto named = std::make_shared<File>();
  named->number = owner->next_number_++;
  named->size = size;
  run_on<Result<void>>(
      *syncs, [self = shared_from_this(), named] { return self->name_it(*named); },
      [self = shared_from_this(), named](Result<void> done_so) {
        self->on_named(std::move(done_so), *named);
      });
}

void Writer::State::on_written(Result<void> written) {
  busy = false;
  const std::size_t bytes = writing.size();
  writing.clear();  // its memory takes the next bytes
  if (!written && !failed) failed = written.error();
  if (Store* owner = store.get()) owner->written_bytes_ += bytes;
  unsynced += bytes;
  start_sync();
  pump();
  tell_room();
}

/// Called when work has just come back, so nobody is inside append().
void Writer::State::tell_room() {
  // What comes after a failure is dropped, so that its sender reaches the end and is told.
  if (failed) pending.clear();
  if (pending.size() < kPendingAtMost && std::exchange(said_no, false) && wake) wake();
}

void Writer::State::start_sync() {
  if (syncing || failed || abandoned || unsynced < kSyncEvery) return;
  syncing = true;
  unsynced = 0;
  run_on<Result<void>>(
      *syncs, [file = file] { return file->sync(); },
      [self = shared_from_this()](Result<void> synced) {
        self->syncing = false;
        if (!synced && !self->failed) self->failed = synced.error();
        self->start_sync();
        self->pump();
        self->tell_room();
      });
}

void Writer::State::on_named(Result<void> named, const File& whole) {
  busy = false;
  if (!named) {
    failed = named.error();
    return pump();
  }
  if (Store* owner = store.get()) owner->take_in(whole);
  end(whole);
}

/// The only way out: gives back the room, and on failure the disk's.
void Writer::State::end(Result<File> result) {
  ended = true;
  if (Store* owner = store.get()) owner->on_writer_gone(charged);
  if (!result) {
    const auto self = shared_from_this();
    work->run([self] { self->remove_part(); }, [self] {});
  }
  if (finishing) done(std::move(result));
}

Result<void> Writer::State::write(ByteView piece) {
  if (!file) {
    TRY(const std::uint64_t free, disk->free_bytes());
    if (free < room_left + kSyncEvery) {
      return fail(Errc::full, "not enough room on the box: " + std::to_string(free >> 20) +
                                  " MiB free, " + std::to_string(room_left >> 20) +
                                  " MiB of them are for messages");
    }
    TRY(file, disk->create(part));
  }
  checked += piece.size();
  if (checked >= kSyncEvery) {
    checked = 0;
    TRY(const std::uint64_t free, disk->free_bytes());
    if (free < room_left) return fail(Errc::full, "the box has no more room for files");
  }
  sha.add(piece);
  if (beginning.size() < kTypeLooksAt) {
    beginning += as_text(piece.first(std::min(piece.size(), kTypeLooksAt - beginning.size())));
  }
  return file->append(piece);
}

Result<void> Writer::State::name_it(File& whole) {
  if (!file) {
    TRY(file, disk->create(part));
  }
  TRY(file->sync());
  file.reset();
  whole.ref = hex_encode(sha.finish());
  whole.type = detect_type(as_bytes(beginning));
  TRY(disk->rename(part, name_of(whole)));
  TRY(whole.stored_at, disk->modified(name_of(whole)));
  return disk->sync_names();
}

void Writer::State::remove_part() {
  file.reset();
  (void)disk->remove(part);  // it may never have been made; the next start removes it otherwise
}

}  // namespace posthorn::files
