#include "store/durability.h"

#include <sqlite3.h>

#include <algorithm>

#include "posthorn/base/log.h"
#include "store/vfs.h"

namespace posthorn::store {

namespace {

/// The WAL may grow to this many times `checkpoint_pages` before the loop waits for the disk.
constexpr int kPatience = 8;

}  // namespace

Durability::Durability(Database& database, Worker& worker, const char* vfs, int checkpoint_pages,
                       Beside& beside, Lease& lease)
    : database_(database),
      worker_(worker),
      vfs_(vfs_name(vfs)),
      checkpoint_pages_(checkpoint_pages),
      beside_(beside),
      lease_(lease) {}

Result<std::unique_ptr<Durability>> Durability::open(Database& database, Worker& worker,
                                                     const char* vfs, int checkpoint_pages,
                                                     Beside& beside, Lease& lease) {
  std::unique_ptr<Durability> made(
      new Durability(database, worker, vfs, checkpoint_pages, beside, lease));
  // Through a handle of our own, for the worker: the writer's handle belongs to the loop. A sync
  // covers the file whichever handle it is asked on.
  TRY(made->wal_, VfsFile::open(database.path() + "-wal", made->vfs_, VfsFile::When::there));
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

/// Writes what waits and counts the sync.
Result<Beside::Job> Durability::prepare() {
  TRY(database_.write_group());
  TRY(lease_.before_sync());
  return beside_.before_sync();
}

void Durability::start_sync() {
  syncing_ = true;
  in_sync_ = std::exchange(waiting_, {});
  const bool needed =
      (database_.commits() != synced_commits_ || database_.has_group()) && !failure_;
  // Counting the sync is a commit of its own; should the disk have no room for it, what was
  // committed before is synced all the same, and nobody is told that it is safe.
  auto beside = needed ? prepare() : Result<Beside::Job>(Beside::Job());
  const std::uint64_t commits = database_.commits();
  const auto refused = beside ? std::optional<Error>() : beside.error();
  run_on<Synced>(
      worker_,
      [wal = wal_, needed, refused, job = beside ? std::move(*beside) : Beside::Job()]() mutable {
        Synced synced;
        if (!needed) return synced;
        synced.wal = wal->sync();
        if (refused) {
          synced.beside = tl::unexpected(*refused);
        } else if (synced.wal) {
          synced.beside = job();
        }
        return synced;
      },
      [alive = alive_, commits, needed, refused](Synced synced) {
        if (*alive == nullptr) return;
        (*alive)->on_synced(std::move(synced), commits, needed, refused);
      });
}

void Durability::on_synced(Synced synced, std::uint64_t commits, bool needed,
                           const std::optional<Error>& refused) {
  if (!synced.wal && !failure_) {
    failure_ = synced.wal.error();
    log::error("store", "the disk failed to take what was written", {{"error", *failure_}});
  }
  if (!synced.beside && !refused) {
    beside_.write_again();
    log::warn("store", "the files beside the database are behind",
              {{"error", synced.beside.error()}});
  }
  if (!failure_ && !refused) synced_commits_ = commits;
  if (needed) lease_.on_synced(!failure_ && !refused);
  syncing_ = false;
  const auto alive = alive_;
  for (auto& done : std::exchange(in_sync_, {})) {
    if (failure_ || refused) {
      done(tl::unexpected(failure_ ? *failure_ : *refused));
    } else {
      done({});
    }
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
      !database_.in_transaction() && !database_.has_group()) {
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
