#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// Who got and who has seen our statuses: the newest 5,000 rows. People are JIDs as text without
/// device. Every call may stand alone or join an open transaction. Errors: io, full, malformed
/// (database damaged).
class ViewStore {
 public:
  static constexpr int kMost = 5'000;

  static Result<std::unique_ptr<ViewStore>> open(Database& database);

  struct View {
    std::string user;
    bool seen = false;    ///< else it only came to one of his devices
    std::int64_t at = 0;  ///< Unix seconds
  };
  /// Of one status, in the order in which they were told.
  [[nodiscard]] Result<std::vector<View>> views(std::string_view status_id);
  /// The first word of a kind counts, and "seen" replaces "came".
  Result<void> save(std::string_view status_id, const View& view);
  /// Forgets everything (logout).
  Result<void> clear();

 private:
  explicit ViewStore(Database& database) : db_(database) {}

  Database& db_;
  Statement find_{db_, "SELECT user, seen, at FROM status_views WHERE status = ?1 ORDER BY n"};
  Statement save_{db_,
                  "INSERT INTO status_views (status, user, seen, at) VALUES (?1, ?2, ?3, ?4)"
                  " ON CONFLICT (status, user) DO UPDATE SET seen = excluded.seen, at = excluded.at"
                  " WHERE status_views.seen < excluded.seen"};
  Statement prune_{db_,
                   "DELETE FROM status_views WHERE n <= (SELECT max(n) FROM status_views) - ?1"};
  Statement clear_{db_, "DELETE FROM status_views"};
};

}  // namespace posthorn::store
