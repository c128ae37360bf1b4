#include "posthorn/store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cassert>

#include "posthorn/base/log.h"
#include "store/damaged_file.h"
#include "store/peer_bounds.h"
#include "store/schema.h"
#include "store/store_impl.h"
#include "store/vfs.h"

namespace posthorn::store {

namespace {

/// Above this many pages (8 MiB) a look at every page would hold up the start.
constexpr std::int64_t kQuickCheckPages = 4096;

/// Keys are for our eyes only; SQLite gives its other files the mode of this one.
void make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);  // what is wrong, SQLite reports
}

Result<std::int64_t> page_count(Database& db) {
  Statement statement(db, "PRAGMA page_count");
  Query query = statement.query();
  TRY(query.next());
  return query.integer(0);
}

Result<void> check(Database& db) {
  TRY(const std::int64_t pages, page_count(db));
  if (pages > kQuickCheckPages) return {};
  Statement statement(db, "PRAGMA quick_check(1)");
  Query query = statement.query();
  TRY(const bool answered, query.next());
  if (answered && query.text(0) == "ok") return {};
  return fail(Errc::malformed, "quick_check: " + std::string(query.text(0)));
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() {
  impl_->durability.reset();
  auto ended = impl_->db->write_group();
  if (ended) ended = impl_->lease->end();
  // The next start takes it for a power cut then, which is always safe.
  if (!ended) log::warn("store", "the last changes are not written", {{"error", ended.error()}});
}

Result<Store::Opened> Store::open(const std::string& path, Worker& worker) {
  return open(path, worker, Options());
}

Result<Store::Opened> Store::open(const std::string& path, Worker& worker, const Options& options) {
  OwnerLock owner;
  // With a VFS of its own a test has no file to lock.
  if (options.database.vfs == nullptr) {
    TRY(owner, OwnerLock::take(path));
    make_private(path);
  }
  auto opened = open_once(path, worker, options);
  if (opened) {
    opened->store->impl_->owner = std::move(owner);
    return opened;
  }
  if (opened.error().code != Errc::malformed) return opened;
  log::error("store", "the database is damaged and is set aside", {{"error", opened.error()}});
  TRY(std::string aside, set_aside(path));
  if (options.database.vfs == nullptr) make_private(path);
  TRY(auto fresh, open_once(path, worker, options));
  fresh.store->impl_->owner = std::move(owner);
  fresh.set_aside = std::move(aside);
  fresh.damage = opened.error().detail;
  return fresh;
}

Result<Store::Opened> Store::open_once(const std::string& path, Worker& worker,
                                       const Options& options) {
  TRY(auto database, Database::open(path, options.database));
  TRY(check(*database));
  TRY(database->migrate("store", kSchema));
  auto impl = std::make_unique<Impl>(std::move(database));
  TRY(impl->beside, Beside::open(*impl->db, vfs_name(options.database.vfs), options.vital));
  TRY(const Beside::Found found, impl->beside->look());
  impl->lost_keys = found.stepped_back;
  TRY(bound_peers(*impl->db));
  impl->lease = std::make_unique<Lease>(*impl->db);
  TRY(impl->lease->start(impl->beside->starts()));
  impl->relaxed = options.relaxed;
  TRY(impl->durability, Durability::open(*impl->db, worker, options.database.vfs,
                                         options.checkpoint_pages, *impl->beside, *impl->lease));
  Opened opened;
  opened.store = std::unique_ptr<Store>(new Store(std::move(impl)));
  opened.stepped_back = found.stepped_back;
  opened.restored = found.restored;
  return opened;
}

Database& Store::database() { return *impl_->db; }

bool Store::healthy() const { return impl_->durability->healthy() && !impl_->db->damaged(); }

void Store::durable(Once<void(Result<void>)> done) {
  assert(!impl_->db->in_transaction() && "what is not committed cannot be durable");
  impl_->durability->durable(std::move(done));
}

Result<std::optional<Bytes>> Store::load(std::string_view name) {
  Query query = impl_->load_blob.query(name);
  TRY(const bool found, query.next());
  if (!found) return std::nullopt;
  return to_bytes(query.blob(0));
}

void Store::leave(Once<void(Result<void>)> done) {
  assert(!impl_->db->in_transaction() && "what is not committed cannot leave");
  if (!impl_->lease->may_leave()) return impl_->durability->durable(std::move(done));
  if (impl_->lease->wants_sync()) impl_->durability->durable([](Result<void>) {});
  done({});
}

Result<void> Store::save(std::string_view name, ByteView value) {
  if (impl_->beside->is_vital(name)) impl_->beside->touch();
  for (const std::string& prefix : impl_->relaxed) {
    if (!name.starts_with(prefix)) continue;
    TRY(Transaction transaction, begin(WrittenBy::the_next));
    TRY(impl_->save_blob.run(name, value));
    return transaction.commit();
  }
  return impl_->save_blob.run(name, value);
}

Result<void> Store::erase(std::string_view name) {
  if (impl_->beside->is_vital(name)) impl_->beside->touch();
  return impl_->erase_blob.run(name);
}

Result<bool> Store::move_peer(std::string_view from, std::string_view to) {
  if (from == to) return false;
  // Rare: prepared when needed.
  constexpr const char* kMoves[] = {
      "UPDATE OR IGNORE sessions SET name = ?2 WHERE name = ?1",
      "UPDATE OR IGNORE peer_identities SET name = ?2 WHERE name = ?1",
      "UPDATE OR IGNORE sender_keys SET name = ?2 WHERE name = ?1",
  };
  // What `to` had already.
  constexpr const char* kDrops[] = {
      "DELETE FROM sessions WHERE name = ?1",
      "DELETE FROM peer_identities WHERE name = ?1",
      "DELETE FROM sender_keys WHERE name = ?1",
  };
  TRY(Transaction transaction, impl_->db->begin());
  bool moved = false;
  for (const char* sql : kMoves) {
    Statement move(*impl_->db, sql);
    TRY(move.run(from, to));
    moved = moved || sqlite3_changes(impl_->db->handle()) > 0;
  }
  for (const char* sql : kDrops) {
    Statement drop(*impl_->db, sql);
    TRY(drop.run(from));
  }
  TRY(transaction.commit());
  return moved;
}

Result<void> Store::clear_signal() {
  impl_->beside->touch();
  TRY(Transaction transaction, impl_->db->begin());
  TRY(impl_->db->execute(
      "DELETE FROM own_identity; DELETE FROM pre_keys; DELETE FROM signed_pre_keys;"
      "DELETE FROM sessions; DELETE FROM peer_identities; DELETE FROM sender_keys;"
      "DELETE FROM counters WHERE name IN ('pre_key', 'signed_pre_key')"));
  return transaction.commit();
}

}  // namespace posthorn::store
