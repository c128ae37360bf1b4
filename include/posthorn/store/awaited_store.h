#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// Messages that were acknowledged, could not be read and are asked for, at most 1,000: the shop
/// hears of each, also when the program ends meanwhile. Every call may stand alone or join an open
/// transaction. Errors: io, full, malformed (database damaged).
class AwaitedStore {
 public:
  static constexpr std::int64_t kMost = 1'000;

  static Result<std::unique_ptr<AwaitedStore>> open(Database& database);

  struct Message {
    std::uint64_t key = 0;  ///< MessageStore::seen_key
    Bytes stanza;           ///< written and read by chat alone
    int from = 0;           ///< who can give it, in chat's numbers
    Wall until;             ///< when it is told as unreadable
  };
  [[nodiscard]] Result<std::vector<Message>> all();
  /// Replaces an earlier one of that key; beyond the bound nothing is noted.
  Result<void> save(const Message& message);
  Result<void> drop(std::uint64_t key);
  Result<void> clear();

 private:
  explicit AwaitedStore(Database& database) : db_(database) {}

  Database& db_;
  Statement all_{db_, "SELECT key, stanza, giver, until FROM awaited ORDER BY until"};
  Statement save_{db_,
                  "INSERT OR REPLACE INTO awaited (key, stanza, giver, until) SELECT ?1, ?2, ?3, ?4"
                  " WHERE (SELECT count(*) FROM awaited) < ?5"};
  Statement drop_{db_, "DELETE FROM awaited WHERE key = ?1"};
  Statement clear_{db_, "DELETE FROM awaited"};
};

}  // namespace posthorn::store
