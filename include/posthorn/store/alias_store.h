#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// Numbers that WhatsApp's answer to a check led to an account with another one: the newest 20,000.
/// Every call may stand alone or join an open transaction. Errors: io, full, malformed (database
/// damaged).
class AliasStore {
 public:
  static constexpr int kMost = 20'000;

  static Result<std::unique_ptr<AliasStore>> open(Database& database);

  /// number: digits, as asked. Gives the account's JID as text.
  [[nodiscard]] Result<std::optional<std::string>> find(std::string_view number);
  Result<void> save(std::string_view number, std::string_view account);
  /// The number has an account of its own after all, or none any more.
  Result<void> drop(std::string_view number);
  Result<void> clear();

 private:
  explicit AliasStore(Database& database) : db_(database) {}

  Database& db_;
  bool empty_ = false;  ///< in most countries it stays so, and nobody asks the database
  Statement any_{db_, "SELECT 1 FROM aliases LIMIT 1"};
  Statement find_{db_, "SELECT account FROM aliases WHERE number = ?1"};
  Statement save_{db_, "INSERT OR REPLACE INTO aliases (number, account) VALUES (?1, ?2)"};
  Statement prune_{db_, "DELETE FROM aliases WHERE n <= (SELECT max(n) FROM aliases) - ?1"};
  Statement drop_{db_, "DELETE FROM aliases WHERE number = ?1"};
  Statement clear_{db_, "DELETE FROM aliases"};
};

}  // namespace posthorn::store
