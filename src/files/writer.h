#pragma once

#include <optional>
#include <string>

#include "posthorn/base/sha256_stream.h"
#include "posthorn/files/store.h"

namespace posthorn::files {

/// What a Writer and its work on the Worker share. One piece of work at a time.
struct Writer::State : std::enable_shared_from_this<Writer::State> {
  State(std::shared_ptr<Disk> d, Worker& w, Weak<Store> s, std::string name, std::uint64_t room)
      : disk(std::move(d)),
        worker(w),
        store(std::move(s)),
        part(std::move(name)),
        room_left(room) {}

  bool append(std::string_view piece);
  void finish(Once<void(Result<File>)> done);
  void abandon();
  /// Starts the next piece of work when there is some and none is under way.
  void pump();
  void on_written(Result<void> written, std::size_t bytes);
  void on_named(Result<void> named, const File& file);
  void end(Result<File> result);

  // On the Worker.
  Result<void> write(ByteView piece);
  Result<void> name_it(File& file);
  void remove_part();

  const std::shared_ptr<Disk> disk;
  Worker& worker;
  const Weak<Store> store;
  const std::string part;
  const std::uint64_t room_left;

  // The loop's.
  std::string pending;
  std::uint64_t size = 0;
  std::uint64_t charged = 0;  ///< of the store's quota
  bool busy = false;
  bool said_no = false;
  bool finishing = false;
  bool abandoned = false;
  bool ended = false;
  std::optional<Error> failed;
  std::function<void()> wake;
  Once<void(Result<File>)> done;

  // The Worker's, while busy.
  std::unique_ptr<DiskFile> file;
  crypto::Sha256Stream sha;
  std::string beginning;
  std::uint64_t unsynced = 0;
};

}  // namespace posthorn::files
