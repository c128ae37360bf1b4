#pragma once

#include "posthorn/store/store.h"
#include "store/beside.h"
#include "store/durability.h"
#include "store/lease.h"
#include "store/owner_lock.h"

namespace posthorn::store {

class Store::Impl {
 public:
  explicit Impl(std::unique_ptr<Database> opened) : db(std::move(opened)) {}

  OwnerLock owner;  ///< first: ends last
  std::unique_ptr<Database> db;
  std::unique_ptr<Beside> beside;
  std::unique_ptr<Lease> lease;
  std::unique_ptr<Durability> durability;
  std::vector<std::string> relaxed;
  bool lost_keys = false;

  Statement load_blob{*db, "SELECT value FROM blobs WHERE name = ?1"};
  Statement save_blob{*db,
                      "INSERT INTO blobs VALUES (?1, ?2)"
                      " ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
  Statement erase_blob{*db, "DELETE FROM blobs WHERE name = ?1"};

  Statement load_session{*db, "SELECT record FROM sessions WHERE name = ?1 AND device = ?2"};
  Statement has_session{*db, "SELECT 1 FROM sessions WHERE name = ?1 AND device = ?2"};
  Statement update_session{*db, "UPDATE sessions SET record = ?3 WHERE name = ?1 AND device = ?2"};
  Statement add_session{*db, "INSERT INTO sessions VALUES (?1, ?2, ?3)"};
  Statement delete_session{*db, "DELETE FROM sessions WHERE name = ?1 AND device = ?2"};
  Statement delete_sessions{*db, "DELETE FROM sessions WHERE name = ?1"};

  Statement load_peer{*db, "SELECT key FROM peer_identities WHERE name = ?1 AND device = ?2"};
  Statement save_peer{*db,
                      "INSERT INTO peer_identities VALUES (?1, ?2, ?3)"
                      " ON CONFLICT (name, device) DO UPDATE SET key = excluded.key"};
  Statement delete_peers{*db, "DELETE FROM peer_identities WHERE name = ?1"};

  Statement load_own{*db, "SELECT public, private, registration_id FROM own_identity"};
  Statement save_own{*db, "INSERT OR REPLACE INTO own_identity VALUES (1, ?1, ?2, ?3)"};

  Statement load_counter{*db, "SELECT value FROM counters WHERE name = ?1"};
  Statement save_counter{*db,
                         "INSERT INTO counters VALUES (?1, ?2)"
                         " ON CONFLICT (name) DO UPDATE SET value = excluded.value"};

  Statement add_pre_key{*db, "INSERT OR REPLACE INTO pre_keys VALUES (?1, ?2, ?3, ?4)"};
  Statement load_pre_key{*db, "SELECT id, public, private FROM pre_keys WHERE id = ?1"};
  Statement unoffered{*db,
                      "SELECT id, public, private FROM pre_keys WHERE offered = 0"
                      " ORDER BY id LIMIT ?1"};
  Statement count_unoffered{*db, "SELECT count(*) FROM pre_keys WHERE offered = 0"};
  Statement offer{*db, "UPDATE pre_keys SET offered = 1 WHERE id = ?1"};
  Statement offer_none{*db, "UPDATE pre_keys SET offered = 0 WHERE offered = 1"};
  // The oldest: those whose id is farthest behind ?1, the next one of a counter that ends at ?2.
  Statement drop_retry_keys{*db,
                            "DELETE FROM pre_keys WHERE id IN (SELECT id FROM pre_keys"
                            " WHERE offered = 2 ORDER BY (?1 - id + ?2) % ?2 LIMIT -1 OFFSET ?3)"};
  Statement delete_pre_key{*db, "DELETE FROM pre_keys WHERE id = ?1"};

  Statement load_signed{*db,
                        "SELECT id, public, private, signature, made_ms FROM signed_pre_keys"
                        " WHERE id = ?1"};
  Statement load_signed_in{*db,
                           "SELECT id, public, private, signature, made_ms FROM signed_pre_keys"
                           " WHERE state = ?1 ORDER BY turn DESC LIMIT 1"};
  Statement add_signed{*db,
                       "INSERT OR REPLACE INTO signed_pre_keys (id, state, turn, public, private,"
                       " signature, made_ms) SELECT ?1, ?2, coalesce(max(turn), 0) + 1, ?3, ?4, ?5,"
                       " ?6 FROM signed_pre_keys"};
  Statement move_signed{*db, "UPDATE signed_pre_keys SET state = ?2 WHERE state = ?1"};
  Statement promote_signed{*db,
                           "UPDATE signed_pre_keys SET state = ?2 WHERE id = ?1 AND state = ?3"
                           " RETURNING id"};
  Statement drop_old_signed{*db,
                            "DELETE FROM signed_pre_keys WHERE state = ?1 AND id NOT IN"
                            " (SELECT id FROM signed_pre_keys WHERE state = ?1"
                            " ORDER BY turn DESC LIMIT 2)"};
  Statement drop_signed_in{*db, "DELETE FROM signed_pre_keys WHERE state = ?1"};

  Statement load_sender_key{*db,
                            "SELECT record FROM sender_keys WHERE name = ?1 AND device = ?2"
                            " AND group_id = ?3"};
  Statement update_sender_key{*db,
                              "UPDATE sender_keys SET record = ?4 WHERE name = ?1 AND device = ?2"
                              " AND group_id = ?3"};
  Statement add_sender_key{*db, "INSERT INTO sender_keys VALUES (?1, ?2, ?3, ?4)"};
  Statement drop_sender_keys_over{*db,
                                  "DELETE FROM sender_keys WHERE rowid IN (SELECT rowid FROM"
                                  " sender_keys WHERE name = ?1 AND device = ?2"
                                  " ORDER BY rowid DESC LIMIT -1 OFFSET ?3)"};
  Statement delete_sender_key{*db,
                              "DELETE FROM sender_keys WHERE name = ?1 AND device = ?2"
                              " AND group_id = ?3"};

  /// The value of a persistent counter, which then moves on by `count` inside 1 .. kMaxPreKeyId.
  Result<std::uint32_t> take_ids(std::string_view counter, std::size_t count);
  Result<void> apply_all(const signal::KeyChanges& changes);
  Result<void> save_sender_key(const signal::KeyChanges::SenderKey& key);
  /// Bounds what strangers add: see peer_bounds.h.
  Result<void> count_new_peer();
  [[nodiscard]] bool changed_a_row() const;
  std::uint32_t new_peers = 0;  ///< since the bounds were looked at
};

}  // namespace posthorn::store
