#pragma once

#include <optional>
#include <string>

#include "posthorn/base/sha256_stream.h"
#include "posthorn/files/lane.h"
#include "posthorn/files/store.h"

namespace posthorn::files {

/// What a Writer and its work on the Worker share. One piece of work at a time.
struct Writer::State : std::enable_shared_from_this<Writer::State> {
  State(std::shared_ptr<Disk> d, std::shared_ptr<Lane> w, std::shared_ptr<Lane> y, Weak<Store> s,
        std::string name, std::uint64_t room)
      : disk(std::move(d)),
        work(std::move(w)),
        syncs(std::move(y)),
        store(std::move(s)),
        part(std::move(name)),
        room_left(room) {}

  bool append(std::string_view piece);
  void finish(Once<void(Result<File>)> done);
  void abandon();
  /// Starts the next piece of work when there is some and none is under way.
  void pump();
  void on_written(Result<void> written);
  /// Beside the next writes; at most one sync's worth of bytes waits for it.
  void start_sync();
  void tell_room();
  void on_named(Result<void> named, const File& file);
  void end(Result<File> result);

  // On the Worker.
  Result<void> write(ByteView piece);
  Result<void> name_it(File& file);
  void remove_part();

  const std::shared_ptr<Disk> disk;
  const std::shared_ptr<Lane> work;
  const std::shared_ptr<Lane> syncs;
  const Weak<Store> store;
  const std::string part;
  const std::uint64_t room_left;

  // The loop's.
  std::string pending;
  std::string writing;  ///< on its way to the disk: the Worker's while busy
  std::uint64_t size = 0;
  std::uint64_t charged = 0;  ///< of the store's quota
  bool busy = false;
  bool syncing = false;
  bool said_no = false;
  bool finishing = false;
  bool abandoned = false;
  bool ended = false;
  std::optional<Error> failed;
  std::function<void()> wake;
  Once<void(Result<File>)> done;

  std::uint64_t unsynced = 0;

  // The Worker's, while busy or syncing.
  std::shared_ptr<DiskFile> file;  ///< shared: with the sync under way
  crypto::Sha256Stream sha;
  std::string beginning;
  std::uint64_t checked = 0;  ///< bytes since the disk was asked for its room
};

}  // namespace posthorn::files
