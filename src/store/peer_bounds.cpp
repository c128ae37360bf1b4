#include "store/peer_bounds.h"

namespace posthorn::store {

namespace {

/// Rows over the number that may stay; 0: none.
Result<std::int64_t> excess(Database& database, const char* count, std::int64_t most) {
  Statement statement(database, count);
  Query query = statement.query();
  TRY(query.next());
  const std::int64_t rows = query.integer(0);
  return rows > most ? rows - most : 0;
}

}  // namespace

Result<void> bound_rows(Database& database, std::span<const RowBound> bounds) {
  for (const RowBound& bound : bounds) {
    TRY(const std::int64_t over, excess(database, bound.count, bound.most));
    if (over == 0) continue;
    Statement drop(database, bound.drop);
    TRY(drop.run(over));
  }
  return {};
}

Result<void> bound_peers(Database& database) {
  constexpr RowBound kBounds[] = {
      {"SELECT count(*) FROM sessions",
       "DELETE FROM sessions WHERE rowid IN"
       " (SELECT rowid FROM sessions ORDER BY rowid LIMIT ?1)",
       kSessionsMax},
      {"SELECT count(*) FROM sender_keys",
       "DELETE FROM sender_keys WHERE rowid IN"
       " (SELECT rowid FROM sender_keys ORDER BY rowid LIMIT ?1)",
       kSenderKeysMax},
      // Those first whom we have no session with any more.
      {"SELECT count(*) FROM peer_identities",
       "DELETE FROM peer_identities WHERE (name, device) IN"
       " (SELECT name, device FROM peer_identities AS known WHERE NOT EXISTS (SELECT 1 FROM"
       " sessions WHERE sessions.name = known.name AND sessions.device = known.device) LIMIT ?1)",
       kIdentitiesMax},
  };
  return bound_rows(database, kBounds);
}

}  // namespace posthorn::store
