#pragma once

#include <memory>
#include <string>
#include <vector>

#include "posthorn/base/function.h"
#include "posthorn/base/result.h"
#include "posthorn/store/database.h"
#include "store/two_places.h"

namespace posthorn::store {

/// What is kept beside the database. One flipped bit in a frame of the WAL makes SQLite take that
/// frame and all later ones for a torn tail: the database silently steps back, and up to the first
/// checkpoint it is empty. So two small files stand next to it:
///
///     PATH-mark   how far the database had come when the last sync was through. The database
///                 counts its syncs itself (counters: `commit`, under a name of its own,
///                 `database`); one that has counted less than the mark says has stepped back. The
///                 mark is left to the system after each sync, so a program that ends is judged
///                 exactly and a power cut within some seconds; it costs no sync of its own but
///                 every 64th.
///     PATH-keys   a copy of what cannot be made again: our identity, the signed prekeys, and the
///                 named values that Store::Options::vital lists. Written and synced when they
///                 change. It is as secret as the database.
class Beside {
 public:
  /// The database is migrated. Errors: io, full.
  static Result<std::unique_ptr<Beside>> open(Database& database, const char* vfs,
                                              std::vector<std::string> vital);
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

  struct Found {
    bool stepped_back = false;  ///< newer changes are lost; no session is left that could be older
    bool restored = false;      ///< identity and vital values come from the copy
  };
  /// Compares, and mends in one transaction: sessions and sender keys go, prekey ids jump ahead of
  /// all that the server may know, what cannot be made again comes back. Errors: malformed (what is
  /// left does not hang together), io, full.
  Result<Found> look();

  /// How often the database was opened, this time included; look() counts it.
  [[nodiscard]] std::int64_t starts() const { return starts_; }

  [[nodiscard]] bool is_vital(std::string_view name) const;
  /// Something of the copy has changed.
  void touch() { copy_due_ = true; }
  /// The last job failed: the copy may be an old one.
  void write_again() {
    copied_.clear();
    copy_due_ = true;
  }

  /// What the worker does when the sync is through; a failure leaves the files as they were, and
  /// the next sync tries again. Errors: io, full.
  using Job = Function<Result<void>()>;
  /// On the loop, outside a transaction, before a sync: counts it in the database. Errors: io,
  /// full.
  Result<Job> before_sync();

 private:
  struct Files {
    std::unique_ptr<TwoPlaces> mark;
    std::unique_ptr<TwoPlaces> copy;
  };
  struct Number {
    std::int64_t database = 0;
    std::int64_t commit = 0;
    std::int64_t wal = 0;     ///< which one
    std::int64_t frames = 0;  ///< of it, on disk
  };
  Beside(Database& database, const char* vfs, std::vector<std::string> vital);
  Result<std::int64_t> wal_salts();
  Result<std::int64_t> recovered_frames();
  [[nodiscard]] static Number number_in(const TwoPlaces& file);
  [[nodiscard]] Number marked() const;
  Result<std::int64_t> counter(const char* name);
  Result<void> mend(bool restore);
  Result<std::string> describe();
  Result<void> restore_copy();

  Database& database_;
  const char* vfs_;
  std::vector<std::string> vital_;
  std::shared_ptr<Files> files_ = std::make_shared<Files>();  ///< shared with the worker's jobs
  std::unique_ptr<VfsFile> wal_;                              ///< for the loop
  std::int64_t salts_ = 0;
  std::int64_t starts_ = 0;
  int frames_ = 0;
  Number number_;
  bool copy_due_ = true;
  std::string copied_;  ///< what the copy says
  unsigned syncs_ = 0;
  Statement save_counter_;
};

}  // namespace posthorn::store
