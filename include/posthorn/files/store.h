#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/once.h"
#include "posthorn/base/worker.h"
#include "posthorn/files/disk.h"

namespace posthorn::files {

/// A file that is kept: what finish() answered for, and what is there again after a power cut.
struct File {
  std::string ref;  ///< SHA-256 of the content, 64 hex digits: the same content is one file
  std::uint64_t size = 0;
  std::string type;            ///< by its first bytes: "image/png"; else "application/octet-stream"
  std::int64_t stored_at = 0;  ///< Unix seconds by the system's clock; 0: not known
  std::uint64_t number = 0;    ///< in the order of storing
};

class Lane;
class Store;

/// One file on its way in. Drop it before finish() has answered and nothing stays.
class Writer {
 public:
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Takes the piece. False: enough for now; on_room() tells when more may come.
  /// A disk that fails or is full shows in finish(); until then pieces are dropped.
  bool append(std::string_view piece);
  /// Called in a later turn, each time that append() had said no and there is room again.
  void on_room(std::function<void()> wake);
  /// done: on disk, with its name. Errors: full (quota, disk), io, cancelled.
  void finish(Once<void(Result<File>)> done);
  [[nodiscard]] std::uint64_t size() const;

 private:
  friend class Store;
  struct State;
  explicit Writer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  ///< shared: with the work on its way
};

/// One file on its way out; it may be removed from the store meanwhile.
class Reader {
 public:
  Reader(std::shared_ptr<Lane> lane, std::unique_ptr<DiskFile> file, File about)
      : lane_(std::move(lane)), file_(std::move(file)), about_(std::move(about)) {}

  [[nodiscard]] const File& about() const { return about_; }
  /// done: up to `size` bytes from there; empty at the end. One at a time. Errors: io.
  void read(std::uint64_t offset, std::size_t size, Once<void(Result<Bytes>)> done);

 private:
  std::shared_ptr<Lane> lane_;      ///< shared: it may outlive the store
  std::shared_ptr<DiskFile> file_;  ///< shared: with the read under way
  File about_;
};

struct StoreOptions {
  std::uint64_t quota = std::uint64_t{512} << 20;     ///< of all files together
  std::uint64_t room_left = std::uint64_t{32} << 20;  ///< of the disk, for messages
  std::size_t writers = 32;                           ///< at once
};

/// Bytes that are too large for memory: kept in a folder under a quota, streamed in and out. The
/// oldest go when a new one needs their room. Reads, writes and syncs happen on the Worker, on two
/// of its threads at most; a file is named only when it is whole and synced, so a power cut leaves
/// whole files and nothing else.
///
/// On disk: "NUMBER-SHA256.SUFFIX" (NUMBER: 10 digits, order of storing; SUFFIX: the type's), and
/// "part-N" for what is on its way in, which the next start removes.
class Store {
 public:
  /// worker outlives the store. Errors: io.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(std::shared_ptr<Disk> disk,
                                                           Worker& worker, StoreOptions options);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  /// Writers and readers may outlive it: a writer's finish() then says cancelled.
  ~Store() = default;

  /// size_hint: what will come, if that is known: told full before it comes. Errors: full, busy
  /// (too many writers), io.
  [[nodiscard]] Result<std::unique_ptr<Writer>> begin(std::optional<std::uint64_t> size_hint);
  /// Errors: not_found, io.
  [[nodiscard]] Result<std::unique_ptr<Reader>> read(const std::string& ref);
  [[nodiscard]] std::optional<File> find(const std::string& ref) const;
  /// Oldest first.
  [[nodiscard]] std::vector<File> list() const;
  /// Gone, or, while somebody holds it, with his release(); unless the same content comes again
  /// meanwhile. Errors: not_found, io.
  Result<void> remove(const std::string& ref);
  /// While it is held it goes neither for a newer one nor by remove(); as often as that, it is to
  /// be released. What is not there is held as well, from the moment it comes.
  void hold(const std::string& ref);
  void release(const std::string& ref);
  [[nodiscard]] bool is_held(const std::string& ref) const { return holds_.contains(ref); }
  /// Where it stands, for somebody who takes it away by rename(2); forgets it. Errors: not_found.
  Result<std::string> hand_over(const std::string& ref);
  /// Where it stands, for somebody who reads it there. Errors: not_found.
  [[nodiscard]] Result<std::string> path_of(const std::string& ref) const;

  /// A file that others make by path, on a Worker's thread: they write to path, then it is adopted.
  struct Part {
    std::string name;
    std::string path;
  };
  [[nodiscard]] Part new_part();
  /// done: synced, with its name; on an error the part is gone. Errors: as Writer::finish().
  void adopt(const Part& part, Once<void(Result<File>)> done);

  struct Status {
    std::uint64_t used = 0;  ///< bytes of whole files
    std::size_t files = 0;
    std::size_t writing = 0;
    std::uint64_t written_bytes = 0;  ///< to the flash, since the start: its wear
    std::uint64_t pushed_out = 0;     ///< files that went for newer ones, since the start
  };
  [[nodiscard]] Status status() const;

 private:
  friend class Writer;
  Store(std::shared_ptr<Disk> disk, Worker& worker, StoreOptions options);
  Result<void> load();
  /// The oldest that nobody holds; end: none.
  [[nodiscard]] std::map<std::uint64_t, File>::iterator oldest_free();
  /// Lets the oldest go until `bytes` more fit. Errors: full.
  Result<void> make_room(std::uint64_t bytes);
  void forget(std::uint64_t number);
  /// Off the loop: unlinking a large file takes a while.
  void remove_later(std::string name);
  void take_in(const File& file);
  /// A writer that has ended in one way or the other.
  void on_writer_gone(std::uint64_t bytes);

  std::shared_ptr<Disk> disk_;  ///< shared: with the work on its way
  // Shared: writers and readers may outlive the store.
  std::shared_ptr<Lane> work_;   ///< writing, reading, hashing, removing
  std::shared_ptr<Lane> syncs_;  ///< beside it, since the next bytes need not wait for it
  StoreOptions options_;
  std::map<std::uint64_t, File> files_;  ///< by number
  std::map<std::string, std::uint64_t> numbers_;
  std::map<std::string, std::size_t> holds_;
  std::set<std::string> unwanted_;  ///< held ones that go with their last release()
  std::uint64_t used_ = 0;
  std::uint64_t incoming_ = 0;  ///< bytes of unfinished files
  std::uint64_t next_number_ = 1;
  std::uint64_t next_part_ = 1;
  std::size_t writing_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t pushed_out_ = 0;
  Alive<Store> alive_{this};
};

}  // namespace posthorn::files
