#include "files/writer.h"

#include <algorithm>
#include <utility>

#include "files/name.h"
#include "files/type.h"

namespace posthorn::files {

namespace {

/// What one writer holds in memory at most, besides as much on its way to the disk.
constexpr std::size_t kPendingAtMost = std::size_t{64} << 10;
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
    if (!finishing && !abandoned) return;
    end(tl::unexpected(failed.value_or(Error{Errc::cancelled, "given up"})));
    return;
  }
  if (!pending.empty()) {
    busy = true;
    auto piece = std::make_shared<std::string>(std::exchange(pending, {}));
    run_on<Result<void>>(
        worker, [self = shared_from_this(), piece] { return self->write(as_bytes(*piece)); },
        [self = shared_from_this(), size = piece->size()](Result<void> written) {
          self->on_written(std::move(written), size);
        });
    return;
  }
  Store* const owner = store.get();
  if (!finishing) return;
  if (owner == nullptr) return end(fail(Errc::cancelled, "the box is restarting"));
  busy = true;
  auto named = std::make_shared<File>();
  named->number = owner->next_number_++;
  named->size = size;
  run_on<Result<void>>(
      worker, [self = shared_from_this(), named] { return self->name_it(*named); },
      [self = shared_from_this(), named](Result<void> done_so) {
        self->on_named(std::move(done_so), *named);
      });
}

void Writer::State::on_written(Result<void> written, std::size_t bytes) {
  busy = false;
  if (!written && !failed) failed = written.error();
  if (Store* owner = store.get()) owner->written_bytes_ += bytes;
  pump();
  // In a turn of its own, since the work has just come back: nobody is inside append().
  if (std::exchange(said_no, false) && wake) wake();
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
    worker.run([self] { self->remove_part(); }, [self] {});
  }
  if (finishing) done(std::move(result));
}

Result<void> Writer::State::write(ByteView piece) {
  if (!file || unsynced >= kSyncEvery) {
    TRY(const std::uint64_t free, disk->free_bytes());
    if (free < room_left + kSyncEvery) {
      return fail(Errc::full, "not enough room on the box: " + std::to_string(free >> 20) +
                                  " MiB free, " + std::to_string(room_left >> 20) +
                                  " MiB of them are for messages");
    }
  }
  if (!file) {
    TRY(file, disk->create(part));
  }
  if (unsynced >= kSyncEvery) {
    TRY(file->sync());
    unsynced = 0;
  }
  sha.add(piece);
  if (beginning.size() < kTypeLooksAt) {
    beginning += as_text(piece.first(std::min(piece.size(), kTypeLooksAt - beginning.size())));
  }
  unsynced += piece.size();
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
