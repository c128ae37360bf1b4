#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/worker.h"
#include "posthorn/signal/key_store.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// The box's state in one SQLite file: Signal's keys and sessions, small named values, and whatever
/// tables others add to database() (database.h says how).
///
/// Reads and writes touch the page cache only, on the loop thread. durable() makes them last:
/// the worker syncs the WAL, one sync for all who asked meanwhile; when the WAL has grown past
/// `checkpoint_pages` the worker copies it into the database file through a connection of its own.
///
/// Why everything reported durable survives a power cut:
/// - A commit is in the WAL, or has been copied into the database file by a checkpoint. The
///   checkpoint syncs the WAL before it copies and the database file after, and only then may the
///   WAL begin anew. So a commit is always durable in at least one of the two once either the WAL
///   was synced after it or a checkpoint took it.
/// - A cut while the checkpoint copies leaves a mixed database file beside a whole, synced WAL: the
///   next open replays it.
/// - A WAL that begins anew has new salts, and its header is synced before frames overwrite old
///   ones: recovery sees the old WAL whole (all of it is in the database file as well) or the new
///   header, after which frames with old salts do not count. Never a part of the old WAL.
/// - A torn or missing frame fails its checksum, which is chained from the header: recovery takes
///   the commits before it. Those were all that was synced.
/// A sync that failed may have lost what it was for, and a second one would not say so: durable()
/// keeps failing until the program starts again.
class Store final : public signal::KeyStore, public BlobStore {
 public:
  struct Options {
    Database::Options database;
    int checkpoint_pages = 2000;  ///< 2 KiB each
    /// Named values that the file "PATH-keys" keeps a copy of, beside identity and signed prekeys.
    std::vector<std::string> vital;
    /// Beginnings of names whose values may wait for the next commit (WrittenBy::the_next).
    std::vector<std::string> relaxed;
  };
  struct Opened {
    std::unique_ptr<Store> store;
    /// A damaged file was put aside here and a fresh one begun; empty: all was well. Unless
    /// `restored`, the shop's phone must then link the box again.
    std::string set_aside;
    std::string damage;  ///< what was wrong, for people
    /// The newest changes were lost (a flipped bit in the WAL, an old copy of the file, or set
    /// aside): no session is left, each is built anew with the next message. src/store/beside.h.
    bool stepped_back = false;
    bool restored = false;  ///< identity and vital values are those of the copy: the link stays
  };

  /// path: "/var/lib/posthorn/posthorn.db". Replays what a power cut left, checks the file (a full
  /// quick_check up to 8 MiB, else the schema and our own tables), brings it to this release.
  /// A damaged file becomes "posthorn.db.damaged-N"; the three newest are kept.
  /// Errors: io, full, unsupported (written by a newer release), busy (another process has it).
  static Result<Opened> open(const std::string& path, Worker& worker, const Options& options);
  static Result<Opened> open(const std::string& path, Worker& worker);
  /// Callbacks of durable() that still wait run with Errc::cancelled.
  ~Store() override;

  [[nodiscard]] Database& database();
  /// Shorthand for database().begin().
  Result<Transaction> begin(WrittenBy written_by = WrittenBy::itself) {
    return database().begin(written_by);
  }

  /// Runs done when a message may leave whose records were committed just now: at once, as long as
  /// no chain has run too far ahead of the disk (src/store/lease.h), else as durable().
  void leave(Once<void(Result<void>)> done);
  /// Commits what waits for the next commit; call now and then. What it says is that of
  /// write_group.
  Result<void> write_waiting() { return database().write_group(); }

  /// PN to LID: sessions, identities and sender keys of all devices of `from` go to `to`; where
  /// `to` has one already, that of `from` is dropped (chapter 05 section 5.3). One transaction,
  /// idempotent. true: something moved.
  Result<bool> move_peer(std::string_view from, std::string_view to);
  /// Forgets keys, sessions and own identity (logout). Named values stay.
  Result<void> clear_signal();
  /// False: a sync has failed (see above) or SQLite has met damage. The program should start again;
  /// then the file is looked at and, if need be, set aside.
  [[nodiscard]] bool healthy() const;

  // BlobStore
  Result<std::optional<Bytes>> load(std::string_view name) override;
  Result<void> save(std::string_view name, ByteView value) override;
  Result<void> erase(std::string_view name);
  /// Runs done in a later turn when everything committed before this call is on disk.
  /// Not inside a transaction. Errors: io, full; cancelled.
  void durable(Once<void(Result<void>)> done) override;

  // signal::KeyStore
  [[nodiscard]] bool lost_keys() const override;
  [[nodiscard]] std::uint64_t life() override;
  [[nodiscard]] std::uint64_t exact_since() override;
  Result<void> apply(const signal::KeyChanges& changes) override;
  Result<std::optional<signal::OwnIdentity>> own_identity() override;
  Result<void> save_own_identity(const signal::OwnIdentity& identity) override;
  Result<std::optional<Bytes>> session(const signal::Address& address) override;
  Result<bool> has_session(const signal::Address& address) override;
  Result<void> delete_session(const signal::Address& address) override;
  Result<std::optional<signal::PublicKey>> peer_identity(const signal::Address& address) override;
  Result<void> forget_peer(std::string_view name) override;
  Result<std::vector<std::uint32_t>> add_pre_keys(std::span<const signal::KeyPair> pairs,
                                                  signal::PreKeyState state) override;
  Result<std::optional<signal::PreKey>> pre_key(std::uint32_t id) override;
  Result<std::vector<signal::PreKey>> unoffered_pre_keys(std::size_t limit) override;
  Result<std::size_t> unoffered_pre_key_count() override;
  Result<void> mark_offered(std::span<const std::uint32_t> ids) override;
  Result<void> mark_none_offered() override;
  Result<std::optional<signal::SignedPreKey>> signed_pre_key(std::uint32_t id) override;
  Result<std::optional<signal::SignedPreKey>> signed_pre_key(
      signal::SignedPreKeyState state) override;
  Result<signal::SignedPreKey> add_pending_signed_pre_key(const signal::SignedPreKey& key) override;
  Result<void> make_current(std::uint32_t id) override;
  Result<void> discard_pending_signed_pre_key() override;
  Result<std::optional<Bytes>> sender_key(const signal::SenderKeyName& name) override;
  Result<void> delete_sender_key(const signal::SenderKeyName& name) override;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  static Result<Opened> open_once(const std::string& path, Worker& worker, const Options& options);
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::store
