#pragma once

#include <cstdint>
#include <string_view>

#include "posthorn/base/result.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// After how long the messages of a chat disappear: of 5,000 chats, those set last. Chats as in
/// MessageStore. Every call may stand alone or join an open transaction. Errors: io, full,
/// malformed (database damaged).
class TimerStore {
 public:
  static constexpr int kMost = 5'000;

  struct ChatTimer {
    std::uint32_t seconds = 0;  ///< 0: they stay
    std::int64_t set_at = 0;    ///< Unix seconds; 0: not known
    bool operator==(const ChatTimer&) const = default;
  };

  /// The table is there (MessageStore brings it up).
  explicit TimerStore(Database& database) : db_(database) {}

  [[nodiscard]] Result<ChatTimer> find(std::string_view chat);
  /// Nothing is written when it is known already, or a later setting is.
  Result<void> save(std::string_view chat, const ChatTimer& timer);
  Result<void> move_user(std::string_view from, std::string_view to);

 private:
  Database& db_;
  Statement find_{db_, "SELECT seconds, set_at FROM timers WHERE chat = ?1"};
  Statement save_{db_, "INSERT OR REPLACE INTO timers (chat, seconds, set_at) VALUES (?1, ?2, ?3)"};
  Statement prune_{db_,
                   "DELETE FROM timers WHERE chat IN"
                   " (SELECT chat FROM timers ORDER BY set_at DESC LIMIT -1 OFFSET ?1)"};
  Statement move_{db_, "UPDATE OR IGNORE timers SET chat = ?2 WHERE chat = ?1"};
  Statement drop_{db_, "DELETE FROM timers WHERE chat = ?1"};
};

}  // namespace posthorn::store
