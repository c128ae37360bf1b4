#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// Polls, for as long as votes may come: the newest 1,000, for 90 days; and when each voter voted
/// last, the newest 50,000. Users and chats as in MessageStore. Every call may stand alone or join
/// an open transaction. Errors: io, full, malformed (database damaged).
class PollStore {
 public:
  static constexpr int kMost = 1'000;
  static constexpr int kMostVotes = 50'000;

  struct Poll {
    std::string id, chat;
    std::string sender;  ///< user JID as text
    Bytes message;       ///< serialised wa::Message: the poll and its secret
  };

  struct Vote {
    std::string chat, poll_id;
    std::string voter;       ///< user JID as text
    std::int64_t at_ms = 0;  ///< as the voter's phone says
  };

  /// The tables are there (MessageStore brings them up).
  explicit PollStore(Database& database) : db_(database) {}

  Result<void> save(const Poll& poll, Wall now);
  [[nodiscard]] Result<std::optional<Poll>> find(std::string_view chat, std::string_view id);
  /// The voter is known to have voted later than that.
  [[nodiscard]] Result<bool> is_late(const Vote& vote);
  Result<void> note(const Vote& vote);
  Result<void> move_user(std::string_view from, std::string_view to);

 private:
  Database& db_;
  std::uint32_t votes_ = 0;  ///< since the start
  Statement save_{db_,
                  "INSERT INTO polls (id, chat, sender, message, at) VALUES (?1, ?2, ?3, ?4, ?5)"};
  Statement find_{db_,
                  "SELECT sender, message FROM polls WHERE chat = ?1 AND id = ?2"
                  " ORDER BY n DESC LIMIT 1"};
  Statement prune_{db_, "DELETE FROM polls WHERE n <= (SELECT max(n) FROM polls) - ?1 OR at < ?2"};
  Statement last_vote_{db_, "SELECT at FROM votes WHERE key = ?1"};
  Statement save_vote_{db_, "INSERT OR REPLACE INTO votes (key, at) VALUES (?1, ?2)"};
  Statement prune_votes_{db_,
                         "DELETE FROM votes WHERE key IN"
                         " (SELECT key FROM votes ORDER BY at DESC LIMIT -1 OFFSET ?1)"};
  Statement move_{db_,
                  "UPDATE polls SET chat = CASE chat WHEN ?1 THEN ?2 ELSE chat END,"
                  " sender = CASE sender WHEN ?1 THEN ?2 ELSE sender END"
                  " WHERE chat = ?1 OR sender = ?1"};
};

}  // namespace posthorn::store
