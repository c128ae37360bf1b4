#pragma once

#include <memory>
#include <vector>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/worker.h"
#include "posthorn/store/database.h"
#include "store/beside.h"
#include "store/lease.h"
#include "store/vfs_file.h"

namespace posthorn::store {

/// Brings commits to the disk off the loop: syncs the WAL in groups, and moves it into the database
/// file when it has grown. One sync and one checkpoint at most are under way, side by side.
class Durability {
 public:
  /// The database has its WAL file already (something was committed since it was opened).
  /// beside and lease outlive this.
  static Result<std::unique_ptr<Durability>> open(Database& database, Worker& worker,
                                                  const char* vfs, int checkpoint_pages,
                                                  Beside& beside, Lease& lease);
  Durability(const Durability&) = delete;
  Durability& operator=(const Durability&) = delete;
  /// Whoever waits is told `cancelled`; jobs on the worker end without us.
  ~Durability();

  void durable(Once<void(Result<void>)> done);
  [[nodiscard]] bool healthy() const { return !failure_; }

 private:
  struct Synced {
    Result<void> wal;
    Result<void> beside;
  };
  using Waiting = std::vector<Once<void(Result<void>)>>;
  struct Checkpointed {
    Result<void> result;
    int pages = 0;  ///< of the WAL, that are in the database file now
  };

  Durability(Database& database, Worker& worker, const char* vfs, int checkpoint_pages,
             Beside& beside, Lease& lease);
  void start_sync();
  Result<Beside::Job> prepare();
  void on_synced(Synced synced, std::uint64_t commits, bool needed,
                 const std::optional<Error>& refused);
  void checkpoint_if_grown();
  void on_checkpointed(Checkpointed checkpointed);
  void start_checkpoint();
  static Checkpointed checkpoint(const std::string& path, const char* vfs);
  static Checkpointed checkpoint_through(::sqlite3* handle);
  static Checkpointed failed(::sqlite3* handle, int status);

  Database& database_;
  Worker& worker_;
  const char* vfs_;
  int checkpoint_pages_;
  Beside& beside_;
  Lease& lease_;
  /// Shared with jobs of the worker, which may end after this object.
  std::shared_ptr<VfsFile> wal_;
  std::shared_ptr<Durability*> alive_ = std::make_shared<Durability*>(this);
  Waiting waiting_;  ///< for the next sync
  Waiting in_sync_;  ///< for the one under way
  bool syncing_ = false;
  bool checkpointing_ = false;
  std::uint64_t synced_commits_ = 0;
  int moved_pages_ = 0;  ///< of the WAL, by the last checkpoint
  std::optional<Error> failure_;
};

}  // namespace posthorn::store
