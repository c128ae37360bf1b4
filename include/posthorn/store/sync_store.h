#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// What app state needs to go on where it stopped: sync keys, and of each collection its version,
/// its sum and the MACs of its live entries (not the entries). Source: chapter 11 section 11.
/// Every call may stand alone or join an open transaction. Errors: io, full, malformed (database
/// damaged).
class SyncStore {
 public:
  /// Keys change when a device is taken off the account; old ones stay needed for old entries.
  static constexpr std::int64_t kMostKeys = 500;
  /// A collection of the phone's with more entries is left alone: 50,000 are 5 MB.
  static constexpr std::int64_t kMostEntries = 50'000;

  static Result<std::unique_ptr<SyncStore>> open(Database& database);

  struct Key {
    Bytes id, data, fingerprint;
    std::int64_t timestamp = 0;
  };
  /// Only keys that came; whatever is asked for and not here is nullopt.
  [[nodiscard]] Result<std::optional<Bytes>> key(ByteView id);
  [[nodiscard]] Result<std::vector<Key>> keys();
  Result<void> save_key(const Key& key);
  /// When a key was last asked for, unix seconds; 0: never.
  [[nodiscard]] Result<std::int64_t> key_asked(ByteView id);
  Result<void> save_key_asked(ByteView id, std::int64_t at);

  struct Collection {
    std::uint64_t version = 0;
    Bytes hash;                  ///< 128 bytes; empty: nothing yet
    bool drifted = false;        ///< its sum does not agree with what other devices say
    std::int64_t failed_at = 0;  ///< the last time it was discarded, unix seconds; 0: never
  };
  [[nodiscard]] Result<Collection> collection(std::string_view name);
  Result<void> save_collection(std::string_view name, const Collection& collection);

  struct Entry {
    Bytes value_mac;
    Bytes key_id;
  };
  [[nodiscard]] Result<std::optional<Entry>> entry(std::string_view collection, ByteView index_mac);
  Result<void> save_entry(std::string_view collection, ByteView index_mac, const Entry& entry);
  Result<void> drop_entry(std::string_view collection, ByteView index_mac);
  Result<void> drop_entries(std::string_view collection);
  [[nodiscard]] Result<std::int64_t> count_entries(std::string_view collection);

  /// Forgets everything (logout).
  Result<void> clear();

 private:
  explicit SyncStore(Database& database) : db_(database) {}

  Database& db_;
  Statement find_key_{db_, "SELECT data FROM sync_keys WHERE id = ?1 AND length(data) > 0"};
  Statement all_keys_{db_,
                      "SELECT id, data, fingerprint, timestamp FROM sync_keys"
                      " WHERE length(data) > 0"};
  Statement save_key_{db_,
                      "INSERT INTO sync_keys (id, data, fingerprint, timestamp, asked_at)"
                      " VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT (id) DO UPDATE SET data = ?2,"
                      " fingerprint = ?3, timestamp = ?4"};
  Statement prune_keys_{db_,
                        "DELETE FROM sync_keys WHERE n <= (SELECT max(n) FROM sync_keys) - ?1"};
  Statement find_asked_{db_, "SELECT asked_at FROM sync_keys WHERE id = ?1"};
  Statement save_asked_{db_,
                        "INSERT INTO sync_keys (id, data, fingerprint, timestamp, asked_at)"
                        " VALUES (?1, x'', x'', 0, ?2) ON CONFLICT (id) DO UPDATE"
                        " SET asked_at = ?2"};
  Statement find_collection_{
      db_, "SELECT version, hash, drifted, failed_at FROM sync_collections WHERE name = ?1"};
  Statement save_collection_{
      db_,
      "INSERT OR REPLACE INTO sync_collections (name, version, hash, drifted, failed_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5)"};
  Statement find_entry_{db_,
                        "SELECT value_mac, (SELECT id FROM sync_keys WHERE n = key)"
                        " FROM sync_entries WHERE collection = ?1 AND index_mac = ?2"};
  Statement save_entry_{db_,
                        "INSERT OR REPLACE INTO sync_entries (collection, index_mac, value_mac,"
                        " key) VALUES (?1, ?2, ?3, (SELECT n FROM sync_keys WHERE id = ?4))"};
  Statement drop_entry_{db_, "DELETE FROM sync_entries WHERE collection = ?1 AND index_mac = ?2"};
  Statement drop_entries_{db_, "DELETE FROM sync_entries WHERE collection = ?1"};
  Statement count_entries_{db_, "SELECT count(*) FROM sync_entries WHERE collection = ?1"};
};

}  // namespace posthorn::store
