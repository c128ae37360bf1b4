#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// Files of the phone's history that were announced and are not read yet, oldest first. Every call
/// may stand alone or join an open transaction. Errors: io, full, malformed (database damaged).
class HistoryStore {
 public:
  static constexpr std::int64_t kMost = 200;

  static Result<std::unique_ptr<HistoryStore>> open(Database& database);

  struct Announced {
    std::string message_id;
    Bytes notification;
  };
  /// An id that is known stays as it is; beyond the bound nothing is noted.
  Result<void> add(const Announced& announced);
  [[nodiscard]] Result<std::optional<Announced>> first();
  Result<void> drop(std::string_view message_id);
  Result<void> clear();

 private:
  explicit HistoryStore(Database& database) : db_(database) {}

  Database& db_;
  Statement add_{db_,
                 "INSERT OR IGNORE INTO history_files (id, notification) SELECT ?1, ?2"
                 " WHERE (SELECT count(*) FROM history_files) < ?3"};
  Statement first_{db_, "SELECT id, notification FROM history_files ORDER BY n LIMIT 1"};
  Statement drop_{db_, "DELETE FROM history_files WHERE id = ?1"};
  Statement clear_{db_, "DELETE FROM history_files"};
};

}  // namespace posthorn::store
