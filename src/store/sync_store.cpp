#include "posthorn/store/sync_store.h"

namespace posthorn::store {
namespace {

constexpr const char* kSteps[] = {
    "CREATE TABLE sync_keys (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, data BLOB NOT NULL,"
    " fingerprint BLOB NOT NULL, timestamp INTEGER NOT NULL, asked_at INTEGER NOT NULL);"
    "CREATE TABLE sync_collections (name TEXT PRIMARY KEY, version INTEGER NOT NULL,"
    " hash BLOB NOT NULL, drifted INTEGER NOT NULL, failed_at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE sync_entries (collection TEXT NOT NULL, index_mac BLOB NOT NULL,"
    " value_mac BLOB NOT NULL, key INTEGER, PRIMARY KEY (collection, index_mac)) WITHOUT ROWID;",
};

/// Half of a MAC names an entry as well as the whole, in half of the room.
ByteView short_of(ByteView index_mac) {
  constexpr std::size_t kKept = 16;
  return index_mac.first(std::min(index_mac.size(), kKept));
}

}  // namespace

Result<std::unique_ptr<SyncStore>> SyncStore::open(Database& database) {
  TRY(database.migrate("sync", kSteps));
  return std::unique_ptr<SyncStore>(new SyncStore(database));
}

Result<std::optional<Bytes>> SyncStore::key(ByteView id) {
  Query query = find_key_.query(id);
  TRY(const bool found, query.next());
  if (!found) return std::optional<Bytes>();
  return std::optional(to_bytes(query.blob(0)));
}

Result<std::vector<SyncStore::Key>> SyncStore::keys() {
  std::vector<Key> keys;
  Query query = all_keys_.query();
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return keys;
    keys.push_back({to_bytes(query.blob(0)), to_bytes(query.blob(1)), to_bytes(query.blob(2)),
                    query.integer(3)});
  }
}

Result<void> SyncStore::save_key(const Key& key) {
  TRY(save_key_.run(key.id, key.data, key.fingerprint, key.timestamp));
  return prune_keys_.run(kMostKeys);
}

Result<std::int64_t> SyncStore::key_asked(ByteView id) {
  Query query = find_asked_.query(id);
  TRY(const bool found, query.next());
  return found ? query.integer(0) : 0;
}

Result<void> SyncStore::save_key_asked(ByteView id, std::int64_t at) {
  TRY(save_asked_.run(id, at));
  return prune_keys_.run(kMostKeys);
}

Result<SyncStore::Collection> SyncStore::collection(std::string_view name) {
  Query query = find_collection_.query(name);
  TRY(const bool found, query.next());
  Collection collection;
  if (!found) return collection;
  collection.version = static_cast<std::uint64_t>(query.integer(0));
  collection.hash = to_bytes(query.blob(1));
  collection.drifted = query.integer(2) != 0;
  collection.failed_at = query.integer(3);
  return collection;
}

Result<void> SyncStore::save_collection(std::string_view name, const Collection& collection) {
  return save_collection_.run(name, static_cast<std::int64_t>(collection.version), collection.hash,
                              collection.drifted, collection.failed_at);
}

Result<std::optional<SyncStore::Entry>> SyncStore::entry(std::string_view collection,
                                                         ByteView index_mac) {
  Query query = find_entry_.query(collection, short_of(index_mac));
  TRY(const bool found, query.next());
  if (!found) return std::optional<Entry>();
  return std::optional(Entry{to_bytes(query.blob(0)), to_bytes(query.blob(1))});
}

Result<void> SyncStore::save_entry(std::string_view collection, ByteView index_mac,
                                   const Entry& entry) {
  return save_entry_.run(collection, short_of(index_mac), entry.value_mac, entry.key_id);
}

Result<void> SyncStore::drop_entry(std::string_view collection, ByteView index_mac) {
  return drop_entry_.run(collection, short_of(index_mac));
}

Result<void> SyncStore::drop_entries(std::string_view collection) {
  return drop_entries_.run(collection);
}

Result<std::int64_t> SyncStore::count_entries(std::string_view collection) {
  Query query = count_entries_.query(collection);
  TRY(query.next());
  return query.integer(0);
}

Result<void> SyncStore::clear() {
  return db_.execute(
      "DELETE FROM sync_keys; DELETE FROM sync_collections; DELETE FROM sync_entries");
}

}  // namespace posthorn::store
