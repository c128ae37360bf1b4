#include "store/durability.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>

#include "posthorn/base/log.h"
#include "store/vfs.h"

namespace posthorn::store {

namespace {

/// The WAL may grow to this many times `checkpoint_pages` before the loop waits for the disk.
constexpr int kPatience = 8;

}  // namespace

/// The WAL through a handle of our own, for the worker: the writer's handle belongs to the loop. A
/// sync covers the file whichever handle it is asked on. The file is never unlinked while the
/// writer is open, and SQLite keeps no locks on it that closing our handle could drop.
class Durability::WalFile {
 public:
  static Result<std::shared_ptr<WalFile>> open(const std::string& path, const char* vfs_name) {
    ::sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name);
    std::shared_ptr<WalFile> wal(new WalFile(vfs, path));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL;
    const int status = vfs->xOpen(vfs, wal->path_.c_str(), wal->file(), flags, &flags);
    if (status != SQLITE_OK) return fail(Errc::io, path + ": cannot open for syncing");
    return wal;
  }
  WalFile(const WalFile&) = delete;
  WalFile& operator=(const WalFile&) = delete;
  ~WalFile() {
    if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
  }

  Result<void> sync() {
    const int status = file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    if (status == SQLITE_OK) return {};
    return fail(status == SQLITE_FULL ? Errc::full : Errc::io,
                path_ + ": sync failed (" + std::to_string(status) + ")");
  }

 private:
  WalFile(::sqlite3_vfs* vfs, std::string path)
      : path_(std::move(path)),
        memory_(static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1) {}
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }

  std::string path_;
  std::vector<std::max_align_t> memory_{};
};

Durability::Durability(Database& database, Worker& worker, const char* vfs, int checkpoint_pages)
    : database_(database),
      worker_(worker),
      vfs_(vfs_name(vfs)),
      checkpoint_pages_(checkpoint_pages) {}

Result<std::unique_ptr<Durability>> Durability::open(Database& database, Worker& worker,
                                                     const char* vfs, int checkpoint_pages) {
  std::unique_ptr<Durability> made(new Durability(database, worker, vfs, checkpoint_pages));
  TRY(made->wal_, WalFile::open(database.path() + "-wal", made->vfs_));
  return made;
}

Durability::~Durability() {
  *alive_ = nullptr;
  for (Waiting* list : {&in_sync_, &waiting_}) {
    for (auto& done : std::exchange(*list, {})) done(fail(Errc::cancelled, "shutting down"));
  }
}

void Durability::durable(Once<void(Result<void>)> done) {
  waiting_.push_back(std::move(done));
  if (!syncing_) start_sync();
}

void Durability::start_sync() {
  syncing_ = true;
  in_sync_ = std::exchange(waiting_, {});
  const std::uint64_t commits = database_.commits();
  const bool needed = commits != synced_commits_ && !failure_;
  run_on<Result<void>>(
      worker_, [wal = wal_, needed] { return needed ? wal->sync() : Result<void>(); },
      [alive = alive_, commits](Result<void> result) {
        if (*alive != nullptr) (*alive)->on_synced(std::move(result), commits);
      });
}

void Durability::on_synced(Result<void> result, std::uint64_t commits) {
  if (!result && !failure_) {
    failure_ = result.error();
    log::error("store", "the disk failed to take what was written", {{"error", *failure_}});
  }
  if (!failure_) synced_commits_ = commits;
  syncing_ = false;
  const auto alive = alive_;
  for (auto& done : std::exchange(in_sync_, {})) {
    done(failure_ ? Result<void>(tl::unexpected(*failure_)) : Result<void>());
  }
  if (*alive == nullptr) return;  // a callback ended the store
  if (!waiting_.empty() && !syncing_) start_sync();
  checkpoint_if_grown();
}

void Durability::checkpoint_if_grown() {
  const int pages = database_.wal_pages();
  if (pages < moved_pages_) moved_pages_ = 0;  // the WAL has begun anew
  // Once it should have begun anew, every quarter more is a new chance to get there.
  const bool late = pages >= 2 * checkpoint_pages_;
  const int step = late ? std::max(checkpoint_pages_ / 4, 1) : checkpoint_pages_;
  if (checkpointing_ || failure_ || pages - moved_pages_ < step) return;
  start_checkpoint();
}

void Durability::start_checkpoint() {
  checkpointing_ = true;
  run_on<Checkpointed>(
      worker_, [path = database_.path(), vfs = vfs_] { return checkpoint(path, vfs); },
      [alive = alive_](Checkpointed checkpointed) {
        if (*alive != nullptr) (*alive)->on_checkpointed(std::move(checkpointed));
      });
}

Durability::Checkpointed Durability::checkpoint(const std::string& path, const char* vfs) {
  ::sqlite3* handle = nullptr;
  int status =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs);
  // A connection that has read nothing does not know yet that there is a WAL.
  if (status == SQLITE_OK) {
    status = sqlite3_exec(handle, "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr, nullptr);
  }
  Checkpointed out = status == SQLITE_OK ? checkpoint_through(handle) : failed(handle, status);
  sqlite3_close(handle);
  return out;
}

Durability::Checkpointed Durability::checkpoint_through(::sqlite3* handle) {
  Checkpointed out;
  const int status =
      sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, &out.pages);
  if (status != SQLITE_OK || out.pages < 0) return failed(handle, status);
  return out;
}

Durability::Checkpointed Durability::failed(::sqlite3* handle, int status) {
  return {fail(status == SQLITE_FULL ? Errc::full : Errc::io,
               std::string("checkpoint: ") + sqlite3_errmsg(handle)),
          0};
}

/// The WAL begins anew only when a commit finds all of it moved. Under commits without a pause one
/// checkpoint never gets there, nor does one after the other; the first pause lets one through.
/// Should the WAL grow regardless, the loop itself moves the rest: nobody commits meanwhile.
void Durability::on_checkpointed(Checkpointed checkpointed) {
  checkpointing_ = false;
  const int pages = database_.wal_pages();
  if (checkpointed.result && checkpointed.pages < pages && pages >= kPatience * checkpoint_pages_ &&
      !database_.in_transaction()) {
    checkpointed = checkpoint_through(database_.handle());
  }
  if (!checkpointed.result) {
    // Nothing is lost: the WAL has it all, and the next growth tries again.
    log::warn("store", "checkpoint failed", {{"error", checkpointed.result.error()}});
    moved_pages_ = pages;
    return;
  }
  moved_pages_ = checkpointed.pages;
}

}  // namespace posthorn::store
